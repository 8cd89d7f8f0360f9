"""What a table needs: which vectors have to be trained, in which order, and which of them share a dense phase."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deftx.evidence.rows import VARIANTS, Row
from deftx.evidence.settings import Setting
from deftx.training.pipeline import AFTER_DENSE


@dataclass(frozen=True)
class Vector:
    """One vector of the grid; ``source`` says of a task vector whether it starts from the source language's."""

    kind: str
    language: str
    variant: str
    seed: int
    source: bool = False

    @property
    def name(self) -> str:
        """What its folder is called."""
        start = "" if self.kind == "language" else "-from-source" if self.source else "-from-base"
        return f"{self.kind}-{self.language}-{self.variant}{start}-{self.seed}"

    @property
    def dense_name(self) -> str:
        """What the folder of its δ is called: vectors of the same name share one dense phase."""
        variant = VARIANTS[self.variant]
        chosen = {**variant.shared, **(variant.language if self.kind == "language" else {})}
        before = {key: value for key, value in sorted(chosen.items()) if key not in AFTER_DENSE}
        parts = [self.kind, self.language, *(f"{key}={value}" for key, value in before.items())]
        if self.source:
            parts.append(f"from-{self.variant}")  # another source vector, another start
        return "-".join([*parts, str(self.seed)])


def vectors_of(row: Row, language: str, seed: int, setting: Setting) -> tuple[Vector, Vector | None]:
    """Return the task vector and, where the row adds one, the language vector of one cell."""
    task = Vector("task", setting.source, row.variant, seed, row.source)
    return task, Vector("language", language, row.variant, seed) if row.language else None


def waves(
    rows: Sequence[Row], languages: Iterable[str], seeds: Iterable[int], setting: Setting, own_source: bool = True
) -> list[list[list[Vector]]]:
    """Return language vectors, then task vectors (they start from some of the former), in groups that share a δ.

    ``own_source`` False leaves out source vectors that only tasks would start from: another one is used.
    """
    needed: dict[Vector, None] = {}
    for seed in seeds:
        for row in rows:
            if row.source and own_source:
                needed[Vector("language", setting.source, row.variant, seed)] = None
            for language in languages:
                needed |= dict.fromkeys(v for v in vectors_of(row, language, seed, setting) if v)
    found = []
    for kind in ("language", "task"):
        groups: dict[str, list[Vector]] = {}
        for vector in needed:
            if vector.kind == kind:
                groups.setdefault(vector.dense_name, []).append(vector)
        found.append(list(groups.values()))
    return found
