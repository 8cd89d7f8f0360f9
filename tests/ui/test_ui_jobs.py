"""Trainings on the page: the queue, the trash, disk space, and what is shown while a training runs."""

import json
import os
from contextvars import Context
from dataclasses import fields

import gradio as gr
import pytest
from job_helpers import scheduler, step_of, wait_for
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.core.events import Event, WordGuess
from deftx.core.files import write_json
from deftx.jobs import Turn
from deftx.jobs.job import EVENTS, RESULT
from deftx.jobs.process import ProcessId
from ui import strings
from ui.current import acting_in
from ui.guide import train_step
from ui.guide.plan import Plan
from ui.history import history_views
from ui.library import vector_index
from ui.page import build_page
from ui.shared import figures, views
from ui.studio import Studio
from ui.watch import changes, job_actions, status_strip, watch, watch_details, watch_views


@pytest.fixture
def buttons(studio):
    """What the page offers for a job: the names of the buttons that are shown."""

    def offered(job):
        found = look(job.id).items()
        return {name for name, part in found if isinstance(part, gr.Button) and part.visible}

    return offered


def look(chosen="", seen="", picked=""):
    """What a page that has seen nothing yet is sent, by the names of its parts."""
    return dict(
        zip((field.name for field in fields(watch.Watch)), watch.look(chosen, seen, False, picked), strict=True)
    )


def say(job, *events):
    """Let a training have said these events."""
    with open(job.folder / EVENTS, "a", encoding="utf-8") as file:
        file.writelines(event.to_json() + "\n" for event in events)


def end(job, outcome, message="Said."):
    """Let a training have ended."""
    write_json(job.folder / RESULT, {"outcome": outcome, "message": message})


def names(jobs):
    return [job.name for job in jobs]


# The status line


def test_the_line_says_when_a_look_is_due(studio, page_base):
    states = [status_strip.current_news()["state"]]
    assert not status_strip.current_news()["busy"]
    job = studio.store.add("language", "New", {})
    assert status_strip.current_news()["busy"]
    states.append(status_strip.current_news()["state"])
    say(job, Event("dense", 1, 10, loss=2.0))
    strip = status_strip.current_news()["strip"]
    say(job, Event("dense", 2, 10, loss=2.0))
    assert status_strip.current_news()["state"] == states[-1]  # the line shows progress, and looks while it trains
    assert look()["strip"].props["shown"] == states[-1]
    assert look()["strip"].value == status_strip.current_news()["strip"] == strip  # it has no process, and so it waits
    studio.store.discard(job.id)
    states.append(status_strip.current_news()["state"])
    finish_task_job(studio.store, page_base)
    states.append(status_strip.current_news()["state"])
    assert len(set(states)) == len(states)


def test_the_line_answers_in_its_page_s_language_and_the_caller_s_workspace_also_after_a_change(studio):
    blocks = build_page(studio).blocks.values()
    strips = [block for block in blocks if getattr(block, "elem_id", None) == "strip"]
    studio.store.add("language", "New", {})
    for strip, code in zip(strips, strings.SPOKEN, strict=True):
        changed = gr.HTML(**{**strip.constructor_args, "shown": 1, "render": False})  # as Gradio makes it for a visitor
        answer = Context().run(changed.news, "")
        with strings.speaking(code):
            assert strings.SO_MANY_WAIT.format(count=1) in answer["strip"]


def test_beside_many_open_pages_each_asks_less_often(studio, monkeypatch):
    monkeypatch.setattr(status_strip, "_asked", {})
    intervals = [status_strip.news(f"page {number}")["every"] for number in range(50)]
    assert intervals[:10] == [status_strip.EVERY] * 10
    assert intervals[-1] == 50 / status_strip.ANSWERS_PER_SECOND
    assert status_strip.news("page 0")["every"] == intervals[-1]  # a page counts once
    status_strip._asked.update(dict.fromkeys(status_strip._asked, -status_strip.OPEN_SECONDS))
    assert status_strip.news("page 0")["every"] == status_strip.EVERY  # the others were closed


# The lists of Test


def value_of(update):
    return update._constructor_args[0].get("value", gr.skip())


