"""What a job needs on another machine: its settings with paths inside its own folder, and the files to go along."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.assets import ASSETS
from deftx.core.files import PART
from deftx.jobs.job import EVENTS, HEARTBEAT, LOCK, LOG, RESULT, SETTINGS, JobError
from deftx.jobs.remote.note import NOTE

FILES = "files"  # the folder in a job's own that holds what it learns from
BUNDLED_BASES = ASSETS / "bases"
# Settings that are this machine only: where to train, on how many of its GPUs, and a push, for which a token is here alone.
FOR_HERE = ("device", "flavor", "hours", "processes", "push_to", "push_private")
# Of a job's folder, what is about its run on this machine alone.
OF_THIS_MACHINE = (SETTINGS, EVENTS, HEARTBEAT, LOCK, LOG, RESULT, NOTE, "spent.json", "expected.json", FILES)


@dataclass(frozen=True)
class JobPackage:
    """The settings as the other machine needs them, and the files: (where it lies, its name in the job's folder)."""

    settings: dict[str, Any]
    files: list[tuple[Path, str]]

    @property
    def bytes(self) -> int:
        """What all files take together."""
        return sum(path.stat().st_size for path, _ in self.files)


def pack(settings: Mapping[str, Any], folder: Path, device: str) -> JobPackage:
    """Find all that a job needs; a base or vector of the Hub's and what is bundled is left to be found there.

    Raises:
        JobError: a file is gone, or δ is kept outside the job's folder.
    """
    packed = {name: value for name, value in settings.items() if name not in FOR_HERE}
    packed["device"] = device
    files: list[tuple[Path, str]] = []
    for name in ("corpus", "train", "valid"):
        if settings.get(name):
            packed[name] = _data(name, settings[name], folder, files)
    for name in ("base", "source"):
        found = _folder(name, settings.get(name))
        if found is not None:
            packed[name] = _take(found, f"{FILES}/{name}", files)
    delta = str(settings.get("delta") or "")
    if delta and (Path(delta).is_absolute() or ".." in Path(delta).parts):
        raise JobError("On another machine δ can only be kept in the job's own folder; leave --delta away.")
    files += [(path, path.relative_to(folder).as_posix()) for path in _kept(folder)]
    return JobPackage(packed, files)


def is_bundled(base: str) -> bool:
    """Say whether a base of this name comes with the studio, here and there."""
    return Path(base).name == base and (BUNDLED_BASES / base).is_dir()


def _data(name: str, given: Any, folder: Path, files: list[tuple[Path, str]]) -> Any:
    paths = [folder / path for path in ([given] if isinstance(given, str) else given)]
    # Each in a folder of its own: two files may be called the same, and a name says how a file is read.
    taken = [_take(path, f"{FILES}/{name}-{number}", files) for number, path in enumerate(paths)]
    return taken[0] if isinstance(given, str) else taken


def _take(path: Path, place: str, files: list[tuple[Path, str]]) -> str:
    if not path.exists():
        raise JobError(f"{path.name}, from which the job learns, is gone. Bring it back, or start a new training.")
    target = f"{place}/{path.name}"
    if path.is_dir():
        files += [(one, f"{target}/{one.relative_to(path).as_posix()}") for one in _below(path)]
    else:
        files.append((path, target))
    return target


def _folder(name: str, given: Any) -> Path | None:
    text = str(given or "")
    if not text or (name == "base" and is_bundled(text)):
        return None
    path = Path(text).expanduser()
    return path if path.is_dir() else None


def _kept(folder: Path) -> Iterator[Path]:
    """Walk through checkpoints and δ of earlier runs: the training goes on from them."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name not in OF_THIS_MACHINE and not entry.name.startswith("."):
            yield from _below(entry)


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(PART))
