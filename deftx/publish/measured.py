"""Scores of a classifier that were measured on a data set of the Hub, in the formats of the Hub.

There are two: ``model-index`` in the card, and ``.eval_results/*.yaml``, whose entries name a data set on the Hub. The scores of
a vector are measured on text held out from its training text, which is no such data set: they are in ``model-index`` alone.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, EvalResultEntry, ModelCardData, eval_result_entries_to_yaml

from deftx.core.errors import HubError
from deftx.core.files import expanded
from deftx.core.units import TEXT
from deftx.hub.client import read_name
from deftx.vectors.card_data import METRICS, TASKS
from deftx.vectors.card_markup import code

RESULTS = ".eval_results"  # the folder that the Hub reads
LARGEST = 2**20  # bytes of a result of ``evaluate``
HOW = "OWNER/DATASET=FILE or OWNER/DATASET:TASK=FILE, where FILE is the output of deftx evaluate --json"

_WRITTEN = re.compile(r"(?P<dataset>[^=:@]+)(:(?P<task>\w[\w.-]*))?=(?P<file>.+)")


@dataclass(frozen=True)
class Measured:
    """A score from 0 to 1 over ``n`` rows of a data set on the Hub, with its 95 % interval."""

    dataset: str
    task: str
    metric: str
    score: float
    low: float
    high: float
    n: int

    @property
    def says(self) -> str:
        """The metric, the interval and the rows, in words."""
        interval = f"95 % interval {self.low:.4f} to {self.high:.4f}"
        return f"{METRICS[self.metric][1]} (0 to 1) of {self.n:,} rows, {interval}"


def read_measured(text: str) -> Measured:
    """Read a data set of the Hub with the file of its result, as HOW says.

    Raises:
        HubError: If the text has another form, or the file is not the output of ``evaluate --json``.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None or read_name(match["dataset"]) is None:
        raise HubError(f"The result {text!r} must be written as {HOW}.")
    found = _read(expanded(match["file"]))
    return Measured(match["dataset"], match["task"] or "default", **found)


def measured_data(name: str, results: Sequence[Measured], unit: str = TEXT) -> dict[str, Any]:
    """Return ``metrics`` and ``model-index`` for the card of ``name``, which answers about a ``unit``; empty without results."""
    if not results:
        return {}
    task, task_name = TASKS.get(unit, TASKS["task"])
    listed = [
        EvalResult(
            task_type=task, task_name=task_name, dataset_type=one.dataset, dataset_name=one.dataset,
            metric_type=METRICS[one.metric][0], metric_name=one.says, metric_value=round(one.score, 4),
        )
        for one in results
    ]  # fmt: skip
    metrics = list(dict.fromkeys(METRICS[one.metric][0] for one in results))
    data = ModelCardData(model_name=name, eval_results=listed, metrics=metrics).to_dict()
    return {key: data[key] for key in ("metrics", "model-index")}


def measured_table(results: Sequence[Measured]) -> str:
    """Return the results as a Markdown table; empty without results."""
    rows = [f"| {code(one.dataset)} | {one.score:.4f} | {one.says} |" for one in results]
    return "\n".join(["| data set | score | what it is |", "|---|---:|---|", *rows]) if rows else ""


def write_measured(folder: Path, results: Sequence[Measured]) -> None:
    """Write ``.eval_results/NAME.yaml`` for each data set, as the Hub's own classes have it."""
    for dataset in dict.fromkeys(one.dataset for one in results):
        entries = [
            EvalResultEntry(dataset_id=dataset, task_id=one.task, value=round(one.score, 4), notes=one.says)
            for one in results
            if one.dataset == dataset
        ]
        path = folder / RESULTS / f"{dataset.replace('/', '--')}.yaml"
        path.parent.mkdir(exist_ok=True)
        # JSON is valid YAML, and safely escaped.
        path.write_text(json.dumps(eval_result_entries_to_yaml(entries), indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        return _checked(found)
    except OSError as error:
        raise HubError(f"The result {path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise HubError(f"{path} is not the output of deftx evaluate --json.") from None


def _checked(found: Mapping[str, Any]) -> dict[str, Any]:
    scores = {name: float(found[name]) for name in ("score", "low", "high")}
    if found["metric"] not in METRICS or not all(math.isfinite(one) and 0 <= one <= 1 for one in scores.values()):
        raise ValueError("a score is missing or out of range")
    return {"metric": found["metric"], "n": int(found["n"]), **scores}
