"""Running the grid: training vectors in separate processes, then predicting every cell. All results are kept."""

import json
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from deftx.classify.composition import compose
from deftx.core.errors import TrainingStopped, VectorError
from deftx.core.events import read_duration
from deftx.core.files import write_json
from deftx.data.tables import read_table
from deftx.evidence.cells import Cost, Scored
from deftx.evidence.grid import Vector, vectors_of, waves
from deftx.evidence.labelled import labelled_rows
from deftx.evidence.rows import VARIANTS, Row
from deftx.evidence.settings import Setting
from deftx.evidence.side_by_side import side_by_side
from deftx.models.bases import Base, load_base
from deftx.training.language import learn_language
from deftx.training.recipes import LanguageRecipe, TaskRecipe, recipe_for
from deftx.training.run_folder import refuse_other
from deftx.training.task import learn_task
from deftx.vectors.lt_sft import read_lt_sft
from deftx.vectors.vector import SparseVector

COST = "cost.json"  # time and memory, in a vector's folder


@dataclass(frozen=True)
class Run:
    """The settings of a run: rows, languages, seeds, data, base and output folder."""

    setting: Setting
    rows: tuple[Row, ...]
    languages: tuple[str, ...]  # including the reference language, if there is one
    seeds: tuple[int, ...]
    data: Path
    out: Path
    base: str
    device: str
    preset: str
    changes: dict[str, dict[str, Any]]  # settings of all vectors of a kind, in addition to those of the variant
    source: str | None = None  # source vector for tasks, instead of a trained one
    threads: int = 1

    def folder(self, vector: Vector) -> Path:
        """Return the folder of a vector."""
        return self.out / "vectors" / vector.name

    def score_file(self, row: str, language: str, seed: int) -> Path:
        """Return the file with the predictions of a cell."""
        return self.out / "scores" / f"{row}-{language}-{seed}.json"

    def keep(self, cell: Scored) -> None:
        """Write the predictions of a cell to its file."""
        file = self.score_file(cell.row, cell.language, cell.seed)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, cell.to_dict(), indent=None)

    def recipe(self, vector: Vector, width: int) -> LanguageRecipe | TaskRecipe:
        """Return the settings of a vector on a base of this width."""
        chosen = VARIANTS[vector.variant].settings(vector.kind, width)
        settings = {**chosen, **self.changes[vector.kind], "seed": vector.seed}
        return recipe_for(vector.kind, self.preset, pairs=self.setting.pairs, **settings)

    def groups(self) -> list[list[list[Vector]]]:
        """Return the vectors to train: language vectors, then task vectors, in groups that share a dense phase."""
        return waves(self.rows, self.languages, self.seeds, self.setting, self.source is None)


@dataclass(frozen=True)
class Reporter:
    """Callbacks: ``say`` receives messages, ``should_stop`` returns whether to stop."""

    say: Callable[[str], None]
    should_stop: Callable[[], bool]

    def raise_if_stopped(self) -> None:
        """Raise TrainingStopped if a stop was requested."""
        if self.should_stop():
            raise TrainingStopped("Stopped. The training so far is kept; run the same command to continue.")


def train_all(run: Run, jobs: int, reporter: Reporter) -> None:
    """Train all missing vectors, ``jobs`` groups at a time. An interrupted run is resumed."""
    for wave in run.groups():
        todo = [group for group in wave if any(not is_done(run, vector) for vector in group)]
        if not todo:
            continue
        began, count = time.monotonic(), sum(not is_done(run, vector) for group in todo for vector in group)
        reporter.say(f"{count} {todo[0][0].kind} vectors to train, in {len(todo)} groups that share a dense phase.")
        results = side_by_side(partial(train_group, run), todo, jobs, reporter.raise_if_stopped)
        for done, names in enumerate(results, 1):
            left = (time.monotonic() - began) / done * (len(todo) - done)
            reporter.say(f"{done} of {len(todo)}: {', '.join(names)}; {read_duration(left)} left of these")


def train_group(run: Run, group: Sequence[Vector]) -> list[str]:
    """Train the missing vectors of a group in sequence, delete δ at the end, and return their names."""
    torch.set_num_threads(run.threads)
    delta = run.out / "delta" / group[0].dense_name
    base = load_base(run.base, device=run.device)
    todo = [vector for vector in group if not is_done(run, vector)]
    dense = max((_cost(run, vector)["dense"] for vector in group if vector not in todo), default=0.0)
    for vector in todo:
        if (run.folder(vector) / "vector.json").is_file():  # interrupted before its cost was written
            shutil.rmtree(run.folder(vector))
        timed = Timed()
        _train(run, vector, base, delta, timed)
        dense = max(dense, timed.dense)  # only one vector of the group trains the dense phase
        gpu = torch.cuda.max_memory_allocated() if run.device.startswith("cuda") else 0
        peak = max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, gpu) / 1e9
        write_json(run.folder(vector) / COST, {"dense": dense, "rest": timed.rest, "peak_gb": peak})
    shutil.rmtree(delta, ignore_errors=True)
    return [vector.name for vector in todo]


