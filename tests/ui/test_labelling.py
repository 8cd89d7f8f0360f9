"""Labelling on the page: what is asked and hidden, what a button stores, files, several people, and the way to training."""

import csv
import json

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_pair_job, finish_task_job, write_corpus

from deftx.core.errors import DeftxError
from deftx.core.files import write_json
from deftx.data.tables import read_table
from deftx.jobs import Store
from deftx.jobs.job import RESULT
from deftx.jobs.work import learn_task
from ui import strings
from ui.access import retention
from ui.classify.combination import Combination
from ui.current import acting_in
from ui.labelling import label_answers, label_tab, label_views, sessions
from ui.library.vector_index import describe
from ui.shared import keys
from ui.studio import Studio


@pytest.fixture
def task(studio, page_base):
    return f"job:{finish_task_job(studio.store, page_base, '<b>Mood').id}"


@pytest.fixture
def text(studio, tmp_path):
    return studio.corpora.add(write_corpus(tmp_path / "text.txt"))


@pytest.fixture
def kept(task, text):
    """What the browser keeps of a session of twelve sentences."""
    return label_answers.start_session(task, "", text, "", 12, "")[0]


def session_of(kept):
    return sessions.stored().open(kept["session"])


def judge(kept, answer=lambda sentence: "label:0"):
    """Answer every sentence in turn; ``answer`` returns the rest of a button's value."""
    for place, sentence in enumerate(session_of(kept).sentences):
        said, *_ = label_answers.pick(kept, f"{place}:{answer(sentence)}")
        assert said == ""


def as_the_classifier(sentence):
    return f"label:{('negative', 'positive').index(sentence.answer)}"


def test_the_answer_is_hidden_until_a_label_is_picked(studio, task, text):
    kept, said, listed, area, card, result, improve = label_answers.start_session(task, "", text, "", 12, "")
    first = session_of(kept).sentences[0]
    assert (said, result, area.visible, improve.value) == ("", "", True, strings.LABELLING_IMPROVE)
    assert listed.value == kept["session"]
    assert first.text in card
    assert "&lt;b&gt;Mood" in card
    assert strings.LABELLING_ANSWERED.split("{")[0] not in card
    _, _, card, result, _ = label_answers.pick(kept, "0:label:1")
    share = f"{first.probability:.0%}"
    assert strings.LABELLING_ANSWERED.format(label=first.answer, share=share) in card
    assert session_of(kept).sentences[1].text in card
    right = int(first.answer == "positive")
    assert f"{right} of 1 are right" in result


def test_the_answers_are_the_classifiers(studio, task, kept):
    drawn = [one for one in session_of(kept).sentences if one.drawn]
    assert [one.answer for one in drawn] == studio.predict([one.text for one in drawn], task)


def test_two_vectors_are_compared_to_find_doubtful_sentences(studio, page_base, task, text):
    language = f"job:{finish_language_job(studio.store, page_base, studio.corpora.path(text)).id}"
    kept = label_answers.start_session(task, language, text, "", 12, "")[0]
    session = session_of(kept)
    assert session.language == language
    assert "Minangkabau" in session.made_of
    chosen = [one.text for one in session.sentences if not one.drawn]
    assert [one.answer for one in session.sentences if not one.drawn] == studio.predict(chosen, task, language)


def test_every_button_is_stored_and_undo_goes_back(kept):
    for picked in ("0:label:0", "1:skip", "2:none"):
        label_answers.pick(kept, picked)
    card = label_answers.pick(kept, "3:undo")[2]
    assert session_of(kept).sentences[2].text in card
    assert strings.LABELLING_PLACE.format(done=2, count=12) in card
    # A fast second press brings the same place, so it replaces the answer and judges no unseen sentence.
    label_answers.pick(kept, "2:label:0")
    card = label_answers.pick(kept, "2:label:1")[2]
    assert strings.LABELLING_PLACE.format(done=3, count=12) in card
    judged = sessions.stored().judged(kept["session"])[""]
    assert [(one.mark, one.label) for one in judged.values()] == [
        ("label", "negative"),
        ("skip", ""),
        ("label", "positive"),
    ]


