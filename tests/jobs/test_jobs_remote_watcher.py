"""Trainings on Hugging Face Jobs, end to end: the real scheduler, worker and client, a Hub on this machine, a real training."""

import json
import os
from contextlib import suppress

import jobs_server
import pytest
from hub_server import READ_ONLY, WRITER
from job_helpers import wait_for, wait_for_state
from tiny_base import SHORT, write_corpus

from deftx.jobs import Scheduler, Store, progress_of, state_of
from deftx.jobs.process import kill
from deftx.jobs.remote.note import NOTE, read_note
from deftx.jobs.shutdown import stop_workers
from deftx.jobs.state import worker_of
from deftx.models.bases import load_base
from deftx.training.language import learn_language
from deftx.training.recipes import recipe_for
from deftx.training.request import TrainingRequest

RECIPE = {**SHORT, "max_steps": 240, "min_steps": 240, "evaluate_every": 80, "epochs": 1000, "precision": "float32"}
FILES = ("vector.safetensors", "vector.json", "README.md")
LONG = 300.0  # seconds for what takes ten on a machine that does nothing else
DIES = ["python", "-c", "print('no driver'); raise SystemExit(7)"]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub with Jobs, to which the watchers that are started here speak."""
    with jobs_server.serving_jobs(tmp_path / "there") as hub:
        jobs_server.attach(monkeypatch, hub, tmp_path / "hf")
        monkeypatch.delenv("DEFTX_DATABASE", raising=False)
        yield hub


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def running(store):
    with Scheduler(store, interval=0.05) as scheduler:
        yield scheduler
    for job in (*store.list(), *store.trash()):
        if (worker := worker_of(job)) is not None:
            kill(worker)


@pytest.fixture
def asked(page_base, tmp_path):
    corpus = write_corpus(tmp_path / "minang.txt")
    request = TrainingRequest(
        kind="language", corpus=(str(corpus),), base=str(page_base), language="min", recipe=RECIPE, delta="delta",
        flavor="cpu-basic", hours=1.0,
    )  # fmt: skip
    return request.to_job()


def message_of(job):
    return state_of(job).meaning


def warnings_of(job):
    return " ".join(progress_of(job).warnings)


def has_steps(job):
    assert state_of(job).name not in ("failed", "finished"), message_of(job)
    return bool(progress_of(job).losses)  # the evaluation of the base is no step of the training


def lists_in(hub):
    """Read the lists of what lies in the bucket; one that is just being replaced counts for nothing."""
    found = []
    for path in hub.bucket("ana/deftx-jobs").glob("*/back/*/list.json"):
        with suppress(FileNotFoundError):
            found.append(path.read_text())
    return " ".join(found)


def resume(store, job):
    wait_for(lambda: worker_of(store.get(job.id)) is None, "the watcher to end")
    store.requeue(job.id)


def on_disk(folder, text):
    """List the files below a folder that hold a text."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in found if text.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_training_elsewhere_survives_all_and_ends_as_one_here(hub, store, running, asked, page_base, tmp_path):
    job = store.add("language", "Minang", asked)
    wait_for(lambda: has_steps(store.get(job.id)), "steps from there", LONG)
    (there,) = hub.jobs.values()
    hub.freeze(there, True)

    # The watcher is killed: the next one finds the same job and starts no other.
    first = worker_of(store.get(job.id))
    kill(first)
    wait_for(lambda: worker_of(store.get(job.id)) not in (None, first), "another watcher")
    assert read_note(job.folder).job == there.id
    wait_for(
        lambda: len([m for m in progress_of(job).messages if "is running:" in m.text]) == 2, "it to be found again"
    )
    lines = (job.folder / "events.jsonl").read_text().splitlines()
    assert len(lines) == len(set(lines))

    # A stop keeps the best so far, as it does here.
    store.request_stop(job.id)
    hub.freeze(there, False)
    stopped = wait_for_state(store, job, "stopped", "failed", "finished", seconds=LONG)
    assert state_of(stopped).name == "stopped", message_of(stopped)
    assert (job.out / "run").is_dir()
    assert not (job.folder / NOTE).exists()
    assert len(hub.jobs) == 1
    assert progress_of(job).losses

    # Resumed, another job goes on from there, and ends in the same vector as a training here.
    resume(store, job)
    finished = wait_for_state(store, job, "finished", "failed", seconds=LONG)
    assert state_of(finished).name == "finished", message_of(finished)
    assert len(hub.jobs) == 2
    recipe = recipe_for("language", "quick", **RECIPE)
    learn_language([asked["corpus"]], load_base(page_base), recipe, out=tmp_path / "here", language="min")
    for name in FILES:
        assert (job.out / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name
    assert (job.folder / "delta" / "delta.safetensors").is_file()

    # Nothing is left there, and the token was written nowhere.
    bucket = hub.bucket("ana/deftx-jobs")
    assert [path for path in bucket.rglob("*") if path.is_file()] == []
    assert hub.buckets == {"ana/deftx-jobs": True}
    assert on_disk(tmp_path, WRITER) == []
    specs = [job.spec for job in hub.jobs.values()]
    assert all(spec["timeoutSeconds"] == 3600 and spec["flavor"] == "cpu-basic" for spec in specs)
    assert all("secrets" not in spec and WRITER not in json.dumps(spec) for spec in specs)
    assert "[remote]" in finished.log_tail(1000)


@pytest.mark.slow
def test_jobs_elsewhere_leave_the_place_here_to_others(hub, store, running, asked, monkeypatch):
    hub.held = True
    jobs = [store.add("language", f"{number}", asked) for number in range(2)]
    wait_for(lambda: len(hub.jobs) == 2, "both to be there")
    here = store.add("count", "Here", {"steps": 1})
    wait_for_state(store, here, "failed")  # no such kind of work: what counts is that it was started
    # What has not begun is cancelled at once.
    for job in jobs:
        store.request_stop(job.id)
        wait_for_state(store, job, "stopped")
    assert {job.stage for job in hub.jobs.values()} == {"CANCELED"}


@pytest.mark.slow
def test_a_machine_that_fails_is_said_with_what_to_do(hub, store, running, asked):
    hub.command = DIES
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed", "finished")
    assert "exit code: 7" in message_of(job)
    assert f"{hub.url}/jobs/ana/" in message_of(job)
    assert "Resume to start it from the beginning" in message_of(job)
    assert "no driver" in job.log_tail(100)
    assert [path for path in hub.bucket("ana/deftx-jobs").rglob("*") if path.is_file()] == []


def test_a_lost_answer_starts_no_second_job(hub, store, running, asked):
    hub.held = True
    hub.fail(r"POST /api/jobs/ana$", served=True, times=1)
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed")
    assert "Whether the job was started is unknown" in message_of(job)
    assert read_note(job.folder).asked
    resume(store, job)
    wait_for(lambda: read_note(job.folder).job, "the job to be found")
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    assert len(hub.jobs) == 1


@pytest.mark.parametrize(
    ("pattern", "status", "said"),
    [
        ("POST /api/jobs", 402, "does not have enough credit"),
        ("POST /api/jobs", 403, "no permission to run jobs"),
        ("GET /api/jobs/hardware", 0, "could not be reached"),
        ("GET /api/whoami-v2", 401, "does not accept the token"),
    ],
)
def test_a_refusal_is_said_and_starts_nothing(hub, store, running, asked, pattern, status, said):
    hub.fail(pattern, status=status)
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed")
    assert said in message_of(job)
    assert hub.jobs == {}
    assert [path for path in (hub.folder / "buckets").rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 429, 503])
