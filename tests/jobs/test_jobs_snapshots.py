"""Copies of the queue: whole ones, of the last state, and a damaged one is never used nor overwritten."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from job_helpers import wait_for

from deftx.jobs import snapshots
from deftx.jobs.snapshots import Snapshots, previous, restore, take


def write(database, number):
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (number INTEGER)")
        connection.execute("INSERT INTO rows VALUES (?)", (number,))


def numbers(database):
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM rows")]


@pytest.fixture
def places(tmp_path):
    """A database on one disk and the place of its copy on another."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "jobs.sqlite", tmp_path / "kept" / "jobs.sqlite"


def test_a_copy_holds_what_was_written_and_comes_back(places):
    database, copy = places
    write(database, 1)
    take(database, copy)
    write(database, 2)
    take(database, copy)
    assert (numbers(copy), numbers(previous(copy))) == ([1, 2], [1])
    assert restore(database, copy) is None  # there is one already
    for file in database.parent.iterdir():
        file.unlink()
    assert restore(database, copy) == copy
    assert numbers(database) == [1, 2]


@pytest.mark.parametrize("size", [2000, 0])
def test_a_damaged_copy_is_set_aside_and_the_one_before_it_used(places, size):
    database, copy = places
    for number in (1, 2):
        write(database, number)
        take(database, copy)
    database.unlink()
    copy.write_bytes(copy.read_bytes()[:size])
    assert restore(database, copy) == previous(copy)
    assert numbers(database) == [1]
    assert [path.name for path in copy.parent.glob("*.damaged")] == ["jobs.sqlite.damaged"]


def test_nothing_to_restore_leaves_nothing(places):
    database, copy = places
    assert restore(database, copy) is None
    assert not database.exists()


def test_every_change_is_copied_soon_and_the_last_at_the_end(places):
    database, copy = places
    write(database, 1)
    looking = Snapshots(database, copy, interval=0.02)
    looking.start()
    wait_for(copy.exists, "the first copy")
    write(database, 2)
    wait_for(lambda: numbers(copy) == [1, 2], "the second")
    untouched = copy.stat().st_mtime_ns
    write(database, 3)
    assert looking.stop()
    assert numbers(copy) == [1, 2, 3]
    assert copy.stat().st_mtime_ns >= untouched


def test_a_folder_that_cannot_be_written_is_said_once_and_tried_again(places, caplog, monkeypatch):
    database, copy = places
    write(database, 1)
    there = copy.parent.rename(copy.parent.with_name("away"))
    looking = Snapshots(database, copy, interval=0.02)
    looking.start()
    wait_for(lambda: "could not be copied" in caplog.text, "the complaint")
    there.rename(copy.parent)
    wait_for(copy.exists, "the copy, when there is room again")
    assert looking.stop()
    assert caplog.text.count("could not be copied") == 1
    assert snapshots.restore(database, copy) is None


def test_a_first_copy_that_fails_is_tried_again_after_the_interval(places, monkeypatch):
    tried = []
    monkeypatch.setattr(snapshots, "take", lambda *files: tried.append(files) or Path("none/x").touch())
    looking = Snapshots(*places, interval=60)
    looking.start()
    wait_for(lambda: tried, "the first attempt")
    time.sleep(0.1)
    assert len(tried) == 1
    assert not looking.stop()
    assert len(tried) == 2
