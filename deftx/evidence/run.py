"""Running the grid: training vectors in separate processes, then predicting every cell. All results are kept."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from deftx.classify.composition import compose
from deftx.core.errors import VectorError
from deftx.core.events import read_duration
from deftx.core.files import write_json
from deftx.evidence.cells import Cost, Scored
from deftx.evidence.claims import Claims
from deftx.evidence.costs import Timed, is_trained, read_cost, train_with_cost
from deftx.evidence.grid import Vector, vectors_of, waves
from deftx.evidence.labelled import labelled_rows, read_tests, sources_of
from deftx.evidence.rows import VARIANTS, Row
from deftx.evidence.settings import Setting
from deftx.evidence.shared_work import ALL, Reporter, Shard, Work, keep_settings, share
from deftx.models.bases import Base, load_base
from deftx.training.language import learn_language
from deftx.training.recipes import LanguageRecipe, TaskRecipe, recipe_for
from deftx.training.task import learn_task
from deftx.vectors.lt_sft import read_lt_sft
from deftx.vectors.vector import SparseVector


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
    devices: tuple[str, ...]  # one process for each
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


def train_all(run: Run, reporter: Reporter, shard: Shard = ALL) -> None:
    """Train all missing vectors, a group at a time on each device. An interrupted run is resumed.

    Other commands on the same folder may do so at the same time; this one begins with the groups of its shard.
    """
    groups = [group for wave in run.groups() for group in shard.order(wave)]
    work = Work(groups, lambda group: group[0].dense_name, partial(_all_done, run), partial(_has_source, run),
                Claims(run.out / "claims"))  # fmt: skip
    todo = [group for group in groups if not _all_done(run, group)]
    if not todo:
        return
    count = sum(not is_done(run, vector) for group in todo for vector in group)
    reporter.say(f"{count} vectors to train, in {len(todo)} groups that share a dense phase.")
    began = time.monotonic()
    for _, names in share(work, partial(train_group, run), run.devices, reporter.raise_if_stopped):
        left = [group for group in todo if not _all_done(run, group)]
        seconds = (time.monotonic() - began) / max(1, len(todo) - len(left)) * len(left)
        reporter.say(f"{len(todo) - len(left)} of {len(todo)}: {', '.join(names)}; {read_duration(seconds)} left")


def _all_done(run: Run, group: Sequence[Vector]) -> bool:
    return all(is_done(run, vector) for vector in group)


def _has_source(run: Run, group: Sequence[Vector]) -> bool:
    """Return whether the language vectors with which the rows of a group are learned have been trained."""
    needed = {one for vector in group for one in sources_of(vector)}
    if run.source:
        needed = {one for one in needed if one.language != run.setting.source}
    return all(is_done(run, vector) for vector in needed)


def train_group(run: Run, group: Sequence[Vector], device: str) -> list[str]:
    """Train the missing vectors of a group in sequence, delete δ at the end, and return their names."""
    torch.set_num_threads(run.threads)
    delta = run.out / "delta" / group[0].dense_name
    base = load_base(run.base, device=device)
    todo = [vector for vector in group if not is_done(run, vector)]
    dense = max((_cost(run, vector)["dense"] for vector in group if vector not in todo), default=0.0)
    for vector in todo:
        dense = train_with_cost(run.folder(vector), partial(_train, run, vector, base, delta), device, dense)
    shutil.rmtree(delta, ignore_errors=True)
    return [vector.name for vector in todo]


def _train(run: Run, vector: Vector, base: Base, delta: Path, timed: Timed) -> None:
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
    tests = read_tests(run.setting, run.data, run.languages)
    for row in run.rows:
        for seed in run.seeds:
            for language, test in tests.items():
                reporter.raise_if_stopped()
                scored = _kept(run, row, language, seed, list(test.labels))
                if scored is None:
                    task, own = vectors_of(row, language, seed, run.setting, run.languages)
                    language_vector = run.folder(own) if own else None
                    classifier = compose(base, task=run.folder(task), language=language_vector, method=row.merge)
                    names = [vector.name for vector in (task, own) if vector]
                    scored = Scored(row.name, language, seed, list(test.labels), classifier.predict(test.texts), names)
                    run.keep(scored)
                    reporter.say(f"{row.name}, {language}, seed {seed}: {scored.score(run.setting.metric):.3f}")
                yield scored


def _kept(run: Run, row: Row, language: str, seed: int, gold: list[str]) -> Scored | None:
    """Return the cell in its file; None if there is none, or it is of other vectors or of a test set with other labels."""
    file = run.score_file(row.name, language, seed)
    if not file.is_file():
        return None
    cell = Scored.from_dict(json.loads(file.read_text(encoding="utf-8")))
    names = [vector.name for vector in vectors_of(row, language, seed, run.setting, run.languages) if vector]
    # Files of earlier versions do not name the vectors, which only the rows of all targets need to know.
    same = cell.vectors == names if cell.vectors else row.data != "labelled" or row.few > 0
    return cell if same and cell.gold == gold else None


def cost_of(run: Run, row: Row) -> Cost:
    """Return the cost of a row alone. Each dense phase counts once, even if other rows share it."""
    alone = replace(run, rows=(row,))
    vectors = [vector for wave in alone.groups() for group in wave for vector in group]
    costs = {vector: _cost(run, vector) for vector in vectors}
    dense = {vector.dense_name: cost["dense"] for vector, cost in costs.items()}
    seconds = sum(dense.values()) + sum(cost["rest"] for cost in costs.values())
    return Cost(seconds, max(cost["peak_gb"] for cost in costs.values()))


def _cost(run: Run, vector: Vector) -> dict[str, float]:
    return read_cost(run.folder(vector))


def is_done(run: Run, vector: Vector) -> bool:
    """Return whether a vector and its cost have been written."""
    return is_trained(run.folder(vector))


def claim(run: Run, base: Base) -> None:
    """Write the settings of the folder, or raise RecipeError if the folder has other settings."""
    keep_settings(run.out, "evidence", {"setting": run.setting.name, "base": base.fingerprint, "preset": run.preset,
                                        "changes": run.changes, "source": run.source})  # fmt: skip
