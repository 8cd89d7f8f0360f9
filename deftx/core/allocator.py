"""Settings of glibc's memory allocator for a server that runs for a long time.

By default glibc creates an arena per thread and keeps freed blocks in these arenas: a server with 0.5 GB of data grew to
2 GB, half of it freed memory (docs/load.md).
"""

import ctypes
import sys

# From malloc.h of glibc.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
ARENAS = 2
LARGE = 2**20  # bytes: a block of this size or more is mapped on its own and returned to the system when it is freed


def return_freed_memory() -> bool:
    """Make the allocator return freed memory to the system. Return False if the C library has no ``mallopt``."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(M_ARENA_MAX, ARENAS)) and bool(mallopt(M_MMAP_THRESHOLD, LARGE))
