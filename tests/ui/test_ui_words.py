"""Words with tags on the page: files of them are tagged, described, trained on and scored as on the command line."""

import csv
import json
from html import escape

import gradio as gr
import pytest
import tiny_base
import tiny_tokens
from test_ui_handlers import filled_in

from deftx.classify.tag_files import TaggedFile
from deftx.cli import main
from deftx.core.errors import DeftxError, TableError
from deftx.core.files import write_json
from deftx.data.token_tables import read_tokens
from deftx.data.unlabelled import Rows
from deftx.data.words_to_tag import ToTag
from deftx.jobs import Store, work
from deftx.jobs.job import RESULT
from deftx.labelling.word_session import WordSentence, WordSession
from deftx.labelling.word_store import WordSessions
from deftx.training.request import SettingsRefused, TrainingRequest
from ui import strings
from ui.access import retention
from ui.classify import compose_form, file_tab, score_tab, word_file_views, word_score_views, word_scoring
from ui.classify.file_tab import FileTab
from ui.classify.score_tab import ScoreTab
from ui.classify.word_files import TaggedWords
from ui.corpus import labelled_tab, labelled_upload
from ui.guide import task_step
from ui.labelling import word_answers, word_views
from ui.library import library_views, vector_index
from ui.shared.label_form import MOST_MAPPED
from ui.studio import Studio
from ui.train import train_choices

SETTINGS = {
    "max_steps": 40, "epochs": 60, "evaluate_every": 20, "learning_rate": 5e-3, "k": 3000, "batch_size": 8, "max_length": 16
}  # fmt: skip
PARTS = {"the": "DET", "is": "AUX", "was": "AUX", **dict.fromkeys(("day", "night", "food", "house"), "NOUN"),
         **dict.fromkeys(("good", "bad", "fine", "awful"), "ADJ")}  # fmt: skip
FILE = {name: place for place, name in enumerate(FileTab.__dataclass_fields__)}
SCORE = {name: place for place, name in enumerate(list(ScoreTab.__dataclass_fields__)[1:])}


def rows():
    return [
        {"tokens": (words := ["the", noun, verb, mood]), "tags": [PARTS[word] for word in words]}
        for noun in ("day", "night", "food", "house") for verb in ("is", "was") for mood in ("good", "bad", "fine", "awful")
    ]  # fmt: skip


def names():
    return [{**row, "tags": ["O", "I-THING", "O", "O"]} for row in rows()]


@pytest.fixture(scope="module")
def trained(page_base, tmp_path_factory):
    """A studio with uploaded files of words, and a task that was learned from one of them as the page orders it."""
    folder = tmp_path_factory.mktemp("files")
    studio = Studio(str(page_base), Store(tmp_path_factory.mktemp("home")))
    for file in (
        tiny_tokens.write_conllu(folder / "parts.conllu", rows()),
        tiny_tokens.write_conll(folder / "names.conll", names()),
        tiny_tokens.write_conll(
            folder / "test.conll", [*rows()[::3], {"tokens": ["the", "day"], "tags": ["DET", "NEW"]}]
        ),
    ):
        studio.tables.add(file)
    job = studio.train(TrainingRequest(kind="task", name="Parts", train="parts.conllu", recipe=SETTINGS))
    work.learn_task(job.settings, job.folder, lambda event: None, lambda: False)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Finished."})
    sentences = tiny_base.finish_task_job(studio.store, page_base)
    return studio, {"words": f"job:{job.id}", "sentences": f"job:{sentences.id}"}, folder


@pytest.fixture
def studio(trained):
    return trained[0]


@pytest.fixture
def keys(trained):
    return trained[1]


def vector(studio, key):
    return str(studio.store.get(key.removeprefix("job:")).out)


@pytest.mark.slow
def test_a_file_of_words_is_trained_on_and_its_vector_listed_with_its_score(studio, keys):
    assert keys["words"] in [key for _, key in compose_form.task_choices()]
    info = vector_index.describe(vector_index.find(studio.store, "task", keys["words"]).folder)
    assert list(library_views.scores(info)) == ["accuracy"]
    assert info["scores"]["accuracy"]["after"] > 0.9
    assert (info["corpus"]["unit"], info["labels"]) == ("word", ["ADJ", "AUX", "DET", "NOUN"])


def test_a_training_run_on_words_is_estimated_and_word_lists_are_refused_before_it(studio, keys, tmp_path):
    found = studio.forecast.look(TrainingRequest(kind="task", name="x", train="parts.conllu", recipe=SETTINGS))
    assert (found.refusals, found.found.dense_steps) == ([], 40)
    other = studio.forecast.look(TrainingRequest(kind="task", name="x", train="parts.conllu", valid="names.conll"))
    assert "those of names.conll entities" in other.refusals[0].reason
    lists = tmp_path / "words.csv"
    lists.write_text("word,translation\nday,hari\n", encoding="utf-8")
    name = studio.lexicons.add(lists)
    with pytest.raises(SettingsRefused, match="sentences with labels are needed"):
        studio.train(TrainingRequest(kind="task", name="x", train="parts.conllu", lexicon=(name,)))


