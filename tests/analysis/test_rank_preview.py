"""What another rank would make of a run: reckoned from its spectrum, compared with noise, and trained from its δ."""

import shutil

import pytest
import tiny
import torch

from deftx.analysis.mask_change import compare_masks, read_delta, select_under
from deftx.analysis.rank_preview import place_of, what_if
from deftx.analysis.spectra import Spectra, Spectrum, spectra_of
from deftx.core.errors import DeftxError, RecipeError
from deftx.core.files import write_json
from deftx.jobs import JobError, Store
from deftx.jobs.disk import free_checkpoints, usage_of
from deftx.jobs.job import RESULT
from deftx.jobs.other_rank import add_with_rank, kept_delta
from deftx.jobs.work import learn_language, learn_task
from deftx.method.noise import cumulative_share, noise_like, noise_rank, unit_noise
from deftx.method.ranks import choose_rank, energy_kept
from deftx.training.learned import DELTA_FILE
from deftx.training.recipes import recipe_for
from deftx.vectors.vector import SparseVector

SHORT = {"epochs": 100, "min_steps": 0, "max_steps": 4, "evaluate_every": 2, **tiny.SHARED}


def drawn(m, n, seed=0):
    return torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Noise


@pytest.mark.parametrize("shape", [(256, 256), (1024, 256), (256, 1024), (3000, 200)])
def test_the_expected_spectrum_of_noise_is_that_of_sampled_noise(shape):
    sampled, expected = torch.linalg.svdvals(drawn(*shape)), unit_noise(shape)
    assert len(expected) == min(shape)
    assert (expected.diff() <= 0).all()
    assert float((sampled - expected).abs().max() / expected[0]) < 0.03
    assert float(expected.square().sum()) == pytest.approx(shape[0] * shape[1], rel=1e-3)  # the energy of unit entries


def test_at_90_percent_of_its_energy_square_noise_of_768_columns_has_rank_392():
    assert noise_rank((768, 768), "variance:0.9") == 392
    sampled = torch.linalg.svdvals(drawn(768, 768))
    assert abs(choose_rank(sampled, (768, 768), "variance:0.9") - 392) <= 1


def test_none_of_noise_lies_above_the_noise_edge_and_all_of_it_without_denoising():
    assert noise_rank((300, 200), "mp") == 0
    assert noise_rank((300, 200), "uniform:7") == 7
    assert noise_rank((300, 200), "none") == 200


def test_the_level_of_noise_is_found_under_a_signal_and_a_handful_of_values_tells_nothing():
    signal = 100 * drawn(400, 5, 1) @ drawn(5, 200, 2)
    values = torch.linalg.svdvals(signal + 0.5 * drawn(400, 200))
    noise = noise_like(values, (400, 200))
    assert float(noise[100]) == pytest.approx(float(values[100]), rel=0.05)
    assert float(values[0]) > 100 * float(noise[0])
    assert noise_like(torch.ones(3), (3, 50)) is None


def test_shares_add_up_and_a_matrix_of_zeros_loses_nothing():
    values = torch.tensor([3.0, 2.0, 1.0])
    assert cumulative_share(values).tolist() == pytest.approx([9 / 14, 13 / 14, 1])
    assert energy_kept(values, (3, 3), 2) == pytest.approx(13 / 14)
    assert cumulative_share(torch.zeros(3)).tolist() == [1, 1, 1]
    assert energy_kept(torch.zeros(3), (3, 3), 0) == 1


# What if


def made_of(**matrices):
    return Spectra("test", {n: Spectrum(tuple(w.shape), torch.linalg.svdvals(w)) for n, w in matrices.items()})


def test_noise_is_told_from_structure_and_small_matrices_from_neither():
    found = what_if(
        made_of(noise=drawn(120, 80), signal=drawn(120, 4, 1) @ drawn(4, 80, 2), few=drawn(1, 80)), "uniform:4"
    )
    assert {name: one.structured for name, one in found.matrices.items()} == {
        "noise": False, "signal": True, "few": None,
    }  # fmt: skip
    assert found.unstructured == ["noise"]
    assert found.matrices["noise"].against_noise == pytest.approx(1, abs=0.05)


