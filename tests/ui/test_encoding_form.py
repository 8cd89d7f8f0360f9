"""Without these, a text in an old encoding is learned from as it was guessed, before anybody has looked at it."""

import zipfile
from pathlib import Path

import gradio as gr
import pytest

from deftx.core.errors import CorpusError
from ui.classify import file_tab
from ui.corpus import corpus_tab, labelled_tab, labelled_upload
from ui.shared import encoding_form


@pytest.fixture
def western(tmp_path):
    path = tmp_path / "old.csv"
    path.write_bytes("text,label\n<b>l’été</b>,chaud\noù,froid\n".encode("cp1252"))
    return str(path)


def test_a_text_is_shown_as_it_reads_and_kept_only_when_that_is_confirmed(studio, western):
    choice, _, *_, place, shown, _, waiting = corpus_tab.receive_any([western])
    assert choice == gr.skip()
    assert place.visible
    assert "&lt;b&gt;l’été" in shown
    assert "<b>" not in shown
    assert studio.corpora.names() == []
    corpus_tab.receive_in(waiting, "cp1252")
    (name,) = studio.corpora.names()
    assert studio.corpora.read(name).lines == ["<b>l’été</b>", "où"]


def test_another_encoding_shows_the_lines_as_they_read_in_it(western):
    assert "l’été" in encoding_form.show([western], "cp1252")
    assert "l’йtй" in encoding_form.show([western], "cp1251")
    assert encoding_form.show([western], "no encoding") == ""


def test_what_is_utf_8_or_cannot_be_read_is_not_asked_about(tmp_path):
    (tmp_path / "new.txt").write_text("été\n", encoding="utf-8")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("new.txt", "picture.txt", "gone.txt"):
        assert encoding_form.ask([str(tmp_path / name)]) is None


def test_of_several_files_those_in_utf_8_stay_as_they_are(studio, western, tmp_path):
    (tmp_path / "new.txt").write_text("été\n", encoding="utf-8")
    files = encoding_form.confirmed([western, str(tmp_path / "new.txt")], "cp1252")
    assert files == [str(tmp_path / "utf-8/old.csv"), str(tmp_path / "new.txt")]


def test_a_text_in_a_zip_which_is_not_shown_stays_as_it_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "Съешь же ещё этих булок\n".encode("cp1251"))
    (tmp_path / "b.txt").write_bytes("Está aquí el niño\n".encode("cp1252"))
    files = encoding_form.confirmed([str(tmp_path / "a.zip"), str(tmp_path / "b.txt")], "cp1252")
    assert files == [str(tmp_path / "a.zip"), str(tmp_path / "utf-8/b.txt")]


def test_a_wrong_choice_is_refused_and_the_form_stays(studio, tmp_path):
    (tmp_path / "a.txt").write_bytes("мир мир мир".encode("cp1251") + b"\x98\n")
    with pytest.raises(CorpusError, match="not text in the encoding cp1251"):
        encoding_form.confirmed([str(tmp_path / "a.txt")], "cp1251")
    answer = corpus_tab.receive_in([str(tmp_path / "a.txt")], "cp1251")
    assert "not text in the encoding" in answer[1]
    assert answer[2:] == (gr.skip(),) * 7


def test_labelled_files_and_texts_to_classify_are_asked_about_too(studio, western):
    *_, place, shown, _, waiting = labelled_upload.receive_any(western, "train", labelled_tab.listed)
    assert place.visible
    assert "l’été" in shown
    labelled_upload.receive_in("train", waiting, "cp1252", labelled_tab.listed)
    assert studio.tables.read("old.csv").texts == ["<b>l’été</b>", "où"]
    assert file_tab.ask_encoding(western)[0].visible
    file, said = file_tab.use_encoding([western], "cp1252")
    assert said == gr.skip()
    assert "l’été" in Path(file).read_text(encoding="utf-8")


@pytest.fixture
def three(tmp_path):
    texts = {"m1": ("Está aquí el niño pequeño, ¿verdad?", "cp1252"), "m2": ("Съешь же ещё этих булок", "cp1251"),
             "m3": ("Mañana comió en la montaña", "cp1252")}  # fmt: skip
    for name, (text, encoding) in texts.items():
        (tmp_path / f"{name}.txt").write_bytes(f"{text}\n".encode(encoding) * 5)
    return [str(tmp_path / f"{name}.txt") for name in texts]


def test_an_encoding_is_confirmed_for_the_files_that_it_is_likely_of_and_the_next_is_asked_about(studio, three):
    *_, shown, _, waiting = corpus_tab.receive_any(three)
    assert "niño" in shown
    choice, *_, place, shown, field, waiting = corpus_tab.receive_in(waiting, "cp1252")
    assert [Path(file).parent.name == "utf-8" for file in waiting] == [True, False, True]
    assert (choice, studio.corpora.names()) == (gr.skip(), [])
    assert place.visible
    assert "m2.txt" in shown
    assert field.value == "cp1251"
    corpus_tab.receive_in(waiting, "cp1251")
    (name,) = studio.corpora.names()
    assert set(studio.corpora.read(name).lines) == {
        "Está aquí el niño pequeño, ¿verdad?", "Съешь же ещё этих булок", "Mañana comió en la montaña",
    }  # fmt: skip


def test_what_is_chosen_against_the_guess_is_used_for_the_file_that_was_shown_alone(three):
    files = encoding_form.confirmed(three, "cp850")
    assert [Path(file).parent.name == "utf-8" for file in files] == [True, False, False]
