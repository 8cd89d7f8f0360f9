"""Without these, what a person removed would be lost, or a training that waits would find its text gone."""

import os
import time

import gradio as gr
import pytest

from deftx.core.errors import CorpusError
from deftx.core.files import TRASH_KEPT, write_json
from deftx.jobs import JobError
from deftx.jobs.job import RESULT
from ui import strings
from ui.corpus import corpus_tab, labelled_tab
from ui.corpus.corpora import SAMPLE, Corpora
from ui.corpus.tables import Tables
from ui.history import history_tab, history_views
from ui.shared import removal
from ui.watch import job_actions


@pytest.fixture
def text(studio, tmp_path):
    path = tmp_path / "pages.txt"
    path.write_text("the food is good\n" * 30, encoding="utf-8")
    return studio.corpora.add(path)


@pytest.fixture
def table(studio, tmp_path):
    path = tmp_path / "stars.csv"
    path.write_text("review,stars\n" + "bagus,5\nburuk,1\n" * 5, encoding="utf-8")
    return studio.tables.add(path, {"text": "review", "label": "stars"})


def removable_of(studio, tables=False):
    """Lists as the page has them; only how many there are counts here."""
    if tables:
        return removal.RemovableFiles(lambda: studio.tables, [None, None], labelled_tab.choices, "")
    return removal.RemovableFiles(lambda: studio.corpora, [None], corpus_tab.choices, None)


def names(choices):
    return [name for _, name in choices]


def end(job, outcome):
    write_json(job.folder / RESULT, {"outcome": outcome, "message": "Said."})


# Files


def test_a_removed_text_leaves_the_list_and_undo_brings_it_back_chosen(studio, text):
    removable = removable_of(studio)
    listed, said, undo, key = removal.remove(removable, text, [text])
    assert names(listed.choices) == [SAMPLE]
    assert listed.value is None
    assert text in said
    assert undo.visible
    listed, said, undo, key = removal.undo_removal(removable, 0, key)
    assert listed.value == text
    assert (said, undo.visible, key) == ("", False, "")
    assert studio.corpora.read(text).lines == ["the food is good"] * 30


def test_a_labelled_file_comes_back_with_its_columns_after_a_restart(studio, table):
    key = studio.tables.discard(table)
    assert studio.tables.names() == []
    again = Tables(studio.store.root)
    assert again.restore(key) == table
    assert again.columns(table) == {"text": "review", "label": "stars"}
    assert again.trash() == []


def test_a_removed_file_comes_back_where_there_is_no_space_for_another_one(studio, tmp_path):
    def admit(size):
        if size and corpora.trash():
            raise CorpusError("no space")

    corpora = Corpora(studio.store.root, admit)
    path = tmp_path / "a.txt"
    path.write_text("the food is good\n", encoding="utf-8")
    name = corpora.add(path)
    assert corpora.restore(corpora.discard(name)) == name
    assert corpora.read(name).lines == ["the food is good"]


def test_each_list_lets_go_of_a_removed_file_and_keeps_any_other(studio, table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text,label\na b,x\nc d,y\n", encoding="utf-8")
    kept = studio.tables.add(other)
    first, second, *_ = removal.remove(removable_of(studio, tables=True), table, [table, kept])
    assert first.value == ""
    assert "value" not in second._constructor_args[0]
    assert names(second.choices) == ["", kept]


def test_what_comes_back_replaces_nothing_that_took_its_name(studio, text, tmp_path):
    key = studio.corpora.discard(text)
    (tmp_path / "new").mkdir()
    other = tmp_path / "new" / text
    other.write_text("another text\n", encoding="utf-8")
    assert studio.corpora.add(other) == text
    assert studio.corpora.restore(key) == "pages-2.txt"
    assert studio.corpora.read(text).lines == ["another text"]


def test_the_trash_is_cleared_after_the_same_time_as_that_of_trainings(studio, text, monkeypatch):
    studio.corpora.discard(text)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TRASH_KEPT - 60)
    assert [one.name for one in Corpora(studio.store.root).trash()] == [text]
    monkeypatch.setattr(time, "time", lambda: now + TRASH_KEPT + 60)
    assert Corpora(studio.store.root).trash() == []
    assert os.listdir(studio.corpora.folder / ".trash") == []