@pytest.mark.parametrize(
    "picked", ["", "0", "x:skip", "0:label", "0:label:2", "0:label:-1", "99:skip", "0:other", "²:skip"]
)
def test_what_no_button_says_is_refused_and_nothing_changes(kept, picked):
    said, *shown = label_answers.pick(kept, picked)
    assert "alert" in said
    assert shown == [gr.skip()] * 4
    assert sessions.stored().judged(kept["session"]) == {}


def test_the_score_is_that_of_the_random_half(kept):
    """All is judged as the classifier answers, but the other half the other way round."""
    judge(kept, lambda one: as_the_classifier(one) if one.drawn else f"label:{int(one.answer == 'negative')}")
    _, card, result, _ = label_answers.show(kept["session"], "")
    assert strings.LABELLING_DONE in card
    assert "6 of 6 are right" in result
    assert strings.CHECK_FROM_TO.format(low="61%", high="100%") in result  # by hand: 6 / (6 + 1.96²) = 0.61


def test_a_second_person_labels_the_same_and_agreement_is_shown(kept):
    judge(kept)
    other, *_, result, _ = label_answers.name_person(kept, " Ketut ")
    assert other["person"] == "Ketut"
    assert strings.LABELLING_AGREEMENT not in result
    label_answers.pick(other, "0:label:0")
    result = label_answers.pick(other, "1:label:1")[3]
    assert strings.LABELLING_AGREEMENT in result
    assert "1 (50%)" in result
    assert label_answers.name_person(other, "Ketut") == tuple(gr.skip() for _ in range(5))


def test_a_page_that_opens_continues(kept):
    label_answers.pick(kept, "0:skip")
    part, _, listed, person, area, card, *_ = label_answers.restore({**kept, "person": ""})
    assert (part.open, listed.value, person, area.visible) == (True, kept["session"], "", True)
    assert session_of(kept).sentences[1].text in card
    for nothing in ("", None, {"session": 3}, {"session": "../jobs"}, ["a"]):
        assert not label_answers.restore(nothing)[4].visible


def test_another_session_of_a_text_asks_other_sentences(kept, task, text):
    second = label_answers.start_session(task, "", text, "", 12, "")[0]
    asked = [{one.text for one in session_of(each).sentences} for each in (kept, second)]
    assert not asked[0] & asked[1]


def test_the_order_of_the_labels_does_not_bring_the_same_sentences_again(task, text):
    own = label_answers.start_session(None, "", text, "positive, negative", 12, "")[0]
    later = label_answers.start_session(task, "", text, "", 12, "")[0]
    assert session_of(own).labels != session_of(later).labels
    asked = [{one.text for one in session_of(each).sentences} for each in (own, later)]
    assert not asked[0] & asked[1]


def test_a_label_set_of_ones_own_needs_no_classifier(studio, text):
    kept, said, *_, improve = label_answers.start_session(None, "", text, "praise, complaint; question", 60, "")
    assert said == ""
    session = session_of(kept)
    assert (session.labels, session.task, improve.value) == (
        ("praise", "complaint", "question"), "", strings.LABELLING_FIRST
    )  # fmt: skip
    for place in range(29):
        label_answers.pick(kept, f"{place}:label:{place // 2 % 3}")
    said, request = label_answers.improve(kept)
    assert strings.LABELLING_TOO_FEW.format(least=30, count=29) in said
    assert request is None
    label_answers.pick(kept, "29:label:0")
    said, request = label_answers.improve(kept)
    assert strings.LABELLING_READY_ALONE.format(name=request.train) in said
    table = studio.tables.read(request.train)
    assert table.texts == [one.text for one in session.sentences[:30] if not one.drawn]
    assert set(table.labels) == {"praise", "complaint", "question"}
    job = studio.train(request)  # what the form sends
    assert job.request.recipe == dict(sessions.ALONE)


def test_the_task_vector_is_trained_further_and_scored_on_the_random_half(studio, task, text):
    kept = label_answers.start_session(task, "", text, "", 40, "")[0]
    judge(kept, lambda one: "label:0" if one.text < "n" else "label:1")
    session = session_of(kept)
    said, request = label_answers.improve(kept)
    assert strings.LABELLING_READY.format(name=request.train) in said
    judged = [(one.text, "negative" if one.text < "n" else "positive", one.drawn) for one in session.sentences]
    for name, half in ((request.train, False), (request.valid, True)):
        table = studio.tables.read(name)
        assert list(zip(table.texts, table.labels, strict=True)) == [
            (text, label) for text, label, drawn in judged if drawn == half
        ]
    assert (request.start, request.recipe) == (task, dict(sessions.FURTHER))
    settings = studio.train(request).request
    assert settings.train == str(studio.tables.path(request.train))
    assert settings.start == str(studio.composing.find(Combination.of(task)).entries[0].folder)


