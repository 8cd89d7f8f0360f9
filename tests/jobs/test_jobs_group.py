"""A job of two processes on a CPU, for real: it learns what one process learns, and ends as one, however it ends."""

import os
import signal

import psutil
import pytest
from comparing import assert_equal
from job_helpers import scheduler, wait_for, wait_for_state

from deftx.core.events import ignore
from deftx.jobs import JobError, Store, progress_of, state_of
from deftx.jobs.ending import Result
from deftx.jobs.group import RANK, combined_ending, count_of
from deftx.jobs.job import EVENTS, LOCK, RESULT, Job, conflict, read_json
from deftx.jobs.process import kill, take_lock, wait_until_unlocked
from deftx.jobs.scheduler import WORKER
from deftx.jobs.state import worker_of
from deftx.jobs.work import learn_language
from deftx.vectors.vector import SparseVector

pytestmark = pytest.mark.slow

RECIPE = {"precision": "float32", "batch_size": 4, "max_length": 16, "min_steps": 0, "evaluate_every": 100, "k": 60,
          "learning_rate": 0.002, "max_steps": 12, "epochs": 1000}  # fmt: skip
PATIENCE = 180.0  # seconds: each start brings three processes with torch along, and a machine may be busy
LONG = {**RECIPE, "max_steps": 150, "evaluate_every": 50}


@pytest.fixture
def store(tmp_path):
    """A store whose workers do not survive the test; their ranks end with them."""
    store = Store(tmp_path / "home")
    yield store
    for job in (*store.list(), *store.trash()):
        worker = worker_of(job)
        if worker is not None:
            kill(worker)


@pytest.fixture
def order(store, base_folder, corpus_file):
    """Put a training with two processes into the queue."""

    def order(recipe, processes=2):
        settings = {"base": str(base_folder), "device": "cpu", "corpus": str(corpus_file), "recipe": recipe}
        return store.add("language", f"{processes}", {**settings, "processes": processes})

    return order


def ranks_of(job):
    """The ranks of a job that run, by their index."""
    found = {}
    for process in psutil.process_iter():
        try:
            if RANK in process.cmdline() and str(job.folder) in process.cmdline():
                environment = process.environ()
                if "RANK" in environment:
                    found[int(environment["RANK"])] = process
        except psutil.Error:
            continue
    return found


def trains(job, start):
    """Say whether the ranks of this start, counted from 1, train."""
    progress = progress_of(job)
    starts = (job.folder / EVENTS).read_text().count("accumulation is 2") if (job.folder / EVENTS).exists() else 0
    return starts == start and progress.phase in ("dense", "sparse") and progress.step > 0


def test_two_processes_learn_what_one_learns_from_the_same_micro_batches(store, order, tmp_path):
    job = order(RECIPE)
    with scheduler(store, command=WORKER):
        job = wait_for_state(store, job, "finished", "failed", seconds=PATIENCE)
    assert state_of(job).name == "finished", job.log_tail(60)
    one = tmp_path / "one"
    learn_language({**job.settings, "recipe": {**RECIPE, "accumulation": 2}}, one, ignore, lambda: False)
    assert_equal(SparseVector.load(one / "out"), SparseVector.load(job.out))
    assert [m.text for m in progress_of(job).messages if "accumulation is 2" in m.text]
    assert job.log_tail(60).count("Finished.") == 3  # each rank, and the worker
    assert not ranks_of(job)


def test_a_death_a_stop_and_the_death_of_the_worker_lose_nothing_and_leave_nobody_behind(store, order):
    job = order(LONG)
    with scheduler(store, command=WORKER):
        wait_for(lambda: trains(job, 1), "the first run", PATIENCE)
        first = store.get(job.id).process
        ranks = ranks_of(job)
        assert set(ranks) == {0, 1}
        assert all(os.getsid(rank.pid) != first.pid for rank in ranks.values())  # the launcher makes it so
        ranks[1].kill()
        wait_for(lambda: not any(rank.is_running() for rank in ranks.values()), "the other rank to end")
        wait_for(
            lambda: (store.get(job.id).process or first) != first, "the job to be put back and started again", PATIENCE
        )

        wait_for(lambda: trains(job, 2), "the second run", PATIENCE)
        store.request_stop(job.id)
        stopped = wait_for_state(store, job, "stopped", seconds=PATIENCE)
        assert read_json(stopped.folder / RESULT)["outcome"] == "stopped", stopped.log_tail(60)
        assert [*job.out.rglob("checkpoint.safetensors")]
        wait_for(lambda: worker_of(stopped) is None and not ranks_of(job), "all processes to end")

        store.requeue(job.id)
        wait_for(
            lambda: any("continues from step" in m.text for m in progress_of(job).messages), "the checkpoint", PATIENCE
        )
        ranks = ranks_of(job)
    assert set(ranks) == {0, 1}
    os.kill(store.get(job.id).process.pid, signal.SIGKILL)  # the worker alone, and nobody starts another
    wait_for(lambda: not any(rank.is_running() for rank in ranks.values()), "the ranks to end with their worker")
    assert state_of(store.get(job.id)).name == "interrupted"