def _train(run: Run, vector: Vector, base: Base, delta: Path, timed: "Timed") -> None:
    recipe, out = run.recipe(vector, base.model.config.hidden_size), run.folder(vector)
    if isinstance(recipe, LanguageRecipe):
        corpus = run.setting.corpus(run.data, vector.language)
        learn_language(corpus, base, recipe, out=out, delta=delta, language=vector.language, on_event=timed)
        return
    rows = labelled_rows(run.setting, run.data, vector)
    learn_task([one.table for one in rows], base, recipe, valid=run.data / run.setting.valid,
               source=[_vector(run, one.vector, base) for one in rows], repeat=[one.repeat for one in rows],
               lexicon=[one.lexicon for one in rows], out=out, delta=delta, language=vector.language,
               on_event=timed)  # fmt: skip


def _vector(run: Run, vector: Vector | None, base: Base) -> SparseVector | None:
    if vector is None:
        return None
    if run.source and vector.language == run.setting.source:
        return given_source(run.source, base)
    return SparseVector.load(run.folder(vector))


def given_source(name: str, base: Base) -> SparseVector:
    """Load a vector, or an LT-SFT vector such as cambridgeltl/xlmr-lang-sft-id-small.

    Raises:
        VectorError: If it is neither.
    """
    try:
        return SparseVector.load(name)
    except VectorError as error:
        try:
            return read_lt_sft(name, base)
        except VectorError as other:
            raise VectorError(
                f"--source {name} is neither a vector ({error}) nor an LT-SFT vector ({other})"
            ) from error


def score_all(run: Run, base: Base, reporter: Reporter) -> Iterator[Scored]:
    """Yield every cell, from its file or from a composed classifier."""
    tests = {language: read_table(run.setting.test_file(run.data, language)) for language in run.languages}
    for row in run.rows:
        for seed in run.seeds:
            for language, test in tests.items():
                reporter.raise_if_stopped()
                file = run.score_file(row.name, language, seed)
                if not file.is_file():
                    task, own = vectors_of(row, language, seed, run.setting, run.languages)
                    classifier = compose(base, task=run.folder(task), language=run.folder(own) if own else None)
                    scored = Scored(row.name, language, seed, list(test.labels), classifier.predict(test.texts))
                    run.keep(scored)
                    reporter.say(f"{row.name}, {language}, seed {seed}: {scored.score(run.setting.metric):.3f}")
                yield Scored.from_dict(json.loads(file.read_text(encoding="utf-8")))


def cost_of(run: Run, row: Row) -> Cost:
    """Return the cost of a row alone. Each dense phase counts once, even if other rows share it."""
    alone = replace(run, rows=(row,))
    vectors = [vector for wave in alone.groups() for group in wave for vector in group]
    costs = {vector: _cost(run, vector) for vector in vectors}
    dense = {vector.dense_name: cost["dense"] for vector, cost in costs.items()}
    seconds = sum(dense.values()) + sum(cost["rest"] for cost in costs.values())
    return Cost(seconds, max(cost["peak_gb"] for cost in costs.values()))


def _cost(run: Run, vector: Vector) -> dict[str, float]:
    return json.loads((run.folder(vector) / COST).read_text(encoding="utf-8"))


def is_done(run: Run, vector: Vector) -> bool:
    """Return whether a vector and its cost have been written."""
    return (run.folder(vector) / COST).is_file() and (run.folder(vector) / "vector.json").is_file()


class Timed:
    """Measures the seconds of a training run's dense phase and of the rest, from its events."""

    def __init__(self) -> None:
        self.dense = self.rest = 0.0
        self._last = time.monotonic()

    def __call__(self, event: Any) -> None:
        """Add the time since the last event to the phase of this event."""
        now = time.monotonic()
        if event.phase in ("tokenise", "dense"):
            self.dense += now - self._last
        else:
            self.rest += now - self._last
        self._last = now


def claim(run: Run, about: dict[str, Any]) -> None:
    """Write the settings of the folder, or raise RecipeError if the folder has other settings."""
    note = run.out / "run.json"
    if note.is_file():
        refuse_other(run.out, "evidence", json.loads(note.read_text(encoding="utf-8")), about)
    else:
        run.out.mkdir(parents=True, exist_ok=True)
        write_json(note, about)
