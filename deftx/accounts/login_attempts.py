"""Rate limit on wrong passwords: after some, a name is locked for that address, for an increasing time."""

import ipaddress
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

FREE = 5  # wrong passwords before a lock, for one name from one address
FREE_OF_ALL = 20  # the same for all names from one address, against trying one password for many names
FIRST_WAIT, LONGEST_WAIT = 60.0, 3_600.0  # seconds of a lock; each further wrong password doubles it
FORGOTTEN = 3_600.0  # seconds after the end of a lock until the count is reset


@dataclass
class _Count:
    wrong: int = 0
    locked_until: float = 0.0


class LoginAttempts:
    """Counts wrong passwords in memory. It is thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without counts; ``clock`` returns seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._counts: dict[Hashable, _Count] = {}

    def wait(self, name: str, address: str) -> float:
        """Return the seconds until a password for this name is accepted from this address again; 0 if not locked."""
        with self._lock:
            counts = [self._counts[key] for key, _ in _keys(name, address) if key in self._counts]
            return max(0.0, *(count.locked_until - self._clock() for count in counts), 0.0)

    def note(self, name: str, address: str, right: bool) -> None:
        """Count a wrong password, or reset the count of this name after a right one."""
        with self._lock:
            now = self._clock()
            self._counts = {key: one for key, one in self._counts.items() if now - one.locked_until < FORGOTTEN}
            if right:
                self._counts.pop(_keys(name, address)[0][0], None)
                return
            for key, free in _keys(name, address):
                count = self._counts.setdefault(key, _Count())
                count.wrong += 1
                lock = 0.0
                if count.wrong >= free:
                    lock = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count.wrong - free, 16))
                count.locked_until = now + lock


def _keys(name: str, address: str) -> tuple[tuple[Hashable, int], tuple[Hashable, int]]:
    # By name and address, because otherwise anybody could lock a name for its owner.
    place = _place(address)
    return ((name[:100], place), FREE), ((None, place), FREE_OF_ALL)


def _place(address: str) -> str:
    """Return the network of an address: for IPv6 its first 64 bits, because clients choose the others freely."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