def test_what_is_wrong_in_the_ranks_is_said_to_the_person(store):
    job = store.add("count", "two", {"steps": 3, "processes": 2})  # the worker knows how to count, the ranks do not
    with scheduler(store):
        job = wait_for_state(store, job, "failed", "finished")
    assert state_of(job).meaning == "The kind of job 'count' is not known. Known: language, task."
    assert read_json(job.folder / RESULT)["exception"] == "JobError"


FINISHED, STOPPED = (Result("finished", "Finished."), 0), (Result("stopped", "Stopped.", "TrainingStopped"), 143)
LOST = Result("failed", "Another process of this has ended.", "PeerLost", time=1.0), 2
MEMORY = Result("failed", "The GPU ran out of memory.", "OutOfMemoryError", time=2.0), 1
LATER = Result("failed", "Not foreseen.", "ValueError", time=3.0), 1


@pytest.mark.parametrize(
    ("words", "asked", "ending"),
    [
        ({0: FINISHED, 1: FINISHED}, False, FINISHED),
        ({0: FINISHED, 1: LOST}, True, FINISHED),  # the vector was written before the other was missed
        ({0: LOST, 1: MEMORY}, False, MEMORY),  # the cause, not what came of it
        ({0: LATER, 1: MEMORY}, False, MEMORY),
        ({1: MEMORY}, True, MEMORY),
        ({0: LOST}, False, (None, 1)),  # the other was killed
        ({0: STOPPED}, False, (None, 1)),  # by the launcher, for the other was killed
        ({}, False, (None, 1)),
    ],
)
def test_the_ending_of_a_job_is_put_together_from_those_of_its_ranks(words, asked, ending):
    assert combined_ending(words, asked, 143) == ending


@pytest.mark.parametrize("words", [{0: STOPPED, 1: STOPPED}, {0: STOPPED}, {}, {0: LOST}])
def test_what_was_asked_to_stop_is_stopped_even_where_it_had_not_begun(words):
    result, code = combined_ending(words, True, 143)
    assert (result.outcome, code) == ("stopped", 143)


@pytest.mark.parametrize(("given", "count"), [({}, 1), ({"processes": None}, 1), ({"processes": 3}, 3)])
def test_a_job_is_one_process_where_it_does_not_say_how_many(given, count):
    assert count_of(given) == count


@pytest.mark.parametrize("given", [-1, 65, "2", 1.5, True])
def test_what_is_no_number_of_processes_is_refused(given):
    with pytest.raises(JobError, match="an integer from 1 to 64"):
        count_of({"processes": given})


def test_a_job_of_several_processes_waits_for_every_device_and_every_job_for_it(tmp_path):
    several, other = (
        Job("1", "language", "", {"device": "cuda", **settings}, 0.0, 0, tmp_path)
        for settings in ({"processes": 2}, {})
    )
    assert conflict(several.device, "cuda:3")
    assert conflict("cuda:3", several.device)
    assert other.device == "cuda"


def test_ranks_share_a_lock_that_keeps_the_next_run_out(tmp_path):
    with take_lock(tmp_path / LOCK, shared=True), take_lock(tmp_path / LOCK, shared=True):
        assert take_lock(tmp_path / LOCK) is None
    with take_lock(tmp_path / LOCK) as alone:
        assert alone
        assert take_lock(tmp_path / LOCK, shared=True) is None
    wait_until_unlocked(tmp_path / LOCK)
    wait_until_unlocked(tmp_path / "no such file")
