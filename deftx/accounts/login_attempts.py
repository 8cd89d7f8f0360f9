"""How often a wrong password may be tried: after a few, a name is closed to that address for a while, and then for longer."""

import ipaddress
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

FREE = 5  # wrong passwords in a row that cost nothing, for one name from one address
FREE_OF_ALL = 20  # the same for all names from one address: somebody who tries one password on everybody
FIRST_WAIT, LONGEST_WAIT = 60.0, 3_600.0  # seconds; each further wrong password doubles it
FORGOTTEN = 3_600.0  # seconds without a wrong password, counted from when it was open again


@dataclass
class _Count:
    wrong: int = 0
    open_again: float = 0.0


class Tries:
    """Counts wrong passwords; can be asked from any thread. What it knows goes with the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of no wrong password; ``clock`` counts seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._counts: dict[Hashable, _Count] = {}

    def wait(self, name: str, address: str) -> float:
        """Return the seconds until a password for this name is looked at again from this address; 0: now."""
        with self._lock:
            counts = [self._counts[key] for key, _ in _keys(name, address) if key in self._counts]
            return max(0.0, *(count.open_again - self._clock() for count in counts), 0.0)

    def note(self, name: str, address: str, right: bool) -> None:
        """Note whether a password was right; a right one makes the wrong ones for that name forgotten."""
        with self._lock:
            now = self._clock()
            self._counts = {key: one for key, one in self._counts.items() if now - one.open_again < FORGOTTEN}
            if right:
                self._counts.pop(_keys(name, address)[0][0], None)
                return
            for key, free in _keys(name, address):
                count = self._counts.setdefault(key, _Count())
                count.wrong += 1
                closed = 0.0
                if count.wrong >= free:
                    closed = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count.wrong - free, 16))
                count.open_again = now + closed


def _keys(name: str, address: str) -> tuple[tuple[Hashable, int], tuple[Hashable, int]]:
    # By name and address together: a name alone could be closed to its owner by anybody.
    place = _place(address)
    return ((name[:100], place), FREE), ((None, place), FREE_OF_ALL)


def _place(address: str) -> str:
    """Give the network that one household has: of an IPv6 address its first 64 bits, for the rest is free to choose."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
