"""The Spectra section's handlers as plain functions: what follows a choice, a slider, the mask's button and the training."""

import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest
import tiny
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from deftx.analysis.spectra import Spectrum, spectra_of
from deftx.core.errors import VectorError
from deftx.core.files import write_json
from deftx.jobs import Store, state_of
from deftx.jobs.disk import free_checkpoints
from deftx.jobs.job import RESULT
from deftx.jobs.work import learn_language
from deftx.training.request import TrainingRequest
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.page import build_page
from ui.spectra import spectra_figures, spectra_form, spectra_tab
from ui.spectra.spectra_facts import SpectraFacts
from ui.studio import Studio
from ui.train import requests

RECIPE = {"epochs": 100, "min_steps": 0, "max_steps": 4, "evaluate_every": 2, **tiny.SHARED}
QUERY = "roberta.encoder.layer.1.attention.self.query.weight"


def language_job(studio, base, corpus, **recipe):
    settings = {"base": str(base), "preset": "quick", "recipe": {**RECIPE, **recipe}, "delta": "delta"}
    return studio.store.add("language", "Bugis", {**settings, "corpus": str(corpus)})


def unfinished(studio, job, base, corpus, **recipe):
    """The key of a training run that is past its dense phase: it has the δ of ``job``."""
    waiting = language_job(studio, base, corpus, **recipe)
    (waiting.folder / "delta").mkdir()
    (waiting.folder / "delta" / "delta.safetensors").hardlink_to(job.folder / "delta" / "delta.safetensors")
    return f"job:{waiting.id}"


def finish(job):
    learn_language(job.settings, job.folder, lambda event: None, lambda: False)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Said."})
    return job


