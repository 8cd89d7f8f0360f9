"""Bytes: of a folder, and as a person reads them."""

import os
from contextlib import suppress
from pathlib import Path


def read_size(count: float) -> str:
    """Write bytes as a person reads them: "3.3 GB", "9.9 MB"."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(0, count) / 1e6:,.1f} MB"


def folder_size(folder: Path) -> int:
    """Count the bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total