def test_what_a_strategy_keeps_is_the_energy_that_the_cut_matrix_has():
    weights = {"a": drawn(60, 40), "b": 3 * drawn(50, 30, 1)}
    found = what_if(made_of(**weights), "uniform:10")
    kept = {}
    for name, weight in weights.items():
        u, s, vt = torch.linalg.svd(weight, full_matrices=False)
        kept[name] = float(((u[:, :10] * s[:10]) @ vt[:10]).square().sum())
        assert found.matrices[name].energy == pytest.approx(kept[name] / float(weight.square().sum()))
    total = sum(float(weight.square().sum()) for weight in weights.values())
    assert found.energy == pytest.approx(sum(kept.values()) / total)
    assert found.median_rank == 10


def test_a_strategy_that_is_none_is_refused():
    with pytest.raises(RecipeError, match="Did you mean"):
        what_if(made_of(a=drawn(9, 9)), "optimol")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("roberta.encoder.layer.3.attention.self.query.weight", ("layer 3", "attention.self.query")),
        ("roberta.embeddings.word_embeddings.weight", ("embeddings", "word_embeddings")),
        ("model.layers.11.mlp.Wo.weight", ("layer 11", "mlp.Wo")),
        ("model.embed_tokens.weight", ("embeddings", "embed_tokens")),
    ],
)
def test_a_matrix_has_a_place_on_the_map(name, place):
    assert place_of(name) == place


# From δ


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("home"))


def order(base_folder, **more):
    return {"base": str(base_folder), "preset": "quick", "recipe": SHORT, "delta": "delta", **more}


def work(kind, job):
    {"language": learn_language, "task": learn_task}[kind](job.settings, job.folder, lambda event: None, lambda: False)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Said."})
    return job


@pytest.fixture(scope="module")
def trained(store, base_folder, corpus_file):
    return work("language", store.add("language", "Bugis", order(base_folder, corpus=str(corpus_file))))


def test_a_branch_gives_bit_for_bit_the_vector_of_a_full_run(store, trained, base_folder, corpus_file):
    job = work("language", add_with_rank(store, trained, "uniform:3", "Bugis, rank 3"))
    events = []
    recipe = {**SHORT, "rank": "uniform:3"}
    full = work(
        "language", store.add("language", "full", {**order(base_folder, corpus=str(corpus_file)), "recipe": recipe})
    )
    assert (job.out / "vector.safetensors").read_bytes() == (full.out / "vector.safetensors").read_bytes()
    assert SparseVector.load(job.out).info["recipe"] == SparseVector.load(full.out).info["recipe"]
    assert (job.out / "vector.safetensors").read_bytes() != (trained.out / "vector.safetensors").read_bytes()
    again = add_with_rank(store, trained, "uniform:3", "events")
    learn_language(again.settings, again.folder, events.append, lambda: False)
    assert sum(event.phase == "dense" for event in events) == 1  # that δ is there; no step of it
    assert all("δ is read" in event.message for event in events if event.phase == "dense")
    store.discard(again.id)


def test_a_task_branches_too_and_from_lt_sft_as_well(store, base_folder, table_file):
    lt_sft = {**order(base_folder, train=str(table_file)), "recipe": {**SHORT, "method": "lt-sft"}}
    job = add_with_rank(store, work("task", store.add("task", "Mood", lt_sft)), "mp", "Mood, mp")
    info = SparseVector.load(work("task", job).out).info
    assert (info["method"], info["rank"]["strategy"]) == ("deft-x", "mp")


def test_a_branch_finds_the_further_files_and_word_lists_of_the_old_job(store, base_folder, table_file):
    def give(folder):
        for name in ("one.csv", "two.csv"):
            shutil.copyfile(table_file, folder / name)
        tiny.write_csv(folder / "list.csv", ("word", "translation"), [("the", "word1"), ("is", "word2")])

    given = order(
        base_folder, train="one.csv", lexicon=["list.csv"], further=[{"file": "two.csv", "lexicon": ["list.csv"]}]
    )
    old = work("task", store.add("task", "Mood", given, give))
    info = SparseVector.load(work("task", add_with_rank(store, old, "uniform:3", "new")).out).info
    assert [(one["file"], one["lexicons"]) for one in info["corpus"]["trained_on"]] == [
        ("one.csv", ["list.csv"]), ("two.csv", ["list.csv"]),
    ]  # fmt: skip