def test_what_a_file_of_words_has_is_shown(studio):
    shown = labelled_tab.show("names.conll", "")
    for said in (strings.SENTENCES, strings.TYPES_OF_NAMES, "THING: 32", "32 tags are not in BIO", "<dd>128</dd>"):
        assert said in shown
    both = labelled_tab.show("parts.conllu", "test.conll")
    for said in ("NOUN: 32", "NEW: 1", strings.SHARED_ROWS, "test.conll has tags that parts.conllu lacks (NEW)"):
        assert said in both
    assert "those of names.conll entities" in labelled_tab.show("parts.conllu", "names.conll")


def test_words_are_uploaded_with_columns_of_any_name(studio, tmp_path):
    listed = [name for _, name in train_choices.table_choices()]
    assert {"parts.conllu", "names.conll"} <= set(listed)
    usual = tiny_tokens.write_jsonl(tmp_path / "usual.jsonl", rows())
    train, *_ = labelled_upload.receive(str(usual), "train", labelled_tab.listed)
    assert train.value == "usual.jsonl"
    named = [{"kata": row["tokens"], "jenis": row["tags"]} for row in rows()]
    other = tiny_tokens.write_jsonl(tmp_path / "other.jsonl", named)
    *_, waiting = labelled_upload.receive(str(other), "train", labelled_tab.listed)
    columns = {"tokens": "kata", "tags": "jenis"}
    train, *_ = labelled_upload.map_columns(waiting, "words", columns, labelled_tab.listed)
    assert train.value == "other.jsonl"
    assert studio.tables.labelled("other.jsonl").sentences == studio.tables.labelled("usual.jsonl").sentences
    wrong = labelled_upload.map_columns(waiting, "words", {"tokens": "kata", "tags": "kata"}, labelled_tab.listed)
    assert strings.COLUMNS_TWICE in str(wrong)


def test_sections_for_sentences_say_that_they_need_sentences(studio, keys, trained):
    with pytest.raises(TableError, match="sentences with labels are needed"):
        studio.tables.read("parts.conllu")
    assert "parts.conllu" not in [name for _, name in task_step.tables()["train"]]
    said = labelled_upload.receive(str(trained[2] / "parts.conllu"), "train", task_step.tables)
    assert strings.WORDS_NOT_HERE.format(name="parts.conllu") in str(said)
    assert strings.WORDS_NOT_HERE.format(name="test.conll") in begin_scoring(keys["sentences"], "test.conll")[1]


def begin_file(file, key, *columns):
    return file_tab.begin(str(file), filled_in(task=key), "", *(columns or (None, None, None)))[0]


def test_a_file_of_texts_is_tagged_as_on_the_command_line(studio, keys, page_base, tmp_path):
    file = tmp_path / "texts.csv"
    file.write_text("id,review\n1,the food <is> good\n2,\n3,=the day\n", encoding="utf-8")
    place, *_ = file_tab.receive(str(file), keys["words"])
    assert place.visible
    id_ = begin_file(file, keys["words"], "review", None, None)
    found = studio.background_tasks.wait(id_)
    table, *others = found.files()
    assert [path.name for path in found.files()] == [
        "texts-tagged.csv", "texts-tagged.jsonl", "texts-tagged.conll", "texts-tagged.conllu",
    ]  # fmt: skip
    for path in (table, *others):
        there = tmp_path / f"cli{path.suffix}"
        arguments = ["classify", "--task", vector(studio, keys["words"]), "--base", str(page_base), "--file", str(file)]
        assert main([*arguments, "--columns", "text=review", "--out", str(there)]) == 0
        assert path.read_bytes() == there.read_bytes()
    with table.open(encoding="utf-8-sig", newline="") as stream:
        assert {row["id"] for row in csv.DictReader(stream)} == {"1", "2", "3"}
    shown = file_tab.look(id_)
    assert len(shown) == len(FILE)
    assert strings.ROWS_WITHOUT_TEXT.format(count=1) in shown[FILE["view"]]
    assert "food<sup>NOUN</sup>" in shown[FILE["rows"]]
    assert "&lt;" in shown[FILE["rows"]]
    assert not shown[FILE["order"]].visible
    assert shown[FILE["download"]].value["path"].endswith("texts-tagged.csv")
    assert [one["orig_name"] for one in shown[FILE["others"]].value] == [path.name for path in others]
    for label in found.found.counts:
        marked = [one for one in found.found.tagged if label in [mark.label for mark in one.marks]]
        assert file_tab.show_rows(id_, label, "file").count('<p class="words">') == len(marked)
    assert file_tab.show_rows(id_, "", "file").count('<p class="words">') == 2


