"""With real processes: what a person would lose if a page, a server or a training died at the wrong moment."""

import os
import signal
import subprocess
import time

import psutil
import pytest
from job_helpers import COUNTING, scheduler, start_server, step_of, total_of, wait_for, wait_for_state

from deftx.core.events import PHASES
from deftx.core.files import write_json
from deftx.jobs import Store, progress_of, state_of
from deftx.jobs.job import RESULT, read_json
from deftx.jobs.process import kill, process_id
from deftx.jobs.remote.note import NOTE, new_note
from deftx.jobs.scheduler import _environment
from deftx.jobs.state import worker_of


@pytest.fixture
def store(tmp_path):
    """A store whose workers do not survive the test."""
    store = Store(tmp_path)
    yield store
    for job in (*store.list(), *store.trash()):
        worker = worker_of(job)
        if worker is not None:
            kill(worker)


def test_a_job_runs_to_its_end_and_leaves_its_vector_log_and_result(store):
    job = store.add("count", "one", {"steps": 5})
    with scheduler(store):
        job = wait_for_state(store, job, "finished")
    assert total_of(job) == 15
    assert "Finished." in job.log_tail()
    assert progress_of(job).step == progress_of(job).total == 5
    wait_for(lambda: not (job.folder / "heartbeat").exists(), "the heartbeat to go")


def test_a_worker_is_its_own_session_so_that_closing_the_terminal_does_not_end_it(store):
    job = store.add("count", "long", {"steps": 10_000})
    with scheduler(store):
        job = wait_for_state(store, job, "running")
        assert os.getsid(job.process.pid) == job.process.pid != os.getsid(0)


@pytest.mark.slow
def test_one_of_twenty_fails_and_says_why_and_the_queue_goes_on_in_order(store):
    jobs = [store.add("count", f"{n}", {"steps": 2}) for n in range(19)]
    failing = store.add("count", "failing", {"steps": 5, "fail_at": 3, "error": "nan"})
    store.move(failing.id, 4)
    with scheduler(store):
        done = [wait_for_state(store, job, "finished") for job in jobs]
    assert state_of(failing).name == "failed"
    assert "smaller learning_rate" in state_of(failing).meaning
    order = sorted([*done, store.get(failing.id)], key=lambda job: job.process.created)
    assert [job.name for job in order] == [*map(str, range(4)), "failing", *map(str, range(4, 19))]
    assert not (store.folder / "two-at-once").exists()


def test_a_killed_worker_is_put_back_and_its_job_goes_on_from_the_checkpoint(store):
    job = store.add("count", "killed", {"steps": 20, "die_at": 12})
    with scheduler(store):
        job = wait_for_state(store, job, "finished")
    assert total_of(job) == 210
    assert [m.text for m in progress_of(job).messages] == ["starts after step 0", "starts after step 11"]
    assert "starts on count job" in (job.folder / "log.1.txt").read_text()  # the log of the first run is kept


def test_an_interrupted_job_comes_before_those_that_wait(store):
    first = store.add("count", "first", {"steps": 5, "die_at": 3})
    second = store.add("count", "second", {"steps": 5})
    with scheduler(store):
        first, second = (wait_for_state(store, job, "finished") for job in (first, second))
    assert first.process.created < second.process.created


def test_what_dies_twice_at_one_point_is_left_for_the_person_to_decide(store):
    job = store.add("count", "cursed", {"steps": 5, "die_at": 3, "deaths": 3})
    after = store.add("count", "after", {"steps": 2})
    with scheduler(store):
        wait_for_state(store, after, "finished")
        job = store.get(job.id)
        assert state_of(job).name == "interrupted"
        assert (job.folder / "deaths").read_text() == "xx"
        store.requeue(job.id)  # the third death; a person's wish brings one more automatic start
        assert total_of(wait_for_state(store, job, "finished")) == 15


def test_stop_keeps_the_checkpoint_and_resume_goes_on(store):
    job = store.add("count", "long", {"steps": 300, "pause": 0.01})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 3, "some steps")
        store.request_stop(job.id)
        stopped = wait_for_state(store, job, "stopped")
        reached = step_of(job)
        assert 3 < reached < 300
        assert read_json(stopped.folder / RESULT)["outcome"] == "stopped"
        wait_for(lambda: worker_of(stopped) is None, "the process to end")
        store.requeue(job.id)
        wait_for(lambda: step_of(job) > reached, "more steps")
        messages = wait_for(lambda: progress_of(job).messages[1:], "the second start")
        assert messages[0].text == f"starts after step {reached}"


