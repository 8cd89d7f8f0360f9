"""Rate limit on wrong passwords: after some, a name is locked for that address, and after many for every new address."""

import ipaddress
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

FREE = 5  # wrong passwords before a lock, for one name from one address
FREE_OF_ALL = 20  # the same for all names from one address, against trying one password for many names
FREE_OF_NAME = 100  # the same for one name from all addresses, against trying its passwords from many addresses
NAME_WAIT = 60.0  # seconds of a lock of a name for all addresses; it does not grow, because its owner is waiting too
PLACES = 10_000  # addresses from which somebody has logged in; the oldest are forgotten first
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
        self._known: dict[Hashable, None] = {}  # names and addresses of right passwords

    def wait(self, name: str, address: str) -> float:
        """Return the seconds until a password for this name is accepted from this address again; 0 if not locked."""
        with self._lock:
            counts = [self._counts[key] for key, *_ in self._limits(name, address) if key in self._counts]
            return max(0.0, *(count.locked_until - self._clock() for count in counts), 0.0)

    def note(self, name: str, address: str, right: bool) -> None:
        """Count a wrong password, or reset the count of this name at this address after a right one."""
        with self._lock:
            now, own = self._clock(), (name[:100], _place(address))
            self._counts = {key: one for key, one in self._counts.items() if now - one.locked_until < FORGOTTEN}
            if right:
                self._counts.pop(own, None)
                self._known.pop(own, None)
                self._known[own] = None
                if len(self._known) > PLACES:
                    del self._known[next(iter(self._known))]
                return
            for key, free, longest in self._limits(name, address):
                count = self._counts.setdefault(key, _Count())
                count.wrong += 1
                lock = 0.0
                if count.wrong >= free:
                    lock = min(longest, FIRST_WAIT * 2.0 ** min(count.wrong - free, 16))
                count.locked_until = now + lock

    def _limits(self, name: str, address: str) -> list[tuple[Hashable, int, float]]:
        """Return what is counted: its key, the free wrong passwords, and the longest lock in seconds."""
        name, place = name[:100], _place(address)
        limits: list[tuple[Hashable, int, float]] = [
            # By name and address, because otherwise anybody could lock a name for its owner.
            ((name, place), FREE, LONGEST_WAIT),
            ((None, place), FREE_OF_ALL, LONGEST_WAIT),
        ]
        if (name, place) not in self._known:
            limits.append(((name, None), FREE_OF_NAME, NAME_WAIT))
        return limits


def _place(address: str) -> str:
    """Return the network of an address: for IPv6 its first 64 bits, because clients choose the others freely."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