def test_words_of_a_file_stay_as_they_are_and_sentences_show_no_other_files(studio, keys, trained, tmp_path):
    words = trained[2] / "test.conll"
    assert not file_tab.receive(str(words), keys["words"])[0].visible
    found = studio.background_tasks.wait(begin_file(words, keys["words"]))
    tagged = read_tokens(next(path for path in found.files() if path.suffix == ".conll"))
    assert tagged.sentences == studio.tables.labelled("test.conll").sentences
    texts = tmp_path / "a.txt"
    texts.write_text("the food is good\n", encoding="utf-8")
    id_ = begin_file(texts, keys["sentences"])
    studio.background_tasks.wait(id_)
    shown = file_tab.look(id_)
    assert not shown[FILE["others"]].visible
    assert shown[FILE["order"]]["visible"]


def test_a_file_without_words_is_refused(studio, keys, tmp_path):
    empty = tmp_path / "empty.conll"
    empty.write_text("\n\n", encoding="utf-8")
    id_ = begin_file(empty, keys["words"])
    with pytest.raises(TableError, match="no text to classify"):
        studio.background_tasks.wait(id_)
    shown = file_tab.look(id_)
    assert len(shown) == len(FILE)
    assert strings.FILE_REFUSED in shown[0]
    assert not shown[FILE["others"]].visible


def begin_scoring(key, table):
    return score_tab.begin(table, filled_in(task=key), False, "", [], *[None] * MOST_MAPPED)


def test_words_are_scored_as_on_the_command_line_with_a_line_for_each_tag(studio, keys, page_base, capsys):
    id_ = begin_scoring(keys["words"], "test.conll")[0]
    found = studio.background_tasks.wait(id_)
    assert [one.kind for one in found.wanted.combinations] == ["base", "task"]
    assert list(found.scores[1]) == ["accuracy"]
    capsys.readouterr()
    file = str(studio.tables.path("test.conll"))
    arguments = ["evaluate", file, "--task", vector(studio, keys["words"]), "--base", str(page_base), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.scores[1]["accuracy"].to_dict()))
    assert (found.lacking, found.shared) == (["NEW"], 11)
    shown = score_tab.look(id_)
    assert len(shown) == len(SCORE)
    assert (shown[SCORE["intervals"]], shown[SCORE["plot"]]) == ("", "")
    assert strings.TAGS_LACKING.format(tags="NEW") in shown[SCORE["view"]]
    assert escape(strings.SEEN_IN_TRAINING.format(count=11, all=12)) in shown[SCORE["view"]]
    assert f"{100 * found.scores[1]['accuracy'].score:.1f}" in shown[SCORE["lines"]]
    plot, details = score_tab.show(id_, "task")
    assert plot == ""
    assert '<th scope="row">NOUN</th>' in details
    file, said = score_tab.write_report(id_, "task")
    assert (file, strings.WORD_TASK in said) == (None, True)
    assert strings.WORK_GONE[:20] in score_tab.show(id_, "none")[1]


@pytest.mark.parametrize(
    ("table", "message"), [("names.conll", "finds a class of each word"), ("mood.csv", "words with tags are needed")]
)
def test_a_file_that_does_not_fit_is_refused_at_once(studio, keys, tmp_path, table, message):
    mood = tmp_path / "mood.csv"
    mood.write_text("text,label\nthe day,good\nthe night,bad\n", encoding="utf-8")
    studio.tables.add(mood)
    id_, said, *_ = begin_scoring(keys["words"], table)
    assert id_ == gr.skip()
    assert message in said


def test_an_unknown_training_file_is_said(studio, keys, monkeypatch):
    monkeypatch.setattr(word_scoring, "shared_texts", lambda workspace, task, texts: None)
    found = studio.background_tasks.wait(begin_scoring(keys["words"], "test.conll")[0])
    assert found.shared is None
    assert strings.TRAINING_UNKNOWN in word_score_views.about(found)


@pytest.fixture
def labelling(studio, keys, tmp_path):
    """A session on a text, as a person has started it."""
    text = tmp_path / "town.txt"
    text.write_text("\n".join(f"the {noun} {verb} {mood}" for noun in ("day", "night", "food", "house")
                              for verb in ("is", "was") for mood in ("good", "awful")), encoding="utf-8")  # fmt: skip
    name = studio.corpora.add(text)
    kept, said, listed, *shown = word_answers.start(keys["words"], "", name, 4)
    assert said == ""
    assert shown[0].visible
    assert kept["session"] in [value for _, value in listed.choices]
    yield kept
    if word_answers.find(kept["session"]):
        word_answers.stored().remove(kept["session"])


