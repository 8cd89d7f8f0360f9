"""Which base, which relative, how much text: what is measured, what is only stated, and what is said of both."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import tiny_families
import torch

import deftx
from deftx.analysis import base_choice, language_states
from deftx.analysis.base_choice import BaseChoice, Plan, best_base, cached_bases, compare_bases
from deftx.analysis.choices import Choices, advise_on
from deftx.analysis.language_states import compare, save_states, similarities, states_of
from deftx.analysis.published_bases import published_bases
from deftx.analysis.text_amount import MEASURED, text_amount
from deftx.commands.advising import as_text
from deftx.core.errors import BaseModelError, CorpusError
from deftx.data.languages import load_languages
from deftx.data.text import read_corpus
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.training.data_size import TextSize
from deftx.training.preflight import Machine
from deftx.training.recipes import recipe_for
from deftx.training.speed import rated_speed

ROOT = Path(__file__).resolve().parents[2]
PLAN = Plan(recipe_for("language", "quick"), Machine(10**12, 10**12), lambda name: rated_speed(1e11))


def choice(name, **fields):
    known = {"here": True, "parameters": 1, "pieces": 1, "tokens_per_word": 2.0, "unknown_share": 0.0, "spelled_share": 0.1,
             "memory": 1e9, "fits": True, "seconds": (1.0, 2.0)}  # fmt: skip
    return BaseChoice(name, **(known | fields))


def test_the_best_base_has_the_fewest_tokens_and_among_equals_the_least_memory():
    bases = (
        choice("a", tokens_per_word=2.0),
        choice("b", tokens_per_word=1.5, memory=3e9),
        choice("c", tokens_per_word=1.55),
    )
    assert best_base(bases).name == "c"
    assert best_base(bases[:2]).name == "b"


@pytest.mark.parametrize(
    "fields",
    [{"here": False}, {"fits": False}, {"unknown_share": 0.5}, {"spelled_share": 0.9}, {"tokens_per_word": None}],
)
def test_a_base_that_is_not_here_does_not_fit_or_does_not_read_the_text_is_never_the_best(fields):
    unusable, other = choice("a", **({"tokens_per_word": 1.0} | fields)), choice("b", tokens_per_word=3.0)
    assert best_base((unusable,)) is None
    assert best_base((unusable, other)).name == "b"
    amount = text_amount(TextSize(1_000, 900, 9_000), recipe_for("language", "quick"), 512)
    choices = Choices((unusable, other), "b", (), amount)
    assert "b, the only base here that reads it and fits into memory" in as_text(choices, "quick")


def test_the_published_bases_have_plausible_sizes():
    """The word embeddings are a part of the parameters, and what is left is more than a layer needs at the least."""
    for one in published_bases():
        assert 0 < one.pieces * one.width < one.parameters, one
        assert one.parameters - one.pieces * one.width > 2 * one.layers * one.width**2, one
    assert len({one.id for one in published_bases()}) == len(published_bases()) >= 7


def test_what_is_not_on_this_machine_is_not_made_up(base_folder, corpus_file):
    found = {one.name: one for one in compare_bases(read_corpus(corpus_file), [str(base_folder)], PLAN)}
    bundled, tiny_base = found[BUNDLED_BASE], found[str(base_folder)]
    assert bundled.here
    assert tiny_base.here
    assert tiny_base.tokens_per_word == 1.0  # its pieces are whole words
    assert tiny_base.memory < bundled.memory
    unknown = found["jhu-clsp/mmBERT-base"]
    assert (unknown.tokens_per_word, unknown.unknown_share, unknown.spelled_share, unknown.seconds) == (None,) * 4
    assert unknown.memory > bundled.memory
    alike = found["FacebookAI/xlm-roberta-base"]
    assert alike.estimated
    assert alike.tokens_per_word == bundled.tokens_per_word
    assert alike.seconds[0] > bundled.seconds[0]


@pytest.mark.parametrize("name", ["albert", "electra", "rembert", "bert"])
def test_pieces_are_counted_where_the_word_embeddings_are_narrower_than_the_layers(name, corpus_file, tmp_path):
    folder = str(tiny_families.make_family(name, tmp_path / "base"))
    found = {one.name: one for one in compare_bases(read_corpus(corpus_file), [folder], PLAN)}
    assert found[folder].pieces == load_base(folder).model.config.vocab_size


def test_a_base_too_large_for_the_machine_is_marked(base_folder, corpus_file):
    small = replace(PLAN, machine=Machine(10**9, 10**9))
    found = compare_bases(read_corpus(corpus_file), [str(base_folder)], small)
    assert [one.name for one in found if one.fits] == [str(base_folder)]


def test_an_unknown_base_is_refused_with_a_similar_name(corpus_file):
    with pytest.raises(BaseModelError, match=f"Did you mean '{BUNDLED_BASE}'"):
        compare_bases(read_corpus(corpus_file), ["nusantara-e6"], PLAN)


def test_only_complete_bases_of_the_cache_are_found(tmp_path, monkeypatch, base_folder):
    monkeypatch.setattr(
        base_choice, "scan_cache_dir", lambda: (_ for _ in ()).throw(base_choice.CacheNotFound("none", tmp_path))
    )
    assert cached_bases() == ()
    repos = [type("Repo", (), {"repo_id": name, "repo_type": "model"}) for name in ("b/whole", "a/half")]
    monkeypatch.setattr(base_choice, "scan_cache_dir", lambda: type("Cache", (), {"repos": repos}))
    monkeypatch.setattr(
        base_choice, "try_to_load_from_cache", lambda name, file: str(base_folder / file) if name == "b/whole" else None
    )
    read = base_choice.read_base_facts
    monkeypatch.setattr(base_choice, "read_base_facts", lambda name: read(str(base_folder)))
    assert cached_bases() == ("b/whole",)


def test_states_do_not_depend_on_the_other_lines_and_leave_special_tokens_out(base):
    together = states_of(base, ["the day is good", "the night was very awful and bitter", "road"])
    assert together.shape == (3, 3, 32)
    assert np.allclose(states_of(base, ["road"])[0], together[2], atol=1e-6)
    embedded = base.model.base_model.embeddings(input_ids=torch.tensor([base.tokenizer("road")["input_ids"]]))
    assert np.allclose(together[2, 0], embedded[0, 1].detach().numpy(), atol=1e-6)


def test_what_all_languages_share_does_not_count():
    common = np.array([100.0, 0.0, 0.0])
    known = {"a": common + np.eye(3)[1], "b": common + np.eye(3)[2], "c": common - np.array([0, 1, 1])}
    found = compare(common + np.array([0, 0.9, 0.1]), known)
    assert max(found, key=found.get) == "a"
    assert found["c"] < 0 < found["a"]


def test_states_are_known_for_one_base_alone(base, tmp_path, monkeypatch):
    lines = tiny.sentences(20)
    assert similarities(base, lines) == {}
    own = states_of(base, lines)[:, 1].mean(0)
    monkeypatch.setattr(language_states, "FILE", tmp_path / "states.safetensors")
    save_states({"xx": own, "yy": -own}, base.fingerprint, 1, language_states.FILE)
    language_states._bundled.cache_clear()
    try:
        found = similarities(base, lines)
        assert found["xx"] == pytest.approx(1, abs=1e-3)
        assert found["yy"] == pytest.approx(-1, abs=1e-3)
    finally:
        language_states._bundled.cache_clear()


def test_a_damaged_table_of_states_is_named(base, tmp_path, monkeypatch):
    monkeypatch.setattr(language_states, "FILE", tmp_path / "states.safetensors")
    (tmp_path / "states.safetensors").write_bytes(b"x")
    language_states._bundled.cache_clear()
    try:
        with pytest.raises(CorpusError, match=r"states\.safetensors"):
            similarities(base, ["the day"])
    finally:
        language_states._bundled.cache_clear()


def test_the_table_that_comes_with_the_project_is_of_the_bundled_base_and_all_known_languages():
    known, fingerprint, layer = language_states._bundled()
    base = load_base(BUNDLED_BASE)
    assert fingerprint == base.fingerprint
    assert set(known) == set(load_languages().names())
    assert {state.shape for state in known.values()} == {(base.model.config.hidden_size,)}
    assert 0 < layer <= base.model.config.num_hidden_layers


def test_the_gains_are_those_of_the_documents():
    bundled = (ROOT / "docs" / "results.md").read_text(encoding="utf-8").splitlines()
    parts = (ROOT / "docs" / "advice.md").read_text(encoding="utf-8").splitlines()
    for tokens, gains in MEASURED.items():
        for code, gain in gains.items():
            last = tokens == max(MEASURED)
            begin, lines = (f"| {code} |", bundled) if last else (f"| {tokens:,} | {code} |", parts)
            found = [line.rstrip(" |").rpartition("| ")[2] for line in lines if line.startswith(begin)]
            assert f"{gain:+.1f}" in found


@pytest.mark.parametrize(
    ("tokens", "passes", "measured"), [(4_000, 3.0, 5_000), (30_000, 3.0, 20_000), (1_000_000, 0.156, 250_000)]
)
def test_a_short_text_is_read_several_times_and_of_a_long_one_a_part(tokens, passes, measured):
    found = text_amount(TextSize(1_000, 900, tokens), recipe_for("language", "quick"), 512)
    assert found.passes == pytest.approx(passes, rel=0.05)
    assert (found.measured, found.shorter) == (measured, tokens < measured)
    gains = {5_000: (0.55, -0.26, 1.37), 20_000: (1.06, -0.13, 2.25), 250_000: (3.26, 0.88, 5.64)}
    assert found.gain == pytest.approx(gains[measured], abs=0.01)


def test_the_answers_are_plain_data_and_the_nearest_come_first(base, base_folder, corpus_file, monkeypatch):
    known = {one.code for one in load_languages().profiles}
    monkeypatch.setattr("deftx.analysis.choices.similarities", lambda base, lines: {"min": 0.5, "ban": 0.9})
    found = advise_on(read_corpus(corpus_file), [str(base_folder)], PLAN, base)
    assert [one.code for one in found.nearest_by_states()] == ["ban", "min"]
    assert {one.code for one in found.relatives} == known
    letters = [one.letters for one in found.relatives]
    assert letters == sorted(letters, reverse=True)
    assert found.best == str(base_folder)
    written = json.loads(json.dumps(found.to_dict()))
    assert written["amount"]["passes"] == pytest.approx(found.amount.passes)


@pytest.mark.slow
def test_a_text_is_advised_on_from_python(corpus_file, base_folder):
    found = deftx.advise(corpus_file, [str(base_folder)], device="cpu")
    assert isinstance(found, deftx.Choices)
    assert found.best == str(base_folder)
    assert all(one.states is not None for one in found.relatives)