def test_a_vector_that_is_gone_is_cleared_in_test_and_another_choice_stays(studio, page_base):
    first, gone, other = (finish_task_job(studio.store, page_base, name) for name in ("First", "Gone", "Other"))
    language = finish_language_job(studio.store, page_base, write_corpus(studio.store.root / "text.txt"))
    picked = json.dumps([f"job:{gone.id}", f"job:{language.id}"])
    before = look(picked=picked)
    assert value_of(before["task"]) == value_of(before["language"]) == gr.skip()
    for job in (gone, language):
        studio.store.discard(job.id)
    after = look("", before["seen"], picked)
    assert (value_of(after["task"]), value_of(after["language"])) == (after["task"].choices[0][1], "")
    for job in (first, other):
        picked = json.dumps([f"job:{job.id}", ""])
        assert value_of(look("", before["seen"], picked)["task"]) == gr.skip()


def test_the_first_task_that_there_is_is_chosen(studio, page_base, monkeypatch):
    monkeypatch.setattr(watch.classify_tab, "task_choices", list)
    before = look(picked='[null, ""]')
    monkeypatch.undo()
    task = finish_task_job(studio.store, page_base)
    assert value_of(look("", before["seen"], '[null, ""]')["task"]) == f"job:{task.id}"


# The queue


def test_waiting_trainings_are_moved_by_buttons_that_appear_where_they_can_act(studio, buttons):
    a, b, c = (studio.store.add("language", name, {}) for name in "abc")
    assert buttons(a) & {"first", "earlier", "later"} == {"later"}
    assert buttons(b) & {"first", "earlier", "later"} == {"earlier", "later"}
    assert buttons(c) & {"first", "earlier", "later"} == {"first", "earlier"}
    job_actions.act("first", c.id)
    assert names(studio.store.queue()) == ["c", "a", "b"]
    job_actions.act("later", a.id)
    assert names(studio.store.queue()) == ["c", "b", "a"]
    job_actions.act("earlier", b.id)
    assert names(studio.store.queue()) == ["b", "c", "a"]
    studio.store.request_stop(c.id)
    assert not buttons(c) & {"first", "earlier", "later"}
    with pytest.raises(gr.Error, match="is not in the queue"):
        job_actions.act("later", c.id)


def test_place_and_start_are_shown_and_an_unknown_start_is_called_so(studio):
    a, b = (studio.store.add("language", name, {}) for name in "ab")
    shown = look(b.id)
    listed = shown["jobs"]
    assert "No. 2 in the queue, start time not known yet" in shown["view"]
    assert listed.index("No. 1") < listed.index("No. 2")  # those that wait stand in their order
    assert f'data-job="{a.id}"' in listed


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "starts next"),
        (20, "less than a minute"),
        (200, "about 3 min"),
        (4_000, "about 1 h 07 min"),
        (None, "not known yet"),
    ],
)
def test_an_estimate_is_said_as_roughly_as_it_is_known(seconds, said):
    assert said in watch_views.when(Turn(3, seconds))


# Discard and undo


def test_a_discarded_training_vanishes_and_undo_brings_it_back(studio, buttons):
    keep, gone = (studio.store.add("language", name, {}) for name in ("Keep", "Gone <b>"))
    assert "undo" not in buttons(keep)
    job_actions.act("discard", gone.id)
    shown = look(gone.id)
    assert "Gone" not in shown["jobs"]
    assert "“Gone &lt;b&gt;” was discarded" in shown["undone"]
    assert "undo" in buttons(keep)
    assert job_actions.undo() == gone.id
    assert names(studio.store.queue()) == ["Keep", "Gone <b>"]
    assert job_actions.undo() == ""
    assert look()["undone"] == ""


def test_undo_is_offered_for_a_while_only(studio, monkeypatch):
    studio.store.discard(studio.store.add("language", "old", {}).id)
    monkeypatch.setattr(changes, "UNDO_OFFERED", 0.0)
    assert look()["undone"] == ""


def test_two_tabs_act_on_what_they_show_and_the_later_one_is_told(studio):
    job = studio.store.add("language", "both see it", {})
    tabs = [look()["seen"] for _ in range(2)]
    studio.store.add("language", "came meanwhile", {})
    job_actions.act("discard", watch.shown(tabs[0]))
    assert names(studio.store.trash()) == ["both see it"]
    with pytest.raises(gr.Error, match=r"in the trash\. Restore it first"):
        job_actions.act("discard", watch.shown(tabs[1]))
    assert "both see it" not in look(job.id, tabs[1])["jobs"]
    assert names(studio.store.list()) == ["came meanwhile"]
    job_actions.act("discard", watch.shown(""))  # a page that shows nothing yet means nothing
    assert names(studio.store.list()) == ["came meanwhile"]


# Disk


def fill(path, size):
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))


