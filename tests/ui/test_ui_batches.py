"""Calls to the GPU of ZeroGPU for many texts; ``spaces`` is the stand-in."""

import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny
import torch
from tiny_base import finish_language_job, finish_task_job, write_corpus
from zero_gpu import ZeroGpu

from deftx.core.errors import DeftxError
from deftx.jobs import Store
from deftx.training.model_size import Model
from ui.classify import file_tasks, file_views, score_views
from ui.classify.combination import Combination
from ui.classify.scoring import Wanted
from ui.shared.background import Stopped
from ui.slices import batches
from ui.studio import Studio

ROWS = [(f"the {noun} was {word}", label) for noun in ("day", "night", "food", "house") for word, label in
        (("good", "positive"), ("fine", "positive"), ("bad", "negative"))]  # fmt: skip

PAYS_FROM = batches.PAYS_FROM


@pytest.fixture
def card():
    card = ZeroGpu()
    yield card
    card.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory, page_base):
    store = Store(tmp_path_factory.mktemp("home"))
    finish_task_job(store, page_base)
    finish_language_job(store, page_base, write_corpus(tmp_path_factory.mktemp("text") / "text.txt"), "Bugis")
    return store


@pytest.fixture
def elsewhere(store, page_base, monkeypatch):
    """A studio with the same vectors on a machine without calls."""
    with monkeypatch.context() as here:
        here.delenv("SPACES_ZERO_GPU", raising=False)
        return Studio(str(page_base), store)


