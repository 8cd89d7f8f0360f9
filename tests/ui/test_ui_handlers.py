"""The page's handlers as plain functions: what a person would see, wrongly or not at all, if one of them failed."""

import json
import os
import threading
from dataclasses import fields

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_task_job, make_base, write_corpus

from deftx.core.errors import CorpusError, DeftxError, VectorError
from deftx.core.events import Event
from deftx.core.files import write_json
from deftx.jobs import state_of
from deftx.jobs.job import EVENTS, LOCK, RESULT
from deftx.jobs.process import take_lock
from deftx.publish.score_words import scores_in_words
from ui import strings
from ui.api import endpoints
from ui.classify import answering, classify_tab
from ui.corpus import corpus_tab
from ui.corpus.corpora import SAMPLE, Corpora
from ui.library import library, library_views, vector_index
from ui.shared import figures
from ui.shared.errors import refusals
from ui.shared.uploads import safe_name
from ui.watch import job_actions, watch, watch_views


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "My corpus (1).txt")


def say(job, *events):
    """Let a training have said these events."""
    with open(job.folder / EVENTS, "a", encoding="utf-8") as file:
        file.writelines(event.to_json() + "\n" for event in events)


def end(job, outcome, message="Said."):
    """Let a training have ended."""
    write_json(job.folder / RESULT, {"outcome": outcome, "message": message})


# Corpus


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a b.TXT", ("a-b", ".txt")),
        ("../../etc/passwd.txt", ("etc-passwd", ".txt")),
        ("bahasa Minangkabau é.csv.gz", ("bahasa-Minangkabau-é", ".csv.gz")),
        ("हिन्दी समाचार.txt", ("हिन्दी-समाचार", ".txt")),
        ("தமிழ்.csv", ("தமிழ்", ".csv")),
        ("...txt", ("text", ".txt")),
        ("x" * 300 + ".jsonl", ("x" * 74, ".jsonl")),
    ],
)
def test_a_file_name_cannot_leave_the_folder_of_texts(name, kept):
    assert safe_name(name) == kept


def test_an_upload_is_kept_chosen_and_audited(studio, corpus):
    choice, refused = corpus_tab.store_upload(str(corpus))
    assert refused == ""
    assert choice.value == "My-corpus-1.txt"
    assert (studio.corpora.folder / choice.value).read_bytes() == corpus.read_bytes()
    shown = corpus_tab.show_findings(choice.value)
    assert "400" in shown
    assert strings.TOKENS in shown


def test_the_same_file_is_kept_once_and_another_of_its_name_is_kept_beside_it(studio, corpus):
    first = studio.corpora.add(corpus)
    assert studio.corpora.add(corpus) == first
    corpus.write_text("the day is good\n", encoding="utf-8")
    second = studio.corpora.add(corpus)
    assert second == "My-corpus-1-2.txt"
    assert set(studio.corpora.names()) == {first, second}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("latin.txt", "caf\xe9".encode("latin-1"), "not UTF-8"),
        ("empty.txt", b"\n\n...\n", "no usable text"),
        ("broken.txt.gz", b"\x1f\x8bnot gzip", "damaged"),
    ],
)
def test_a_bad_upload_is_named_with_the_reason_and_changes_nothing(studio, tmp_path, name, content, reason):
    bad = tmp_path / name
    bad.write_bytes(content)
    choice, refused = corpus_tab.store_upload(str(bad))
    assert choice == gr.skip()
    assert reason in refused
    assert studio.corpora.names() == []


@pytest.mark.parametrize("name", ["../jobs.sqlite", "/etc/passwd", ".hidden", "nothing.txt", ""])
def test_texts_are_found_by_known_names_only(tmp_path, name):
    with pytest.raises(CorpusError):
        Corpora(tmp_path).path(name)


def test_the_sample_is_there_for_somebody_without_a_file(studio):
    assert corpus_tab.choices() == [(strings.SAMPLE, SAMPLE)]
    assert len(studio.corpora.read(SAMPLE).lines) == 60


def test_what_a_file_says_cannot_become_markup(studio, tmp_path):
    bad = tmp_path / "a.txt"
    bad.write_text("<script>alert(1)</script>\n" * 60, encoding="utf-8")
    shown = corpus_tab.show_findings(studio.corpora.add(bad))
    assert "<script" not in shown


# Watch


