"""Vectors that people brought: kept under names of their own, renamed, removed and brought back."""

import json
import os
import time

import pytest
from tiny_vectors import make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.publish import own_vectors
from deftx.publish.own_vectors import NOTE, OwnVectors, clean, safe_name
from deftx.vectors.vector import SparseVector


@pytest.fixture
def own(tmp_path):
    return OwnVectors(tmp_path)


def bring(own, title="Minang", draw=0):
    with own.incoming() as folder:
        make_vector(draw).save(folder)
        return own.keep(folder, title, "test.zip")


def test_a_vector_is_kept_and_found_by_its_name(own):
    assert own.list() == ()
    kept = bring(own, "Minang (Padang)")
    assert (kept.name, kept.title, kept.origin) == ("Minang-Padang", "Minang (Padang)", "test.zip")
    assert own.list() == (kept,)
    assert same_vector(SparseVector.load(own.get(kept.name).folder), make_vector())
    assert (own.folder.stat().st_mode & 0o777) == 0o700


def test_a_name_that_is_taken_is_numbered_also_by_one_in_the_trash(own):
    first = bring(own)
    assert bring(own, draw=1).name == "Minang-2"
    own.discard(first.name)
    assert bring(own, draw=2).name == "Minang-3"
    assert own.restore(first.name).name == "Minang"
    assert {one.name for one in own.list()} == {"Minang", "Minang-2", "Minang-3"}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("..", "vector"),
        (".trash", "trash"),
        ("x" * 300, "x" * 60),
        ("Kʼiche'", "Kʼiche"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_a_title_cannot_lead_out_of_the_folder(own, title, name):
    assert safe_name(title) == name
    assert bring(own, title).folder.parent == own.folder
    assert [one.name for one in own.list()] == [name]


@pytest.mark.parametrize("name", ["../jobs", ".trash", "", "/etc", "nothing", ".incoming-x"])
def test_vectors_are_found_by_known_names_only(own, name):
    bring(own)
    for look in (own.get, own.discard, own.restore):
        with pytest.raises(VectorError, match="not known"):
            look(name)


def test_renaming_changes_what_it_is_called_and_nothing_else(own):
    kept = bring(own)
    renamed = own.rename(kept.name, " Bahasa\nMinang\x00 ")
    assert (renamed.name, renamed.title, renamed.folder) == (kept.name, "Bahasa Minang", kept.folder)
    assert own.get(kept.name).title == "Bahasa Minang"
    with pytest.raises(VectorError, match="needs a name"):
        own.rename(kept.name, " \n ")


def test_what_is_removed_comes_back_as_it_was_and_goes_for_good_after_seven_days(own, monkeypatch):
    kept = bring(own)
    gone = own.discard(kept.name)
    assert (own.list(), own.trash()) == ((), (gone,))
    back = own.restore(kept.name)
    assert (back.title, back.trashed, back.folder) == (kept.title, None, kept.folder)
    own.discard(kept.name)
    now = time.time()
    monkeypatch.setattr(own_vectors.time, "time", lambda: now + own_vectors.TRASH_KEPT - 60)
    own.remove_expired()
    assert len(own.trash()) == 1
    monkeypatch.setattr(own_vectors.time, "time", lambda: now + own_vectors.TRASH_KEPT + 60)
    own.remove_expired()
    assert own.trash() == ()
    assert list((own.folder / ".trash").iterdir()) == []


def test_nothing_half_brought_stays(own):
    def fail():
        with own.incoming() as folder:
            make_vector().save(folder)
            raise VectorError("no")

    with pytest.raises(VectorError):
        fail()
    assert list(own.folder.iterdir()) == []
    killed = own.folder / ".incoming-killed"
    killed.mkdir()
    os.utime(killed, (0, 0))
    own.remove_expired()
    assert not killed.exists()


def test_what_was_put_there_by_hand_is_not_taken_for_checked(own):
    kept = bring(own)
    (kept.folder / NOTE).unlink()
    assert own.list() == ()
    (kept.folder / NOTE).write_text(json.dumps(["?"]))
    assert own.list() == ()


def test_a_title_is_one_printable_line_in_its_own_spelling():
    assert clean("a\nb\x00c\u202egpj.exe\u2066", 80) == "a b c gpj.exe"
    assert clean("می\u200cخواهم", 80) == "می\u200cخواهم"  # the joiner is part of the word
    assert len(clean("x" * 4_000, 80)) == 80
