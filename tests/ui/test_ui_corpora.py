"""Without these, a person's text or labelled file could be replaced, lost, or read with other columns than they chose."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import disks
import pytest

from deftx.core.errors import CorpusError, DeftxError, TableError
from deftx.data.reading import Amount
from deftx.jobs import Store
from ui import strings
from ui.corpus import corpus_tab
from ui.corpus.corpora import SAMPLE, Corpora
from ui.corpus.tables import Tables
from ui.corpus.text_facts import TextFacts
from ui.current import acting_in
from ui.studio import Studio


@pytest.fixture
def corpora(tmp_path):
    return Corpora(tmp_path / "home")


@pytest.fixture
def tables(tmp_path):
    return Tables(tmp_path / "home")


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_several_files_become_one_text_and_say_which(corpora, tmp_path):
    one, two = write(tmp_path, "a b.txt", "satu dua\n\n"), write(tmp_path, "c.csv", "text,id\ntiga empat,1\n")
    name = corpora.add([one, two])
    assert name == "a-b-and-1-more.txt"
    assert corpora.read(name).lines == ["satu dua", "tiga empat"]
    assert corpora.read(name).skipped["empty"] == 1  # what is left out is still there to be shown
    assert corpora.note(name) == {"files": ["a b.txt", "c.csv"]}
    assert corpora.add([one, two]) == name


def test_of_several_files_one_bad_one_is_named_and_nothing_is_kept(corpora, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"caf\xe9\n")
    with pytest.raises(CorpusError, match=r"bad\.txt"):
        corpora.add([write(tmp_path, "a.txt", "satu\n"), bad])
    assert corpora.names() == []


def test_the_size_and_the_lines_of_a_file_are_asked_about_before_it_is_read(tmp_path, monkeypatch):
    def admit(size):
        if size > 100:
            raise CorpusError(f"{size} bytes are too many")

    monkeypatch.setattr("deftx.data.incoming.read_corpus", None)
    monkeypatch.setattr("deftx.data.incoming.read_table", None)
    large, breaks = write(tmp_path, "large.csv", "text,label\n" * 10), write(tmp_path, "breaks.txt", "\n" * 11)
    for files in (
        Corpora(tmp_path / "home", admit, Amount(10, 10**6)),
        Tables(tmp_path / "home", admit, Amount(10, 10**6)),
    ):
        with pytest.raises(CorpusError, match="110 bytes are too many"):
            files.add(large)
        with pytest.raises((CorpusError, TableError), match="too many lines"):
            files.add(breaks)
    with pytest.raises(CorpusError, match="220 bytes are too many"):
        Corpora(tmp_path / "home", admit).add([large, large])


@pytest.mark.slow
@pytest.mark.root
def test_a_full_disk_is_a_message_and_leaves_no_part_of_a_file(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    assert (reason := disks.mount_in_memory(disk)) is None, reason
    try:
        corpora, tables = Corpora(disk), Tables(disk)
        large = write(tmp_path, "large.txt", "a line of a text that is too large\n" * 300_000)
        rows = write(tmp_path, "rows.csv", "text,label\n" + "the day is good,good\nthe night is bad,bad\n" * 250_000)
        with pytest.raises(CorpusError, match="cannot be stored: No space left"):
            corpora.add(large)
        with pytest.raises(CorpusError, match="cannot be stored: No space left"):
            corpora.add([large, large])
        with pytest.raises(TableError, match="cannot be stored: No space left"):
            tables.add(rows)
        assert [path for path in disk.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_column_is_kept_as_plain_lines(corpora, tmp_path):
    name = corpora.add(write(tmp_path, "t.csv", "title,body\nx,satu dua\ny,tiga\n"), "body")
    assert (name, corpora.read(name).lines) == ("t.txt", ["satu dua", "tiga"])
    assert corpora.note(name) == {"files": ["t.csv"], "column": "body"}


def test_cleaning_makes_a_new_text_and_the_original_stays(corpora, tmp_path):
    name = corpora.add(write(tmp_path, "a.txt", "satu dua tiga\nSatu dua tiga\njudul\n"))
    cleaned = corpora.clean(name, ["short", "repeated"])
    assert cleaned == "a-cleaned.txt"
    assert corpora.read(cleaned).lines == ["satu dua tiga"]
    assert corpora.note(cleaned) == {"cleaned_from": "a.txt", "choices": ["short", "repeated"]}
    assert corpora.read(name).lines == ["satu dua tiga", "Satu dua tiga", "judul"]
    assert corpora.clean(name, ["short"]) == "a-cleaned-2.txt"
    assert corpora.clean(SAMPLE, ["short"]) == "sample-cleaned.txt"


def test_cleaning_without_a_choice_or_of_a_text_that_is_not_here_is_refused(corpora):
    with pytest.raises(CorpusError, match=strings.NOTHING_TO_CLEAN):
        corpora.clean(SAMPLE, [])
    with pytest.raises(CorpusError, match="not known"):
        corpora.clean("../x.txt", ["short"])


def test_notes_are_no_files_of_a_person_and_cannot_be_chosen(corpora, tmp_path):
    name = corpora.add([write(tmp_path, "a.txt", "satu\n"), write(tmp_path, "b.txt", "dua\n")])
    assert corpora.names() == [name]
    with pytest.raises(CorpusError):
        corpora.note(f".{name}.json")


def test_a_labelled_file_keeps_its_columns(tables, tmp_path):
    path = write(tmp_path, "reviews.csv", "review,stars\nbagus,5\nburuk,1\n")
    with pytest.raises(TableError, match="no column 'text'"):
        tables.add(path)
    assert tables.names() == []
    name = tables.add(path, {"text": "review", "label": "stars"})
    again = Tables(tables.folder.parent)  # after a restart
    assert again.columns(name) == {"text": "review", "label": "stars"}
    assert again.read(name).labels == ["5", "1"]
    assert again.names() == [name]


def test_the_same_file_with_other_columns_is_kept_beside_it(tables, tmp_path):
    path = write(tmp_path, "r.csv", "text,mood,topic\nbagus,good,food\nburuk,bad,day\n")
    first, second = (tables.add(path, {"label": label}) for label in ("mood", "topic"))
    assert (first, second) == ("r.csv", "r-2.csv")
    assert (tables.read(first).labels, tables.read(second).labels) == (["good", "bad"], ["food", "day"])
    assert tables.add(path, {"label": "mood"}) == first


@pytest.mark.parametrize("name", ["../jobs.sqlite", "/etc/passwd", ".r.csv.json", "", "nothing.csv"])
def test_labelled_files_are_found_by_known_names_only(tables, name):
    for find in (tables.path, tables.columns, tables.read):
        with pytest.raises(TableError):
            find(name)


def test_facts_follow_the_file_and_the_registered_languages(corpora, tmp_path):
    facts = TextFacts(corpora, tmp_path / "home")
    assert next(iter(facts.mix(SAMPLE))) == "ind"
    name = corpora.add(write(tmp_path, "a.txt", "satu dua\n--\n" * 150))
    assert facts.unused(name)[0].lines == 150
    assert [effect.dropped for effect in facts.effects(name, ["short"]) if effect.cleaning.name == "repeated"] == [0]
    assert [effect.dropped for effect in facts.effects(name, []) if effect.cleaning.name == "repeated"] == [149]
    (corpora.folder / name).write_text("kata kita semua\n" * 250, encoding="utf-8")
    assert facts.unused(name) == ()
    facts.register(name, "xyz", "Ours")
    assert facts.languages().names()["xyz"] == "Ours"
    assert facts.mix(name) == {"xyz": 1.0}


def test_many_who_call_their_texts_the_same_at_the_same_time_keep_their_own(corpora, tmp_path):
    texts = [f"{number} satu dua tiga\n" * 2000 for number in range(24)]
    for number, text in enumerate(texts):
        (tmp_path / str(number)).mkdir()
        write(tmp_path / str(number), "notes.txt", text)
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: corpora.add(tmp_path / str(number) / "notes.txt"), range(24)))
    assert len(set(names)) == 24
    assert [corpora.path(name).read_text(encoding="utf-8") for name in names] == texts


def test_a_text_of_which_cleaning_leaves_nothing_is_refused(studio, tmp_path):
    (tmp_path / "title.txt").write_text("judul\n", encoding="utf-8")
    name = studio.corpora.add(tmp_path / "title.txt")
    with pytest.raises(CorpusError, match="No line of this text would be left"):
        studio.corpora.clean(name, ["short"])
    assert studio.corpora.names() == [name]


def test_drafts_of_a_server_that_was_killed_go_after_a_day(corpora, tmp_path):
    name = corpora.add(write(tmp_path, "a.txt", "satu dua\n"))
    old, new = (corpora.folder / f".{kind}.part" for kind in ("old", "new"))
    for draft in (old, new):
        draft.write_text("half a te", encoding="utf-8")
    day_ago = time.time() - 86_500
    for path in (old, corpora.path(name)):
        os.utime(path, (day_ago, day_ago))
    corpora.trash()
    assert sorted(path.name for path in corpora.folder.iterdir()) == [".new.part", name]


@pytest.mark.root
def test_on_a_disk_that_can_only_be_read_texts_are_shown_and_changes_are_messages(page_base, tmp_path):
    home, seen = tmp_path / "home", tmp_path / "seen"
    seen.mkdir()
    before = Studio(str(page_base), Store(home))
    name = before.corpora.add(write(tmp_path, "a.txt", "satu dua tiga\nSatu dua tiga\n" * 200))
    rows = before.tables.add(write(tmp_path, "rows.csv", "text,label\nsatu,good\ndua,bad\n"))
    subprocess.run(["mount", "--bind", home, seen], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", seen], check=True)
        studio = Studio(str(page_base), Store(seen))  # after a restart
        assert (studio.corpora.names(), studio.tables.names(), studio.store.list()) == ([name], [rows], ())
        with acting_in(studio):
            assert strings.RESTS_ON in corpus_tab.show_findings(name)
        other = write(tmp_path, "b.txt", "empat lima\n")
        for attempt in (
            lambda: studio.corpora.add(other),
            lambda: studio.corpora.add([other, other]),
            lambda: studio.corpora.clean(name, ["repeated"]),
            lambda: studio.corpora.discard(name),
            lambda: studio.tables.discard(rows),
            lambda: studio.facts.register(name, "xyz", "Ours"),
            lambda: studio.store.add("language", "a", {}),
        ):
            with pytest.raises(DeftxError, match=r"[Rr]ead-?only"):
                attempt()
        assert (studio.corpora.names(), studio.tables.names()) == ([name], [rows])
    finally:
        subprocess.run(["umount", "--lazy", seen], check=True)
