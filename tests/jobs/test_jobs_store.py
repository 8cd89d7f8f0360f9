"""The store: what is asked for is kept, in order, whoever writes at the same time; only what is meant is removed."""

import json
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from deftx.core.errors import DeftxError
from deftx.core.files import write_json
from deftx.jobs import JobError, Store, home, state_of
from deftx.jobs.process import process_id


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


def names(jobs):
    return [job.name for job in jobs]


def test_home_follows_the_variable_and_is_private(tmp_path, monkeypatch):
    monkeypatch.setenv("DEFTX_HOME", str(tmp_path / "a" / "data"))
    assert home() == tmp_path / "a" / "data"
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    monkeypatch.setenv("DEFTX_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".deftx"
    assert Store().root == tmp_path / ".deftx"


@pytest.mark.parametrize("named", ["/dev/null", "/dev/null/x", "~nosuchuser/x"])
def test_a_home_that_can_be_none_is_refused_with_its_name(monkeypatch, named):
    monkeypatch.setenv("DEFTX_HOME", named)
    with pytest.raises(DeftxError, match=named.partition("/x")[0]):
        home()


def test_a_job_has_its_folder_and_its_settings_before_anything_starts(store):
    job = store.add("language", "Minangkabau", {"corpus": "/data/min.txt", "recipe": {"rank": "mp"}})
    written = json.loads((job.folder / "job.json").read_text())
    assert written["settings"] == job.settings == {"corpus": "/data/min.txt", "recipe": {"rank": "mp"}}
    assert (written["id"], written["kind"], written["name"]) == (job.id, "language", "Minangkabau")
    assert stat.S_IMODE(job.folder.stat().st_mode) == 0o700
    assert state_of(job).name == "waiting"
    assert Store(store.root).get(job.id) == job  # a new server sees the same


def test_settings_that_cannot_be_kept_are_refused_and_leave_nothing(store):
    for settings in ({"rate": float("nan")}, {"corpus": object()}):
        with pytest.raises(JobError, match="cannot be written as JSON"):
            store.add("language", "bad", settings)
    assert store.list() == ()
    assert list(store.folder.iterdir()) == []


def test_jobs_are_listed_newest_first_and_wait_oldest_first(store):
    for name in "abc":
        store.add("count", name, {})
    assert names(store.list()) == ["c", "b", "a"]
    assert names(store.queue()) == ["a", "b", "c"]


def test_a_job_is_called_otherwise_and_stays_the_same(store):
    job = store.add("language", "old", {"k": 1})
    store.rename(job.id, "new")
    assert (store.get(job.id).name, store.get(job.id).settings, store.get(job.id).folder) == (
        "new",
        {"k": 1},
        job.folder,
    )
    store.discard(job.id)
    with pytest.raises(JobError, match="trash"):
        store.rename(job.id, "newer")


def test_the_order_of_waiting_jobs_can_be_changed(store):
    a, _, c, d = (store.add("count", name, {}) for name in "abcd")
    store.move(d.id, 0)
    assert names(store.queue()) == ["d", "a", "b", "c"]
    store.move(a.id, 99)
    assert names(store.queue()) == ["d", "b", "c", "a"]
    store.move(c.id, 1)
    assert names(store.queue()) == ["d", "c", "b", "a"]
    store.add("count", "e", {})
    assert names(store.queue()) == ["d", "c", "b", "a", "e"]


def test_only_waiting_jobs_can_be_moved(store):
    running, waiting = store.add("count", "running", {}), store.add("count", "waiting", {})
    store.set_process(running.id, process_id())
    with pytest.raises(JobError, match="is not in the queue"):
        store.move(running.id, 0)
    assert names(store.queue()) == ["waiting"]
    store.move(waiting.id, -5)


def test_a_waiting_job_that_is_stopped_leaves_the_queue_and_can_come_back(store):
    a, _ = store.add("count", "a", {}), store.add("count", "b", {})
    store.request_stop(a.id)
    assert state_of(store.get(a.id)).name == "stopped"
    assert names(store.queue()) == ["b"]
    store.requeue(a.id)
    assert names(store.queue()) == ["b", "a"]
    store.request_stop(a.id)
    store.requeue(a.id, front=True)
    assert names(store.queue()) == ["a", "b"]


def test_a_finished_job_is_not_started_again(store):
    job = store.add("count", "done", {})
    write_json(job.folder / "result.json", {"outcome": "finished", "message": "Finished."})
    with pytest.raises(JobError, match="it is finished"):
        store.requeue(job.id)
    assert store.queue() == ()
    assert store.claim(lambda job: pytest.fail("started")) is None


def test_a_failed_job_whose_process_still_ends_is_not_started_beside_it(store):
    job = store.add("count", "failed", {})
    store.set_process(job.id, process_id())
    write_json(job.folder / "result.json", {"outcome": "failed", "message": "no"})
    with pytest.raises(JobError, match="Try again in a moment"):
        store.requeue(job.id)


@pytest.mark.parametrize("name", ["", "..", "../jobs", "/etc", ".", "a/b", "20260131-094501-123456/..", None])
def test_names_that_are_not_plain_are_refused(store, name):
    inside = store.root / "precious"
    inside.mkdir()
    actions = (store.get, store.discard, store.restore, store.remove, store.request_stop, store.requeue)
    for action in (*actions, lambda name: store.move(name, 0)):
        with pytest.raises(JobError):
            action(name)
    assert inside.exists()


def test_discard_keeps_all_of_a_job_but_shows_it_nowhere(store):
    gone, kept = store.add("count", "gone", {}), store.add("count", "kept", {})
    (gone.out / "deep").mkdir(parents=True)
    store.discard(gone.id)
    assert (gone.out / "deep").exists()
    assert names(store.list()) == names(store.queue()) == ["kept"]
    assert names(store.trash()) == ["gone"]
    for action in (store.get, store.discard, store.request_stop, store.requeue):
        with pytest.raises(JobError, match=r"in the trash\. Restore it first"):
            action(gone.id)
    assert store.claim(lambda job: process_id()).id == kept.id


def test_undo_brings_a_waiting_job_back_to_its_place_and_a_finished_one_as_it_was(store):
    jobs = [store.add("count", name, {}) for name in "abc"]
    done = store.add("count", "done", {})
    write_json(done.folder / "result.json", {"outcome": "finished", "message": "Finished."})
    for job in (jobs[1], done):
        store.discard(job.id)
        store.restore(job.id)
        assert store.get(job.id).trashed is None
    assert names(store.queue()) == ["a", "b", "c"]
    assert state_of(store.get(done.id)).name == "finished"
    with pytest.raises(JobError, match="is not in the trash"):
        store.restore(done.id)


def test_a_waiting_job_comes_back_only_if_another_one_may_wait(store):
    def admit(waiting):
        if len(waiting) >= 2:
            raise JobError("too many")

    own = store.of("ana", admit)
    first, _ = (own.add("count", name, {}) for name in "ab")
    done = own.get(first.id)
    own.discard(first.id)
    own.add("count", "c", {})
    with pytest.raises(JobError, match="too many"):
        own.restore(first.id)
    assert names(own.trash()) == ["a"]
    write_json(done.folder / "result.json", {"outcome": "finished", "message": "Finished."})
    own.restore(first.id)  # it does not wait


def test_an_interrupted_job_that_is_discarded_holds_no_turn_and_comes_back_stopped(store):
    first, second = store.add("count", "first", {}), store.add("count", "second", {})
    gone = process_id()._replace(created=0.0)
    assert store.claim(lambda job: gone).id == first.id
    store.discard(first.id)
    assert store.claim(lambda job: gone).id == second.id
    store.restore(first.id)
    assert state_of(store.get(first.id)).name == "stopped"
    store.requeue(first.id)
    assert names(store.queue()) == ["first"]


def test_the_trash_is_emptied_by_hand_one_by_one_or_all_at_once(store):
    a, b, c, kept = (store.add("count", name, {}) for name in ("a", "b", "c", "kept"))
    for job in (a, b, c):
        store.discard(job.id)
    store.remove(b.id)
    assert names(store.trash()) == ["c", "a"]  # the one discarded last first
    assert not b.folder.exists()
    with pytest.raises(JobError, match="not in the trash"):
        store.remove(kept.id)
    store.empty_trash()
    assert store.trash() == ()
    assert [path.name for path in store.folder.iterdir()] == [kept.id]
    with pytest.raises(JobError, match="There is no job"):
        store.get(a.id)


def test_what_is_long_in_the_trash_is_removed_by_itself_and_what_is_not_stays(store):
    old, young, kept = (store.add("count", name, {}) for name in ("old", "young", "kept"))
    for job in (old, young):
        store.discard(job.id)
    with sqlite3.connect(store.root / "jobs.sqlite") as database:
        database.execute("UPDATE jobs SET trashed = trashed - 7.1 * 86400 WHERE id = ?", (old.id,))
        database.execute("UPDATE jobs SET trashed = trashed - 6.9 * 86400 WHERE id = ?", (young.id,))
    store.remove_expired()
    assert names(store.trash()) == ["young"]
    assert [job.folder.exists() for job in (old, young, kept)] == [False, True, True]


def test_a_home_of_the_first_version_is_brought_up_to_date_with_all_its_jobs(store):
    waiting, gone = store.add("count", "waiting", {"steps": 3}), store.add("count", "gone", {})
    with sqlite3.connect(store.root / "jobs.sqlite") as database:
        database.execute("UPDATE jobs SET discarded = 1 WHERE id = ?", (gone.id,))
        database.execute("ALTER TABLE jobs DROP COLUMN trashed")
        database.execute("ALTER TABLE jobs DROP COLUMN owner")
        database.execute("PRAGMA user_version = 1")
    renewed = Store(store.root)
    assert renewed.list() == renewed.queue() == (waiting,)
    assert not gone.folder.exists()  # its removal had been cut short
    renewed.discard(waiting.id)
    assert names(renewed.trash()) == ["waiting"]


def test_a_removal_that_was_cut_short_is_finished_by_the_next_start(store):
    job = store.add("count", "gone", {})
    with sqlite3.connect(store.root / "jobs.sqlite") as database:
        database.execute("UPDATE jobs SET discarded = 1")
    assert store.queue() == store.trash() == ()  # nobody starts it in the meantime
    assert Store(store.root).list() == ()
    assert not job.folder.exists()


def test_a_database_of_a_newer_version_is_left_alone(store):
    with sqlite3.connect(store.root / "jobs.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(JobError, match="newer version"):
        Store(store.root)


def test_the_database_uses_a_write_ahead_log_so_that_pages_never_wait(store):
    with sqlite3.connect(store.root / "jobs.sqlite") as database:
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        database.execute("BEGIN IMMEDIATE")
        assert store.list() == ()  # a reader beside a writer


def test_a_job_that_was_just_interrupted_keeps_its_turn(store):
    store.add("count", "first", {})
    second = store.add("count", "second", {})
    gone = process_id()._replace(created=0.0)
    first = store.claim(lambda job: gone)
    assert store.claim(lambda job: gone) is None
    store.requeue(first.id, front=True, reached=7)
    assert store.claim(lambda job: gone).id == first.id
    assert store.get(first.id).reached == 7
    assert store.claim(lambda job: gone).id == second.id  # it was put back once, and waits for nobody now


def test_a_failing_start_leaves_the_job_where_it_was(store):
    job = store.add("count", "a", {})

    def fail(job):
        raise OSError("no memory to start a process")

    with pytest.raises(OSError, match="no memory"):
        store.claim(fail)
    assert store.queue() == (job,)


def test_many_threads_add_and_claim_without_losing_or_doubling_a_job(store):
    started, lock = [], threading.Lock()

    def start(job):
        with lock:
            started.append(job.id)
        write_json(job.folder / "result.json", {"outcome": "finished"})
        return process_id()._replace(created=0.0)  # a process that has ended already

    def use():
        for _ in range(5):
            store.add("count", "x", {})
            store.claim(start)

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list()) == len({job.id for job in store.list()}) == 30
    assert len(started) == len(set(started)) > 1
    assert len(started) + len(store.queue()) == 30


def test_several_processes_can_open_a_new_home_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from deftx.jobs import Store; Store(Path(sys.argv[1])).add('c','n',{})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert sorted(job.position for job in Store(tmp_path).list()) == [1, 2, 3, 4]
