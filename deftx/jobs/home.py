"""The folder of all data, and the workspace of each person below it."""

import os
from pathlib import Path

PEOPLE = "people"  # the folder of the workspaces below a home


def home() -> Path:
    """Return the folder of all data, DEFTX_HOME or ~/.deftx, created so that only its owner can read it."""
    folder = Path(os.environ.get("DEFTX_HOME") or "~/.deftx").expanduser().absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def workspace(root: Path, owner: str) -> Path:
    """Return the folder of all that is a person's; of the host's own, where ``owner`` is empty."""
    return root / PEOPLE / owner if owner else root
