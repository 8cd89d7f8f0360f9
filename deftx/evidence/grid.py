"""The vectors that a table needs, in training order, grouped by shared dense phases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from deftx.evidence.rows import VARIANTS, Row
from deftx.evidence.settings import Setting
from deftx.training.learned import AFTER_DENSE


@dataclass(frozen=True)
class Vector:
    """A vector of the grid; ``source`` says whether a task vector starts from the source language's vector.

    ``data``, ``few`` and ``targets`` say what a task vector learns from besides the rows of the source, as in a row.
    """

    kind: str
    language: str
    variant: str
    seed: int
    source: bool = False
    data: str = ""
    few: int = 0
    targets: tuple[str, ...] = ()

    @property
    def learned_from(self) -> str:
        """A part of the names, for the data of the targets; empty if there is none."""
        return f"-{self.data}{self.few or ''}-{'+'.join(self.targets)}" if self.data else ""

    @property
    def name(self) -> str:
        """The name of its folder."""
        start = "" if self.kind == "language" else "-from-source" if self.source else "-from-base"
        return f"{self.kind}-{self.language}-{self.variant}{start}{self.learned_from}-{self.seed}"

    @property
    def dense_name(self) -> str:
        """The name of its δ's folder; vectors with the same name share a dense phase."""
        variant = VARIANTS[self.variant]
        chosen = {**variant.shared, **(variant.language if self.kind == "language" else {})}
        before = {key: value for key, value in sorted(chosen.items()) if key not in AFTER_DENSE}
        parts = [self.kind, self.language + self.learned_from, *(f"{key}={value}" for key, value in before.items())]
        if self.source:
            parts.append(f"from-{self.variant}")  # the start depends on the source vector
        return "-".join([*parts, str(self.seed)])


def vectors_of(
    row: Row, language: str, seed: int, setting: Setting, languages: Iterable[str] = ()
) -> tuple[Vector, Vector | None]:
    """Return the task vector and, if the row has one, the language vector of a cell.

    ``languages`` are the targets of the table, whose labelled rows a task can be learned from.
    """
    task = Vector("task", setting.source, row.variant, seed, row.source)
    if row.data == "lexicon" and language != setting.source:  # no word list translates the source into itself
        task = replace(task, data=row.data, targets=(language,))
    elif row.data == "labelled":
        targets = (language,) if row.few else tuple(one for one in languages if one != setting.reference)
        task = replace(task, data=row.data, few=row.few, targets=targets)
    own = Vector("language", setting.language_of(language), row.variant, seed)
    return task, own if row.language else None


def waves(
    rows: Sequence[Row], languages: Iterable[str], seeds: Iterable[int], setting: Setting, own_source: bool = True
) -> list[list[list[Vector]]]:
    """Return language vectors, then task vectors (which start from some of these), in groups that share a δ.

    With ``own_source`` False, source vectors that only tasks would start from are omitted.
    """
    needed: dict[Vector, None] = {}
    languages = tuple(languages)
    for seed in seeds:
        for row in rows:
            if row.source and own_source:
                needed[Vector("language", setting.source, row.variant, seed)] = None
            for language in languages:
                needed |= dict.fromkeys(v for v in vectors_of(row, language, seed, setting, languages) if v)
    found = []
    for kind in ("language", "task"):
        groups: dict[str, list[Vector]] = {}
        for vector in needed:
            if vector.kind == kind:
                groups.setdefault(vector.dense_name, []).append(vector)
        found.append(list(groups.values()))
    return found
