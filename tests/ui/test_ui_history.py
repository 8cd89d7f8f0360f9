"""History on the page: what is found, what is compared and how it is told apart, what comes back from the trash."""

import json
import re

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.core.events import Event
from deftx.jobs.job import EVENTS, RESULT
from deftx.training.task import SCORE_NAMES
from ui import strings
from ui.history import compare_figures, history_tab, history_views
from ui.watch import watch_views


def trained(studio, name, *, kind="language", metric="masked_lm_loss", values=(3.0, 2.0), **settings):
    """A training that has judged each phase once."""
    job = studio.store.add(kind, name, settings)
    events = (Event(phase, 10, 10, loss=2.5, evaluation=value, metric=metric)
              for phase, value in zip(("dense", "sparse"), values, strict=True))  # fmt: skip
    (job.folder / EVENTS).write_text("".join(event.to_json() + "\n" for event in events))
    return job


def look(words="", state="", method="", compared=(), seen=""):
    names = ("table", "plot", "comparison", "trash", "empty", "confirm", "keep", "seen")
    return dict(zip(names, history_tab.look(words, state, method, compared, seen), strict=True))


def test_the_table_shows_what_matches_with_names_that_are_no_markup(studio):
    trained(studio, "<b>Minang", language="min")
    trained(studio, "Bugis", recipe={"method": "lt-sft"})
    shown = look()["table"]
    assert "&lt;b&gt;Minang" in shown
    assert "<b>Minang" not in shown
    assert "LT-SFT" in shown
    assert strings.STATES["waiting"] in shown
    assert "Bugis" not in look("min")["table"]
    assert "Minang" not in look(method="lt-sft")["table"]
    assert strings.NONE_FOUND in look(state="finished")["table"]


def test_a_home_without_training_runs_does_not_speak_of_a_search(studio):
    assert strings.NO_JOBS in look()["table"]


def test_a_look_sends_what_changed_and_nothing_else(studio):
    job = trained(studio, "Minang")
    first = look()
    again = look(seen=first["seen"])
    assert all(answer == gr.skip() for answer in again.values())
    ticked = look(compared=[job.id], seen=first["seen"])
    assert "checked" in ticked["table"]
    assert ticked["trash"] == gr.skip()


def test_two_trainings_are_told_apart_by_more_than_colour(studio):
    jobs = [trained(studio, "Minang", values=(3.0, 2.0)), trained(studio, "Minang", values=(3.5, 2.01))]
    assert look(compared=[jobs[0].id])["plot"] == ""
    figure = json.loads(look(compared=[job.id for job in jobs])["plot"])
    traces = [trace for trace in figure["data"] if trace["xaxis"] == "x2"]
    assert [trace["y"] for trace in traces] == [[2.0], [2.01]]
    for look_of in (lambda t: t["line"]["color"], lambda t: t["line"]["dash"], lambda t: t["marker"]["symbol"]):
        assert len({look_of(trace) for trace in figure["data"]}) == 2
    assert [trace["name"] for trace in figure["data"] if trace["showlegend"]] == ["1 Minang", "2 Minang"]
    labels = {note["text"]: note["y"] for note in figure["layout"]["annotations"] if note["text"].startswith("<b>")}
    assert set(labels) == {"<b>1</b>", "<b>2</b>"}
    assert labels["<b>2</b>"] - labels["<b>1</b>"] >= compare_figures.CLOSEST * 1.5 * 0.99


def test_colours_follow_the_order_of_ticking(studio):
    a, b, c = (trained(studio, name) for name in "abc")
    pairs = ([b.id, a.id], [b.id, c.id])
    firsts = [json.loads(look(compared=pair)["plot"])["data"][0] for pair in pairs]
    assert firsts[0]["name"] == firsts[1]["name"] == "1 b"
    assert firsts[0]["line"]["color"] == firsts[1]["line"]["color"]


def test_scores_and_nats_share_no_axis_and_the_page_says_what_is_left_out(studio):
    language, task = trained(studio, "Minang"), trained(studio, "Mood", kind="task", metric="f1", values=(0.5, 0.6))
    shown = look(compared=[language.id, task.id])
    assert {trace["name"] for trace in json.loads(shown["plot"])["data"]} == {"1 Minang"}
    assert "measure differs from that of the first one: 2 Mood" in shown["comparison"]
    swapped = json.loads(look(compared=[task.id, language.id])["plot"])
    assert {trace["name"] for trace in swapped["data"]} == {"1 Mood"}
    assert swapped["layout"]["yaxis"]["title"]["text"] == "macro-F1"


