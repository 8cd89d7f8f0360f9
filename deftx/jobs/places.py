"""Folders for the data of a container: a mounted persistent folder if it is writable, else the container's own disk."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deftx.core.files import expanded

DATABASE = "jobs.sqlite"
# Set by the Dockerfile. Users can set DEFTX_HOME instead.
PERSISTENT, LOCAL = "DEFTX_PERSISTENT", "DEFTX_LOCAL"


@dataclass(frozen=True)
class Places:
    """The folder of all data, the queue's database, whether data is kept after the container ends, and the reason."""

    home: Path
    database: Path
    lasting: bool
    reason: str

    @property
    def snapshot(self) -> Path | None:
        """The file for copies of the database; None if the database itself is in the data folder."""
        copy = self.home / DATABASE
        return None if copy == self.database else copy


def choose(environment: Mapping[str, str] = os.environ) -> Places:
    """Choose folders, after testing them by writing, moving and deleting a file."""
    local = expanded(environment.get(LOCAL) or "~/studio").absolute()
    named = environment.get("DEFTX_HOME")
    mount = expanded(named or environment.get(PERSISTENT) or "/data").absolute()
    if named:  # a missing mount is not created
        with suppress(OSError):
            mount.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (problem := why_not(mount)) is not None:
        home = local / "home"
        return Places(home, home / DATABASE, False, f"{problem} Everything is lost when the container ends.")
    lasting = _is_mounted(mount)
    reason = f"{mount} is writable" + ("." if lasting else ", but not mounted: it is lost when the container ends.")
    return Places(mount if named else mount / "deftx", local / DATABASE, lasting, reason)


def why_not(folder: Path) -> str | None:
    """Return a sentence that says why a folder cannot be used for data, or None if it can."""
    if not folder.is_dir():
        return f"The folder {folder} does not exist."
    first, second = (folder / f".deftx-{secrets.token_hex(8)}" for _ in range(2))
    try:
        first.write_bytes(b"deftx")
        os.replace(first, second)
        if second.read_bytes() != b"deftx":
            return f"A file in {folder} does not have the content that was written to it."
    except OSError as error:
        return f"{folder} cannot be written by user {os.getuid()} ({error.strerror or error})."
    finally:
        for file in (first, second):
            with suppress(OSError):  # the file does not exist if the folder is not writable
                file.unlink(missing_ok=True)
    return None


def _is_mounted(folder: Path) -> bool:
    """Return whether the folder is on another file system than the root folder."""
    return folder.stat().st_dev != Path("/").stat().st_dev
