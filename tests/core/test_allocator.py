"""Freed memory goes back to the system, also where threads keep something small above every large block."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUSY = """
import ctypes, sys, threading
from deftx.core.allocator import return_freed_memory

if sys.argv[1] == "told" and not return_freed_memory():
    print("not here")
    sys.exit()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def work():
    for _ in range(60):
        large = libc.malloc(4_000_000)
        ctypes.memset(large, 1, 4_000_000)
        held.append(large)
        libc.malloc(50_000)  # stays

held = []
first = libc.malloc(8_000_000)  # once freed, glibc takes blocks of this size from its arenas
libc.free(first)
for _ in range(4):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
for place in held:
    libc.free(place)
resident = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(int(resident.split()[1]) // 1000)
"""


def megabytes_left(told):
    done = subprocess.run([sys.executable, "-c", BUSY, told], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout.strip()


def test_a_server_does_not_keep_what_it_has_freed():
    told = megabytes_left("told")
    if told == "not here":
        pytest.skip("the C library of this machine is not glibc")
    kept = megabytes_left("not told")
    assert int(told) < 200 < 800 < int(kept)
