"""Jobs in slices: however a training run is cut, its vector is that of an undisturbed one, byte for byte."""

import json
from itertools import count

import pytest

from deftx.core.events import ignore
from deftx.jobs import JobError, Store, progress_of, state_of
from deftx.jobs.job import STOP
from deftx.jobs.process import take_lock
from deftx.jobs.slices import run_slice, slice_status
from deftx.jobs.work import learn_language, learn_task

RECIPE = {"epochs": 100, "min_steps": 0, "max_steps": 9, "batch_size": 4, "max_length": 16, "evaluate_every": 4,
          "learning_rate": 2e-3, "k": 60, "precision": "float32"}  # fmt: skip
LEARN = {"language": learn_language, "task": learn_task}


class Ticking:
    """A clock on which every look takes a fixed time, so that a slice has a number of looks."""

    def __init__(self, tick=0.1):
        self.tick, self.time = tick, 0.0

    def __call__(self):
        self.time += self.tick
        return self.time


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def add(store, base_folder, corpus_file, table_file):
    """Add a job of a kind, with changed settings of its recipe."""

    def add(kind="language", **recipe):
        data = {"corpus": str(corpus_file)} if kind == "language" else {"train": str(table_file)}
        settings = {"base": str(base_folder), "device": "zero-gpu", "recipe": {**RECIPE, **recipe}, **data}
        return store.add(kind, kind, settings)

    return add


@pytest.fixture
def whole(add):
    """Train a job of a kind in one go and return its folder."""

    def whole(kind="language", **recipe):
        job = add(kind, **recipe)
        LEARN[kind]({**job.settings, "device": "cpu"}, job.folder, ignore, lambda: False)
        return job

    return whole


def finish(job, seconds, tick=0.1, most=300):
    """Run slices, as long as asked for, until the job has ended; return where it stood after each."""
    stood = []
    while not stood or not stood[-1].has_ended:
        assert len(stood) < most, stood[-5:]
        asked = max(seconds, stood[-1].shortest if stood else 0.0)
        stood.append(run_slice(job.folder, asked, now=Ticking(tick)))
    return stood


def assert_same(one, other):
    for name in ("vector.safetensors", "vector.json", "README.md"):
        assert (one.out / name).read_bytes() == (other.out / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["language", "task"])
@pytest.mark.parametrize("seconds", [1, 2, 3])
def test_slices_end_in_the_vector_of_an_undisturbed_run(add, whole, kind, seconds):
    job = add(kind)
    stood = finish(job, seconds)
    assert stood[-1].outcome == "finished", job.log_tail()
    assert len(stood) > 3
    assert {"dense", "sparse"} <= {one.phase for one in stood}
    assert_same(job, whole(kind))


@pytest.mark.slow
def test_the_stages_come_one_after_the_other(add):
    job = add(max_steps=30)
    stood = finish(job, 2)
    where = [(("dense", "denoise", "sparse").index(one.phase), one.step) for one in stood[:-1]]
    assert where == sorted(where)
    steps = {one.steps for one in stood if one.phase in ("dense", "sparse") and one.step}
    assert steps - {0} == {30}  # 0: no event has said it yet


def note_device(settings, folder, on_event, should_stop):
    (folder / "device.txt").write_text(settings["device"])


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_a_slice_trains_on_the_gpu_that_its_process_has(add, monkeypatch, there, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    job = add()
    assert run_slice(job.folder, 60, work={"language": f"{__name__}:note_device"}).outcome == "finished"
    assert (job.folder / "device.txt").read_text() == device


def test_a_slice_of_any_length_that_is_long_enough_finishes(add):
    (status,) = finish(add(), 10_000)
    assert status.outcome == "finished"


def test_a_slice_that_is_too_short_does_nothing_and_names_a_longer_one(add):
    job = add()
    first = run_slice(job.folder, 1, now=Ticking(0.4))
    assert first.shortest > 1
    events = (job.folder / "events.jsonl").read_bytes()
    again = run_slice(job.folder, first.shortest / 2, now=Ticking(0.4))
    assert again == first
    assert (job.folder / "events.jsonl").read_bytes() == events
    assert finish(job, 1, 0.4)[-1].outcome == "finished"


@pytest.mark.slow
def test_a_part_that_never_fits_gets_longer_slices_until_it_does(add, whole, monkeypatch):
    """Denoising takes far longer than a slice, and nobody could know before."""
    import deftx.training.pipeline as pipeline

    clock, plain = Ticking(), pipeline.choose_rank

    def slow(*arguments):
        clock.time += 5.0
        return plain(*arguments)

    job, stood = add(), []
    monkeypatch.setattr(pipeline, "choose_rank", slow)
    while not stood or not stood[-1].has_ended:
        assert len(stood) < 100
        stood.append(run_slice(job.folder, max(1, stood[-1].shortest if stood else 0), now=clock))
    assert max(one.shortest for one in stood) > 5
    assert stood[-1].outcome == "finished"
    monkeypatch.undo()
    assert_same(job, whole())


@pytest.mark.slow
def test_what_is_left_gets_less_and_is_what_to_ask_for(add):
    stood = finish(add(max_steps=40), 4)
    left = [one.seconds_left for one in stood if one.phase == "dense" and one.seconds_left is not None]
    assert left
    assert stood[1].ask(60) >= stood[1].shortest
    assert stood[1].ask(0.01) == stood[1].shortest
    assert stood[1].ask(10_000) < 10_000


def test_a_stop_request_ends_the_job_at_a_checkpoint(add):
    job = add(max_steps=1_000)
    looks = count()

    def now():
        if next(looks) == 30:
            (job.folder / STOP).touch()
        return 0.0

    status = run_slice(job.folder, 5, now=now)
    assert (status.outcome, status.phase) == ("stopped", "dense")
    assert 0 < status.step < 1_000
    assert state_of(job).name == "stopped"


def test_a_limit_on_the_time_of_a_job_counts_all_slices(add):
    job = add(max_steps=1_000)
    (job.folder / "spent.json").write_text(json.dumps({"seconds": 7_200}))
    status = run_slice(job.folder, 5, {"DEFTX_JOB_SECONDS": "3600"}, now=Ticking(0.01))
    assert status.outcome == "stopped"
    assert "limit of 1 h" in status.message


def test_an_error_ends_the_job_with_its_message(add):
    job = add(k=10**9)
    status = run_slice(job.folder, 100, now=Ticking(0.01))
    assert status.outcome == "failed"
    assert "entries" in status.message
    assert "Traceback" in job.log_tail(50)


def test_two_slices_of_a_job_do_not_run_at_the_same_time(add):
    job = add()
    with take_lock(job.folder / "lock"), pytest.raises(JobError, match="already running"):
        run_slice(job.folder, 5)


def test_between_slices_a_job_waits_and_its_progress_stays(add):
    job = add(max_steps=50)
    run_slice(job.folder, 2, now=Ticking(0.05))
    assert state_of(job).name == "waiting"
    assert not (job.folder / "heartbeat").exists()
    assert progress_of(job).phase == "dense"
    assert slice_status(job.folder).step > 0


def test_a_job_that_has_ended_stays_as_it_is(add):
    job = add()
    ended = finish(job, 10_000)[-1]
    before = (job.folder / "result.json").read_bytes()
    assert run_slice(job.folder, 5, now=Ticking()) == ended
    assert (job.folder / "result.json").read_bytes() == before


def test_damaged_notes_count_as_none(add):
    job = add()
    (job.folder / "slices.json").write_text('{"other": 1}')
    assert finish(job, 3)[-1].outcome == "finished"
