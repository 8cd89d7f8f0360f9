"""The state shown is what is true: a dead process is never called running, a living one never lost."""

import os
import subprocess
import sys
import time

import pytest

from deftx.core.files import write_json
from deftx.jobs import STATES, Store, state_of
from deftx.jobs.process import ProcessId, is_locked, kill, lives, process_id, take_lock


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def job(store):
    return store.add("count", "a job", {})


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def state(store, job):
    return state_of(store.get(job.id)).name


def test_a_living_process_runs_and_a_dead_one_is_interrupted(store, job, sleeper):
    assert state(store, job) == "waiting"
    store.set_process(job.id, process_id(sleeper.pid))
    assert state(store, job) == "running"
    store.request_stop(job.id)
    assert state(store, job) == "stopping"
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, but not collected: a zombie
    assert state(store, job) == "stopped"
    sleeper.wait()
    assert state(store, job) == "stopped"


def test_a_number_that_another_process_got_is_not_taken_for_the_worker(store, job, sleeper):
    pid, created = process_id(sleeper.pid)
    store.set_process(job.id, ProcessId(pid, created - 3600))
    assert state(store, job) == "interrupted"
    assert kill(ProcessId(pid, created - 3600))
    assert sleeper.poll() is None  # the stranger was not touched


def test_the_result_counts_even_while_its_process_still_ends(store, job, sleeper):
    store.set_process(job.id, process_id(sleeper.pid))
    for outcome in ("finished", "failed", "stopped"):
        write_json(job.folder / "result.json", {"outcome": outcome, "message": f"It {outcome}."})
        found = state_of(store.get(job.id))
        assert (found.name, found.meaning) == (outcome, f"It {outcome}.")


def test_a_damaged_result_is_as_good_as_none(store, job):
    store.set_process(job.id, ProcessId(2**22 + 1, 0.0))
    for text in ('{"outcome": "fini', "[]", '{"outcome": "nonsense"}', "\0"):
        (job.folder / "result.json").write_text(text)
        assert state(store, job) == "interrupted"


def test_a_process_without_heartbeat_for_long_is_shown_as_silent(store, job, sleeper):
    store.set_process(job.id, process_id(sleeper.pid))
    heartbeat = job.folder / "heartbeat"
    heartbeat.touch()
    assert state_of(store.get(job.id)).meaning == "Running."
    os.utime(heartbeat, (time.time() - 200,) * 2)
    assert "no sign for 3 min 20 s" in state_of(store.get(job.id)).meaning.replace("given ", "")


def test_every_state_says_what_it_means_and_what_to_do():
    assert set(STATES) == {"waiting", "running", "stopping", "finished", "failed", "stopped", "interrupted"}
    for found in STATES.values():
        assert found.meaning.endswith(".")
        assert found.advice.endswith(".")
    assert {name for name, found in STATES.items() if found.active} == {"running", "stopping"}
    assert {name for name, found in STATES.items() if found.resumable} == {"failed", "stopped", "interrupted"}


def test_a_process_in_our_own_group_is_killed_without_the_rest_of_the_group():
    ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert os.getpgid(ours.pid) == os.getpgid(0)
    assert kill(process_id(ours.pid))
    ours.wait()
    assert not lives(ProcessId(ours.pid, time.time()))
    assert lives(process_id())


def test_a_lock_is_taken_once_and_freed_by_a_violent_death(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    code = "import sys, time; from pathlib import Path; from deftx.jobs.process import take_lock;"
    code += " handle = take_lock(Path(sys.argv[1])); print('taken', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    holder.stdout.readline()
    assert is_locked(path)
    assert take_lock(path, patience=0.1) is None
    holder.kill()
    holder.communicate()
    assert not is_locked(path)
    take_lock(path).close()
