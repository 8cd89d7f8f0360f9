"""Sizes in bytes: formatting, and the size of a folder."""

import os
from contextlib import suppress
from pathlib import Path


def read_size(count: float) -> str:
    """Format a number of bytes, e.g. "3.3 GB" or "9.9 MB"."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(0, count) / 1e6:,.1f} MB"


def folder_size(folder: Path) -> int:
    """Return the total size of all files below a folder, in bytes. Files that vanish meanwhile are ignored."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total