def test_a_word_is_corrected_with_a_click_that_is_kept(studio, labelling):
    session = word_answers.find(labelling["session"])
    assert session.labels == ("ADJ", "AUX", "DET", "NOUN")
    kept, said, area, radio, card, result = word_answers.pick(labelling, "AUX", "0:word:1")
    assert (said, kept["place"], radio.value, area.visible) == ("", 0, "AUX", True)
    assert strings.WORDS_NO_SCORE in result
    assert word_answers.stored().corrected(session.id)[0].tags[1] == "AUX"
    word = session.sentences[0].text.split()[1]
    assert f"{word}<sup>AUX</sup>" in card
    kept, *_, result = word_answers.pick(kept, "AUX", "0:next")
    assert kept["place"] == 1
    assert strings.METRIC_NAMES["accuracy"] in result
    assert word_answers.pick(kept, "AUX", "1:back")[0]["place"] == 0
    continued, *_, card, _ = word_answers.open_session(session.id)
    assert continued["place"] == 1
    for place in range(1, len(session.sentences)):
        kept, *_, card, _ = word_answers.pick(kept, "AUX", f"{place}:next")
    assert strings.WORDS_DONE in card
    path, _ = word_answers.export(".conll", kept)
    assert read_tokens(path).tags[0][1] == "AUX"
    assert "town-corrected.conll" in word_answers.keep(kept)
    assert len(studio.tables.labelled("town-corrected.conll")) == len(session.sentences)


@pytest.mark.parametrize("picked", ["", "x:next", "0:word:99", "0:word:x", "99:next", "0:other"])
def test_a_click_on_an_unknown_button_changes_nothing(labelling, picked):
    kept, said, *_ = word_answers.pick(labelling, "AUX", picked)
    assert strings.LABELLING_UNKNOWN in said
    assert (kept, word_answers.stored().corrected(kept["session"])) == (labelling, {})


def test_words_are_labelled_with_a_task_on_words_and_a_session_can_be_removed(studio, keys, labelling):
    assert strings.NOT_EXPORTED in word_answers.export(".jsonl", labelling)[1]
    assert "does not tag words" in word_answers.start(keys["sentences"], "", "town.txt", 4)[1]
    assert strings.LABELLING_NEEDS_TEXT in word_answers.start(keys["words"], "", None, 4)[1]
    kept, said, listed, area, *_ = word_answers.remove(labelling)
    assert (kept, said, area.visible) == (word_answers.NOTHING, "", False)
    assert labelling["session"] not in [value for _, value in listed.choices]
    assert strings.LABELLING_NOT_STORED in word_answers.pick(labelling, "AUX", "0:next")[1]
    assert not word_answers.open_session(labelling["session"])[2].visible


def test_nothing_is_kept_where_nothing_may_be(studio, keys, labelling, monkeypatch):
    def refuse(size):
        raise DeftxError("Visitors keep nothing.")

    with monkeypatch.context() as patched:
        patched.setattr(studio, "admit", refuse)
        assert "Visitors keep nothing." in word_answers.start(keys["words"], "", "town.txt", 4)[1]
        assert "Visitors keep nothing." in word_answers.pick(labelling, "AUX", "0:word:1")[1]
    assert word_answers.stored().corrected(labelling["session"]) == {}


def names_session():
    sentence = WordSentence("Ayu <came> to Kota Tua.", ((0, 3), (5, 9), (11, 13), (14, 18), (19, 22)),
                            ("B-PER", "O", "O", "B-LOC", "I-LOC"), drawn=True)  # fmt: skip
    return WordSession("0" * 16, 0.0, "a.txt", "Names", ("B-LOC", "B-PER", "I-LOC", "I-PER", "O"), (sentence,))


def test_what_is_long_unused_goes(page_base, tmp_path):
    other, session = Studio(str(page_base), Store(tmp_path / "home")), names_session()
    kept = WordSessions(other.store.root)
    kept.add(session)
    retention.clear(other, kept.changed(session.id))
    assert kept.list() == [session]
    retention.clear(other, kept.changed(session.id) + 8 * retention.DAY)
    assert kept.list() == []


def test_names_are_buttons_with_their_label_after_the_last_word():
    session = names_session()
    card = word_views.card(session, {}, 0)
    assert "Kota</button>" in card
    assert "Tua<sup>LOC</sup></button>." in card
    assert "&lt;<button" in card
    assert card.count("data-pick") == 6
    assert 'data-pick="0:back"' not in card


def test_what_was_left_out_of_a_tagged_file_is_said(tmp_path):
    rows = Rows(("text",), [], [], [], pairs=False, notes=("a.xlsx: the hidden sheet Notes is left out.",))
    found = TaggedWords("a.xlsx", TaggedFile(ToTag(rows), []), "Things", "none", (), folder=None)
    assert rows.notes[0] in word_file_views.summary(found)