def test_a_look_sends_everything_once_and_then_only_what_changed(studio):
    first = watch.look("", "")
    *quiet, seen = watch.look("", first[-1])
    assert all(answer == gr.skip() for answer in (*quiet, seen))
    job = studio.store.add("language", "New", {})
    changed = watch.look("", first[-1])
    assert "New" in changed[1]
    assert json.loads(changed[-1]) != json.loads(first[-1])
    say(job, Event("dense", 1, 10, loss=2.0))
    later = watch.look("", changed[-1])
    named = dict(zip((field.name for field in fields(watch.Watch)), later, strict=True))
    assert named["strip"] != gr.skip() or named["view"] != gr.skip()
    assert json.loads(named["plot"])["data"][0]["y"] == [2.0]


def test_the_list_follows_the_choice_and_falls_back_to_what_is_there(studio):
    old, new = (studio.store.add("language", name, {}) for name in ("Old", "New"))
    assert watch.chosen_job(studio.store.list(), old.id).name == "Old"
    assert watch.chosen_job(studio.store.list(), "").name == "New"
    studio.store.discard(new.id)
    assert watch.chosen_job(studio.store.list(), new.id).name == "Old"


@pytest.mark.parametrize(
    ("events", "active"),
    [
        ([], None),
        ([Event("tokenise", 10, 20)], "Read"),
        ([Event("tokenise", 20, 20), Event("evaluate", 1, 2)], "Read"),
        ([Event("dense", 3, 20)], "Dense"),
        ([Event("spectrum", 1, 1)], "Denoise"),
        ([Event("sparse", 3, 20)], "Sparse"),
        ([Event("evaluate", 2, 2)], "Evaluate"),
    ],
)
def test_the_phase_is_marked_in_words_not_by_colour_alone(studio, events, active):
    job = studio.store.add("language", "x", {})
    say(job, *events)
    row = watch_views.phase_row(job, watch_views.State("running", "", "", active=True), watch_views.progress_of(job))
    assert row.count(f"<span>{strings.ACTIVE}</span>") == (1 if active else 0)
    if active:
        assert f"<b>{active}</b><span>{strings.ACTIVE}</span>" in row


def test_the_baseline_skips_the_denoising_and_says_so(studio):
    job = studio.store.add("language", "x", {"recipe": {"method": "lt-sft"}})
    row = watch_views.phase_row(job, state_of(job), watch_views.progress_of(job))
    assert f"<b>Denoise</b><span>{strings.SKIPPED}</span>" in row


def test_failures_look_like_failures(studio):
    job = studio.store.add("language", "x", {})
    say(job, Event("dense", 3, 20, message="Careful.", warning=True))
    end(job, "failed", "The loss is <no> number.")
    shown = watch_views.job_view(studio.store.get(job.id))
    assert "The loss is &lt;no&gt; number." in shown
    assert strings.STATES["failed"] in shown
    assert strings.HERE in shown
    assert "Careful." in shown


def test_time_left_counts_down_between_events():
    progress = watch_views.Progress(phase="dense", step=1, total=10, seconds_left=100.0, updated=1000.0)
    assert watch_views.time_left(progress, now=1040.0) == "about 1 min 00 s left"
    assert watch_views.time_left(progress, now=1200.0) == "almost finished"


def test_the_loss_of_both_phases_stands_on_one_time_line():
    curves = {"dense": ((5, 3.0), (10, 2.0)), "sparse": ((5, 2.5),)}
    figure = figures.loss_figure(watch_views.Progress(losses=curves, evaluations={"dense": ((10, 2.2),)}))
    assert [list(trace.x) for trace in figure.data] == [[5, 10], [10], [15], []]
    assert figures.loss_figure(watch_views.Progress()) is None


def test_a_smoothed_curve_is_a_moving_average_over_the_thin_measured_one():
    losses = tuple((step, 2.0 + (-1) ** step) for step in range(1, 9))
    progress = watch_views.Progress(losses={"dense": losses}, evaluations={"dense": ((8, 2.2),)})
    raw, average, judged = figures.loss_figure(progress, smooth=True).data[:3]
    assert (list(zip(raw.x, raw.y, strict=True)), judged.y) == (list(losses), (2.2,))
    weights = [0.9 ** (7 - place) for place in range(8)]
    expected = sum(weight * value for weight, (_, value) in zip(weights, losses, strict=True)) / sum(weights)
    assert (average.y[0], average.y[-1]) == pytest.approx((losses[0][1], expected))
    assert raw.line.width < average.line.width
    assert raw.opacity < 1