def test_a_hub_away_for_a_while_ends_nothing(hub, store, running, asked, status):
    hub.held = True
    job = store.add("language", "Minang", asked)
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    hub.fail("GET /api/jobs/ana/0+1$", status=status, times=3)
    wait_for(lambda: "cannot be reached" in warnings_of(job), "the absence to be said")
    before = len(hub.requests("GET /api/jobs/ana/0+1$"))
    wait_for(lambda: len(hub.requests("GET /api/jobs/ana/0+1$")) > before + 4, "it to be asked again")
    assert state_of(store.get(job.id)).name == "running"


def test_a_token_withdrawn_meanwhile_leaves_the_job_to_be_found(hub, store, running, asked):
    hub.held = True
    job = store.add("language", "Minang", asked)
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    hub.fail("GET /api/jobs/ana/0+1$", status=401, times=1)
    job = wait_for_state(store, job, "failed")
    assert "The job may still be running" in message_of(job)
    assert read_note(job.folder).job in hub.jobs


def test_a_job_that_the_hub_no_longer_knows_has_ended(hub, store, running, asked):
    hub.held = True
    job = store.add("language", "Minang", asked)
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    hub.jobs.clear()
    job = wait_for_state(store, job, "failed")
    assert "It was deleted on Hugging Face" in message_of(job)
    assert read_note(job.folder) is None
    resume(store, job)
    wait_for(lambda: hub.jobs, "another remote job")


