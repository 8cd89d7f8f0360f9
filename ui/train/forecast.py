"""The cost of a requested training and the problems with it, computed again at every change of the form.

Facts that no setting changes (the size of a text or a base, the machine's speed) are computed once and kept.
"""

import sys
import time
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from deftx.core.errors import BaseModelError, CorpusError, DeftxError, TableError
from deftx.data.lexicon import Covered, coverage
from deftx.jobs import Job
from deftx.jobs.pace import Pace, paces
from deftx.training.base_facts import BaseFacts, read_base_facts
from deftx.training.data_size import TableSize, TextSize
from deftx.training.distributed import for_processes
from deftx.training.estimates import Estimate, estimate
from deftx.training.preflight import (
    Machine,
    Note,
    check_free_space,
    check_processes,
    check_size,
    notes,
    trim_note,
)
from deftx.training.recipes import Recipe
from deftx.training.request import Refusal, SettingsRefused, TrainingRequest
from deftx.training.speed import ZERO_GPU_RATE, Speed, rated_speed, speed_from, trial_speed
from deftx.training.trimming import kept_rows
from ui import strings
from ui.library import vector_index
from ui.train import remote
from ui.train.requests import base_of
from ui.workspace import Workspace

REMOTE = Machine(sys.maxsize, sys.maxsize)  # this machine does not limit its memory
COVERED_LINES = 2_000  # lines or rows whose words are looked up, evenly spread
ASK_AGAIN = 60.0  # seconds after which a missing base is looked up again


@dataclass(frozen=True)
class Outlook:
    """The forecast of a training; fields are None while an input is missing."""

    recipe: Recipe | None = None
    base: BaseFacts | None = None
    found: Estimate | None = None
    trainings: int = 0  # earlier runs behind the estimate; 0: a speed test of the machine
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    place: remote.Place | None = None  # a remote machine; None: this one
    covered: Covered | None = None  # the words of the text that the word list has translations for