def test_macro_f1_and_accuracy_share_no_axis_and_a_run_without_a_score_yet_fits(studio):
    empty, f1, accuracy = (
        trained(studio, name, kind="task", metric=name, values=(0.5, 0.6)) for name in ("", "f1", "accuracy")
    )
    shown = look(compared=[empty.id, f1.id, accuracy.id])
    figure = json.loads(shown["plot"])
    assert {trace["name"] for trace in figure["data"]} == {"1 ", "2 f1"}
    assert figure["layout"]["yaxis"]["title"]["text"] == "macro-F1"
    assert strings.MEASURED_OTHERWISE.format(names="3 accuracy") in shown["comparison"]


def test_two_losses_of_languages_share_no_axis(studio):
    encoder, decoder = trained(studio, "a"), trained(studio, "b", metric="next_token_loss")
    shown = look(compared=[encoder.id, decoder.id])
    assert {trace["name"] for trace in json.loads(shown["plot"])["data"]} == {"1 a"}
    assert strings.MEASURED_OTHERWISE.format(names="2 b") in shown["comparison"]


def test_names_in_the_plot_are_no_markup(studio):
    jobs = [trained(studio, '<b>Minang "2"'), trained(studio, "Bugis")]
    figure = json.loads(look(compared=[job.id for job in jobs])["plot"])
    assert figure["data"][0]["name"] == '1 &lt;b&gt;Minang "2"'


@pytest.mark.parametrize("metric", SCORE_NAMES)
def test_every_metric_of_tasks_is_shown(studio, metric):
    job = trained(studio, "Mood", kind="task", metric=metric)
    scores = {metric: {"before": 0.1, "after": 0.75}}
    job.out.mkdir()
    (job.out / "vector.json").write_text(json.dumps({"kind": "task", "scores": scores}))
    (job.folder / RESULT).write_text(json.dumps({"outcome": "finished", "message": ""}))
    assert history_views.best_score(job) == "0.750"
    assert history_views.scores(job) == {strings.SCORE_NAMES[metric]: "0.750"}
    assert strings.SCORE_NAMES[metric] in watch_views.task_evidence({"scores": scores})
    assert strings.SCORE_AXIS[metric]


def test_the_comparison_names_what_differs_and_nothing_else(studio):
    a, b = trained(studio, "a", recipe={"rank": "mp"}), trained(studio, "b", preset="standard")
    shown = look(compared=[a.id, b.id])["comparison"]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', shown)
    assert (strings.SETTINGS_OF["rank"], "mp", "variance:0.9") in rows
    assert ("batch_size", "32", "32") not in rows
    assert strings.NO_SCORES in shown
    assert strings.NO_DIFFERENCE in look(compared=[a.id, trained(studio, "c", recipe={"rank": "mp"}).id])["comparison"]
    assert strings.CHOOSE_TWO in look(compared=[a.id])["comparison"]


def test_differing_settings_have_their_names_in_the_language_of_the_page(studio):
    jobs = [
        trained(studio, name, kind="task", language=name, recipe={"batch_size": size},
                further=[{"file": f"/data/{name}.csv", "columns": {"text": "review"}, "repeat": 2}])
        for name, size in (("min", 4), ("ban", 8))
    ]  # fmt: skip
    with strings.speaking("es"):
        shown = history_views.comparison(jobs)
    spanish = strings.table("es")
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', shown)
    assert set(rows) == {
        (spanish["FIELDS"]["language"], "min", "ban"), (spanish["SETTINGS"]["batch_size"], "4", "8"),
        (spanish["FIELDS"]["further"], "min.csv · review · 2", "ban.csv · review · 2"),
    }  # fmt: skip


def test_scores_of_finished_trainings_stand_side_by_side(studio, page_base, tmp_path):
    language = finish_language_job(studio.store, page_base, write_corpus(tmp_path / "corpus.txt"))
    task = finish_task_job(studio.store, page_base)
    shown = look(compared=[language.id, task.id])["comparison"]
    for name in (strings.BEFORE, *(strings.SCORE_NAMES[metric] for metric in ("masked_lm_loss", "f1", "accuracy"))):
        assert name in shown
    assert strings.SCORE_NAMES["entity_f1"] not in shown  # it is of tasks on words
    assert history_views.best_score(language) in shown
    assert re.fullmatch(r"\d\.\d{3}", history_views.best_score(task))


