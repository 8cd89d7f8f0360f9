"""What comes back from the other machine: files and a list of them that is written last, so that halves are told from wholes.

Two places take turns. While one is written anew, the other stays whole: a machine that dies at any moment leaves the
checkpoint before. Nothing is moved or locked on the way, for a mounted bucket need not be able to.
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
    """A whole delivery in the bucket: its number, whether the training had ended, and (size, sha256) by name."""

    number: int
    final: bool
    files: dict[str, tuple[int, str]]

    @property
    def place(self) -> str:
        """Where it lies."""
        return f"{BACK}/{SLOTS[self.number % len(SLOTS)]}"


def leave(folder: Path, mount: Path, number: int, final: bool) -> Delivery:
    """Copy checkpoints, δ, vector and result of the job in ``folder`` to the mounted bucket."""
    place = mount / Delivery(number, final, {}).place
    shutil.rmtree(place, ignore_errors=True)
    files = {}
    for path in training_files(folder, final):
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = _copy(path, place / name)
        except FileNotFoundError:  # the training replaced it this very moment
            continue
    place.mkdir(parents=True, exist_ok=True)
    content = {"number": number, "final": final, "files": files}
    with open(place / LIST, "w", encoding="utf-8") as file:
        json.dump(content, file)
        flush(file)
    return Delivery(number, final, files)


def training_files(folder: Path, final: bool = False) -> list[Path]:
    """List what comes back of a job's folder: checkpoints, δ and vector, and at the end the result."""
    found = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in OF_THIS_MACHINE:
            found += [path for path in entry.rglob("*") if path.is_file() and not path.name.endswith(PART)]
    if final and (folder / RESULT).is_file():
        found.append(folder / RESULT)
    return sorted(found)


def find(bucket: BucketFolder, scratch: Path) -> Delivery | None:
    """Find the latest delivery of which every file is there in its size; None where there is none."""
    there = bucket.list(BACK)
    lists = {name: file for name, file in there.items() if name in {f"{BACK}/{slot}/{LIST}" for slot in SLOTS}}
    bucket.fetch(lists, scratch)
    found = [delivery for name in lists if (delivery := _read(scratch / name)) is not None]
    whole = [one for one in found if all(_size(there, one, name) == size for name, (size, _) in one.files.items())]
    return max(whole, key=lambda one: one.number, default=None)


def fetch(bucket: BucketFolder, delivery: Delivery, scratch: Path) -> Path | None:
    """Bring a delivery into ``scratch`` and return its folder there; None where a file is not what the list says."""
    there = bucket.list(delivery.place)
    wanted = {f"{delivery.place}/{name}" for name in delivery.files}
    if not wanted <= there.keys():
        return None
    bucket.fetch({name: there[name] for name in wanted}, scratch)
    folder = scratch / delivery.place
    folder.mkdir(parents=True, exist_ok=True)
    whole = all(_sha256(folder / name) == sha for name, (_, sha) in delivery.files.items())
    return folder if whole else None


def unpack(arrived: Path, folder: Path) -> dict[str, Any]:
    """Put what arrived in the place of what the job's folder holds, and return the result, empty where there is none."""
    for entry in sorted(arrived.iterdir()):
        if entry.is_dir():
            shutil.rmtree(folder / entry.name, ignore_errors=True)
            move(entry, folder / entry.name)
    try:
        return json.loads((arrived / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _read(path: Path) -> Delivery | None:
    """Read a list; None for one that is half written, or that names a file outside of what may come back."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in content["files"].items()}
        delivery = Delivery(int(content["number"]), bool(content["final"]), files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return delivery if all(map(_may_come, delivery.files)) else None


def _may_come(name: str) -> bool:
    parts = PurePosixPath(name).parts
    inside = (
        not name.startswith("/") and "\\" not in name and not {"..", "."} & set(name.split("/")) and "\0" not in name
    )
    return (
        bool(parts)
        and inside
        and (name == RESULT or (len(parts) > 1 and parts[0] not in OF_THIS_MACHINE and parts[0][0] != "."))
    )


def _size(there: dict[str, Any], delivery: Delivery, name: str) -> int | None:
    file = there.get(f"{delivery.place}/{name}")
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
