"""The vectors that a visitor can choose: trained, imported, public and bundled ones, identified by key only."""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from deftx.core.errors import VectorError, unknown_name
from deftx.jobs import Store, state_of
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors import vector_files
from ui import strings

BUNDLED_KEY, PUBLIC_KEY = "bundled:", "public:"

# The fields of vector.json that are kept in memory, beside "weights": the weights in all parameters that it changes.
DESCRIBED = (
    "kind",
    "language",
    "labels",
    "base",
    "method",
    "ablate",
    "rank",
    "k",
    "seed",
    "recipe",
    "corpus",
    "scores",
)


@dataclass(frozen=True)
class Entry:
    """One vector: its key, its title and its folder."""

    key: str
    label: str
    folder: Path


def entries(store: Store, kind: str) -> list[Entry]:
    """List the vectors of a kind ("language" or "task"): trained, then imported, then public, then bundled ones."""
    return [*_trained(store, kind), *_imported(store, kind), *_public(store, kind), *_bundled(kind)]


def find(store: Store, kind: str, key: str) -> Entry:
    """Find a vector by its key; VectorError for any other key, so paths are not accepted."""
    found = {entry.key: entry for entry in entries(store, kind)}
    if key not in found:
        raise unknown_name(f"The {kind} vector", str(key), found, VectorError)
    return found[key]


def describe(folder: Path) -> dict[str, Any]:
    """Return the content of vector.json; empty if it is missing or unreadable."""
    path = folder / vector_files.INFO
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return {}


def fits(entry: Entry, fingerprint: str) -> bool:
    """Return whether a vector was made for the base with this fingerprint."""
    return (describe(entry.folder).get("base") or {}).get("fingerprint") == fingerprint


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(path)
    # Spectra are large, and are read again where they are shown.
    described = {name: content.get(name) for name in DESCRIBED}
    return {**described, "weights": sum(math.prod(shape) for shape in (content.get("shapes") or {}).values())}


def _trained(store: Store, kind: str) -> list[Entry]:
    jobs = [job for job in store.list() if job.kind == kind and state_of(job).name == "finished"]
    return [
        Entry(f"job:{job.id}", f"{job.name} ({with_owner(store, job.owner, strings.TRAINED)})", job.out)
        for job in jobs
        if (job.out / vector_files.INFO).is_file()
    ]


def with_owner(store: Store, owner: str, said: str) -> str:
    """Add the owner's name to a title if the item is somebody else's, because an admin sees everybody's items."""
    return f"{said}, {owner}" if owner != (store.owner or "") else said


def _imported(store: Store, kind: str) -> list[Entry]:
    return [
        Entry(f"own:{own.name}", f"{own.title} ({strings.BROUGHT})", own.folder)
        for own in OwnVectors(store.root).list()
        if describe(own.folder).get("kind") == kind
    ]


def public(store: Store) -> OwnVectors:
    """The index of public vectors, which is the same in every workspace."""
    return OwnVectors(store.home / "public")


def _public(store: Store, kind: str) -> list[Entry]:
    return [
        Entry(f"{PUBLIC_KEY}{own.name}", f"{own.title} ({strings.PUBLIC})", own.folder)
        for own in public(store).list()
        if describe(own.folder).get("kind") == kind
    ]


def _bundled(kind: str) -> list[Entry]:
    folders = sorted(vector_files.BUNDLED_VECTORS.glob("*/" + vector_files.INFO))
    return [
        Entry(f"{BUNDLED_KEY}{path.parent.name}", f"{path.parent.name} ({strings.BUNDLED})", path.parent)
        for path in folders
        if describe(path.parent).get("kind") == kind
    ]