@pytest.mark.slow
def test_a_job_can_be_stopped_in_every_phase_and_goes_on_from_there(store):
    job = store.add("count", "phases", {"steps": 140, "pause": 0.05, "phases": True})

    def stepped(phase):
        progress = progress_of(job)  # a start speaks before its first step, and only a step moves the checkpoint
        return progress.phase == phase and progress.step > 0

    with scheduler(store):
        for phase in PHASES:
            wait_for(lambda phase=phase: stepped(phase), phase)
            store.request_stop(job.id)
            stopped = wait_for_state(store, job, "stopped", "finished")
            assert read_json(stopped.folder / RESULT)["outcome"] == "stopped", phase  # by itself: it was not killed
            wait_for(lambda stopped=stopped: worker_of(stopped) is None, "the process to end")
            store.requeue(job.id)
        assert total_of(wait_for_state(store, job, "finished")) == 140 * 141 // 2
    starts = [int(message.text.split()[-1]) for message in progress_of(job).messages]
    assert starts == sorted(set(starts))  # each start went on behind the one before
    assert len(starts) == len(PHASES) + 1


def test_a_worker_that_does_not_listen_is_killed_with_its_children_after_the_grace(store):
    job = store.add("count", "deaf", {"steps": 3, "hang": True})
    with scheduler(store, grace=0.3):
        wait_for(lambda: (job.folder / "child").exists() and (job.folder / "child").read_text(), "the child")
        child = int((job.folder / "child").read_text())
        store.request_stop(job.id)
        wait_for_state(store, job, "stopping")
        wait_for_state(store, job, "stopped")
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() in gone, "the child to die")
    assert worker_of(store.get(job.id)) is None


def test_a_stop_asked_for_while_no_server_ran_still_has_its_grace(store):
    job = store.add("count", "long", {"steps": 10_000, "pause": 0.01, "saving": 0.3})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 1, "some steps")
    store.request_stop(job.id)
    with scheduler(store):
        assert read_json(wait_for_state(store, job, "stopped").folder / RESULT)["outcome"] == "stopped"  # not killed


def test_discarding_a_running_job_stops_it_at_a_checkpoint_and_undo_lets_it_go_on(store):
    job = store.add("count", "unwanted", {"steps": 100, "pause": 0.01})
    other = store.add("count", "wanted", {"steps": 3})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 3, "some steps")
        store.discard(job.id)
        wait_for_state(store, other, "finished")  # the device is free
        reached = step_of(job)
        assert 3 < reached < 100
        store.restore(job.id)
        assert state_of(store.get(job.id)).name == "stopped"
        store.requeue(job.id)
        assert total_of(wait_for_state(store, job, "finished")) == 100 * 101 // 2
    assert progress_of(job).messages[1].text == f"starts after step {reached}"
    assert not (store.folder / "two-at-once").exists()


def test_a_discarded_job_that_does_not_listen_is_killed_after_the_grace(store):
    job = store.add("count", "deaf", {"steps": 3, "hang": True})
    with scheduler(store, grace=0.3):
        running = wait_for(lambda: (job.folder / "child").exists() and store.get(job.id), "the child")
        store.discard(job.id)
        wait_for(lambda: worker_of(running) is None, "the process to end")
    assert [job.name for job in store.trash()] == ["deaf"]


def test_removing_a_discarded_job_for_good_ends_it_at_once(store):
    job = store.add("count", "unwanted", {"steps": 10_000, "pause": 0.01, "saving": 20})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 1, "some steps")
        running = store.get(job.id)
        store.discard(job.id)
        store.remove(job.id)
        assert worker_of(running) is None
        assert not job.folder.exists()


def test_a_running_job_is_stopped_though_the_database_was_lost(store):
    job = store.add("count", "long", {"steps": 10_000, "pause": 0.01})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 1, "some steps")
    for file in store.root.glob("jobs.sqlite*"):
        file.unlink()
    rebuilt = Store(store.root)
    assert rebuilt.get(job.id).process is None
    with scheduler(rebuilt):
        rebuilt.request_stop(job.id)
        wait_for_state(rebuilt, job, "stopped")
        wait_for(lambda: worker_of(rebuilt.get(job.id)) is None, "the process to end")


def test_the_machine_of_a_discarded_job_is_stopped_until_it_must_have_ended(store, monkeypatch):
    job = store.add("language", "elsewhere", {"device": "hf-jobs", "flavor": "l4x1", "hours": 4})
    new_note(job.id, "me", "me/b", "l4x1", 4).changed(job.folder, asked=True, job="abc")
    store.set_process(job.id, process_id()._replace(created=0.0))
    failed, tries = {"outcome": "failed", "message": "The token is not accepted."}, []

    def fail(job):
        tries.append(job.id)
        write_json(job.folder / RESULT, failed)
        return process_id()._replace(created=0.0)

    write_json(job.folder / RESULT, failed)
    asked = scheduler(store)
    monkeypatch.setattr(asked, "_spawn", fail)
    asked.tick()
    assert tries == []  # a person decides about a failed job
    store.discard(job.id)
    for _ in range(3):
        asked.tick()
    assert len(tries) == 1  # and again after a pause
    store.remove(job.id)
    later = time.time() + 601
    monkeypatch.setattr("deftx.jobs.scheduler.time.time", lambda: later)
    asked.tick()
    assert len(tries) == 2
    assert job.folder.exists()
    os.utime(job.folder / NOTE, (later - 5.1 * 3600,) * 2)
    asked.tick()
    assert len(tries) == 2
    assert not job.folder.exists()


