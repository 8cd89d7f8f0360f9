"""The worker's last words: each end has its exit code and its sentence, and a full disk costs no checkpoint."""

import json
import signal
import subprocess
import sys

import pytest
from job_helpers import COUNTING, step_of, total_of, wait_for

from deftx.core.events import Event
from deftx.core.files import draft_of
from deftx.jobs import Store, progress_of, state_of, worker
from deftx.jobs.job import read_json
from deftx.jobs.process import ProcessId, process_id, take_lock
from deftx.jobs.scheduler import WORKER, _environment
from deftx.jobs.worker import EventLog


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def start(job, command=COUNTING):
    with open(job.folder / "log.txt", "ab") as log:
        return subprocess.Popen([*command, str(job.folder)], stdout=log, stderr=log, env=_environment())


def result(job):
    return read_json(job.folder / "result.json")


def test_a_finished_job_ends_with_0(store):
    job = store.add("count", "good", {"steps": 4})
    assert start(job).wait() == 0
    assert result(job)["outcome"] == "finished"
    assert total_of(job) == 10


@pytest.mark.parametrize(
    ("error", "code", "kind", "words"),
    [
        ("nan", 2, "TrainingError", "choose a smaller learning_rate"),
        ("memory", 1, "MemoryError", "The computer ran out of memory. Choose a smaller batch_size"),
        ("gpu", 1, "OutOfMemoryError", "The GPU ran out of memory. Choose a smaller batch_size"),
        ("disk", 1, "OSError", "The disk is full"),
        ("bug", 1, "ZeroDivisionError", "unexpected error occurred; the log says where"),
    ],
)
def test_a_failure_says_what_happened_and_what_to_change(store, error, code, kind, words):
    job = store.add("count", error, {"steps": 5, "fail_at": 3, "error": error})
    assert start(job).wait() == code
    assert (result(job)["outcome"], result(job)["exception"]) == ("failed", kind)
    assert words in result(job)["message"]
    assert "Traceback" not in result(job)["message"]
    assert "Traceback" in job.log_tail(50)
    assert step_of(job) == 2  # the checkpoint is kept


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_at_a_checkpoint_however_often_it_comes(store, number, code):
    job = store.add("count", "long", {"steps": 10_000, "pause": 0.01})
    process = start(job)
    wait_for(lambda: step_of(job) > 2, "some steps")
    for _ in range(3):
        process.send_signal(number)
    assert process.wait() == code
    assert result(job)["outcome"] == "stopped"
    assert not (job.folder / "heartbeat").exists()


def test_the_heartbeat_tells_which_process_it_is_and_goes_on_beating(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "HEARTBEAT_EVERY", 0.02)
    path = tmp_path / "heartbeat"
    with worker.heartbeat(tmp_path):
        assert ProcessId(**read_json(path)) == process_id()
        for _ in range(2):
            before = path.stat().st_mtime_ns
            wait_for(lambda before=before: path.stat().st_mtime_ns > before, "another beat")
    assert not path.exists()


def test_a_second_worker_on_one_job_is_refused(store, tmp_path):
    job = store.add("count", "one", {"steps": 4})
    code = "import sys; from pathlib import Path; from deftx.jobs import worker; worker._PREDECESSOR_ENDS = 0.1;"
    code += " sys.exit(worker.main(Path(sys.argv[1])))"
    with take_lock(job.folder / "lock"):
        assert start(job, (sys.executable, "-c", code)).wait() == 1
    assert "Another process is already running this job" in job.log_tail()
    assert result(job) is None
    assert not (job.folder / "heartbeat").exists()


def test_unknown_kinds_and_damaged_settings_are_named(store):
    job = store.add("langage", "typo", {})
    assert start(job, WORKER).wait() == 2
    assert "Did you mean 'language'?" in result(job)["message"]
    (job.folder / "job.json").write_text("{")
    assert start(job, WORKER).wait() == 2
    assert "missing or damaged" in result(job)["message"]


def test_a_disk_too_full_for_events_does_not_end_the_training(store):
    job = store.add("count", "full", {"steps": 4})
    (job.folder / "events.jsonl").symlink_to("/dev/full")  # every write: no space left on device
    assert start(job).wait() == 0
    assert total_of(job) == 10
    assert job.log_tail().count("Events cannot be written") == 1


def test_a_disk_too_full_for_the_result_leaves_checkpoint_and_log(store):
    job = store.add("count", "full", {"steps": 5, "fail_at": 3, "error": "disk"})
    draft_of(job.folder / "result.json").symlink_to("/dev/full")
    assert start(job).wait() == 1
    assert "The result could not be written; the last checkpoint is kept." in job.log_tail(50)
    assert step_of(job) == 2
    assert state_of(job).name == "waiting"  # no process was written down: as if it had never started


def test_events_that_could_not_be_written_follow_when_there_is_space(store):
    job = store.add("count", "full for a while", {})
    path = job.folder / "events.jsonl"
    path.symlink_to("/dev/full")
    events = EventLog(path)
    events.write(Event("dense", 1, 3, loss=1.0))
    events.write(Event("dense", 2, 3, loss=0.5))
    path.unlink()
    path.write_text('{"phase": "dense", "st')  # a part had been written
    events.write(Event("dense", 3, 3, loss=0.2))
    assert progress_of(job).losses["dense"] == ((1, 1.0), (2, 0.5), (3, 0.2))


def test_a_resumed_worker_does_not_write_into_the_half_line_of_a_killed_one(store):
    job = store.add("count", "killed", {})
    (job.folder / "events.jsonl").write_text(Event("dense", 1, 3).to_json() + '\n{"phase": "den')
    EventLog(job.folder / "events.jsonl").write(Event("dense", 2, 3))
    assert progress_of(job).step == 2
    lines = (job.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 2


def test_the_real_worker_starts_from_any_folder(store, tmp_path):
    job = store.add("language", "incomplete", {})
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong module was imported')")
    (job.folder / "job.json").write_text('{"id": "1", "kind": "unheard of", "settings": {}}')
    done = subprocess.run([*WORKER, str(job.folder)], cwd=tmp_path, env=_environment(), capture_output=True)
    assert b"'unheard of' is not known" in done.stderr
