"""Facts that need a vector's tensors, computed once for each state of its files and shared by all."""

from functools import lru_cache
from pathlib import Path

from deftx.analysis.vector_facts import Changed, Spectral, changed_by_layer, changed_of, sizes_by_layer, spectral
from deftx.vectors.overlaps import overlap
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import INFO
from ui.library import library
from ui.library.library import Item


def layers(item: Item) -> dict[str, Changed]:
    """Count the changed weights of each layer, out of those of M, or out of the known ones for another base."""
    counts, known, _ = _facts(item.folder, _changed(item.folder))
    return changed_of(counts, item.sizes or known)


def spectrum(item: Item) -> Spectral | None:
    """Summarise the spectra stored in a vector."""
    return _facts(item.folder, _changed(item.folder))[2]


def overlaps(item: Item) -> list[tuple[str, float]]:
    """Return the overlap with the other vectors of the same base by title, the largest first."""
    made_for = (item.info.get("base") or {}).get("fingerprint")
    others = [other for other in library.items() if other.key != item.key
              and (other.info.get("base") or {}).get("fingerprint") == made_for]  # fmt: skip
    found = []
    for other in others:
        pair = sorted((one.folder, _changed(one.folder)) for one in (item, other))
        found.append((other.title, _overlap(*pair)))
    return sorted(found, key=lambda one: one[1], reverse=True)


def _changed(folder: Path) -> int:
    return (folder / INFO).stat().st_mtime_ns


@lru_cache(maxsize=2)  # one may be large
def _load(folder: Path, _state: int) -> SparseVector:
    return SparseVector.load(folder)


@lru_cache(maxsize=128)
def _facts(folder: Path, state: int) -> tuple[dict[str, int], dict[str, int], Spectral | None]:
    vector = _load(folder, state)
    return changed_by_layer(vector), sizes_by_layer(vector.shapes), spectral(vector.info)


@lru_cache(maxsize=2048)
def _overlap(one: tuple[Path, int], other: tuple[Path, int]) -> float:
    return overlap(_load(*one), _load(*other))
