"""The sources that Spectra can show and their facts, computed once for each state of their files."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from deftx.analysis.mask_change import MaskChange, compare_masks, read_delta, select_under
from deftx.analysis.rank_preview import WhatIf, what_if
from deftx.analysis.spectra import Spectra, spectra_of
from deftx.core.errors import VectorError, unknown_name
from deftx.jobs import Job, Store, state_of
from deftx.jobs.other_rank import add_with_rank, kept_delta
from deftx.training.recipes import Recipe, recipe_for
from deftx.vectors import vector_files
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.library import vector_index

State = tuple[int, int]  # of a file: when it was written, and its size


@dataclass(frozen=True)
class Source:
    """A vector, or a training run that already has a δ; ``vector`` and ``delta`` are None if they do not exist."""

    key: str
    label: str
    kind: str
    vector: Path | None
    delta: Path | None
    job: Job | None


class SpectraFacts:
    """Facts by key; every method can be called from any thread."""

    def __init__(self, store: Store) -> None:
        """Use the bundled vectors and the jobs of this store."""
        self.store = store
        self._working = threading.Lock()
        self._computed = lru_cache(maxsize=8)(lambda path, state: spectra_of(path.parent))
        self._outcomes = lru_cache(maxsize=64)(
            lambda path, state, strategy: what_if(self._spectra(path, state), strategy)
        )
        self._changes = lru_cache(maxsize=64)(self._change)

    def sources(self) -> list[Source]:
        """List the sources: unfinished training runs first, then vectors in the page's usual order."""
        jobs = {job.id: job for job in self.store.list()}
        found = [self._unfinished(job) for job in jobs.values() if state_of(job).name != "finished" and kept_delta(job)]
        for kind in ("language", "task"):
            for entry in vector_index.entries(self.store, kind):
                job = jobs.get(entry.key.removeprefix("job:"))
                delta = kept_delta(job) if job else None
                found.append(Source(entry.key, entry.label, kind, entry.folder, delta, job))
        return found

    def find(self, key: str) -> Source:
        """Find a source by its key; VectorError for any other key, so paths are not accepted."""
        found = {source.key: source for source in self.sources()}
        if key not in found:
            raise unknown_name("The vector", str(key), found, VectorError)
        return found[key]

    def spectra(self, source: Source) -> Spectra:
        """Return its spectra: the stored ones of δ, otherwise computed from δ or from the vector."""
        path = _shown(source)
        return self._spectra(path, _state(path))

    def _spectra(self, path: Path, state: State) -> Spectra:
        with self._working:  # a second request waits for the same result instead of computing it again
            return self._computed(path, state)

    def outcome(self, source: Source, strategy: str) -> WhatIf:
        """Return what a strategy would choose, from the singular values alone; RecipeError for an invalid strategy."""
        path = _shown(source)
        return self._outcomes(path, _state(path), strategy)

    def strategy(self, source: Source) -> str:
        """Return the strategy with which a source was, or will be, denoised."""
        return self.spectra(source).strategy or _rank(_recipe(source))

    def mask_change(self, source: Source, strategy: str) -> MaskChange:
        """Denoise δ and select from it again, which takes as long as in training; VectorError if δ is not stored."""
        if source.delta is None:
            raise VectorError(strings.MASK_UNKNOWN)
        return self._changes(source.delta, _state(source.delta), self._to_compare(source), strategy, _recipe(source))

    def branch(self, source: Source, strategy: str) -> Job:
        """Put a training run with another rank into the queue, starting from this δ; DeftxError if there is none."""
        if source.job is None:
            raise VectorError(strings.NO_DELTA)
        return add_with_rank(
            self.store, source.job, strategy, strings.BRANCH_NAME.format(name=source.job.name, rank=strategy)
        )

    def _to_compare(self, source: Source) -> tuple[Path, State] | str:
        """Return the mask to compare with: the vector's, or the one that the recipe's strategy would select."""
        recipe = _recipe(source)
        if source.vector is not None and not getattr(recipe, "trim", False):  # δ of a trimmed base has other positions
            return source.vector, _state(source.vector / vector_files.INFO)
        if recipe.method == "random":
            raise VectorError(strings.MASK_RANDOM)
        return _rank(recipe)

    def _change(
        self, path: Path, state: State, old: tuple[Path, State] | str, strategy: str, recipe: Recipe
    ) -> MaskChange:
        delta = read_delta(path)
        mask, filled = select_under(delta, strategy, recipe)
        return compare_masks(mask, filled, self._old_mask(delta, old, recipe))

    def _old_mask(
        self, delta: Mapping[str, Tensor], old: tuple[Path, State] | str, recipe: Recipe
    ) -> Mapping[str, Tensor]:
        return select_under(delta, old, recipe)[0] if isinstance(old, str) else SparseVector.load(old[0]).positions

    def _unfinished(self, job: Job) -> Source:
        return Source(f"job:{job.id}", strings.UNFINISHED.format(name=job.name), job.kind, None, kept_delta(job), job)


def _recipe(source: Source) -> Recipe:
    """Return the recipe of a source: from its vector, otherwise from its job."""
    noted = vector_index.describe(source.vector).get("recipe") if source.vector else None
    if noted or source.job is None:
        return recipe_for(source.kind).changed(noted or {})
    return source.job.request.full_recipe()


def _rank(recipe: Recipe) -> str:
    """Return the strategy that training follows: only deft-x denoises."""
    return recipe.rank if recipe.method == "deft-x" else "none"


def _shown(source: Source) -> Path:
    return source.vector / vector_files.INFO if source.vector else source.delta


def _state(path: Path) -> State:
    try:
        found = path.stat()
    except OSError as error:
        raise VectorError(strings.SPECTRUM_GONE) from error
    return found.st_mtime_ns, found.st_size