def test_what_freeing_costs_is_said_before_it_is_done(studio, buttons):
    job = studio.store.add("language", "x", {})
    fill(job.out / "run" / "dense" / "checkpoint.safetensors", 2_500_000)
    say(job, Event("dense", 40, 100, loss=2.0), Event("sparse", 7, 100, loss=2.0))
    assert strings.FREE_NOTHING in look()["disk"]
    end(job, "stopped")
    shown = look()["disk"]
    assert "This frees 2.5 MB, but the training run has no vector yet" in shown
    assert "Dense phase up to step 40; Sparse phase up to step 7" in shown
    assert "free" in buttons(job)
    assert "free_confirm" not in buttons(job)
    job_actions.act("free", job.id)
    assert not (job.out / "run").exists()
    assert "free" not in buttons(job)
    with pytest.raises(gr.Error, match="no checkpoints to delete"):
        job_actions.act("free", job.id)


def test_a_finished_training_loses_its_delta_only_and_an_early_one_no_step(studio):
    early, done = studio.store.add("language", "early", {}), studio.store.add("language", "done", {"delta": "delta"})
    fill(early.out / "run" / "settings.json", 10)
    fill(done.out / "vector.json", 10)
    fill(done.folder / "delta" / "delta.safetensors", 10)
    end(early, "stopped")
    end(done, "finished")
    assert "starts from the beginning" in look(early.id)["disk"]
    assert "the vector is kept" in look(done.id)["disk"]


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (2.5e6, "2.5 MB"), (3.3e9, "3.3 GB")]
)
def test_sizes_are_said_in_the_unit_that_fits(count, said):
    assert views.size(int(count)) == said


# What is shown of a training


@pytest.mark.parametrize("outcome", ["failed", "stopped", "interrupted", "waiting"])
def test_nothing_but_a_finished_training_offers_a_vector_or_a_score(studio, buttons, outcome):
    job = studio.store.add("language", "half done", {})
    job.out.mkdir()
    scores = {"masked_lm_loss": {"before": 3.0, "after": 2.0}}
    (job.out / "vector.json").write_text(json.dumps({"kind": "language", "scores": scores}))
    say(job, Event("dense", 100, 100, loss=2.0), Event("sparse", 100, 100, loss=2.0))
    if outcome == "interrupted":
        studio.store.set_process(job.id, ProcessId(2**22 + 1, 0.0))
    elif outcome != "waiting":
        end(job, outcome, "It could not.")
    shown = look(job.id)
    assert f'class="state {outcome}"' in shown["view"]
    assert strings.STATES["finished"] not in shown["view"] + shown["jobs"]
    assert shown["evidence"] == history_views.best_score(studio.store.get(job.id)) == ""
    assert "use" not in buttons(job)
    assert look(job.id)["resume"].variant == ("secondary" if outcome == "failed" else "primary")
    assert vector_index.entries(studio.store, "language") == vector_index._bundled("language")


def test_hidden_words_are_shown_beside_the_loss_and_on_the_path(studio):
    job = studio.store.add("language", "Bali", {})
    before, now = (
        (WordGuess("Ajengane ", "jaen", f" <{n}>.", one), WordGuess("Titiang ", "seneng", ".", other))
        for n, (one, other) in (("b", ("dan", "di")), ("b", ("Jaen", "di")))
    )
    assert look(job.id)["guesses"] == ""
    say(job, Event("evaluate", 1, 2, evaluation=4.0, guesses=before))
    assert "<td>dan</td><td></td>" in look(job.id)["guesses"]
    say(job, Event("dense", 3, 9, evaluation=3.0, guesses=now))
    shown = look(job.id)["guesses"]
    assert '<th scope="row">Ajengane ___ &lt;b&gt;.</th><td>jaen</td><td>dan</td><td><b>Jaen ✓</b></td>' in shown
    assert strings.GUESSES_RIGHT.format(right=1, all=2, before=0) in shown
    assert strings.GUESS_NOW in shown
    assert shown in train_step.progress(Plan(language_job=job.id))
    end(job, "finished")
    assert strings.GUESS_AT_THE_END in look(job.id)["guesses"]
    assert strings.GUESS_AT_THE_END in train_step.progress(Plan(language_job=job.id))


def test_hidden_words_are_shown_to_nobody_but_the_owner(studio):
    job = studio.store.of("ana").add("language", "Bali", {})
    say(job, Event("dense", 3, 9, evaluation=3.0, guesses=(WordGuess("Ajengane ", "jaen", ".", "dan"),)))
    assert "Ajengane" not in repr(look(job.id))  # the host sees the training run, but not the text
    with acting_in(Studio(studio.base_name, studio.store.of("ana"), host=studio)):
        assert "Ajengane" in look(job.id)["guesses"]


