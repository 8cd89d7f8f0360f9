"""Disks of a few megabytes, for tests of what happens when one is full or cannot be written."""

import subprocess
import tempfile
from pathlib import Path


def mount_in_memory(place: Path) -> str | None:
    """Mount a disk of 8 MB; return why it cannot be done, where it cannot."""
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "there is no mount command"
    return done.stderr.strip() or "mount failed" if done.returncode else None


def why_not() -> str | None:
    """Say why no disk can be mounted here; None where one can."""
    with tempfile.TemporaryDirectory() as folder:
        if reason := mount_in_memory(Path(folder)):
            return reason
        subprocess.run(["umount", folder], check=True)
    return None