@pytest.mark.parametrize("name", [SAMPLE, "gone.txt", "../jobs.sqlite", ".trash", "", None])
def test_only_what_was_brought_can_be_removed(studio, name):
    listed, said, undo, key = removal.remove(removable_of(studio), name, [name])
    assert listed == gr.skip()
    assert 'role="alert"' in said
    assert (undo.visible, key) == (False, "")
    assert studio.corpora.path(SAMPLE).is_file()


@pytest.mark.parametrize("key", ["0", "", "../pages.txt", "1/../.."])
def test_only_keys_of_the_trash_bring_something_back(studio, key):
    with pytest.raises(CorpusError):
        studio.corpora.restore(key)


# What a training needs


def test_a_text_that_a_waiting_training_reads_stays_and_it_is_said_whose_it_is(studio, text):
    studio.store.add("language", "Minang <b>", {"corpus": [str(studio.corpora.path(text))]})
    listed, said, *_ = removal.remove(removable_of(studio), text, [text])
    assert listed == gr.skip()
    assert "Minang &lt;b&gt;" in said
    assert studio.corpora.names() == [text]


@pytest.mark.parametrize("place", ["train", "valid"])
def test_a_labelled_file_that_a_waiting_training_reads_stays(studio, table, place):
    studio.store.add("task", "Mood", {place: str(studio.tables.path(table))})
    with pytest.raises(JobError, match="Mood"):
        removal.check_unused(studio.store, studio.tables.path(table))


def test_a_text_of_a_finished_training_goes_and_that_of_a_stopped_one_with_a_word(studio, text):
    done, stopped = (studio.store.add("language", n, {"corpus": str(studio.corpora.path(text))}) for n in ("D1", "S1"))
    end(done, "finished")
    end(stopped, "stopped")
    said = removal.remove(removable_of(studio), text, [text])[1]
    assert strings.FILE_NEEDED.format(trainings="S1") in said
    assert studio.corpora.names() == []


def test_a_vector_that_a_waiting_training_starts_from_is_not_discarded(studio):
    source = studio.store.add("language", "Indonesian", {})
    end(source, "finished")
    task = studio.store.add("task", "Mood", {"source": str(source.out)})
    with pytest.raises(gr.Error, match="Mood"):
        job_actions.act("discard", source.id)
    assert studio.store.trash() == ()
    end(task, "finished")
    job_actions.act("discard", source.id)
    assert [job.name for job in studio.store.trash()] == ["Indonesian"]


# The trash under History


def test_the_history_lists_removed_files_and_brings_them_back(studio, text, table):
    studio.corpora.discard(text)
    studio.tables.discard(table)
    found = removal.in_trash()
    assert [file.name for _, file in found] == [table, text]
    shown = history_views.trash((), found)
    for key, file in found:
        assert f'data-restore="{key}"' in shown
        history_tab.restore(key)
        assert file.name in [*studio.corpora.names(), *studio.tables.names()]
    assert history_views.trash((), removal.in_trash()) == history_views.trash(())


def test_emptying_the_trash_removes_files_and_trainings_for_good(studio, text):
    studio.corpora.discard(text)
    studio.store.discard(studio.store.add("language", "old", {}).id)
    history_tab.empty_trash()
    assert removal.in_trash() == []
    assert studio.store.trash() == ()


def test_the_corpus_lists_follow_what_was_removed_and_brought_back(studio, text, table):
    studio.corpora.discard(text)
    texts, train, valid = corpus_tab.renew_lists([text, table, ""])
    assert (texts.value, names(texts.choices)) == (None, [SAMPLE])
    assert "value" not in train._constructor_args[0]
    assert names(valid.choices) == ["", table]