def test_sentences_are_classified_while_a_training_has_the_device(studio, page_base):
    task = finish_task_job(studio.store, page_base)
    job = studio.store.add("count", "long", {"steps": 100_000, "device": studio.device})
    with scheduler(studio.store):
        wait_for(lambda: step_of(job) > 1, "some steps")
        answer = studio.classify("the food is good", f"job:{task.id}")
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-6)
        reached = step_of(job)
        wait_for(lambda: step_of(job) > reached, "the training to go on")
        studio.store.discard(job.id)
        studio.store.empty_trash()


def test_the_plot_has_its_numbers_in_a_table_the_latest_first(studio):
    job = studio.store.add("language", "x", {})
    assert strings.NO_NUMBERS in look()["numbers"]
    say(job, *(Event("dense", step, 100, loss=1.0 / step) for step in range(1, 31)))
    assert look()["numbers"].count("<tr>") == 1 + watch_details.WITHOUT_EVALUATION
    say(job, Event("dense", 40, 100, loss=0.5, evaluation=0.75, metric="masked_lm_loss"),
        Event("sparse", 20, 100, loss=0.25, evaluation=0.5, metric="masked_lm_loss"))  # fmt: skip
    rows = look()["numbers"].split("<tr>")[2:]
    assert [row.count("0.") for row in rows] == [2, 2]
    assert "Sparse" in rows[0]
    assert "<td>40</td><td>0.5000</td><td>0.7500</td>" in rows[1]


def test_the_base_alone_is_a_line_across_the_loss_with_its_name(studio):
    job = studio.store.add("language", "x", {})
    say(job, Event("evaluate", 1, 2, evaluation=4.25, metric="masked_lm_loss"), Event("dense", 5, 10, loss=3.0))
    figure = json.loads(look()["plot"])
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [4.25]
    assert any("base model alone 4.250" in note["text"] for note in figure["layout"]["annotations"])


def test_the_control_for_smoothing_is_offered_where_there_is_a_plot_and_changes_it(studio):
    job = studio.store.add("language", "x", {})
    assert not look()["smooth"].visible
    say(job, *(Event("dense", step, 10, loss=3.0 + step % 2) for step in range(1, 6)))
    shown = look()
    assert shown["smooth"].visible
    smooth = watch.look(job.id, shown["seen"], True)
    changed = {
        field.name: value for field, value in zip(fields(watch.Watch), smooth, strict=True) if value != gr.skip()
    }
    assert set(changed) == {"plot", "seen"}
    assert strings.TRAIN_LOSS_SMOOTH in changed["plot"]
    assert strings.TRAIN_LOSS_SMOOTH not in shown["plot"]


def test_a_tasks_score_is_not_drawn_on_the_axis_of_the_loss(studio):
    job = studio.store.add("task", "x", {})
    say(job, Event("dense", 5, 10, loss=3.0, evaluation=0.5, metric="f1"))
    figure = figures.loss_figure(watch_views.progress_of(job), "task")
    by_axis = {trace.yaxis: (trace.name, trace.y) for trace in figure.data[:2]}
    assert by_axis == {"y": (strings.TRAIN_LOSS, (3.0,)), "y2": ("macro-F1", (0.5,))}
    assert figure.layout.yaxis2.title.text == "macro-F1"
    assert figure.layout.yaxis.domain[1] < figure.layout.yaxis2.domain[0]
    assert "macro-F1" in look()["numbers"]
    assert "nats" in figure.data[0].hovertemplate
    assert "nats" not in figure.data[1].hovertemplate


def test_the_messages_of_a_task_have_its_labelled_file_and_no_empty_text(studio):
    job = studio.store.add(
        "task", "Mood", {"train": "/data/reviews.csv", "preset": "quick", "recipe": {"keep": None, "k": 50}}
    )
    shown = watch_views.messages(job)
    assert "reviews.csv" in shown
    assert strings.SETTINGS["k"] in shown
    for absent in (strings.FIELDS["corpus"], strings.SETTINGS["keep"], strings.SETTINGS["seed"], "/data"):
        assert absent not in shown


def test_the_log_shows_its_end_and_no_markup(studio):
    job = studio.store.add("language", "x", {})
    assert strings.NO_LOG in look()["log"]
    (job.folder / "log.txt").write_text("\n".join(f"line {n} <b>" for n in range(100)))
    shown = look()["log"]
    assert "line 99 &lt;b&gt;" in shown
    assert "line 5 " not in shown
    os.truncate(job.folder / "log.txt", 0)
    assert strings.NO_LOG in look()["log"]
