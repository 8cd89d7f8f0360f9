"""Slices in forked processes as on ZeroGPU, killed at any moment: nothing but the files of the job carries over."""

import multiprocessing
import os
import random
import secrets
import signal

import gradio as gr
import pytest
from zero_gpu import ZeroGpu

from deftx.core.events import ignore
from deftx.jobs import Store, state_of
from deftx.jobs.slices import run_slice, slice_status
from deftx.jobs.work import learn_language, learn_task

RECIPE = {"epochs": 100, "min_steps": 0, "max_steps": 24, "batch_size": 4, "max_length": 16, "evaluate_every": 6,
          "learning_rate": 2e-3, "k": 60, "precision": "float32"}  # fmt: skip
TICK = 0.1  # seconds of a slice that a look at the clock takes
LEARN = {"language": learn_language, "task": learn_task}


@pytest.fixture
def jobs(tmp_path, base_folder, corpus_file, table_file):
    """A job of each kind in slices, and an equal one that was trained in one go."""
    store = Store(tmp_path / "home")

    def jobs(kind):
        data = {"corpus": str(corpus_file)} if kind == "language" else {"train": str(table_file)}
        settings = {"base": str(base_folder), "recipe": RECIPE, **data}
        whole = store.add(kind, kind, {**settings, "device": "cpu"})
        LEARN[kind](whole.settings, whole.folder, ignore, lambda: False)
        return store.add(kind, kind, {**settings, "device": "zero-gpu"}), whole

    return jobs


@pytest.fixture
def card():
    card = ZeroGpu()
    yield card
    card.close()


def dying(folder, seconds, die_at):
    """Run a slice that is killed when it looks at the clock for the n-th time."""
    looks = iter(range(1_000_000))

    def now():
        if (look := next(looks)) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return look * TICK

    return run_slice(folder, seconds, now=now)


def kill_and_finish(card, job, kills, draw):
    """Kill so many slices, and let enough others end for the job to advance; return how far each death had come."""
    call = card.GPU(dying, duration=600)
    died = []
    while not (status := slice_status(job.folder)).has_ended:
        seconds = max(draw.uniform(1, 3), status.shortest)
        die_at = draw.randint(1, round(seconds / TICK)) if len(died) < kills and draw.random() < 0.6 else None
        try:
            call(job.folder, seconds, die_at)
        except gr.Error:  # aborted
            died.append((status.phase, status.step))
            assert state_of(job).name == "waiting"
    return died


def assert_same(one, other):
    for name in ("vector.safetensors", "vector.json", "README.md"):
        assert (one.out / name).read_bytes() == (other.out / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("reuse", [False, True])
def test_slices_in_forked_processes_end_in_the_same_vector(jobs, card, reuse):
    card.reuse = reuse
    job, whole = jobs("language")
    call = card.GPU(dying, duration=600)
    for _ in range(200):
        status = slice_status(job.folder)
        if status.has_ended:
            break
        call(job.folder, max(2, status.shortest), None)
    assert status.outcome == "finished", job.log_tail()
    assert len(card.asked) > 3
    assert_same(job, whole)


def kill_again_and_again(jobs, card, kind, kills, draw):
    """Kill slices of equal jobs until it happened so often; return how far each death had come."""
    died = []
    while len(died) < kills:
        job, whole = jobs(kind)
        died += kill_and_finish(card, job, kills - len(died), draw)
        assert_same(job, whole)
    return died


@pytest.mark.slow
def test_three_kills_leave_no_trace_in_the_vector(jobs, card):
    assert len(kill_again_and_again(jobs, card, "language", 3, random.Random(5))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["language", "task"])
def test_twenty_kills_leave_no_trace_in_the_vector(jobs, card, kind):
    seed = int(os.environ.get("DEFTX_KILL_SEED", secrets.randbelow(10**9)))
    print(f"the kills follow from DEFTX_KILL_SEED={seed}")
    died = kill_again_and_again(jobs, card, kind, 20, random.Random(seed))
    print(died)
    assert len(died) == 20


def test_a_slice_that_is_cut_off_by_its_time_makes_the_next_ones_careful(jobs, card):
    job, _ = jobs("language")
    call = card.GPU(dying, duration=600)
    with pytest.raises(gr.Error, match="aborted"):
        call(job.folder, 2, 2)
    call(job.folder, 4, None)
    assert '"killed": 1' in (job.folder / "slices.json").read_text()


# What the package does, so that the stand-in is not kinder than it.


def test_the_card_kills_a_call_whose_time_is_over(card):
    with pytest.raises(gr.Error, match="aborted"):
        card.GPU(lambda: signal.pause(), duration=0.2)()


def test_a_call_has_no_children_no_signal_handlers_and_no_lasting_globals(card):
    def tries():
        seen.append(1)
        try:
            multiprocessing.get_context("fork").Process(target=print).start()
        except AssertionError as error:
            children = str(error)
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        except ValueError as error:
            return children, str(error), len(seen)

    seen = []
    children, handlers, length = card.GPU(tries)()
    assert "daemonic processes are not allowed to have children" in children
    assert "main thread" in handlers
    assert (length, seen) == (1, [])


def test_without_quota_a_call_is_refused_before_it_starts():
    card = ZeroGpu(quota=30)
    with pytest.raises(gr.Error, match=r"60s requested vs\. 30s left\)\. Try again in 3:12:00"):
        card.GPU(print)()