def test_the_loop_from_labels_over_a_trained_vector_to_the_new_score(studio, task, text):
    kept = label_answers.start_session(task, "", text, "", 40, "")[0]
    judge(kept, lambda one: "label:0" if one.text < "n" else "label:1")
    drawn = [one for one in session_of(kept).sentences if one.drawn]
    right = [one.answer == ("negative" if one.text < "n" else "positive") for one in drawn]
    job = studio.train(label_answers.improve(kept)[1])
    learn_task(job.settings, job.folder, lambda event: None, lambda: False)
    scores = describe(job.out)["scores"]["accuracy"]
    assert scores["before"] == pytest.approx(sum(right) / len(right))
    write_json(job.folder / RESULT, {"outcome": "finished", "message": ""})
    said, view = label_answers.rescore(kept, f"job:{job.id}", "")
    assert said == ""
    assert f"{sum(right)} / {len(drawn)}" in view
    assert f"{round(scores['after'] * len(drawn))} / {len(drawn)}" in view
    session, judged = session_of(kept), sessions.stored().judged(session_of(kept).id)[""]
    answers = {place: one.answer for place, one in enumerate(session.sentences)}
    same_name = label_views.rescored(session, judged, answers, session.made_of)
    assert same_name.count(f" / {len(drawn)}") == view.count(f" / {len(drawn)}")


def test_one_label_is_nothing_to_learn(studio, text):
    kept = label_answers.start_session(None, "", text, "a, b", 60, "")[0]
    judge(kept)
    assert strings.LABELLING_ONE_LABEL in label_answers.improve(kept)[0]


def test_the_test_set_becomes_a_labelled_file(studio, kept):
    assert "alert" in label_answers.keep_test(kept)
    judge(kept, as_the_classifier)
    label_answers.keep_test(kept)
    (name,) = studio.tables.names()
    drawn = [one for one in session_of(kept).sentences if one.drawn]
    table = read_table(studio.tables.path(name))
    assert list(zip(table.texts, table.labels, strict=True)) == [(one.text, one.answer) for one in drawn]


def test_other_vectors_are_scored_on_the_same_sentences(studio, page_base, kept):
    judge(kept, as_the_classifier)
    other = f"job:{finish_task_job(studio.store, page_base, 'Second').id}"
    said, view = label_answers.rescore(kept, other, "")
    assert said == ""
    drawn = [one for one in session_of(kept).sentences if one.drawn]
    predicted = studio.predict([one.text for one in drawn], other)
    right = sum(a == one.answer for a, one in zip(predicted, drawn, strict=True))
    assert f"{right} / 6" in view
    assert "6 / 6" in view
    # The session's own classifier is judged right everywhere, so the other one can only be worse.
    wrong = 6 - right
    worse = strings.LABELLING_CHOSEN_WORSE if wrong else strings.LABELLING_EQUAL
    assert worse.format(more=0, fewer=wrong) in view
    assert (strings.LABELLING_CHANCE.split("{")[0] in view) == (0 < wrong < 6)  # 2 · 0.5⁶ = 3 %
    pairs = f"job:{finish_pair_job(studio.store, page_base).id}"
    assert strings.PAIR_TASK in label_answers.rescore(kept, pairs, "")[0]
    own = label_answers.start_session(None, "", session_of(kept).text, "a, b", 4, "")[0]
    assert "Choose one with these: a, b." in label_answers.rescore(own, other, "")[0]


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_an_export_is_imported_by_another_person(studio, kept, ending):
    for place, mark in enumerate(("label:0", "label:1", "skip", "none")):
        label_answers.pick(kept, f"{place}:{mark}")
    path, said = label_answers.export(ending, kept)
    assert said == ""
    before = sessions.stored().judged(kept["session"])
    other, *_ = label_answers.name_person(kept, "Ketut")
    said, *_ = label_answers.bring(other, path)
    assert strings.LABELLING_IMPORTED.format(count=4, others=0, own=0) in said
    assert sessions.stored().judged(kept["session"]) == {**before, "Ketut": before[""]}


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_an_older_file_does_not_change_later_answers_of_the_person_who_imports_it(kept, ending):
    for picked in ("0:label:1", "1:label:1"):
        label_answers.pick(kept, picked)
    path, _ = label_answers.export(ending, kept)
    for picked in ("2:undo", "1:undo", "0:label:0"):
        label_answers.pick(kept, picked)
    said, *_ = label_answers.bring(kept, path)
    assert strings.LABELLING_IMPORTED.format(count=1, others=0, own=1) in said
    judged = sessions.stored().judged(kept["session"])[""]
    assert {place: one.label for place, one in judged.items()} == {0: "negative", 1: "positive"}