@pytest.fixture(scope="module")
def studio(tmp_path_factory, base_folder):
    """A studio of its own: it holds one finished training with its δ."""
    return Studio(str(base_folder), Store(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def job(studio, base_folder, corpus_file):
    return finish(language_job(studio, base_folder, corpus_file))


@pytest.fixture
def key(job):
    return f"job:{job.id}"


def figure(value):
    return json.loads(value)


def test_finished_trainings_and_bundled_vectors_can_be_chosen_and_nothing_else(studio, key):
    keys = [value for _, value in spectra_tab.choices()]
    assert key in keys
    assert {"bundled:ind", "bundled:sentiment"} <= set(keys)
    for other in ("../../etc", "bundled:../ind", "", None):
        with pytest.raises(VectorError):
            studio.spectra.find(other)


def test_a_training_that_is_past_its_dense_phase_is_offered_until_it_has_a_vector(
    studio, job, base_folder, corpus_file
):
    waiting = language_job(studio, base_folder, corpus_file)
    assert f"job:{waiting.id}" not in [value for _, value in spectra_tab.choices()]
    (waiting.folder / "delta").mkdir()
    (waiting.folder / "delta" / "delta.safetensors").hardlink_to(job.folder / "delta" / "delta.safetensors")
    source = studio.spectra.find(f"job:{waiting.id}")
    assert source.vector is None
    assert "not finished" in source.label
    assert studio.spectra.strategy(source) == "variance:0.9"
    said = spectra_tab.compute_mask(source.key, "variance", 0.9, 0)
    assert "0.0% of the mask" in said
    assert "own strategy" in said
    studio.store.discard(waiting.id)


def test_a_choice_brings_its_own_strategy_its_matrices_and_what_can_be_done(studio, key):
    strategy, share, rank, matrices, mask, compute_mask, train, answer = spectra_tab.choose(key, None)
    assert (strategy.value, share.value, share.visible, rank.visible, rank.maximum) == (
        "variance",
        0.9,
        True,
        False,
        32,
    )
    assert QUERY in [value for _, value in matrices.choices]
    assert compute_mask.interactive
    assert train.interactive
    assert strings.MASK_NEEDS in mask
    assert strings.TRAIN_BRANCH_HINT in answer
    assert spectra_tab.choose(key, QUERY)[3].value == QUERY


@pytest.mark.parametrize("share", [0.3, 0.004])
def test_any_share_that_training_accepts_can_be_sent_back(studio, job, base_folder, corpus_file, share):
    waiting = unfinished(studio, job, base_folder, corpus_file, rank=f"variance:{share}")
    slider = spectra_tab.choose(waiting, None)[1]
    assert slider.minimum == min(0.01, share)  # a smaller value is refused when it comes back
    assert gr.Slider(slider.minimum, 1).preprocess(slider.value) == share
    studio.store.discard(waiting.removeprefix("job:"))


def test_the_slider_of_shares_starts_where_those_of_training_do():
    with gr.Blocks():
        assert spectra_form.build().share.preprocess(0.01) == 0.01


def test_without_denoising_the_strategy_is_none_and_a_random_mask_is_not_compared(
    studio, job, base_folder, corpus_file
):
    plain = unfinished(studio, job, base_folder, corpus_file, method="lt-sft")
    assert studio.spectra.strategy(studio.spectra.find(plain)) == "none"
    assert "0.0% of the mask" in spectra_tab.compute_mask(plain, "none", 0.9, 0)
    drawn = unfinished(studio, job, base_folder, corpus_file, method="random")
    assert studio.spectra.strategy(studio.spectra.find(drawn)) == "none"
    assert strings.MASK_RANDOM in spectra_tab.compute_mask(drawn, "none", 0.9, 0)
    for key in (plain, drawn):
        studio.store.discard(key.removeprefix("job:"))


def test_of_a_bundled_vector_only_the_spectrum_is_stored_and_that_is_said(studio):
    *_, mask, compute_mask, train, answer = spectra_tab.choose("bundled:ind", None)
    assert not compute_mask.interactive
    assert not train.interactive
    assert strings.MASK_UNKNOWN in mask
    assert strings.NO_DELTA in answer
    assert strings.MASK_UNKNOWN in spectra_tab.compute_mask("bundled:ind", "mp", 0.9, 0)
    asked, said = spectra_tab.train("bundled:ind", "mp", 0.9, 0)
    assert asked == gr.skip()
    assert strings.NO_DELTA in said


@pytest.mark.parametrize(
    ("strategy", "text"),
    [(("variance", 0.95, 3), "variance:0.95"), (("uniform", 0.9, 3.0), "uniform:3"), (("mp", 0.9, 3), "mp"),
     (("optimal", 0.9, 3), "optimal"), (("none", 0.9, 3), "none")],
)  # fmt: skip
def test_a_strategy_shows_its_ranks_and_energy_everywhere(studio, key, job, strategy, text):
    summary, drawn, table, words, values, shares, numbers = spectra_tab.look(key, *strategy, "rank", QUERY)
    exact = spectra_of(job.out).matrices[QUERY].to_dict([text])
    rank, energy = exact["ranks"][text], exact["energy_kept"][text]
    assert text in summary
    cells = figure(drawn)["data"][0]
    place = next((r, c) for r, row in enumerate(cells["customdata"]) for c, name in enumerate(row) if name == QUERY)
    assert cells["text"][place[0]][place[1]] == str(rank)
    assert f"<td>{rank:,}</td><td>{energy:.1%}</td>" in table
    assert f"rank {rank}" in values
    assert figure(shares)["layout"]["shapes"][0]["y0"] == pytest.approx(energy)
    assert re.search(r"rank \d+ of 32", words)
    assert len(figure(values)["data"]) == 2  # the matrix, and noise
    assert "<td>100.0%</td>" in numbers


def test_the_trained_rank_stays_marked_beside_the_one_that_is_tried(studio, key):
    own = spectra_tab.look(key, "variance", 0.9, 0, "rank", QUERY)[4]
    other = spectra_tab.look(key, "uniform", 0.9, 1, "rank", QUERY)[4]
    assert "trained with" not in own
    assert "trained with" in other


def test_the_noise_edge_is_named_at_its_own_height(studio, key, job):
    drawn = figure(spectra_tab.look(key, "variance", 0.9, 0, "rank", QUERY)[4])["layout"]
    edge = spectra_of(job.out).matrices[QUERY].to_dict([])["noise_edge"]
    assert [shape["y0"] for shape in drawn["shapes"] if shape["y0"] == shape["y1"]] == [pytest.approx(edge)]
    named = next(one for one in drawn["annotations"] if "noise edge" in one["text"])
    assert named["y"] == pytest.approx(math.log10(edge))  # plotly counts annotations on a log axis in powers of ten


def test_a_spectrum_that_is_mostly_zeros_is_drawn_without_noise():
    values = torch.cat([torch.tensor([3.0, 1.0]), torch.zeros(18)]).double()
    drawn = spectra_figures.values_figure(Spectrum((20, 20), values), 2)
    assert [trace.name for trace in drawn.data] == [strings.THIS_MATRIX]
    assert drawn.data[0].y[:3] == (3.0, 1.0, None)


@pytest.mark.parametrize("measure", ["rank", "energy", "noise"])
def test_the_map_holds_every_matrix_once(studio, key, measure):
    found = studio.spectra.outcome(studio.spectra.find(key), "variance:0.9")
    cells = figure(spectra_tab.look(key, "variance", 0.9, 0, measure, QUERY)[1])["data"][0]
    named = [name for row in cells["customdata"] for name in row if name]
    assert sorted(named) == sorted(found.matrices)
    assert measure in strings.MEASURES
    shown = {name: text for names, texts in zip(cells["customdata"], cells["text"], strict=True)
             for name, text in zip(names, texts, strict=True)}  # fmt: skip
    assert shown[QUERY] == spectra_figures.cell_text(found.matrices[QUERY], measure)


def test_moving_the_slider_reads_nothing_again(studio, key, monkeypatch):
    spectra_tab.look(key, "variance", 0.9, 0, "rank", QUERY)
    monkeypatch.setattr("ui.spectra.spectra_facts.spectra_of", lambda *_: pytest.fail("the spectrum was read again"))
    assert "variance:0.77" in spectra_tab.look(key, "variance", 0.77, 0, "rank", QUERY)[0]


def test_the_change_of_the_mask_is_worked_out_once_and_is_none_for_its_own_strategy(studio, key, monkeypatch):
    assert "0.0% of the mask" in spectra_tab.compute_mask(key, "variance", 0.9, 0)
    other = spectra_tab.compute_mask(key, "variance", 0.8, 0)
    assert "of 60 entries are already in the mask of this vector" in other
    monkeypatch.setattr("ui.spectra.spectra_facts.read_delta", lambda *_: pytest.fail("δ was read again"))
    assert spectra_tab.compute_mask(key, "variance", 0.8, 0) == other
    assert spectra_tab.mask_cost(key) != other


def test_a_training_with_this_rank_begins_at_the_sparse_phase(studio, job, key):
    new, said = spectra_tab.train(key, "uniform", 0.9, 3)
    assert "sparse phase" in said
    started = studio.store.get(new)
    assert (started.name, state_of(started).name) == ("Bugis, uniform:3", "waiting")
    assert started.settings["recipe"] == {**RECIPE, "rank": "uniform:3"}
    finish(started)
    assert SparseVector.load(started.out).info["rank"]["ranks"][QUERY] == 3
    studio.store.discard(new)


def test_where_delta_was_freed_it_is_said(studio, base_folder, corpus_file):
    freed = finish(language_job(studio, base_folder, corpus_file))
    key = f"job:{freed.id}"
    assert spectra_tab.choose(key, None)[6].interactive
    free_checkpoints(freed)
    assert not spectra_tab.choose(key, None)[6].interactive
    assert "has no δ" in spectra_tab.train(key, "mp", 0.9, 0)[1]
    assert "rank" in spectra_tab.look(key, "mp", 0.9, 0, "rank", QUERY)[4]  # the spectrum is still there
    studio.store.discard(freed.id)
    assert "notice bad" in spectra_tab.look(key, "mp", 0.9, 0, "rank", QUERY)[0]


def test_a_vector_without_a_spectrum_of_delta_says_that_it_is_its_own(studio, base_folder, corpus_file):
    plain = finish(language_job(studio, base_folder, corpus_file, method="lt-sft"))
    key = f"job:{plain.id}"
    assert strings.SPECTRUM_OF_PHI in spectra_tab.look(key, "mp", 0.9, 0, "rank", QUERY)[0]
    assert "100.0%" not in spectra_tab.compute_mask(key, "none", 0.9, 0)  # no denoising is what lt-sft does
    assert "0.0% of the mask" in spectra_tab.compute_mask(key, "none", 0.9, 0)
    studio.store.discard(plain.id)


def test_two_visitors_compute_a_spectrum_once(studio, key, monkeypatch):
    computed = []

    def compute(folder):
        computed.append(folder)
        time.sleep(0.2)
        return spectra_of(folder)

    monkeypatch.setattr("ui.spectra.spectra_facts.spectra_of", compute)
    facts = SpectraFacts(studio.store)
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(facts.spectra, [facts.find(key)] * 2)
    assert first is second
    assert len(computed) == 1


def test_the_first_opening_only_chooses_the_first_source(studio):
    listed, *others = spectra_tab.opened(None, "mp", 0.9, 0, "rank", None)
    assert listed.value == spectra_tab.choices()[0][1]
    assert others == [gr.skip()] * 11


def test_after_a_run_has_finished_without_its_delta_opening_the_section_says_so(studio, job, base_folder, corpus_file):
    settings = {"base": str(base_folder), "preset": "quick", "recipe": RECIPE, "corpus": str(corpus_file)}
    running = studio.store.add("language", "Bugis", settings)
    key, delta = f"job:{running.id}", running.out / "run" / "delta" / "delta.safetensors"
    delta.parent.mkdir(parents=True)
    delta.hardlink_to(job.folder / "delta" / "delta.safetensors")
    assert spectra_tab.choose(key, None)[5].interactive
    looked = (key, "variance", 0.9, 0, "rank", QUERY)
    assert spectra_tab.opened(*looked)[-4:] == (gr.skip(),) * 4
    finish(running)
    _, *shown, mask, compute_mask, train, answer = spectra_tab.opened(*looked)
    assert shown == list(spectra_tab.look(*looked))
    assert not compute_mask.interactive
    assert not train.interactive
    assert strings.MASK_UNKNOWN in mask
    assert strings.NO_DELTA in answer
    studio.store.discard(running.id)


def test_opening_the_section_draws_the_chosen_source_again():
    with gr.Blocks() as page:
        with gr.Tab() as section:
            tab = spectra_form.build()
        spectra_tab.connect(tab, section, gr.BrowserState())
    [opening] = [one for one in page.fns.values() if (section._id, "select") in one.targets]
    assert opening.fn is spectra_tab.opened
    assert opening.outputs == [tab.choice, *tab.shown(), *tab.allowed()]


def test_with_nothing_chosen_there_is_only_a_hint(studio):
    assert strings.SPECTRA_EMPTY in spectra_tab.look(None, "mp", 0.9, 0, "rank", None)[0]
    assert set(spectra_tab.look_at_matrix(None, "mp", 0.9, 0, None)) == {""}


def test_a_name_in_a_vector_cannot_become_markup(studio, base_folder, corpus_file):
    job = language_job(studio, base_folder, corpus_file)
    assert "<b>" not in spectra_tab.train(f"job:{job.id}", "<b>", 0.9, 0)[1]
    studio.store.discard(job.id)


def test_trainings_of_the_page_keep_delta(studio, corpus_file):
    name = studio.corpora.add(corpus_file)
    request = TrainingRequest(kind="language", corpus=(name,), name="x")
    assert requests.resolve(studio, request).delta == "delta"


@pytest.mark.slow
def test_a_program_asks_for_spectra(studio, key):
    page = build_page(studio)
    page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
    try:
        client = Client(page.local_url, verbose=False)
        found = client.predict(key, ["uniform:3", "mp"], api_name="/spectrum")
        one = found["matrices"][QUERY]
        assert (one["shape"], one["ranks"]["uniform:3"], one["noise_ranks"]["mp"]) == ([32, 32], 3, 0)
        assert 0 < one["energy_kept"]["uniform:3"] < 1
        assert one["noise_edge"] > 0
        assert found["strategy"] == "variance:0.9"
        assert "variance:0.9" in client.predict("bundled:ind", None, api_name="/spectrum")["matrices"][
            "bert.encoder.layer.0.output.dense.weight"]["ranks"]  # fmt: skip
        with pytest.raises(AppError, match="not known"):
            client.predict("../../etc", None, api_name="/spectrum")
        with pytest.raises(AppError, match="Did you mean"):
            client.predict(key, ["optimol"], api_name="/spectrum")
    finally:
        page.close()
