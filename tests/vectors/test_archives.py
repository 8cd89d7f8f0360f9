"""Zip files of strangers: what they hold is taken or refused, and nothing gets out of its folder."""

import os
import shutil
import stat
import struct
import zipfile
from collections import namedtuple

import pytest

from deftx.core.errors import DeftxError, VectorError
from deftx.data.zip_files import LARGEST_LIST
from deftx.vectors import archives
from deftx.vectors.archives import pack, unpack

WANTED = {"vector.json": 1_000, "vector.safetensors": 100_000, "README.md": 1_000}


def make(path, entries):
    """Write a zip of (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, compress_type=zipfile.ZIP_DEFLATED)
    return path


def whole(prefix=""):
    return [(f"{prefix}vector.json", b"{}"), (f"{prefix}vector.safetensors", b"t" * 50)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.parametrize("prefix", ["", "min/"])
def test_known_files_are_taken_from_the_top_or_the_one_folder_and_the_rest_stays(tmp_path, folder, prefix):
    others = [
        ("notes.txt", b"x"),
        ("__MACOSX/._vector.json", b"x"),
        ("__MACOSX/x.bin", b"x"),
        ("min/deep/vector.json", b"x"),
    ]
    archive = make(tmp_path / "a.zip", [*whole(prefix), *others])
    assert unpack(archive, folder, WANTED) == {"vector.json", "vector.safetensors"}
    assert sorted(path.name for path in folder.iterdir()) == ["vector.json", "vector.safetensors"]
    assert (folder / "vector.safetensors").read_bytes() == b"t" * 50


def link():
    entry = zipfile.ZipInfo("README.md")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (("../vector.json", b"{}"), "leads out"),
        (("/etc/vector.json", b"{}"), "leads out"),
        (("a/../../vector.json", b"{}"), "leads out"),
        (("..\\vector.json", b"{}"), "leads out"),
        (("C:/vector.json", b"{}"), "leads out"),
        ((link(), b"/etc/passwd"), "a link"),
        (("pytorch_model.bin", b"x"), "a pickle"),
        (("min/data.PKL", b"x"), "a pickle"),
        (("more.zip", b"x"), "another archive"),
        (("min/vector.json", b"{}"), "more than one vector"),
        (("README.md", b"a" * 1_001), "too large"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_could_do_harm_is_refused_whole(tmp_path, folder, entry, reason):
    with pytest.raises(VectorError, match=reason):
        unpack(make(tmp_path / "a.zip", [*whole(), entry]), folder, WANTED)
    assert list(folder.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "in"}


def test_a_file_that_lies_about_its_size_is_refused(tmp_path, folder):
    archive = make(tmp_path / "a.zip", [("vector.json", b"{}"), ("vector.safetensors", bytes(90_000))])
    raw = archive.read_bytes()
    # The size is written twice: before the file, and in the list at the end; both say 10 bytes now.
    archive.write_bytes(raw.replace(struct.pack("<I", 90_000), struct.pack("<I", 10)))
    with pytest.raises(VectorError):
        unpack(archive, folder, WANTED)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000


def test_more_bytes_than_declared_are_not_written(tmp_path, folder, monkeypatch):
    """Should zipfile ever give more than an entry says, it is noticed."""
    archive = make(tmp_path / "a.zip", whole())
    with zipfile.ZipFile(archive) as opened:
        entry = opened.getinfo("vector.safetensors")
        entry_size = entry.file_size
        monkeypatch.setattr(entry, "file_size", entry_size)
        with pytest.raises(VectorError, match="larger than it says"):
            archives._copy(opened, entry, folder / "x", entry_size - 1)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not a zip" * 10])
def test_what_is_no_zip_is_said_to_be_none(tmp_path, folder, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(VectorError, match="cannot be read"):
        unpack(tmp_path / "a.zip", folder, WANTED)


def test_a_damaged_file_inside_is_noticed(tmp_path, folder):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("vector.safetensors", b"t" * 500)
    archive.write_bytes(archive.read_bytes().replace(b"ttt", b"tut", 1))
    with pytest.raises(VectorError, match="cannot be read"):
        unpack(archive, folder, WANTED)


def test_thousands_of_entries_are_refused(tmp_path, folder):
    archive = make(tmp_path / "a.zip", [(f"{n}.txt", b"") for n in range(archives.MOST_ENTRIES + 1)])
    with pytest.raises(VectorError, match="entries"):
        unpack(archive, folder, WANTED)


@pytest.mark.parametrize("large", [False, True])
def test_a_list_of_millions_of_entries_is_refused_before_it_is_read(tmp_path, folder, monkeypatch, large):
    """Each entry takes 46 bytes of the archive and some 700 of the memory."""
    archive = make(tmp_path / "a.zip", whole())
    raw = archive.read_bytes()
    at = raw.rfind(b"PK\5\6")
    size = 0xFFFFFFFF if large else LARGEST_LIST + 1
    longer = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2**21, 2**21, LARGEST_LIST + 1, 0)
    longer += struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    archive.write_bytes(raw[:at] + longer * large + raw[at : at + 12] + struct.pack("<I", size) + raw[at + 16 :])
    monkeypatch.setattr(zipfile, "ZipFile", None)  # is not reached
    with pytest.raises(VectorError, match="more than 1,000 entries"):
        unpack(archive, folder, WANTED)


def test_what_never_ends_is_no_archive(tmp_path, folder):
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "zeros.zip").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.zip", tmp_path / "zeros.zip", folder):
        with pytest.raises(VectorError, match="not a regular file"):
            unpack(path, folder, WANTED)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_the_usual_packing_is_unpacked(tmp_path, folder, packing):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        archive.writestr("vector.json", b"{}")
    with pytest.raises(VectorError, match="packed in a rare way"):
        unpack(tmp_path / "a.zip", folder, WANTED)


def test_a_zip_of_the_same_files_is_the_same_bytes_and_tells_no_path(tmp_path):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        for name in ("b.txt", "a.txt"):
            (tmp_path / place / name).write_text(name * 100)
    zips = [
        pack(((f"min/{path.name}", path) for path in (tmp_path / place).iterdir()), tmp_path / f"{place}.zip")
        for place in ("one", "two")
    ]
    assert zips[0].read_bytes() == zips[1].read_bytes()
    with zipfile.ZipFile(zips[0]) as archive:
        assert archive.namelist() == ["min/a.txt", "min/b.txt"]
    assert str(tmp_path).encode() not in zips[0].read_bytes()


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path, folder, monkeypatch):
    full = namedtuple("Usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(VectorError, match="are free"):
        unpack(make(tmp_path / "a.zip", whole()), folder, WANTED)
    (tmp_path / "x").write_text("x")
    with pytest.raises(DeftxError, match="are free"):
        pack([("x", tmp_path / "x")], tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
