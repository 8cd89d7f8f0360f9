"""How the C library keeps memory that was freed, in a process that serves many people for a long time.

glibc keeps an arena for each of several dozen threads, and large blocks, once freed, in them: a server whose own data stayed at 0.5 GB
grew to 2 GB, of which half was free (docs/load.md).
"""

import ctypes
import sys

# From malloc.h of glibc.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
ARENAS = 2
LARGE = 2**20  # bytes: a block of this size or more is mapped by itself and goes back when it is freed


def return_freed_memory() -> bool:
    """Let what is freed go back to the system; False where the C library is none that can be told so."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return tell is not None and bool(tell(M_ARENA_MAX, ARENAS)) and bool(tell(M_MMAP_THRESHOLD, LARGE))
