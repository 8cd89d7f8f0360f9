"""Further labelled files, word lists and a task vector to train further in the form: what is asked for, said, refused, undone."""

import json

import gradio as gr
import pytest
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.core.errors import DeftxError, TableError
from deftx.jobs import JobError
from deftx.training.labelled_files import LabelledFile
from deftx.training.request import TrainingRequest
from deftx.training.settings_file import from_file, to_file
from ui import strings
from ui.access import retention
from ui.shared import removal
from ui.train import further_form, requests, train_choices, train_fields, train_preview, train_settings, train_tab
from ui.train.train_fields import EMPTY, FURTHER

TASK = {**EMPTY, "kind": "task", "name": "Mood", "code": "ind"}


def add(files, tmp_path, name, rows, header="text,label"):
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return files.add(path)


@pytest.fixture
def rows():
    return [f"the {noun} is {word},{label}" for noun in ("day", "food", "house", "night")
            for word, label in (("good", "positive"), ("bad", "negative"))]  # fmt: skip


@pytest.fixture
def table(studio, tmp_path, rows):
    return add(studio.tables, tmp_path, "related.csv", rows)


@pytest.fixture
def own(studio, tmp_path, rows):
    path = tmp_path / "own.csv"
    path.write_text("\n".join(["review,label", *rows[:4]]), encoding="utf-8")
    return studio.tables.add(path, {"text": "review", "label": "label"})


@pytest.fixture
def words(studio, tmp_path):
    return add(studio.lexicons, tmp_path, "words.csv", ["day,hari", "good,baik", "the,si"], "word,translation")


def start(studio, values, corpus=None):
    job_id, said = train_tab.start_training(corpus, values)
    return (studio.store.get(job_id) if job_id else None), said


def test_a_job_has_the_files_with_their_vectors_passes_and_word_list(studio, page_base, table, own, words, tmp_path):
    source = finish_language_job(studio.store, page_base, write_corpus(tmp_path / "text.txt"))
    chosen = {
        "train": table,
        "repeat": 2,
        "lexicon": words,
        "train_2": own,
        "source_2": f"job:{source.id}",
        "repeat_2": 20,
    }
    job, said = start(studio, {**TASK, **chosen})
    assert job is not None, said
    assert job.settings["lexicon"] == [str(studio.lexicons.path(words))]
    assert job.settings["repeat"] == 2
    assert job.settings["further"] == [
        {"file": str(studio.tables.path(own)), "source": str(source.out), "repeat": 20, "columns": {"text": "review", "label": "label"}}
    ]  # fmt: skip
    again = requests.named(studio, job)
    assert train_fields.from_form(train_fields.to_form(again), None) == again
    assert from_file(to_file(again)).request == again
    with pytest.raises(JobError, match=own):
        removal.check_unused(studio.store, studio.tables.path(own))
    with pytest.raises(JobError, match=words):
        removal.check_unused(studio.store, studio.lexicons.path(words))
    with pytest.raises(JobError, match="Minangkabau"):
        removal.check_source_unused(studio.store, source.out, "Minangkabau")


def test_an_empty_row_between_two_files_is_skipped_and_the_simple_case_is_as_before(studio, table, own):
    request = train_fields.from_form({**TASK, "train": table, "train_3": own, "repeat_3": None}, None)
    assert [(one.file, one.repeat) for one in request.further] == [(own, 1)]
    plain = train_fields.from_form({**TASK, "train": table}, None).to_job()
    assert not {"further", "repeat", "lexicon", "start"} & plain.keys()
    assert train_fields.from_form({**TASK, "kind": "language", "train_2": own}, None).further == ()


def test_the_rows_of_all_files_and_passes_are_counted(studio, table, own):
    def steps(**values):
        return studio.forecast.look(
            train_fields.from_form({**TASK, "train": table, "batch_size": "1", "hold_out": "0.25", **values}, None)
        ).found

    plain, more = steps(), steps(train_2=own, repeat_2=5)
    assert plain.sparse_steps == 3 * 6  # eight rows, a quarter of them held out, three passes
    assert more.sparse_steps == 3 * (6 + 5 * 4)
    assert steps(repeat=2).sparse_steps == 2 * plain.sparse_steps


def test_what_cannot_be_learned_together_is_refused_before_the_start(studio, table, tmp_path):
    other = add(studio.tables, tmp_path, "stars.csv", ["the day is good,5", "the day is bad,1", "the food is bad,1"])
    job, said = start(studio, {**TASK, "train": table, "train_2": other})
    assert job is None
    assert "stars.csv has labels that related.csv lacks (1, 5)" in said
    job, said = start(studio, {**TASK, "train": table, "train_2": other, "repeat_2": 0})
    assert job is None
    assert "it must be from 1" in said


def test_a_further_file_that_cannot_be_used_is_said_with_the_estimate(studio, table, own):
    shown = train_preview.preview(
        None, {**TASK, "train": table, "train_2": own, "repeat_2": 20_000, "max_steps": "many"}
    )[0]
    assert "repeat = 20000" in shown
    for name in ("further", "max_steps"):
        assert strings.REFUSED.format(field=train_fields.label(name)) in shown


