"""The folder of all data, and the workspaces of people in it."""

import os
from pathlib import Path

PEOPLE = "people"  # folder of the workspaces in a home


def home() -> Path:
    """Return the folder of all data, DEFTX_HOME or ~/.deftx. It is created with access for its owner only."""
    folder = Path(os.environ.get("DEFTX_HOME") or "~/.deftx").expanduser().absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def workspace(root: Path, owner: str) -> Path:
    """Return the workspace folder of a person, or of the host if ``owner`` is empty."""
    return root / PEOPLE / owner if owner else root
