"""Overlaps between the vectors of a studio, computed once for each pair and state of their files."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deftx.core.errors import VectorError, unknown_name
from deftx.jobs import Store
from deftx.vectors import vector_files
from deftx.vectors.overlaps import Pairs, VectorOverlap, compare
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.library import vector_index

MOST = 12  # vectors side by side that are still readable
PAIRS_KEPT = 500
LONGEST_NAME = 18  # characters of a name in a plot

State = tuple[Path, int]  # a folder, and when its vector was written


@dataclass(frozen=True)
class Compared:
    """Compared vectors: their keys, kinds and unique short names, and what every two of them share."""

    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    pairs: Pairs

    def pair(self, a: str, b: str) -> VectorOverlap | None:
        """Return what two vectors share, by key; None unless both are compared and differ."""
        if a not in self.keys or b not in self.keys or a == b:
            return None
        return self.pairs[tuple(sorted((self.keys.index(a), self.keys.index(b))))]


class Overlaps:
    """Compares vectors by key; can be called from any thread."""

    def __init__(self, store: Store) -> None:
        """Use the bundled vectors and those of this store's jobs."""
        self._store = store
        self._found: dict[tuple[State, State], VectorOverlap] = {}
        self._working = threading.Lock()

    def entries(self) -> dict[str, tuple[str, vector_index.Entry]]:
        """List every vector by its key as (kind, entry), language vectors first."""
        kinds = ("language", "task")
        return {entry.key: (kind, entry) for kind in kinds for entry in vector_index.entries(self._store, kind)}

    def compare(self, keys: Sequence[str]) -> Compared:
        """Compare every two of the vectors with these keys.

        Raises:
            VectorError: an unknown key, more than MOST, a damaged vector, or vectors of different bases.
        """
        known, keys = self.entries(), list(dict.fromkeys(keys))
        for key in keys:
            if key not in known:
                raise unknown_name("The vector", str(key), known, VectorError)
        if len(keys) > MOST:
            raise VectorError(strings.OVERLAP_TOO_MANY.format(most=MOST))
        states = [_state(known[key][1]) for key in keys]
        with self._working:  # a second visitor waits for the same result instead of computing it again
            return Compared(
                tuple(keys),
                tuple(known[key][0] for key in keys),
                _names([known[key][1] for key in keys]),
                self._pairs(states),
            )

    def _pairs(self, states: Sequence[State]) -> Pairs:
        wanted = {(i, j): (states[i], states[j]) for j in range(len(states)) for i in range(j)}
        missing = {pair for pair in wanted.values() if pair not in self._found}
        vectors = {state: SparseVector.load(state[0]) for state in states if any(state in pair for pair in missing)}
        fresh = {(a, b): compare(vectors[a], vectors[b]) for a, b in missing}
        pairs = {place: fresh.get(pair) or self._found[pair] for place, pair in wanted.items()}
        self._found.update(fresh)
        for oldest in list(self._found)[:-PAIRS_KEPT]:
            del self._found[oldest]
        return pairs


def _state(entry: vector_index.Entry) -> State:
    try:
        return entry.folder, (entry.folder / vector_files.INFO).stat().st_mtime_ns
    except OSError as error:
        raise VectorError(strings.VECTOR_GONE.format(name=entry.label)) from error


def _names(entries: Sequence[vector_index.Entry]) -> tuple[str, ...]:
    """Return short names for plots; equal ones are numbered."""
    short = [_shortened(entry.label.rsplit(" (", 1)[0]) for entry in entries]
    counts, seen = Counter(short), Counter()
    names = []
    for name in short:
        seen[name] += 1
        names.append(f"{name} {seen[name]}" if counts[name] > 1 else name)
    return tuple(names)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
