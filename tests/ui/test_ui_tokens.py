"""A task that tags words on the page: Test marks them in the text, the Library lists it, other sections refuse it."""

import pytest
import tiny_base
import tiny_tokens
from test_ui_handlers import filled_in

from deftx.core.errors import DeftxError
from deftx.jobs import Store
from deftx.models.bases import load_base
from deftx.training.task import learn_task
from ui import strings
from ui.api import api_compose
from ui.classify import answering, compose_form, compose_views
from ui.classify.combination import Combination
from ui.guide import task_step
from ui.labelling import sessions
from ui.library import library_views, vector_index
from ui.studio import Studio

TEXT = "the food is <good>"
LONGER = {"max_steps": 60, "epochs": 60, "evaluate_every": 20, "learning_rate": 5e-3, "k": 3000}


@pytest.fixture(scope="module")
def trained(page_base, tmp_path_factory):
    """A home with a task on sentences, one on words, and a language."""
    store = Store(tmp_path_factory.mktemp("home"))
    words = {
        **dict.fromkeys(("the", "is", "was", "very"), "O"),
        **dict.fromkeys(("day", "night", "food", "house"), "B-THING"),
    }
    rows = [
        {"tokens": (row := ["the", noun, verb, mood]), "tags": [words.get(word, "O") for word in row]}
        for noun in ("day", "night", "food", "house") for verb in ("is", "was") for mood in ("good", "bad", "fine", "awful")
    ]  # fmt: skip
    file = tiny_tokens.write_jsonl(store.root / "rows.jsonl", rows)

    def learn(recipe, job):
        learn_task(file, load_base(page_base), recipe.changed(LONGER), out=job.out)

    jobs = {
        "words": tiny_base._finish(store, "task", "Things", page_base, learn),
        "sentences": tiny_base.finish_task_job(store, page_base),
        "language": tiny_base.finish_language_job(store, page_base, tiny_base.write_corpus(store.root / "corpus.txt")),
    }
    return store.home, {name: f"job:{job.id}" for name, job in jobs.items()}, file


@pytest.fixture
def studio(page_base, trained):
    return Studio(str(page_base), Store(trained[0]))


def form(trained, task="words", text=TEXT):
    return filled_in(text=text, task=trained[1][task], language=trained[1]["language"])


@pytest.mark.slow
def test_names_are_marked_in_the_text(studio, trained):
    values = form(trained)
    answer, sides, table, merged = answering.show(values)
    assert "Things" in answer
    assert strings.MARKS_FOUND.format(count=1) in answer
    assert sides == ""
    assert "food" in table
    assert "THING" in table
    assert merged
    marked = answering.show_marks(values)
    assert marked.visible
    assert compose_views.marked_parts(studio.composing.tag(*answering.asked(values)).tagged) == [
        ("the ", None),
        ("food", "THING"),
        (" is <good>", None),
    ]
    assert answering.show_words(values) == ("", "")


def test_a_text_without_names_and_no_text(studio, trained):
    assert strings.NO_MARKS in answering.show(form(trained, text="is"))[0]
    empty = form(trained, text=" ")
    assert strings.NO_SENTENCE in answering.show(empty)[0]
    assert not answering.show_marks(empty).visible


def test_a_task_on_sentences_shows_no_marks(studio, trained):
    values = form(trained, "sentences")
    assert not answering.show_marks(values).visible
    assert "positive" in answering.show(values)[0]
    with pytest.raises(DeftxError, match="does not tag words"):
        studio.composing.tag(Combination.of(trained[1]["sentences"]), TEXT)


def test_sections_for_sentences_refuse_it(studio, trained):
    order = Combination.of(trained[1]["words"])
    for refused in (
        lambda: studio.composing.compare(order, TEXT),
        lambda: studio.composing.words(order, TEXT),
        lambda: studio.classify(TEXT, trained[1]["words"]),
        lambda: sessions.labels_of(order),
        lambda: api_compose.answer(trained[1]["words"], [TEXT], None, 1.0, "sum", None),
    ):
        with pytest.raises(DeftxError, match="tags the words of a text"):
            refused()
    with pytest.raises(DeftxError, match="tags the words of a text"):
        studio.predict([TEXT], trained[1]["words"])


def test_the_guide_offers_tasks_on_sentences_only(studio, trained):
    offered = [key for _, key in task_step.choices()]
    assert trained[1]["sentences"] in offered
    assert trained[1]["words"] not in offered
    listed = {key: label for label, key in compose_form.task_choices()}
    assert "of 100" not in listed[trained[1]["words"]]
    assert "of 100" in listed[trained[1]["sentences"]]


def test_the_library_lists_its_scores(studio, trained):
    info = vector_index.describe(vector_index.find(studio.store, "task", trained[1]["words"]).folder)
    assert list(library_views.scores(info)) == ["entity_f1", "accuracy"]
    assert library_views.score(info).startswith("F1 ")