class Forecast:
    """Forecasts trainings for a workspace; every method can be called from any thread."""

    def __init__(self, workspace: Workspace, host: "Forecast | None" = None) -> None:
        """Start with an empty cache; the forecast of a ``host``'s workspace uses the host's speed test."""
        self._workspace, self._host = workspace, host or self
        self._missing: dict[str, tuple[float, BaseModelError]] = {}
        self._bases = lru_cache(maxsize=8)(read_base_facts)
        self._texts = lru_cache(maxsize=32)(self._text)
        self._tables = lru_cache(maxsize=32)(self._table)
        self._covered = lru_cache(maxsize=32)(self._cover)
        self._pairs = lru_cache(maxsize=32)(lambda name, _stamp: workspace.tables.read(name).pairs)
        self._rows = lru_cache(maxsize=32)(self._kept)
        self._paces: dict[str, list[Pace]] = {}

    def look(self, request: TrainingRequest) -> Outlook:
        """Return the cost of a requested training, and everything that would be refused; problems are returned, not raised."""
        refused: list[Refusal] = []
        base = self._try("base", refused, self._base_of, request)
        place = self._try("flavor", refused, remote.place_of, self._workspace, request)
        size = self._try_size(request, base, refused)
        pairs = isinstance(size, TableSize) and size.pairs
        try:
            recipe = request.full_recipe(pairs)
        except SettingsRefused as error:
            return Outlook(base=base, refusals=[*refused, *error.refusals])
        processes = request.processes if place is None else 1
        refused += check_processes(processes, recipe, self._workspace.gpus)
        if base is None:
            return Outlook(recipe, base, refusals=refused)
        whole, base = base, self._try("trim", refused, self._trimmed, base, recipe, request) or base
        refused += check_size(recipe, base) + self._check_vectors(request, base)
        covered = self._try("lexicon", refused, self._coverage, request)
        if size is None or refused:
            return Outlook(recipe, base, refusals=refused)
        recipe = for_processes(self._as_started(recipe, request), processes)
        amount, speed = size.amount(recipe, base.longest), self.speed(base.name, place.flavor.name if place else "")
        labels, continues = getattr(size, "labels", 2), bool(request.start)
        found = estimate(request.kind, recipe, base.model, amount, speed, labels, continues)
        machine = Machine.of(self._workspace.device) if place is None else REMOTE
        refused += check_free_space(found, self._workspace.store.folder, machine)
        said = notes(recipe, base, size, amount, found, machine)
        if base is not whole:
            said.append(trim_note(recipe, whole, base))
        if processes > 1:
            said.append(Note("gpus", {"count": processes}))
        sentences = [strings.OUTLOOK_NOTES[note.kind].format(**note.values) for note in said]
        if covered is not None and not covered.covered:
            sentences.append(strings.COVERS_NOTHING)
        return Outlook(recipe, base, found, speed.trainings, refused, sentences, place, covered)

    def base(self, name: str) -> BaseFacts:
        """Return facts about a base; BaseModelError if it cannot be used."""
        asked, error = self._missing.get(name, (0.0, None))
        if error is not None and time.monotonic() - asked < ASK_AGAIN:
            raise error
        try:
            return self._bases(name)
        except BaseModelError as error:
            self._missing[name] = (time.monotonic(), error)
            raise

    def pairs(self, table: str | None) -> bool:
        """Return whether a labelled file holds pairs of texts; False if it cannot be read."""
        try:
            return bool(table) and self._pairs(table, _changed(self._workspace.tables.path(table)))
        except DeftxError:
            return False

    def speed(self, base: str, flavor: str = "") -> Speed:
        """Return the speed with a base on this or a remote machine: from finished training runs, otherwise from a test here."""
        jobs = [job for job in self._workspace.store.list() if job.settings.get("flavor", "") == flavor]
        known = [pace for job in jobs for pace in self._pace(job, base)]
        return speed_from(known) if known else self._host._trial

    @cached_property
    def _trial(self) -> Speed:
        return rated_speed(ZERO_GPU_RATE) if self._workspace.calls else trial_speed(self._workspace.device)

    def _pace(self, job: Job, base: str) -> list[Pace]:
        if job.settings.get("base") != base:
            return []
        if job.id not in self._paces:
            found = paces([job], base, job.device if job.is_remote else self._workspace.training_device)
            if not found:  # it may still finish
                return []
            self._paces[job.id] = found
        return self._paces[job.id]

    def _try(self, field_name: str, refused: list[Refusal], look: Any, *arguments: Any) -> Any:
        try:
            return look(*arguments)
        except DeftxError as error:
            refused.append(Refusal(field_name, str(error)))
            return None

    def _base_of(self, request: TrainingRequest) -> BaseFacts:
        return self.base(base_of(self._workspace, request.base))

    def _try_size(self, request: TrainingRequest, base: BaseFacts | None, refused: list[Refusal]) -> Any:
        chosen = request.data
        if not chosen or base is None:
            return None
        try:
            if request.kind == "language":
                return self._texts(base.name, chosen, _changed(self._workspace.corpora.path(chosen)))
            files = tuple((one.file, one.repeat) for one in request.labelled)
            names = [name for name in (*(name for name, _ in files), request.valid) if name]
            stamps = [_changed(self._workspace.tables.path(name)) for name in names]
            return self._tables(
                base.name, files, request.valid, vector_index.labels_of(self._workspace.store, request.start), *stamps
            )
        except CorpusError as error:
            refused.append(Refusal("corpus", str(error)))
        except TableError as error:
            refused.append(Refusal("train", str(error)))
        return None

    def _text(self, base: str, name: str, _stamp: tuple[int, int]) -> TextSize:
        return TextSize.of(self._workspace.corpora.read(name).lines, self.base(base).tokenizer)

    def _table(
        self,
        base: str,
        files: tuple[tuple[str, int], ...],
        valid: str,
        labels: tuple[str, ...],
        *_stamps: tuple[int, int],
    ) -> TableSize:
        tables = self._workspace.tables
        (train, repeat), *further = ((tables.labelled(name), passes) for name, passes in files)
        rows = tables.labelled(valid) if valid else None
        return TableSize.of(train, rows, self.base(base).tokenizer, repeat, further, labels)

    def _coverage(self, request: TrainingRequest) -> Covered | None:
        """Return how many words of the text, or of the first labelled file, the word list covers; None without one."""
        if not request.lexicon or not request.data:
            return None
        files = self._workspace.corpora if request.kind == "language" else self._workspace.tables
        stamps = [
            _changed(files.path(request.data)),
            *(map(_changed, map(self._workspace.lexicons.path, request.lexicon))),
        ]
        return self._covered(request.kind, request.data, request.lexicon[0], *stamps)

    def _cover(self, kind: str, data: str, lexicon: str, *_stamps: tuple[int, int]) -> Covered:
        workspace = self._workspace
        texts = workspace.corpora.read(data).lines if kind == "language" else workspace.tables.read(data).texts
        return coverage(workspace.lexicons.read(lexicon), texts[:: -(-len(texts) // COVERED_LINES)])

    def _as_started(self, recipe: Recipe, request: TrainingRequest) -> Recipe:
        """Return the recipe with the number of entries of the task vector that is trained further, if there is one."""
        if not request.start:
            return recipe
        info = vector_index.describe(vector_index.find(self._workspace.store, "task", request.start).folder)
        return recipe.changed({"k": info.get("k") or recipe.k})

    def _trimmed(self, base: BaseFacts, recipe: Recipe, request: TrainingRequest) -> BaseFacts:
        """Return the base as the recipe trims it to the text of the request; otherwise unchanged."""
        if not getattr(recipe, "trim", False) or not request.data:
            return base
        rows = self._rows(base.name, request.data, _changed(self._workspace.corpora.path(request.data)))
        return replace(base, model=base.model.with_rows(rows))

    def _kept(self, base: str, name: str, _stamp: tuple[int, int]) -> int:
        return kept_rows(self.base(base).tokenizer, base, self._workspace.corpora.read(name).lines)

    def _check_vectors(self, request: TrainingRequest, base: BaseFacts) -> list[Refusal]:
        """Refuse vectors to start from that do not exist, or that are known to be made for another base."""
        named = [("source", "language", request.source), ("start", "task", request.start)]
        named += [("further", "language", one.source) for one in request.further]
        return [one for place, kind, key in named if key for one in self._check_vector(place, kind, key, base)]

    def _check_vector(self, place: str, kind: str, key: str, base: BaseFacts) -> list[Refusal]:
        refused: list[Refusal] = []
        entry = self._try(place, refused, vector_index.find, self._workspace.store, kind, key)
        made_for = (vector_index.describe(entry.folder).get("base") or {}) if entry else {}
        ours = self._workspace.loaded_base()
        if ours is not None and base.name == ours.name and made_for.get("fingerprint") not in (None, ours.fingerprint):
            reason = f"{entry.label} was made for the base {made_for.get('name')}, not for {base.name}."
            refused.append(Refusal(place, reason))
        return refused


def _changed(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
