"""The processor cores of this machine."""

import os


def cores() -> int:
    """Return the number of cores that this process may use, or on systems that do not say it (macOS), of all cores."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