def test_buttons_offer_what_can_be_done(studio):
    job = studio.store.add("language", "x", {})

    def offered():
        shown = watch._buttons(studio.store.get(job.id), {})
        return {name for name, visible in shown.items() if visible} - {"clone"}

    assert offered() == {"stop", "discard"}
    job_actions.act("stop", job.id)
    assert offered() == {"resume", "discard"}
    job_actions.act("resume", job.id)
    assert offered() == {"stop", "discard"}
    end(job, "finished")
    assert offered() == {"discard", "use"}
    with pytest.raises(gr.Error, match="cannot be resumed"):
        job_actions.act("resume", job.id)
    job_actions.act("discard", job.id)
    assert studio.store.list() == ()


def test_resuming_waits_until_the_process_of_a_stopped_training_has_gone(studio):
    job = studio.store.add("language", "x", {})
    end(job, "stopped")
    lock = take_lock(job.folder / LOCK)  # its process has said that it stopped, and still tidies up
    threading.Timer(0.4, lock.close).start()
    job_actions.act("resume", job.id)
    assert state_of(studio.store.get(job.id)).name == "waiting"


# Compose and test


def filled_in(**given):
    """The form of the test as it is when the page opens, but for what is given."""
    plain = {
        "task": None,
        "strength_task": 1.0,
        "language": "",
        "strength_language": 1.0,
        "text": "the food",
        "second": "",
    }
    further = {"language_2": "", "strength_2": 1.0, "language_3": "", "strength_3": 1.0, "method": "sum"}
    return {**plain, **further, **given}


def test_a_finished_training_is_in_the_lists_and_classifies(studio, page_base, corpus):
    assert (strings.NO_LANGUAGE, "") in classify_tab.language_choices()
    task = finish_task_job(studio.store, page_base)
    language = finish_language_job(studio.store, page_base, corpus)
    assert (f"Minangkabau (min, {strings.TRAINED})", f"job:{language.id}") in classify_tab.language_choices()
    assert watch.vector_key(language.id) == ("language", f"job:{language.id}")
    assert watch.vector_key(task.id) == ("task", f"job:{task.id}")
    answer = studio.classify("the food is good", f"job:{task.id}", f"job:{language.id}")
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert list(answer.probabilities) == ["negative", "positive"]
    shown, *_ = answering.show(filled_in(text="the food is <good>", task=f"job:{task.id}"))
    assert "&lt;good&gt;" in shown
    assert strings.NO_LANGUAGE in shown
    assert studio.machine in shown
    assert any(
        said in watch._evidence(language) for said in (strings.BETTER, strings.HARDLY_BETTER, strings.NOT_BETTER)
    )
    info = vector_index.describe(task.out)
    shown = [watch._evidence(task), library_views.detail(library.find(f"job:{task.id}"))]
    for said in scores_in_words(info["labels"], info["scores"]["confusion"]):
        assert all(said in part for part in shown)
    assert endpoints.describe(language)["vector"] == f"job:{language.id}"


def test_a_vector_made_for_another_base_is_refused_with_both_names(studio, page_base, corpus, tmp_path):
    other = make_base(tmp_path / "other-base", draw=1)
    task = finish_task_job(studio.store, page_base)
    language = finish_language_job(studio.store, other, corpus)
    shown, *_ = answering.show(filled_in(task=f"job:{task.id}", language=f"job:{language.id}"))
    assert strings.NOT_CLASSIFIED in shown
    assert "other-base" in shown


@pytest.mark.parametrize("key", ["../../etc", "job:none", "bundled:", "/tmp"])
def test_vectors_are_found_by_known_keys_only(studio, key):
    with pytest.raises(VectorError):
        vector_index.find(studio.store, "task", key)


def test_what_is_missing_is_explained_in_place_of_the_answer(studio, page_base):
    assert strings.NO_TASK.split(".")[0] in answering.show(filled_in())[0]
    task = finish_task_job(studio.store, page_base)
    assert strings.NO_SENTENCE in answering.show(filled_in(text=" ", task=f"job:{task.id}"))[0]


def test_a_classifier_is_composed_once_and_anew_when_its_vector_is_replaced(studio, page_base):
    task = finish_task_job(studio.store, page_base)
    for _ in range(3):
        studio.classify("the food", f"job:{task.id}")
    assert studio.composing._bench.cache_info().misses == 1
    os.utime(task.out / "vector.json")
    studio.classify("the food", f"job:{task.id}")
    assert studio.composing._bench.cache_info().misses == 2


def test_errors_reach_other_programs_in_their_own_words():
    with pytest.raises(gr.Error, match="what to do"), refusals():
        raise DeftxError("what to do")