def test_the_trash_is_cleared_while_the_server_runs(store, monkeypatch):
    job = store.add("count", "old", {"steps": 1})
    store.discard(job.id)
    monkeypatch.setattr("deftx.jobs.trash.TRASH_KEPT", 0.0)
    with scheduler(store):
        wait_for(lambda: not store.trash() and not job.folder.exists(), "the trash to be cleared")
    assert store.list() == ()


def test_a_job_goes_on_while_its_server_is_killed_and_the_next_server_finds_it(store):
    job = store.add("count", "long", {"steps": 100, "pause": 0.01})
    waiting = store.add("count", "waiting", {"steps": 2})
    server = start_server(store.root)
    running = wait_for_state(store, job, "running")
    server.send_signal(signal.SIGKILL)
    server.wait()
    reached = step_of(job)
    wait_for(lambda: step_of(job) > reached, "steps without a server")
    server = start_server(store.root)
    try:
        finished = wait_for_state(store, job, "finished")
        assert finished.process == running.process  # left alone, not started again
        assert total_of(job) == 100 * 101 // 2
        wait_for_state(store, waiting, "finished")
    finally:
        server.kill()
        server.wait()
    assert not (store.folder / "two-at-once").exists()


def test_server_and_worker_killed_together_lose_nothing(store):
    job = store.add("count", "long", {"steps": 60, "pause": 0.01})
    server = start_server(store.root)
    running = wait_for_state(store, job, "running")
    wait_for(lambda: step_of(job) > 3, "some steps")
    server.kill()
    server.wait()
    kill(running.process)
    assert state_of(store.get(job.id)).name == "interrupted"
    with scheduler(store):
        assert total_of(wait_for_state(store, job, "finished")) == 60 * 61 // 2


def test_two_servers_on_one_home_never_run_two_jobs_at_once(store):
    servers = [start_server(store.root, jobs=3) for _ in range(2)]
    try:
        wait_for(lambda: len(store.list()) == 6, "six jobs")
        for job in store.list():
            wait_for_state(store, job, "finished")
    finally:
        for server in servers:
            server.kill()
            server.wait()
    assert not (store.folder / "two-at-once").exists()
    for job in store.list():
        assert [m.text for m in progress_of(job).messages] == ["starts after step 0"]  # each was started once


def test_jobs_on_different_devices_run_side_by_side(store):
    jobs = [store.add("count", name, {"steps": 10_000, "device": name}) for name in ("cuda:0", "cuda:1", "cuda")]
    with scheduler(store):
        wait_for_state(store, jobs[0], "running")
        wait_for_state(store, jobs[1], "running")
        time.sleep(0.1)
        assert state_of(store.get(jobs[2].id)).name == "waiting"  # "cuda" is the first of them


def test_finished_workers_leave_no_zombies(store):
    jobs = [store.add("count", f"{n}", {"steps": 1}) for n in range(2)]
    with scheduler(store):
        done = [wait_for_state(store, job, "finished") for job in jobs]
        wait_for(lambda: not any(psutil.pid_exists(job.process.pid) for job in done), "the processes to be collected")
    assert [step_of(job) for job in done] == [1, 1]


def test_a_job_without_its_folder_does_not_hold_up_the_others(store):
    lost, good = store.add("count", "lost", {"steps": 1}), store.add("count", "good", {"steps": 1})
    (lost.folder / "job.json").unlink()
    lost.folder.rmdir()
    with scheduler(store):
        wait_for_state(store, good, "finished")
    assert state_of(store.get(lost.id)).name == "failed"
    store.discard(lost.id)
    assert [job.name for job in store.list()] == ["good"]


def test_a_worker_that_cannot_be_started_leaves_the_job_waiting(store):
    job = store.add("count", "patient", {"steps": 1})
    broken = scheduler(store, command=["/no/such/program"])
    with pytest.raises(FileNotFoundError):
        broken.tick()
    assert state_of(store.get(job.id)).name == "waiting"
    with scheduler(store):
        wait_for_state(store, job, "finished")


def test_the_thread_survives_an_error_of_one_look(store):
    class Flaky(Store):
        looks = 0

        def list(self):
            Flaky.looks += 1
            if Flaky.looks <= 3:
                raise OSError("the disk is full for a moment")
            return super().list()

    job = store.add("count", "patient", {"steps": 1})
    with scheduler(Flaky(store.root)):
        wait_for_state(store, job, "finished")
    assert Flaky.looks > 3


def test_a_worker_whose_server_died_before_writing_it_down_is_found_and_not_doubled(store):
    job = store.add("count", "orphan", {"steps": 60, "pause": 0.01})
    orphan = subprocess.Popen([*COUNTING, str(job.folder)], env=_environment(), start_new_session=True)
    running = wait_for_state(store, job, "running")
    assert running.process is None
    wait_for(lambda: worker_of(running) and worker_of(running).pid == orphan.pid, "its heartbeat")
    with scheduler(store):
        wait_for_state(store, job, "finished")
    assert orphan.wait() == 0
    assert [m.text for m in progress_of(job).messages] == ["starts after step 0"]