def test_a_branch_lives_on_when_the_old_job_goes_and_takes_no_space_of_its_own(store, base_folder, corpus_file):
    old = store.add("language", "old", order(base_folder, corpus=str(corpus_file)))
    work("language", old)
    before = usage_of(old).training
    new = add_with_rank(store, old, "mp", "new")
    assert usage_of(old).training + usage_of(new).training == pytest.approx(before, abs=1)
    assert free_checkpoints(old) == 0  # the new one holds it
    assert usage_of(new).training == before
    with pytest.raises(JobError, match="has no δ"):
        add_with_rank(store, old, "mp", "once more")
    store.discard(old.id)
    store.remove(old.id)
    work("language", new)
    assert kept_delta(new) is not None


def test_a_branch_trains_here_and_is_not_pushed(store, trained, base_folder, corpus_file):
    elsewhere = {"device": "hf-jobs", "flavor": "l4x1", "hours": 2.0, "push_to": "me/vector", "push_private": False}
    old = store.add("language", "pushed", order(base_folder, corpus=str(corpus_file), **elsewhere))
    shutil.copytree(trained.folder / "delta", old.folder / "delta")
    new = add_with_rank(store, old, "mp", "new")
    assert not elsewhere.keys() & new.settings.keys()
    for job in (old, new):
        store.discard(job.id)
        store.remove(job.id)


def test_what_cannot_be_branched_leaves_nothing_behind(store, trained, tmp_path, base_folder):
    there = sorted(store.folder.iterdir())
    corpus = tmp_path / "gone.txt"
    orphan = store.add("language", "x", order(base_folder, corpus=str(corpus)))
    shutil.copytree(trained.folder / "delta", orphan.folder / "delta")
    with pytest.raises(JobError, match=r"gone\.txt"):
        add_with_rank(store, orphan, "mp", "x")
    with pytest.raises(RecipeError):
        add_with_rank(store, trained, "uniform", "x")
    store.discard(orphan.id)
    store.remove(orphan.id)
    assert sorted(store.folder.iterdir()) == there


def test_a_job_whose_start_cannot_be_prepared_is_none(tmp_path):
    def fail(folder):
        raise OSError("full")

    store = Store(tmp_path)
    with pytest.raises(JobError, match="cannot be stored: full"):
        store.add("language", "x", {}, fail)
    assert (store.list(), list(store.folder.iterdir())) == ((), [])


def test_the_mask_under_its_own_strategy_is_the_vectors_and_under_another_it_is_that_of_a_run(store, trained):
    recipe = recipe_for("language", "quick", **SHORT)
    delta, own = read_delta(kept_delta(trained)), SparseVector.load(trained.out).positions
    same = compare_masks(*select_under(delta, recipe.rank, recipe), own)
    assert (same.k, same.shared, same.changed) == (60, 60, 0)
    other = work("language", add_with_rank(store, trained, "variance:0.8", "less"))
    mask, filled = select_under(delta, "variance:0.8", recipe)
    positions = SparseVector.load(other.out).positions
    assert {n: p.tolist() for n, p in mask.items() if len(p)} == {n: p.tolist() for n, p in positions.items()}
    change = compare_masks(mask, filled, own)
    assert change.shared == sum(len(set(p.tolist()) & set(own[n].tolist())) for n, p in positions.items() if n in own)
    assert 0 < change.changed < 1


def test_a_delta_that_is_gone_is_said(tmp_path):
    with pytest.raises(DeftxError, match="no longer exists"):
        read_delta(tmp_path / DELTA_FILE)


def test_the_spectra_of_a_vector_tell_the_strategy_that_chose_them(trained):
    spectra = spectra_of(trained.out)
    assert spectra.strategy == "variance:0.9"
    found = what_if(spectra, spectra.strategy)
    assert {name: one.rank for name, one in found.matrices.items()} == {
        n: s.chosen for n, s in spectra.matrices.items()
    }
