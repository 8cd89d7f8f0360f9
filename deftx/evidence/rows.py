"""The rows of the tables and the vectors that each composes. Their names are the values of ``--methods``."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deftx.core.errors import unknown_name
from deftx.vectors.merging import PAPER

PAPER_WIDTH = 768  # width of XLM-R base, to which the paper's uniform ranks refer


@dataclass(frozen=True)
class Variant:
    """Settings to make vectors: for both kinds, for language vectors only, and a uniform rank at the paper's width."""

    shared: dict[str, Any] = field(default_factory=dict)
    language: dict[str, Any] = field(default_factory=dict)
    uniform: int | None = None

    def settings(self, kind: str, width: int) -> dict[str, Any]:
        """Return the settings of a kind of vector; uniform ranks are scaled to the width of the base."""
        rank = {} if self.uniform is None else {"rank": f"uniform:{round(self.uniform * width / PAPER_WIDTH)}"}
        return {**self.shared, **rank, **(self.language if kind == "language" else {})}


VARIANTS = {
    "lt-sft": Variant({"method": "lt-sft"}),
    "variance": Variant({"rank": "variance:0.9"}),
    "uniform-100": Variant(uniform=100),
    "uniform-200": Variant(uniform=200),
    "uniform-300": Variant(uniform=300),
    "optimal": Variant({"rank": "optimal"}),
    "mp": Variant({"rank": "mp"}),
    "random": Variant({"method": "random"}),
    "lt-sft-no-l1": Variant({"method": "lt-sft"}, {"l1": 0.0}),
    "variance-no-l1": Variant({"rank": "variance:0.9"}, {"l1": 0.0}),
    "no-residual": Variant({"ablate": "no-residual"}),
    "dense-delta": Variant({"ablate": "dense-delta"}),
    "no-retrain": Variant({"ablate": "no-retrain"}),
}


@dataclass(frozen=True)
class Row:
    """A row: its variant, whether it has a language vector, and whether the task starts from the source vector."""

    name: str
    title: str
    variant: str
    language: bool = True
    source: bool = True
    reference: str = ""
    data: str = ""  # of the targets, for tasks: "labelled" rows or a "lexicon"; such a row is run only if named
    few: int = 0  # labelled rows of the one target language, drawn by the seed; 0: all rows of all targets
    merge: str = PAPER  # how task and language vector are merged: a key of merging.METHODS


ROWS = {
    row.name: row
    for row in (
        Row("no-language", "No language vector", "variance", language=False, source=False),
        Row("source-only", "No language vector, task started from the source", "variance", language=False),
        Row("lt-sft", "LT-SFT", "lt-sft", reference="Ansell et al. 2022"),
        Row("variance", "DeFT-X, 90 % of the variance", "variance", reference="table 1"),
        Row("uniform-100", "DeFT-X, uniform rank 100 of 768", "uniform-100", reference="table 1"),
        Row("uniform-200", "DeFT-X, uniform rank 200 of 768", "uniform-200", reference="table 1"),
        Row("uniform-300", "DeFT-X, uniform rank 300 of 768", "uniform-300", reference="table 1"),
        Row("optimal", "DeFT-X, optimal threshold", "optimal", reference="Gavish and Donoho 2014"),
        Row("mp", "DeFT-X, Marchenko-Pastur edge", "mp"),
        Row("random", "A random mask of the same size", "random"),
        Row("lt-sft-no-l1", "LT-SFT without L1", "lt-sft-no-l1"),
        Row("variance-no-l1", "DeFT-X without L1", "variance-no-l1"),
        Row("no-residual", "DeFT-X without the sparse rest", "no-residual", reference="table 5"),
        Row("dense-delta", "DeFT-X, dense δ̂ as vector", "dense-delta", reference="table 5"),
        Row("no-retrain", "DeFT-X, pruned and not retrained", "no-retrain", reference="table 5"),
        Row("no-source", "DeFT-X, task not started from the source", "variance", source=False, reference="table 4"),
        Row("ties", "DeFT-X, merged by TIES", "variance", reference="Yadav et al. 2023", merge="ties"),
        Row("dare", "DeFT-X, merged by DARE", "variance", reference="Yu et al. 2024", merge="dare"),
        Row(
            "multi-source",
            "DeFT-X, with the training rows of all targets",
            "variance",
            data="labelled",
            reference="Ansell et al. 2022",
        ),
        *(
            Row(f"few-{n}", f"DeFT-X, with {n} training rows of the target", "variance", data="labelled", few=n)
            for n in (25, 50, 100, 500)
        ),
        Row("lexicon", "A word list, no language vector", "variance", language=False, source=False, data="lexicon"),
        Row("lexicon+language", "DeFT-X, with a word list", "variance", data="lexicon"),
    )
}


def choose_rows(names: Iterable[str] | None) -> list[Row]:
    """Return the rows with these names in the order of the table, or for None all that need no data of the targets.

    Raises:
        DeftxError: If there is no such row.
    """
    wanted = [name for name, row in ROWS.items() if not row.data] if names is None else list(names)
    for name in wanted:
        if name not in ROWS:
            raise unknown_name("The method", name, ROWS)
    return [row for name, row in ROWS.items() if name in wanted]
