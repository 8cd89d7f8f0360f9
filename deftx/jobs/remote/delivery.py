"""Deliveries from the remote machine: files, and a list of them that is written last, to detect incomplete deliveries.

Two folders are used alternately. While one is rewritten, the other is complete, so that a checkpoint remains if the machine
is lost. No file is moved or locked, because mounted buckets may not support that.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from deftx.core.files import PART, flush, move
from deftx.jobs.job import RESULT
from deftx.jobs.remote.bucket import BucketFolder
from deftx.jobs.remote.package import OF_THIS_MACHINE

BACK = "back"  # the folder in the bucket
SLOTS = ("0", "1")
LIST = "list.json"
_PIECE = 1 << 22


@dataclass(frozen=True)
class Delivery:
    """A complete delivery in the bucket: its number, whether the job had ended, and (size, sha256) by file name."""

    number: int
    final: bool
    files: dict[str, tuple[int, str]]

    @property
    def place(self) -> str:
        """Its folder in the bucket."""
        return f"{BACK}/{SLOTS[self.number % len(SLOTS)]}"


def write(folder: Path, mount: Path, number: int, final: bool) -> Delivery:
    """Copy checkpoints, δ, vector and result of the job in ``folder`` to the mounted bucket."""
    place = mount / Delivery(number, final, {}).place
    shutil.rmtree(place, ignore_errors=True)
    files = {}
    for path in training_files(folder, final):
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = _copy(path, place / name)
        except FileNotFoundError:  # replaced meanwhile
            continue
    place.mkdir(parents=True, exist_ok=True)
    content = {"number": number, "final": final, "files": files}
    with open(place / LIST, "w", encoding="utf-8") as file:
        json.dump(content, file)
        flush(file)
    return Delivery(number, final, files)


def training_files(folder: Path, final: bool = False) -> list[Path]:
    """Return the files of a job's folder to deliver: checkpoints, δ and vector, and at the end the result."""
    found = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in OF_THIS_MACHINE:
            found += [path for path in entry.rglob("*") if path.is_file() and not path.name.endswith(PART)]
    if final and (folder / RESULT).is_file():
        found.append(folder / RESULT)
    return sorted(found)


def find(bucket: BucketFolder, scratch: Path) -> Delivery | None:
    """Return the latest delivery whose files all exist with the right size, or None."""
    listed = bucket.list(BACK)
    lists = {name: file for name, file in listed.items() if name in {f"{BACK}/{slot}/{LIST}" for slot in SLOTS}}
    bucket.fetch(lists, scratch)
    found = [delivery for name in lists if (delivery := _read(scratch / name)) is not None]
    whole = [one for one in found if all(_size(listed, one, name) == size for name, (size, _) in one.files.items())]
    return max(whole, key=lambda one: one.number, default=None)


def fetch(bucket: BucketFolder, delivery: Delivery, scratch: Path) -> Path | None:
    """Download a delivery into ``scratch`` and return its folder; None if a file does not match the list."""
    listed = bucket.list(delivery.place)
    wanted = {f"{delivery.place}/{name}" for name in delivery.files}
    if not wanted <= listed.keys():
        return None
    bucket.fetch({name: listed[name] for name in wanted}, scratch)
    folder = scratch / delivery.place
    folder.mkdir(parents=True, exist_ok=True)
    whole = all(_sha256(folder / name) == sha for name, (_, sha) in delivery.files.items())
    return folder if whole else None


def unpack(arrived: Path, folder: Path) -> dict[str, Any]:
    """Replace the folders of the job by those of a delivery; return the result, empty if there is none."""
    for entry in sorted(arrived.iterdir()):
        if entry.is_dir():
            shutil.rmtree(folder / entry.name, ignore_errors=True)
            move(entry, folder / entry.name)
    try:
        return json.loads((arrived / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _read(path: Path) -> Delivery | None:
    """Read a list of files; None if it is incomplete or contains a file that is not allowed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in content["files"].items()}
        delivery = Delivery(int(content["number"]), bool(content["final"]), files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return delivery if all(map(_is_allowed, delivery.files)) else None


def _is_allowed(name: str) -> bool:
    parts = PurePosixPath(name).parts
    inside = (
        not name.startswith("/") and "\\" not in name and not {"..", "."} & set(name.split("/")) and "\0" not in name
    )
    return (
        bool(parts)
        and inside
        and (name == RESULT or (len(parts) > 1 and parts[0] not in OF_THIS_MACHINE and parts[0][0] != "."))
    )


def _size(listed: dict[str, Any], delivery: Delivery, name: str) -> int | None:
    file = listed.get(f"{delivery.place}/{name}")
    return None if file is None else file.size


def _copy(source: Path, target: Path) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as read, open(target, "wb") as written:
        while piece := read.read(_PIECE):
            written.write(piece)
            digest.update(piece)
            size += len(piece)
        flush(written)
    return size, digest.hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
