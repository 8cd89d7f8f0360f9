"""The folder of all data, and the workspaces of people in it."""

import os
from pathlib import Path

from deftx.core.errors import DeftxError
from deftx.core.files import expanded

PEOPLE = "people"  # folder of the workspaces in a home


def registered_languages() -> Path:
    """Return the folder of the profiles of languages that the host has registered; it may not exist."""
    return _folder() / "languages"


def home() -> Path:
    """Return the folder of all data, DEFTX_HOME or ~/.deftx. It is created with access for its owner only.

    Raises:
        DeftxError: it is no folder, and cannot be created.
    """
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DeftxError(f"The folder of all data {folder} (DEFTX_HOME) cannot be used: {error.strerror}.") from error
    return folder


def workspace(root: Path, owner: str) -> Path:
    """Return the workspace folder of a person, or of the host if ``owner`` is empty."""
    return root / PEOPLE / owner if owner else root


def _folder() -> Path:
    return expanded(os.environ.get("DEFTX_HOME") or "~/.deftx").absolute()
