"""The vectors that a visitor can choose: trained, imported, public and bundled ones, identified by key only."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from deftx.core import names
from deftx.core.errors import VectorError, unknown_name
from deftx.jobs import Store, state_of
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors import vector_files
from ui import strings
from ui.language_names import name_of

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


def labels_of(store: Store, key: str) -> tuple[str, ...]:
    """Return the labels of a task vector; none without a key, or if there is no such vector."""
    found = next((entry for entry in entries(store, "task") if entry.key == key), None) if key else None
    return tuple(describe(found.folder).get("labels") or ()) if found else ()


def fits(entry: Entry, fingerprint: str) -> bool:
    """Return whether a vector was made for the base with this fingerprint."""
    return (describe(entry.folder).get("base") or {}).get("fingerprint") == fingerprint


def made_for(entry: Entry, base_name: str, fingerprint: str | None) -> bool:
    """Return whether a vector was made for a base; by the name of the base while its ``fingerprint`` is not known."""
    if fingerprint is not None:
        return fits(entry, fingerprint)
    return (describe(entry.folder).get("base") or {}).get("name") == names.base_name(base_name)


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
        Entry(f"job:{job.id}", _label(job.name, job.out, with_owner(store, job.owner, strings.TRAINED)), job.out)
        for job in jobs
        if (job.out / vector_files.INFO).is_file()
    ]


def with_owner(store: Store, owner: str, said: str) -> str:
    """Add the owner's name to a title if the item is somebody else's, because an admin sees everybody's items."""
    return f"{said}, {owner}" if owner != (store.owner or "") else said


def _imported(store: Store, kind: str) -> list[Entry]:
    return [
        Entry(f"own:{own.name}", _label(own.title, own.folder, strings.BROUGHT), own.folder)
        for own in OwnVectors(store.root).list()
        if describe(own.folder).get("kind") == kind
    ]


def public(store: Store) -> OwnVectors:
    """The index of public vectors, which is the same in every workspace."""
    return OwnVectors(store.home / "public")


def _public(store: Store, kind: str) -> list[Entry]:
    return [
        Entry(f"{PUBLIC_KEY}{own.name}", _label(own.title, own.folder, strings.PUBLIC), own.folder)
        for own in public(store).list()
        if describe(own.folder).get("kind") == kind
    ]


def _bundled(kind: str) -> list[Entry]:
    folders = sorted(vector_files.BUNDLED_VECTORS.glob("*/" + vector_files.INFO))
    return [
        Entry(
            f"{BUNDLED_KEY}{path.parent.name}",
            _label(bundled_title(path.parent), path.parent, strings.BUNDLED),
            path.parent,
        )
        for path in folders
        if describe(path.parent).get("kind") == kind
    ]


def bundled_title(folder: Path) -> str:
    """Return the title of a bundled vector: the name of its language, or that of its task."""
    return name_of(code_of(folder) or folder.name)


def code_of(folder: Path) -> str:
    """Return the code of a language vector's language; empty for a task vector, and if it is unknown."""
    info = describe(folder)
    return str(info.get("language") or "") if info.get("kind") == "language" else ""


def right_share(entry: Entry) -> float | None:
    """Return the share of validation rows that a task vector answered right; None if it was not measured."""
    return _score(entry, "accuracy")


def best_first(tasks: Sequence[Entry]) -> list[Entry]:
    """Sort task vectors by their macro-F1 on validation rows; those without one keep their order, at the end."""
    return sorted(tasks, key=lambda entry: -(_score(entry, "f1") or 0.0))


def _score(entry: Entry, metric: str) -> float | None:
    found = (describe(entry.folder).get("scores") or {}).get(metric)
    after = found.get("after") if isinstance(found, dict) else None
    return float(after) if isinstance(after, int | float) else None


def _label(title: str, folder: Path, origin: str) -> str:
    code = code_of(folder)
    about = (code, origin) if code and code.casefold() != title.casefold() else (origin,)
    return f"{title} ({', '.join(about)})"