def test_the_words_that_a_list_covers_are_said_before_the_start(studio, table, words, tmp_path):
    shown = train_preview.preview(None, {**TASK, "train": table, "lexicon": words})[0]
    # Of "the NOUN is WORD", eight times: the is there 8 times, good 4 times, day 2 times.
    assert strings.COVERED_OF.format(share="43.8", covered="14", words="32") in shown
    text = studio.corpora.add(write_corpus(tmp_path / "text.txt"))
    none = add(studio.lexicons, tmp_path, "other.csv", ["kuda,jaran"], "source,target")
    shown = train_preview.preview(text, {**EMPTY, "name": "Ban", "lexicon": none})[0]
    assert strings.COVERED_OF.format(share="0.0", covered="0", words="3,200") in shown
    assert strings.COVERS_NOTHING in shown


def test_a_task_vector_is_trained_further_without_a_dense_phase(studio, page_base, table, tmp_path):
    vector = finish_task_job(studio.store, page_base)
    values = {**TASK, "train": table, "start": f"job:{vector.id}"}
    found = studio.forecast.look(train_fields.from_form(values, None)).found
    assert (found.dense_steps, found.entries) == (0, 50)
    unknown = add(studio.tables, tmp_path, "stars.csv", ["the day is good,5", "the day is bad,1"])
    assert "stars.csv has labels that the task vector lacks (1, 5)" in start(studio, {**values, "train_2": unknown})[1]
    job, _ = start(studio, values)
    assert job.settings["start"] == str(vector.out)
    assert requests.named(studio, job).start == f"job:{vector.id}"
    with pytest.raises(JobError, match="Mood"):
        removal.discard_job(studio.store, vector.id)
    assert "is not known" in start(studio, {**values, "start": "job:none"})[1]


def test_a_word_list_is_brought_and_anything_else_is_refused(studio, tmp_path):
    path = tmp_path / "ind-ban.tsv"
    path.write_text("source\ttarget\nhari\trahina\n", encoding="utf-8")
    listed, said = further_form.receive(str(path))
    assert (listed.value, said) == ("ind-ban.tsv", "")
    path.write_text("a\tb\tc\nx\ty\tz\n", encoding="utf-8")
    listed, said = further_form.receive(str(path))
    assert listed == gr.skip()
    assert "is not a word list" in said
    assert studio.lexicons.names() == ["ind-ban.tsv"]
    with pytest.raises(TableError):
        studio.lexicons.path("../jobs.sqlite")


def test_a_removed_word_list_can_be_brought_back_and_is_cleared_when_long_unused(studio, words):
    removable = removal.RemovableFiles(lambda: studio.lexicons, [None], train_choices.lexicon_choices, "")
    listed, _, undo, key = removal.remove(removable, words, [words])
    assert (listed.value, undo.visible, studio.lexicons.names()) == ("", True, [])
    assert [one.name for _, one in removal.in_trash()] == [words]
    assert removal.undo_removal(removable, 0, key)[0].value == words
    retention.clear(studio, studio.lexicons.path(words).stat().st_mtime + 1)
    assert studio.lexicons.names() == []


def test_a_row_appears_for_the_next_file(table, own):
    part, *others = further_form._shown(own, None, "", None, None)
    assert part.open
    assert [row.visible for row in others[: len(FURTHER)]] == [True, True, False, False, False]
    assert [name for _, name in others[-1].choices] == ["", own, table]
    part, *others = further_form._shown(*[None] * len(FURTHER))
    assert part == gr.skip()
    assert [row.visible for row in others[: len(FURTHER)]] == [True, *[False] * 4]


def test_a_settings_file_with_files_that_are_not_here_keeps_the_others(studio, table, own):
    request = train_fields.from_form(
        {**TASK, "train": table, "train_2": own, "train_3": own, "lexicon": "gone.csv"}, None
    )
    content = json.loads(to_file(request))
    content["further"][1]["file"] = "elsewhere.csv"
    updates = train_settings.fill(from_file(json.dumps(content)).request)
    fields = dict(zip(EMPTY, updates[1:-1], strict=True))
    assert fields["train_2"].value == own
    assert fields["train_3"] == fields["lexicon"] == gr.skip()
    assert "elsewhere.csv" in updates[-1]
    assert "gone.csv" in updates[-1]
    assert strings.FORM_LACKS not in updates[-1]


def test_what_the_form_has_no_field_for_is_said(studio, table):
    others = tuple(LabelledFile(file=table) for _ in range(len(FURTHER) + 1))
    for given in ({"further": others}, {"lexicon": ("a.csv", "b.csv")}):
        request = TrainingRequest(kind="task", train=table, **given)
        assert strings.FORM_LACKS in train_settings.fill(request)[-1]


@pytest.mark.parametrize("options", [{"further": "own.csv"}, {"further": [{"source": "x"}]}, {"further": [{"file": "own.csv", "sorce": "x"}]},
                                     {"lexicon": [3]}, {"repeat": "2"}])  # fmt: skip
def test_options_of_a_program_that_cannot_be_used_are_refused(studio, table, options):
    with pytest.raises(DeftxError, match=r"labelled file|lexicon|repeat|further"):
        studio.train(requests.from_options("task", {"name": "Mood", "train": table, **options}))
    assert not studio.store.list()