def test_a_job_that_is_gone_when_it_is_cancelled_counts_as_stopped(hub, store, running, asked):
    hub.held = True
    job = store.add("language", "Minang", asked)
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    hub.fail("POST /api/jobs/ana/0+1/cancel$", status=404)
    store.request_stop(job.id)
    wait_for(lambda: hub.requests("POST /api/jobs/ana/0+1/cancel$"), "it to be cancelled")
    hub.jobs.clear()
    job = wait_for_state(store, job, "stopped", "failed")
    assert state_of(job).name == "stopped", message_of(job)


def test_a_job_that_can_be_watched_no_longer_is_still_stopped_when_it_is_discarded(hub, store, running, asked):
    hub.held = True
    job = store.add("language", "Minang", asked)
    wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    hub.fail("GET /api/jobs/ana/0+1$", status=401, times=1)
    wait_for_state(store, job, "failed")
    (there,) = hub.jobs.values()
    assert there.stage == "SCHEDULING"
    wait_for(lambda: worker_of(store.get(job.id)) is None, "the watcher to end")
    store.discard(job.id)
    store.remove(job.id)
    wait_for(lambda: not job.folder.exists(), "the job to be removed")
    assert there.stage == "CANCELED"


def test_a_public_bucket_is_not_used(hub, store, running, asked, monkeypatch):
    hub.buckets["ana/open"] = False
    monkeypatch.setenv("DEFTX_JOBS_BUCKET", "ana/open")
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed")
    assert "ana/open is public" in message_of(job)
    assert hub.jobs == {}


@pytest.mark.parametrize(("name", "said"), [("HF_TOKEN", "need an account"), ("DEFTX_JOBS_IMAGE", "not set up")])
def test_what_is_missing_is_said(hub, store, running, asked, monkeypatch, name, said):
    monkeypatch.delenv(name)
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed")
    assert said in message_of(job)


def test_a_token_that_may_only_read_is_said(hub, store, running, asked, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READ_ONLY)
    job = wait_for_state(store, store.add("language", "Minang", asked), "failed")
    assert "no right" in message_of(job)
    assert on_disk(store.root, READ_ONLY) == []
    assert os.environ["HF_TOKEN"] == READ_ONLY


@pytest.mark.slow
def test_a_machine_that_is_lost_leaves_its_last_checkpoint(hub, store, running, asked, monkeypatch):
    monkeypatch.setenv("DEFTX_JOBS_SAVE", "0.1")
    job = store.add("language", "Minang", asked)
    wait_for(lambda: "safetensors" in lists_in(hub), "a whole copy of a checkpoint", 60)
    (there,) = hub.jobs.values()
    hub.end(there, "ERROR", "Node lost")
    failed = wait_for_state(store, job, "failed", "finished", seconds=LONG)
    assert "Node lost" in message_of(failed)
    assert "continue from its last checkpoint" in message_of(failed)
    assert [*job.out.rglob("*.safetensors")]


@pytest.mark.slow
def test_a_studio_that_ends_leaves_the_job_to_the_next_one(hub, store, asked):
    hub.held = True
    with Scheduler(store, interval=0.05):
        job = store.add("language", "Minang", asked)
        wait_for(lambda: hub.requests("GET /api/jobs/ana/0+1$"), "it to be watched")
    stop_workers(store)
    assert state_of(store.get(job.id)).name == "waiting"
    assert hub.requests("cancel") == []
    with Scheduler(store, interval=0.05):
        wait_for_state(store, job, "running")
        # Thrown away for good while it is watched: its machine is switched off first.
        store.discard(job.id)
        store.remove(job.id)
        wait_for(lambda: not job.folder.exists(), "the job to be gone")
    assert [one.stage for one in hub.jobs.values()] == ["CANCELED"]
