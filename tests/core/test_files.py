"""Files and folders appear whole or not at all, are on the disk before they are seen, and leave nothing beside them."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from deftx.core import files
from deftx.core.errors import DeftxError, RecipeError


@pytest.fixture
def calls(monkeypatch):
    """What is flushed and renamed, in order: a name, or (from, to)."""
    seen, flush, replace = [], os.fsync, os.replace

    def fsync(opened):
        seen.append(os.path.basename(os.readlink(f"/proc/self/fd/{opened}")))
        flush(opened)

    def rename(source, target):
        seen.append((os.path.basename(source), os.path.basename(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    return seen


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_the_folder_after(tmp_path, calls):
    files.write_bytes(tmp_path / "a", b"new")
    assert calls == [".a.part", (".a.part", "a"), tmp_path.name]
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_json_and_text_keep_every_letter(tmp_path):
    files.write_json(tmp_path / "j", {"é": [1, None]})
    files.write_text(tmp_path / "t", "ሰላም\n")
    assert json.loads((tmp_path / "j").read_text(encoding="utf-8")) == {"é": [1, None]}
    assert "é" in (tmp_path / "j").read_text(encoding="utf-8")
    assert (tmp_path / "t").read_text(encoding="utf-8") == "ሰላም\n"


def test_what_cannot_be_written_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    files.draft_of(path).symlink_to("/dev/full")  # every write: no space left on device
    with pytest.raises(OSError, match="No space left"):
        files.write_text(path, "new")
    with pytest.raises(TypeError):
        files.write_json(path, {"a": object()})
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_draft_that_a_kill_left_is_overwritten(tmp_path):
    files.draft_of(tmp_path / "a").write_text("half of something longer")
    files.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert names(tmp_path) == ["a"]


def test_permissions_are_those_that_were_asked_for(tmp_path):
    files.write_bytes(tmp_path / "secret", b"", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_copy_has_the_content(tmp_path):
    (tmp_path / "a").write_text("content")
    files.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "content"


def test_several_files_move_in_order_once_all_are_on_the_disk(tmp_path, calls):
    with files.replacing_files(tmp_path / "v", ("b", "a")) as fresh:
        (fresh / "a").write_text("a")
        (fresh / "b").write_text("b")
    assert calls == ["b", "a", ("b", "b"), ("a", "a"), "v"]
    assert names(tmp_path / "v") == ["a", "b"]


def test_an_error_before_all_are_written_leaves_the_old_files(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileNotFoundError), files.replacing_files(tmp_path, ("a", "b")) as fresh:
        (fresh / "a").write_text("new")
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_whole_after_all_in_it_is_on_the_disk(tmp_path, calls):
    target = tmp_path / "out" / "model"
    with files.new_folder(target) as fresh:
        (fresh / "sub").mkdir()
        (fresh / "sub" / "file").write_text("x")
    draft, name = fresh.name, "model"
    assert calls == [draft, "file", "sub", (draft, name), "out"]
    assert (target / "sub" / "file").read_text() == "x"
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    assert names(target.parent) == ["model"]


@pytest.mark.parametrize("target", [".", "out", "link", "dangling"])
def test_a_folder_that_is_there_is_filled(tmp_path, monkeypatch, calls, target):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    if target != ".":
        (here / "out").mkdir()
        (here / "link").symlink_to("out")
        (here / "dangling").symlink_to("new")
    with files.new_folder(Path(target)) as fresh:
        (fresh / "b").mkdir()
        (fresh / "b" / "file").write_text("x")
        (fresh / "a").write_text("y")
    assert os.path.samefile(here, os.getcwd())
    assert names(Path(target)) == ["a", "b"]
    assert (Path(target) / "b" / "file").read_text() == "x"
    moved = [call for call in calls if isinstance(call, tuple)]
    assert moved == ([(fresh.name, "new")] if target == "dangling" else [("a", "a"), ("b", "b")])
    assert calls[-1] == {".": "here", "dangling": "here"}.get(target, "out")


def test_a_folder_that_was_filled_meanwhile_is_left_as_it_is(tmp_path):
    with pytest.raises(DeftxError, match="is not an empty folder"), files.new_folder(tmp_path):
        (tmp_path / "file").write_text("old")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_a_folder_that_was_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError), files.new_folder(tmp_path / "model") as fresh:
        (fresh / "there is no such folder" / "file").write_text("x")
    assert names(tmp_path) == []


def test_a_folder_does_not_take_the_place_of_a_full_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_text("old")
    with pytest.raises(OSError, match="not empty"):
        files.move(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "file").read_text() == "old"


@pytest.mark.parametrize(("number", "told"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_flush_folders_is_no_error_and_a_broken_disk_is(tmp_path, monkeypatch, number, told):
    def fail(_):
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    if told:
        with pytest.raises(OSError, match="no"):
            files.sync_folder(tmp_path)
    else:
        assert files.sync_folder(tmp_path) is None


def test_an_empty_folder_is_required(tmp_path):
    files.require_empty(tmp_path / "not there", "vector")
    files.require_empty(tmp_path, "vector")
    (tmp_path / "file").write_text("")
    files.require_empty(tmp_path, "vector", besides={"file"})
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(RecipeError, match=f"{path} is not an empty folder. Choose another one for the vector."):
            files.require_empty(path, "vector", error=RecipeError)


def test_the_bytes_of_a_folder_are_those_of_all_files_below(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "x").write_bytes(b"12")
    (tmp_path / "a" / "b" / "y").write_bytes(b"345")
    assert files.folder_size(tmp_path) == 5
    assert files.folder_size(tmp_path / "not there") == 0


def test_free_space_is_that_of_the_disk_where_a_folder_will_be(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        shutil, "disk_usage", lambda place: asked.append(place) or SimpleNamespace(free=files.SPARE + 2_000_000)
    )
    assert files.free_space(tmp_path / "a" / "b") == files.SPARE + 2_000_000
    assert asked == [tmp_path]
    files.require_free_space(tmp_path, 2_000_000)
    with pytest.raises(DeftxError, match=r"3 MB are needed .* 2 MB are free"):
        files.require_free_space(tmp_path, 3_000_000)
