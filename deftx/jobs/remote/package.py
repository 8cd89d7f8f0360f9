"""The package of a remote job: its settings with relative paths, and the files that it needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.assets import ASSETS
from deftx.core.files import PART, expanded
from deftx.jobs.job import EVENTS, HEARTBEAT, LOCK, LOG, RESULT, SETTINGS, TRACKED, JobError
from deftx.jobs.remote.note import NOTE

FILES = "files"  # folder of the data files in a job's folder
BUNDLED_BASES = ASSETS / "bases"
# Settings for this machine only: device, number of GPUs, and the push, since only this machine has the token.
FOR_HERE = ("device", "flavor", "hours", "processes", "push_to", "push_private", "report_to")
# Settings that name files of data, and folders of vectors or a base; "file" is that of a further labelled file.
DATA_FILES, FOLDERS = ("corpus", "train", "valid", "file", "lexicon"), ("base", "source", "start")
# Files in a job's folder for this machine only.
OF_THIS_MACHINE = (SETTINGS, EVENTS, HEARTBEAT, LOCK, LOG, RESULT, NOTE, "spent.json", "expected.json", FILES, TRACKED)


@dataclass(frozen=True)
class JobPackage:
    """The settings for the remote machine, and the files as (local path, name in the job's folder)."""

    settings: dict[str, Any]
    files: list[tuple[Path, str]]

    @property
    def bytes(self) -> int:
        """The total size of all files."""
        return sum(path.stat().st_size for path, _ in self.files)


def pack(settings: Mapping[str, Any], folder: Path, device: str) -> JobPackage:
    """Return all that a job needs. Bundled bases and vectors, and those on the Hub, are not included.

    Raises:
        JobError: If a file does not exist, or δ is outside of the job's folder.
    """
    packed = {name: value for name, value in settings.items() if name not in FOR_HERE}
    packed["device"] = device
    files: list[tuple[Path, str]] = []
    packed |= _packed(settings, folder, files)
    if further := settings.get("further"):
        packed["further"] = [
            {**one, **_packed(one, folder, files, f"further-{number}-")} for number, one in enumerate(further)
        ]
    delta = str(settings.get("delta") or "")
    if delta and (Path(delta).is_absolute() or ".." in Path(delta).parts):
        raise JobError("A remote job can keep δ only in its own folder. Omit --delta.")
    files += [(path, path.relative_to(folder).as_posix()) for path in _kept(folder)]
    return JobPackage(packed, files)


def is_bundled(base: str) -> bool:
    """Return whether a base of this name is bundled."""
    return Path(base).name == base and (BUNDLED_BASES / base).is_dir()


def _packed(given: Mapping[str, Any], folder: Path, files: list[tuple[Path, str]], prefix: str = "") -> dict[str, Any]:
    """Add the files and folders that the settings name to ``files``; return the settings that name them in the package."""
    packed = {name: _data(f"{prefix}{name}", given[name], folder, files) for name in DATA_FILES if given.get(name)}
    for name in FOLDERS:
        found = _folder(name, given.get(name))
        if found is not None:
            packed[name] = _take(found, f"{FILES}/{prefix}{name}", files)
    return packed


def _data(name: str, given: Any, folder: Path, files: list[tuple[Path, str]]) -> Any:
    paths = [folder / path for path in ([given] if isinstance(given, str) else given)]
    # Each in its own folder, because two files may have the same name, and the extension must stay.
    taken = [_take(path, f"{FILES}/{name}-{number}", files) for number, path in enumerate(paths)]
    return taken[0] if isinstance(given, str) else taken


def _take(path: Path, place: str, files: list[tuple[Path, str]]) -> str:
    if not path.exists():
        raise JobError(f"{path.name}, a data file of the job, does not exist. Restore it, or start a new training run.")
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
    path = expanded(text)
    return path if path.is_dir() else None


def _kept(folder: Path) -> Iterator[Path]:
    """Yield the checkpoints and δ of earlier runs, from which training continues."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name not in OF_THIS_MACHINE and not entry.name.startswith("."):
            yield from _below(entry)


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(PART))