def test_an_export_equals_what_was_judged(kept):
    judge(kept, as_the_classifier)
    with open(label_answers.export(".csv", kept)[0], encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    asked = session_of(kept).sentences
    assert [(row["text"], row["label"], row["part"]) for row in rows] == [
        (one.text, one.answer, "random" if one.drawn else "unsure") for one in asked
    ]
    with open(label_answers.export(".json", kept)[0], encoding="utf-8") as stream:
        assert len(json.load(stream)) == 12


def test_a_file_of_another_kind_is_refused(kept, tmp_path):
    file = tmp_path / "other.json"
    file.write_text('{"a": 1}')
    said, *shown = label_answers.bring(kept, str(file))
    assert strings.NOT_READ in said
    assert shown == [gr.skip()] * 4


def test_what_is_missing_is_said(studio, page_base, task, text):
    pairs = f"job:{finish_pair_job(studio.store, page_base).id}"
    for values, message in (
        ((task, "", None, "", 12), strings.LABELLING_NEEDS_TEXT),
        ((None, "", text, "", 12), strings.NEEDS_TASK_VECTOR),
        ((pairs, "", text, "", 12), strings.PAIR_TASK),
        ((task, "", text, "one", 12), "2 to 50 labels"),
        ((task, "", text, "", None), "choose 4 to 500"),
        ((task, "", "../text", "", 12), "is not known"),
    ):
        kept, said, *_ = label_answers.start_session(*values, "")
        assert kept == gr.skip()
        assert message in said
    assert sessions.stored().list() == []


def test_a_comparison_goes_with_the_next_answer_and_a_refusal_moves_no_focus(studio):
    with gr.Blocks() as page:
        tab = label_tab.build(gr.Dropdown(), gr.Dropdown(), gr.BrowserState())
    clearing = [one for one in page.fns.values() if one.js == "() => ''" and one.outputs == [tab.compared]]
    targets = {(page.blocks[block].elem_id, event) for one in clearing for block, event in one.targets}
    assert targets == {("label-card", "select"), ("label-bring", "upload")}
    focusing = [one for one in page.fns.values() if keys.focus(label_tab.AREA, scroll=True) in str(one.js)]
    assert [one.inputs for one in focusing] == [[tab.said]] * 2
    assert all(one.js.startswith("said => said || (") for one in focusing)


def test_nobody_sees_the_sessions_of_another_workspace(kept, page_base, tmp_path):
    with acting_in(Studio(str(page_base), Store(tmp_path / "elsewhere"))):
        assert label_answers.choices() == []
        assert not label_answers.show(kept["session"], "")[0].visible
        assert "alert" in label_answers.pick(kept, "0:skip")[0]


def test_where_nothing_may_be_stored_nothing_is(page_base, task, text, studio):
    def refuse(size):
        raise DeftxError("Visitors keep nothing.")

    studio.admit = refuse
    assert "Visitors keep nothing." in label_answers.start_session(task, "", text, "", 12, "")[1]
    assert sessions.stored().list() == []


def test_a_session_is_removed_and_what_is_long_unused_too(studio, kept, task, text):
    kept_on, said, listed, *_ = label_answers.remove(kept)
    assert (kept_on["session"], said, listed.choices) == ("", "", [])
    second = label_answers.start_session(task, "", text, "", 12, "")[0]
    changed = sessions.stored().changed(second["session"])
    retention.clear(studio, changed)
    assert len(sessions.stored().list()) == 1
    retention.clear(studio, changed + 8 * retention.DAY)
    assert sessions.stored().list() == []
