"""A database that is lost, damaged, locked, or on a disk that is full or cannot be written."""

import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import disks
import pytest

from deftx.core.files import write_json
from deftx.jobs import JobError, Store, database, progress_of, state_of
from deftx.jobs.job import RESULT


@pytest.fixture
def home(tmp_path):
    """A home with a finished and a waiting job of the host, and one of Ana."""
    store = Store(tmp_path / "home")
    done = store.add("count", "done", {"steps": 3})
    write_json(done.folder / RESULT, {"outcome": "finished", "message": "Finished."})
    store.add("count", "next", {"k": "ä"})
    store.of("ana").add("count", "anas", {})
    return store.root


def shown(store):
    """Everything that a page shows of the jobs."""
    return [(job.name, job.owner, job.settings, state_of(job).name, progress_of(job).phase) for job in store.list()]


def lose(home):
    for file in home.glob("jobs.sqlite*"):
        file.unlink()


def damage(home):
    for file in home.glob("jobs.sqlite-*"):
        file.unlink()
    file = home / "jobs.sqlite"
    content = bytearray(file.read_bytes())
    content[100:] = b"\xa5" * (len(content) - 100)  # the header is whole
    file.write_bytes(content)


def overwrite(home):
    for file in home.glob("jobs.sqlite-*"):
        file.unlink()
    (home / "jobs.sqlite").write_bytes(b"not a database" * 1000)


@pytest.mark.parametrize("harm", [lose, damage, overwrite])
def test_a_lost_or_damaged_database_is_rebuilt_from_the_folders(home, harm):
    with closing(sqlite3.connect(home / "jobs.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = shown(Store(home))
    assert len(before) == 3
    harm(home)
    harmed = (home / "jobs.sqlite").read_bytes() if harm is not lose else None
    renewed = Store(home)
    assert shown(renewed) == before
    assert [job.name for job in renewed.queue()] == ["next", "anas"]
    assert [job.name for job in renewed.of("ana").list()] == ["anas"]
    aside = [file.read_bytes() for file in home.glob("jobs.sqlite.damaged-*[0-9]")]
    assert aside == ([harmed] if harmed else [])  # nothing was written over it
    assert shown(Store(home)) == before
    renewed.add("count", "new", {})
    assert [job.name for job in renewed.queue()] == ["next", "anas", "new"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": "20200101-000000-000000"}', b"\xff", b"[]", None])
def test_a_folder_that_describes_no_job_stays_as_it_is(home, caplog, content):
    folder = home / "jobs" / "20260101-000000-000000"
    folder.mkdir()
    if content is not None:
        (folder / "job.json").write_bytes(content)
    (folder / "checkpoint").write_text("kept")
    lose(home)
    assert len(Store(home).list()) == 3
    assert (folder / "checkpoint").read_text() == "kept"
    assert content is None or (folder / "job.json").read_bytes() == content
    assert str(folder) in caplog.text


def test_folders_without_a_row_are_not_taken_in_while_there_is_a_database(home):
    (home / "jobs" / "20260101-000000-000000").mkdir()  # another process is just adding it
    assert len(Store(home).list()) == 3


def test_a_database_that_another_program_locks_is_a_message(home, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    store = Store(home)
    with closing(sqlite3.connect(home / "jobs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JobError, match="Another program has locked the queue"):
            store.add("count", "late", {})
        assert len(store.list()) == 3  # readers do not wait
        other.execute("ROLLBACK")
    assert len(list((home / "jobs").iterdir())) == 2


@pytest.fixture
def disk(tmp_path):
    """A disk of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    assert (reason := disks.mount_in_memory(place)) is None, reason
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk):
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(4096)):
            pass


@pytest.mark.root
def test_jobs_are_shown_on_a_full_disk(disk):
    store = Store(disk / "home")
    names = [store.add("count", str(number), {"steps": number}).name for number in range(5)]
    fill(disk)
    for _ in range(3):
        assert [name for name, *_ in shown(store)] == names[::-1]
        assert len(store.queue()) == 5
        assert store.trash() == ()
        with pytest.raises((JobError, OSError)):
            store.add("count", "more", {"text": "x" * 100_000})
    (disk / "ballast").unlink()
    store.add("count", "more", {})
    assert len(store.list()) == 6


@pytest.mark.root
def test_a_disk_that_cannot_be_written_is_said_at_the_start(disk):
    subprocess.run([sys.executable, "-c", f"from deftx.jobs import Store; Store({str(disk)!r})"], check=True)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(JobError, match="The queue cannot be written"):
        Store(disk)


@pytest.mark.root
def test_a_store_opens_on_a_full_disk(disk):
    store = Store(disk / "home")
    store.add("count", "one", {})
    fill(disk)
    assert len(Store(disk / "home").list()) == 1