def test_a_seventh_makes_room_and_what_is_gone_is_left_out(studio):
    jobs = [trained(studio, str(number)).id for number in range(7)]
    compared = []
    for number in range(7):
        compared = history_tab.compare(studio.store.list(), compared, jobs, [*compared, jobs[number]])
    assert compared == jobs[1:]
    studio.store.discard(jobs[3])
    assert history_tab.compare(studio.store.list(), compared, jobs, jobs[2:]) == [jobs[2], *jobs[4:]]
    assert history_tab.compare(studio.store.list(), None, ["../etc"], ["../etc"]) == []
    assert look(compared=[jobs[3], jobs[4]])["plot"] == ""  # of two, one is in the trash


def test_two_ticks_before_the_first_answer_both_count_and_a_search_hides_but_keeps(studio):
    a, b, c = (trained(studio, name).id for name in "abc")
    assert history_tab.compare(studio.store.list(), [], [c, b, a], [b, a]) == [b, a]
    assert history_tab.compare(studio.store.list(), [b, a], [c], [c]) == [b, a, c]
    assert history_tab.compare(studio.store.list(), [b, a, c], [a], []) == [b, c]


def test_labels_that_would_overlap_are_moved_apart_in_their_order():
    assert compare_figures.spread({0: 1.0, 1: 1.01, 2: 5.0, 3: 0.99}, 0.1) == pytest.approx(
        {3: 0.99, 0: 1.09, 1: 1.19, 2: 5.0}
    )


def test_the_trash_lists_what_was_discarded_and_gives_it_back_or_not(studio):
    a, b = trained(studio, "<i>a"), trained(studio, "b")
    assert strings.TRASH_EMPTY in look()["trash"]
    assert not look()["empty"].visible
    studio.store.discard(a.id)
    assert "&lt;i&gt;a" in look()["trash"]
    full = look()
    assert full["empty"].visible
    assert full["confirm"] == full["keep"] == gr.skip()
    assert re.search(r"<td>\d{4}-\d\d-\d\d \d\d:\d\d</td>", full["trash"])  # a month has no English name
    assert "&lt;i&gt;a" not in look()["table"]
    history_tab.restore(a.id)
    assert "&lt;i&gt;a" in look()["table"]
    emptied = look(seen=full["seen"])
    assert not any(emptied[name].visible for name in ("empty", "confirm", "keep"))
    with pytest.raises(gr.Error, match="not in the trash"):
        history_tab.restore(a.id)
    studio.store.discard(b.id)
    history_tab.empty_trash()
    assert not b.folder.exists()
    assert a.folder.exists()


def test_the_loss_of_a_vector_of_a_decoder_is_shown_as_that_of_an_encoder(studio):
    shown = {}
    for metric in ("masked_lm_loss", "next_token_loss"):
        job = trained(studio, metric, metric=metric)
        scores = {metric: {"before": 3.0, "after": 2.0}}
        job.out.mkdir()
        (job.out / "vector.json").write_text(json.dumps({"kind": "language", "scores": scores}))
        (job.folder / RESULT).write_text(json.dumps({"outcome": "finished", "message": ""}))
        assert history_views.best_score(job) == "2.000"
        assert history_views.scores(job) == {strings.SCORE_NAMES[metric]: "2.000", strings.BEFORE: "3.000"}
        shown[metric] = watch_views.evidence(scores)
    assert strings.EVIDENCE in shown["next_token_loss"] == shown["masked_lm_loss"]


@pytest.mark.parametrize(
    ("after", "said"),
    [(2.0, strings.BETTER), (2.75, strings.HARDLY_BETTER), (3.0, strings.NOT_BETTER), (3.1, strings.NOT_BETTER)],
)
def test_a_vector_of_a_language_that_the_base_knows_is_said_to_gain_little(after, said):
    shown = watch_views.evidence({"masked_lm_loss": {"before": 3.0, "after": after}})
    assert [one for one in (strings.BETTER, strings.HARDLY_BETTER, strings.NOT_BETTER) if one in shown] == [said]
