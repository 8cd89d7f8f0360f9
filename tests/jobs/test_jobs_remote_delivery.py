"""What comes back: whole or not at all, and nothing that could lie outside the job's folder."""

import json
import operator
import shutil
from dataclasses import dataclass
from unittest.mock import Mock

import pytest

from deftx.jobs.remote import delivery, inside


@dataclass(frozen=True)
class File:
    size: int


class Folder:
    """A bucket's folder that is a folder: what ``delivery`` asks of one, without a Hub."""

    def __init__(self, root):
        self.root = root

    def list(self, below=""):
        found = (path for path in (self.root / below).rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): File(path.stat().st_size) for path in found}

    def fetch(self, files, place):
        for name in files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.root / name, place / name)


@pytest.fixture
def job(tmp_path):
    """A job's folder on the machine elsewhere."""
    folder = tmp_path / "there"
    for name, content in {"out/run/best.safetensors": b"best", "out/half.part": b"h", "delta/d": b"", "log.txt": b"log",
                          "files/corpus-0/x.txt": b"x", "job.json": b"{}"}.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def mount(tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    return mount


def arrive(mount, here, scratch):
    found = delivery.find(Folder(mount), scratch)
    arrived = delivery.fetch(Folder(mount), found, scratch)
    return found, None if arrived is None else delivery.unpack(arrived, here)


def test_what_was_made_comes_back_and_replaces_what_was_there(job, mount, tmp_path):
    (job / "result.json").write_text('{"outcome": "finished"}')
    delivery.write(job, mount, 0, final=True)
    here = tmp_path / "here"
    (here / "out").mkdir(parents=True)
    (here / "out" / "stale").write_bytes(b"old")
    found, result = arrive(mount, here, tmp_path / "scratch")
    assert found.final
    assert result == {"outcome": "finished"}
    there = sorted(path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file())
    assert there == ["delta/d", "out/run/best.safetensors"]
    assert not (here / "result.json").exists()  # that is this machine's to write


def test_one_that_is_half_written_leaves_the_one_before(job, mount, tmp_path):
    delivery.write(job, mount, 0, final=False)
    (job / "out" / "run" / "best.safetensors").write_bytes(b"better")
    delivery.write(job, mount, 1, final=False)
    assert delivery.find(Folder(mount), tmp_path / "a").number == 1
    (mount / "back" / "1" / "out" / "run" / "best.safetensors").write_bytes(b"bet")
    assert delivery.find(Folder(mount), tmp_path / "b").number == 0
    (mount / "back" / "0" / "list.json").write_text('{"number": 0, "fin')
    assert delivery.find(Folder(mount), tmp_path / "c") is None


def test_other_content_of_the_same_size_is_not_taken(job, mount, tmp_path):
    delivery.write(job, mount, 0, final=True)
    (mount / "back" / "0" / "out" / "run" / "best.safetensors").write_bytes(b"bust")
    found = delivery.find(Folder(mount), tmp_path / "a")
    assert delivery.fetch(Folder(mount), found, tmp_path / "a") is None


class Worker:
    """A process that ends at its second look."""

    def __init__(self):
        self.looks = 0

    def poll(self):
        self.looks += 1
        return None if self.looks == 1 else 0

    def wait(self, seconds):
        pass


@pytest.mark.parametrize("failing", ["delivery.write", "os.listdir", "shutil.copyfile"])
def test_an_error_of_the_mount_is_printed_and_tried_again(job, mount, tmp_path, monkeypatch, capsys, failing):
    monkeypatch.setenv("DEFTX_JOBS_POLL", "0.05")
    whole, errors = operator.attrgetter(failing)(inside), iter([OSError(5, "Input/output error")] * 2)

    def fail_twice(*arguments, **options):
        if (error := next(errors, None)) is not None:
            raise error
        return whole(*arguments, **options)

    monkeypatch.setattr(f"deftx.jobs.remote.inside.{failing}", fail_twice)
    (job / "events.jsonl").write_text("{}\n")
    inside.Mirror(job, mount, save_every=0).run(Worker())
    assert delivery.find(Folder(mount), tmp_path).final
    assert "tried again: [Errno 5] Input/output error" in capsys.readouterr().out


def test_a_mount_that_fails_for_good_is_an_error(job, mount, monkeypatch):
    monkeypatch.setenv("DEFTX_JOBS_POLL", "0.05")
    monkeypatch.setattr("deftx.jobs.remote.delivery.write", Mock(side_effect=OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        inside.Mirror(job, mount).run(Worker())


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "out/../../x",
        "job.json",
        "remote.json",
        "log.txt",
        "files/x",
        ".arriving/x",
        "x",
        "",
        "a\\b/c",
    ],
)
def test_a_list_that_names_other_places_is_not_followed(mount, tmp_path, name):
    (mount / "back" / "0").mkdir(parents=True)
    listed = {"number": 0, "final": True, "files": {name: [1, "00"]}}
    (mount / "back" / "0" / "list.json").write_text(json.dumps(listed))
    assert delivery.find(Folder(mount), tmp_path / "a") is None
