"""How a remote job ends: what is said of each end, and what is kept, with files in a bucket of a Hub on this machine."""

import json
from types import SimpleNamespace

import jobs_server
import pytest
from hub_server import WRITER

from deftx.core.errors import TrainingStopped
from deftx.hub.client import hub
from deftx.jobs.remote import delivery
from deftx.jobs.remote.bucket import BucketFolder
from deftx.jobs.remote.ending import RemoteFailure, collect
from deftx.jobs.remote.note import NOTE, new_note, read_note


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A bucket with the mount of a job in it, and the job's folder here and there."""
    monkeypatch.setenv("DEFTX_JOBS_POLL", "0.05")
    with jobs_server.serving_jobs(tmp_path / "server") as server:
        server.buckets["ana/b"] = True
        note = new_note("20260101-000000-000000", "ana", "ana/b", "l4x1", 2.0)
        here, there, mount = tmp_path / "here", tmp_path / "there", server.bucket("ana/b") / note.path
        for folder in (here, there / "out", mount):
            folder.mkdir(parents=True)
        (there / "out" / "kept").write_bytes(b"kept")
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        bucket = BucketFolder(hub(WRITER), "ana/b", note.path)
        yield SimpleNamespace(
            server=server, note=note.write(here), here=here, there=there, mount=mount, bucket=bucket, said=[]
        )


def leave(place, outcome, message=""):
    if outcome:
        (place.there / "result.json").write_text(json.dumps({"outcome": outcome, "message": message}))
    delivery.write(place.there, place.mount, 0, final=bool(outcome))


def end(place, stage, message=None):
    last = SimpleNamespace(status=SimpleNamespace(stage=stage, message=message))
    collect(place.bucket, place.note, last, place.here, lambda call: call(), lambda *said: place.said.append(said))


def test_a_finished_one_is_here_and_nothing_is_left_there(place):
    leave(place, "finished")
    end(place, "COMPLETED")
    assert (place.here / "out" / "kept").read_bytes() == b"kept"
    assert read_note(place.here).finished
    assert place.bucket.list() == {}
    assert place.said == []


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 500])
def test_what_cannot_be_removed_there_is_said_and_the_training_is_finished_all_the_same(place, status):
    leave(place, "finished")
    place.server.fail("POST /api/buckets/ana/b/batch", status=status)
    end(place, "COMPLETED")
    assert read_note(place.here).finished
    ((text, is_warning),) = place.said
    assert is_warning
    assert f"{place.note.path} in the bucket ana/b could not be deleted" in text


@pytest.mark.parametrize(
    ("outcome", "message", "stage", "said", "why"),
    [
        ("failed", "The loss is not a number.", "ERROR", "The loss is not a number.", "Job failed with exit code: 2"),
        ("stopped", "", "ERROR", "reached its time limit of 2 h on l4x1", "Job failed with exit code: 143"),
        ("", "", "ERROR", "(Job timeout).*continue from its last checkpoint", "Job timeout"),
        ("", "", "CANCELED", "It was cancelled on Hugging Face", None),
    ],
)
def test_every_other_end_is_said_and_what_was_reached_is_here(place, outcome, message, stage, said, why):
    leave(place, outcome, message)
    with pytest.raises(RemoteFailure, match=said):
        end(place, stage, why)
    assert (place.here / "out" / "kept").is_file()
    assert not (place.here / NOTE).exists()


@pytest.mark.parametrize("stage", ["COMPLETED", "DELETED"])
def test_one_that_left_nothing_is_said_to_begin_anew(place, stage):
    with pytest.raises(RemoteFailure, match="Resume to start it from the beginning"):
        end(place, stage)


def test_one_that_was_asked_to_stop_has_stopped_also_for_the_next_process(place):
    place.note = place.note.changed(place.here, stopping=True)
    leave(place, "stopped")
    with pytest.raises(TrainingStopped):
        end(place, "ERROR", "Job failed with exit code: 143")
    assert (place.here / "out" / "kept").is_file()


@pytest.mark.slow
def test_damaged_files_are_not_taken_and_can_be_fetched_again(place):
    leave(place, "finished")
    (place.mount / "back" / "0" / "out" / "kept").write_bytes(b"torn")
    with pytest.raises(RemoteFailure, match="are damaged"):
        end(place, "COMPLETED")
    assert not (place.here / "out").exists()
    assert read_note(place.here) == place.note
    (place.mount / "back" / "0" / "out" / "kept").write_bytes(b"kept")
    end(place, "COMPLETED")
    assert (place.here / "out" / "kept").read_bytes() == b"kept"