@pytest.fixture
def studio(store, page_base, monkeypatch, card):
    """A studio on ZeroGPU, where a call pays for any number of texts."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=card.GPU))
    monkeypatch.setattr(batches, "PAYS_FROM", 0)
    return Studio(str(page_base), store)


@pytest.fixture
def chosen(store):
    keys = {job.name: f"job:{job.id}" for job in store.list()}
    return Combination.of(keys["Mood"], [(keys["Bugis"], 0.7)], 0.9)


@pytest.fixture
def file(tmp_path):
    return tiny.write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text, _ in ROWS])


def classify(studio, file, chosen, on_share=lambda share: None):
    return file_tasks.classify_file(studio, file, None, chosen, on_share)


def score(studio, file, chosen, on_share=lambda share: None):
    name = studio.tables.add(tiny.write_csv(file.parent / "labelled.csv", ("text", "label"), ROWS))
    return studio.scoring.score(Wanted(name, {}, chosen.task, studio.scoring.combinations(chosen)), on_share)


def test_a_file_takes_a_call_and_gets_the_answers_of_the_cpu(studio, elsewhere, card, file, chosen):
    found = classify(studio, file, chosen)
    assert len(card.asked) == 1
    assert found.refusal == ""
    assert elsewhere.batches is None
    alone = classify(elsewhere, file, chosen)
    assert (found.labels, found.cut, found.max_length) == (alone.labels, alone.cut, alone.max_length)
    assert torch.allclose(found.probabilities, alone.probabilities, atol=1e-6)
    assert found.predicted == alone.predicted


def test_a_labelled_file_takes_one_call_for_all_combinations_and_none_for_those_in_memory(
    studio, elsewhere, card, file, chosen
):
    found = score(studio, file, chosen)
    assert len(card.asked) == 1
    alone = score(elsewhere, file, chosen)
    assert [line.to_dict() for line in found.lines] == [line.to_dict() for line in alone.lines]
    assert (found.cut, found.max_length, found.refusal) == (alone.cut, alone.max_length, "")
    for one, other in zip(found.predictions, alone.predictions, strict=True):
        assert torch.allclose(one.probabilities, other.probabilities, atol=1e-6)
    score(studio, file, chosen)
    assert len(card.asked) == 1


def test_a_sentence_and_a_short_file_stay_on_the_cpu(studio, card, file, chosen, monkeypatch):
    monkeypatch.setattr(batches, "PAYS_FROM", PAYS_FROM)
    studio.composing.compare(chosen, "the food is good")
    studio.composing.words(chosen, "the food is good")
    studio.classify("the food is good", chosen.task)
    assert classify(studio, file, chosen).refusal == ""
    assert score(studio, file, chosen).refusal == ""
    assert card.asked == []


def test_a_long_file_takes_several_calls_of_limited_time(studio, card, file, chosen, monkeypatch):
    monkeypatch.setattr(batches, "_seconds", lambda base, combinations: (10.0, 10.0))
    told = []
    found = classify(studio, file, chosen, told.append)
    assert card.asked == [60, 60, 30]
    assert told == [5 / 12, 10 / 12, 1.0]
    monkeypatch.setattr(studio, "batches", None)
    assert torch.allclose(found.probabilities, classify(studio, file, chosen).probabilities, atol=1e-6)


def test_combinations_of_a_large_base_are_composed_in_several_calls(studio, elsewhere, card, file, chosen, monkeypatch):
    monkeypatch.setattr(batches, "_together", lambda base: 3)
    told = []
    found = score(studio, file, chosen, told.append)
    assert len(card.asked) == 2  # four combinations
    assert told == [0.75, 1.0]
    assert [line.to_dict() for line in found.lines] == [line.to_dict() for line in score(elsewhere, file, chosen).lines]


def test_calls_are_of_about_a_minute_whatever_the_base_is(studio, monkeypatch):
    base = studio.base()
    for encoder, together in ((47e6, 10), (278e6, 1), (2e9, 1)):
        sizes = replace(Model.of(base.model), encoder=int(encoder), words=int(encoder * 0.6))
        monkeypatch.setattr(batches.Model, "of", lambda model, sizes=sizes: sizes)
        assert batches._together(base) == together
        once, each = batches._seconds(base, together)
        assert once + each < max(60, 12 + 4 * encoder / 1e8)


def test_it_can_be_stopped_between_two_calls(studio, card, file, chosen, monkeypatch):
    monkeypatch.setattr(batches, "_seconds", lambda base, combinations: (10.0, 10.0))

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        score(studio, file, chosen, stop)
    assert len(card.asked) == 1


@pytest.mark.parametrize("quota", [0, 70], ids=["at the first call", "at the second"])
def test_without_quota_the_cpu_computes_it_and_the_page_says_so(
    studio, elsewhere, card, file, chosen, monkeypatch, quota
):
    monkeypatch.setattr(batches, "_seconds", lambda base, combinations: (10.0, 10.0))
    card.quota = quota
    found = classify(studio, file, chosen)
    assert "Try again in 3:12:00." in file_views.summary(found)
    assert "The CPU computed this instead" in file_views.summary(found)
    assert torch.equal(found.probabilities, classify(elsewhere, file, chosen).probabilities)
    card.quota = quota
    scored = score(studio, file, chosen)
    assert "Try again in 3:12:00." in score_views.about(scored)
    assert [line.to_dict() for line in scored.lines] == [
        line.to_dict() for line in score(elsewhere, file, chosen).lines
    ]


def test_a_call_that_is_killed_and_an_error_of_the_package_lose_nothing(studio, file, chosen, monkeypatch):
    with monkeypatch.context() as hanging:
        hanging.setattr(batches, "_seconds", lambda base, combinations: (0.5, 1e-9))
        hanging.setattr(batches, "composed_from", lambda *call: time.sleep(60))  # in the process of the call
        found = classify(studio, file, chosen)
    assert found.refusal == "GPU task aborted"

    def lost(*call):
        raise RuntimeError("Connection closed by visitor while queueing")

    monkeypatch.setattr(studio.batches, "_call", lost)
    again = classify(studio, file, chosen)
    assert again.refusal == "RuntimeError"
    assert torch.equal(found.probabilities, again.probabilities)


def test_what_the_platform_says_is_no_markup(studio, file, chosen):
    found = replace(classify(studio, file, chosen), refusal="no <b>GPU</b>")
    assert "no &lt;b&gt;GPU&lt;/b&gt;" in file_views.summary(found)


def test_a_process_that_is_used_again_composes_what_is_asked_for_now(studio, elsewhere, card, file, chosen):
    card.reuse = True
    other = Combination.of(chosen.task, [])
    for one in (chosen, other, chosen):
        found = classify(studio, file, one)
        assert found.refusal == ""
        assert torch.allclose(found.probabilities, classify(elsewhere, file, one).probabilities, atol=1e-6)
    assert len(card.asked) == 3


def test_vectors_that_do_not_fit_are_refused_before_a_call(studio, card, file, chosen):
    with pytest.raises(DeftxError):
        classify(studio, file, Combination.of(chosen.task, [("job:none", 1.0)]))
    assert card.asked == []


def test_people_with_a_workspace_of_their_own_share_the_calls(studio, card, file, chosen, store):
    theirs = Studio(studio.base_name, store.of("ana"), host=studio)
    task = finish_task_job(theirs.store, studio.base_name)
    found = classify(theirs, file, Combination.of(f"job:{task.id}"))
    assert (len(card.asked), found.refusal) == (1, "")
