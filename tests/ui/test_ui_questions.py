"""A task that answers questions on the page: Test marks the answer, the Library lists it, other sections refuse it."""

import gradio as gr
import pytest
import tiny_base
import tiny_questions
from test_ui_handlers import filled_in

from deftx.core.errors import DeftxError, TableError
from deftx.jobs import Store
from deftx.models.bases import load_base
from deftx.training.task import learn_task
from ui import strings
from ui.api import api_compose
from ui.classify import answering, classify_tab, compose_form, file_tab, score_tab
from ui.corpus import labelled_tab, labelled_upload
from ui.guide import task_step
from ui.labelling import sessions
from ui.library import library_views, vector_index
from ui.studio import Studio
from ui.train import train_choices, train_fields

LONGER = {"max_steps": 60, "epochs": 60, "evaluate_every": 30, "learning_rate": 1e-2, "k": 3000}
CONTEXT, WITHOUT = "very the food is good was", "very the food is very was"


@pytest.fixture(scope="module")
def trained(page_base, tmp_path_factory):
    """A home with a task on sentences, one on questions and a language, and the file of the questions."""
    store = Store(tmp_path_factory.mktemp("home"))
    texts = [
        (f"very the {noun} {verb} {mood} was", None if mood == "very" else mood)
        for noun in ("day", "night", "food", "house") for verb in ("is", "was")
        for mood in ("good", "bad", "fine", "awful", "very", "very")
    ]  # fmt: skip
    rows = [tiny_questions.paragraph(text, ("is the", answer), name=str(n)) for n, (text, answer) in enumerate(texts)]
    file = tiny_questions.write_squad(store.root / "rows.json", rows)

    def learn(recipe, job):
        learn_task(file, load_base(page_base), recipe.changed(LONGER), out=job.out, valid=file)

    jobs = {
        "questions": tiny_base._finish(store, "task", "Moods", page_base, learn),
        "sentences": tiny_base.finish_task_job(store, page_base),
        "language": tiny_base.finish_language_job(store, page_base, tiny_base.write_corpus(store.root / "corpus.txt")),
    }
    return store.home, {name: f"job:{job.id}" for name, job in jobs.items()}, file


@pytest.fixture
def studio(page_base, trained):
    return Studio(str(page_base), Store(trained[0]))


@pytest.fixture
def keys(trained):
    return trained[1]


def form(keys, context=CONTEXT, question="is the", **more):
    return filled_in(**{"text": question, "second": context, "task": keys["questions"], **more})


@pytest.mark.slow
def test_the_answer_is_marked_in_the_text(studio, keys):
    values = form(keys)
    answer, sides, table, merged = answering.show(values)
    assert '<p class="verdict">good</p>' in answer
    assert "<blockquote>is the</blockquote>" in answer
    assert strings.NO_ANSWER in answer  # among the possible answers
    assert "Moods" in answer
    assert (sides, "17–21" in table) == ("", True)
    assert merged
    marks = answering.show_marks(values)
    assert marks.visible
    assert [(one["token"], one["class_or_confidence"]) for one in marks.value] == [
        ("very the food is ", None), ("good", strings.ANSWER_MARK), (" was", None)
    ]  # fmt: skip
    assert answering.show_words(values) == ("", "")
    with_language = answering.show(form(keys, language=keys["language"]))[0]
    assert "Minangkabau" in with_language


def test_a_text_without_the_answer(studio, keys):
    answer, *_ = answering.show(form(keys, WITHOUT))
    assert f'<p class="verdict">{strings.NO_ANSWER}</p>' in answer
    assert [one["class_or_confidence"] for one in answering.show_marks(form(keys, WITHOUT)).value] == [None]


def test_what_a_person_types_is_shown_as_text(studio, keys):
    answer, _, table, _ = answering.show(form(keys, "the food is <i>good</i>", "<b>is</b>"))
    assert "&lt;b&gt;is" in answer
    assert "<i>" not in answer + table


@pytest.mark.parametrize("missing", ["text", "second"])
def test_a_question_needs_both_texts(studio, keys, missing):
    values = {**form(keys), missing: " "}
    assert strings.NO_QUESTION in answering.show(values)[0]
    assert not answering.show_marks(values).visible


def test_the_form_asks_for_a_question_and_a_text(studio, keys):
    with gr.Blocks(), gr.Column() as one, gr.Column() as two:
        made = compose_form.build(one, two)
        classify_tab._connect_form(made)
    asked = compose_form.texts_asked(keys["questions"])
    assert (asked.first, asked.second, asked.two) == (strings.QUESTION, strings.QUESTION_CONTEXT, True)
    assert asked.action == strings.ANSWER_QUESTION
    asked = compose_form.texts_asked(keys["sentences"])
    assert (asked.first, asked.second, asked.two) == (strings.SENTENCE, strings.HYPOTHESIS, False)
    assert asked.action == strings.CLASSIFY


def test_the_library_lists_it_with_its_scores(studio, keys):
    assert keys["questions"] in [key for _, key in classify_tab.task_choices()]
    info = vector_index.describe(vector_index.find(studio.store, "task", keys["questions"]).folder)
    assert list(library_views.scores(info)) == ["answer_f1", "exact_match"]
    assert library_views.score(info).startswith(strings.LIBRARY_METRICS_SHORT["answer_f1"])
    assert float(library_views.scores(info)["answer_f1"][1]) > 0.9


def test_other_sections_refuse_it(studio, keys, trained, tmp_path):
    said, key, file = strings.QUESTION_TASK, keys["questions"], trained[2]
    for call in (
        lambda: studio.classify("the food", key),
        lambda: studio.predict(["the food"], key),
        lambda: api_compose.answer(key, ["the food"], None, 1.0, "sum", None),
        lambda: sessions.labels_of(compose_form.combination_of(form(keys))),
    ):
        with pytest.raises(DeftxError) as refused:
            call()
        assert str(refused.value) == said
    texts = tmp_path / "texts.txt"
    texts.write_text("the food is good\n", encoding="utf-8")
    id_ = file_tab.begin(str(texts), form(keys), "", None, None, None)[0]
    with pytest.raises(DeftxError, match="answers questions"):
        studio.background_tasks.wait(id_)
    assert said in file_tab.look(id_)[0]
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\nthe food is good,good\nthe food is bad,bad\n", encoding="utf-8")
    name = studio.tables.add(rows)
    assert said in score_tab.begin(name, form(keys), False, "", [])[1]
    assert key not in [one for _, one in task_step.choices()]
    assert key not in [one for _, one in train_choices.start_choices()]
    assert keys["sentences"] in [one for _, one in train_choices.start_choices()]
    with pytest.raises(TableError, match=r"rows\.json has questions with answers.*python -m deftx task"):
        studio.tables.add(file)
    assert "python -m deftx task" in str(labelled_upload.receive(str(file), "train", labelled_tab.listed))


def test_the_form_of_training_has_no_setting_of_questions():
    assert not {"window", "stride", "n_best"} & set(train_fields.ADVANCED)
