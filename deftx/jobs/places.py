"""Where a container keeps its data: a folder that outlives it where one is mounted and can be written, else its own disk."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DATABASE = "jobs.sqlite"
# What the Dockerfile sets; a person may set DEFTX_HOME instead, which is then taken as it is.
PERSISTENT, LOCAL = "DEFTX_PERSISTENT", "DEFTX_LOCAL"


@dataclass(frozen=True)
class Places:
    """The folder of all data, the queue's database, whether the data outlives the container, and why in words."""

    home: Path
    database: Path
    lasting: bool
    reason: str

    @property
    def snapshot(self) -> Path | None:
        """Where copies of the database are kept; None where it lies beside the data itself."""
        copy = self.home / DATABASE
        return None if copy == self.database else copy


def choose(environment: Mapping[str, str] = os.environ) -> Places:
    """Try the folders by writing, moving and removing a file, and choose."""
    local = Path(environment.get(LOCAL) or "~/studio").expanduser().absolute()
    named = environment.get("DEFTX_HOME")
    mount = Path(named or environment.get(PERSISTENT) or "/data").expanduser().absolute()
    if (problem := why_not(mount)) is not None:
        home = local / "home"
        return Places(home, home / DATABASE, False, f"{problem} Everything is lost when the container ends.")
    lasting = _is_mounted(mount)
    reason = f"{mount} can be written" + ("." if lasting else ", but is no mount: it goes with the container.")
    return Places(mount if named else mount / "deftx", local / DATABASE, lasting, reason)


def why_not(folder: Path) -> str | None:
    """Say in a sentence why data cannot be kept in a folder; None where it can."""
    if not folder.is_dir():
        return f"There is no folder {folder}."
    first, second = (folder / f".deftx-{secrets.token_hex(8)}" for _ in range(2))
    try:
        first.write_bytes(b"deftx")
        os.replace(first, second)
        if second.read_bytes() != b"deftx":
            return f"{folder} does not give back what is written to it."
    except OSError as error:
        return f"{folder} cannot be written by user {os.getuid()} ({error.strerror or error})."
    finally:
        for file in (first, second):
            with suppress(OSError):  # where the folder cannot be written, there is nothing to remove
                file.unlink(missing_ok=True)
    return None


def _is_mounted(folder: Path) -> bool:
    """Say whether the folder lies on another disk than the root of the container."""
    return folder.stat().st_dev != Path("/").stat().st_dev
