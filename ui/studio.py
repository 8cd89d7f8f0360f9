"""What all visitors share: the store of jobs, the texts, one base, and composed classifiers that are never changed."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError, HubError
from deftx.data.audit import Audit, audit
from deftx.jobs import Job, Store, push
from deftx.jobs.pace import note_expected
from deftx.jobs.remote.flavors import Offers
from deftx.jobs.remote.places import HOURS
from deftx.jobs.state import worker_of
from deftx.models.bases import Base, load_base
from deftx.publish.own_vectors import LONGEST_TITLE, clean
from deftx.training.preflight import SettingsRefused
from ui import strings
from ui.access.file_access import ServedFiles
from ui.classify.combination import Combination
from ui.classify.composing import Composing, check_text, takes_pairs
from ui.classify.scoring import Scoring
from ui.corpus.corpora import Corpora
from ui.corpus.tables import Tables
from ui.corpus.text_facts import TextFacts
from ui.overlap.overlaps import Overlaps
from ui.shared.background import BackgroundTasks, OwnBackgroundTasks
from ui.spectra.spectra_facts import SpectraFacts
from ui.train.forecast import Forecast
from ui.train.requests import Order, full_name, job_settings

EXIT_SECONDS = 10.0  # seconds that a process may take to exit after it has reported its end


@dataclass(frozen=True)
class Answer:
    """The probability of each label of one sentence, in the task's order, and the vectors used."""

    probabilities: dict[str, float]
    task: str
    language: str
    device: str


class Studio:
    """The page's one interface to ``deftx``; every method can be called from any thread."""

    def __init__(
        self,
        base_name: str,
        store: Store | None = None,
        *,
        host: "Studio | None" = None,
        admit: Callable[[int], None] = lambda size: None,
    ) -> None:
        """Use the base of this name, which is loaded when it is first needed.

        A workspace of a ``host`` shares its base, composed classifiers and background tasks; its files are below the ``root`` of
        its store. ``admit`` is called before so many bytes are stored, and refuses by raising a DeftxError.
        """
        self.base_name = full_name(base_name)
        self.host, self.admit = host or self, admit
        self.store = store or Store()
        self.served_files = host.served_files if host else ServedFiles()
        self.corpora = Corpora(self.store.root, admit)
        self.tables = Tables(self.store.root, admit)
        self.facts = TextFacts(self.corpora, self.store.root)
        self.overlaps = Overlaps(self.store)
        self.spectra = SpectraFacts(self.store)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.offers = host.offers if host else Offers()
        self.gpus = torch.cuda.device_count()
        self.lasting = True  # whether files outlive the container; False for a container without a mounted volume
        self.forecast = Forecast(self)
        self.background_tasks = OwnBackgroundTasks(host.background_tasks, self.owner) if host else BackgroundTasks()
        self.scoring = Scoring(self)
        self._loading = threading.Lock()
        self._audited = lru_cache(maxsize=32)(self._audit)
        self.composing = host.composing.for_store(self.store) if host else Composing(self.store, self.base)

    @cached_property
    def _base(self) -> Base:
        return load_base(self.base_name, device=self.device)

    def base(self) -> Base:
        """Return the base, loaded once for all callers."""
        if self.host is not self:
            return self.host.base()
        with self._loading:
            return self._base

    def loaded_base(self) -> Base | None:
        """Return the base if it is loaded already: a form must not wait for it."""
        return self.host.__dict__.get("_base")

    @property
    def owner(self) -> str:
        """Whose studio it is; empty for the host's own."""
        return self.store.owner or ""

    @property
    def is_host(self) -> bool:
        """Whether only the host uses it, who may name any path of the machine."""
        return self.host is self

    @property
    def title(self) -> str:
        """The page's name of the base."""
        return Path(self.base_name).name if Path(self.base_name).is_absolute() else self.base_name

    @property
    def machine(self) -> str:
        """Return the device: the GPU's name, otherwise the number of processor cores."""
        if self.device == "cuda":
            name = torch.cuda.get_device_name()
            return name if self.gpus == 1 else strings.SEVERAL_GPUS.format(count=self.gpus, name=name)
        cores = len(os.sched_getaffinity(0))
        return strings.ONE_CORE if cores == 1 else strings.CORES.format(count=cores)

    def audit(self, name: str) -> Audit:
        """Audit a text by its name, once for each state of its file."""
        path = self.corpora.path(name)
        return self._audited(name, path.stat().st_mtime_ns, path.stat().st_size)

    def train_language(
        self,
        corpus: str,
        name: str,
        code: str = "",
        preset: str = "quick",
        recipe: dict[str, Any] | None = None,
        base: str = "",
        processes: int = 1,
        flavor: str = "",
        hours: float = HOURS,
    ) -> Job:
        """Put a language training into the queue; DeftxError before anything is written if it could not start."""
        order = {"corpus": corpus, "name": name, "language": code, "preset": preset, "recipe": recipe, "base": base,
                 "processes": processes, "flavor": flavor, "hours": hours}  # fmt: skip
        return self.train("language", order)

    def train_task(
        self,
        train: str,
        name: str,
        code: str = "",
        preset: str = "quick",
        recipe: dict[str, Any] | None = None,
        base: str = "",
        *,
        valid: str = "",
        source: str = "",
        processes: int = 1,
    ) -> Job:
        """Put a task training into the queue: ``train`` and ``valid`` are stored labelled files, ``source`` is a vector's key."""
        order = {"train": train, "valid": valid, "source": source, "name": name, "language": code, "preset": preset,
                 "recipe": recipe, "base": base, "processes": processes}  # fmt: skip
        return self.train("task", order)

    def train(self, kind: str, order: Order) -> Job:
        """Put a requested training into the queue.

        Raises:
            DeftxError: something is missing or would be refused (SettingsRefused names it); nothing is written.
        """
        # One printable line of limited length each: they are shown to other people, and become the name of a vector.
        texts = {text: clean(order.get(text) or "", LONGEST_TITLE) for text in ("name", "language")}
        order = {**order, **texts}
        if not order["name"]:
            raise DeftxError(strings.NEEDS_NAME if kind == "language" else strings.NEEDS_TASK_NAME)
        if not order.get("corpus" if kind == "language" else "train"):
            raise DeftxError(strings.NEEDS_CORPUS if kind == "language" else strings.NEEDS_TABLE)
        outlook = self.forecast.look(kind, order)
        if outlook.refusals:
            raise SettingsRefused(outlook.refusals)
        settings = job_settings(self, kind, order)
        if settings.get("push_to") and not self.is_host:
            raise HubError(strings.PUSH_NOT_YOURS)
        push.check(settings)
        job = self.store.add(kind, order["name"], settings)
        note_expected(job, outlook.found)
        return job

    def resume(self, job_id: str) -> None:
        """Put a stopped, failed or interrupted job back into the queue, after its process has exited."""
        deadline = time.monotonic() + EXIT_SECONDS
        while worker_of(self.store.get(job_id)) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.store.requeue(job_id)

    def shift(self, job_id: str, places: int) -> None:
        """Move a waiting job by some places; a negative number is earlier."""
        waiting = [job.id for job in self.store.queue()]
        self.store.move(job_id, (waiting.index(job_id) if job_id in waiting else 0) + places)

    def classify(self, text: str, task: str, language: str = "") -> Answer:
        """Classify a sentence with vectors by key; ``language`` may be empty.

        Raises:
            DeftxError: no sentence, no such vector, or a vector made for another base.
        """
        if not text.strip():
            raise DeftxError(strings.NO_SENTENCE)
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        check_text(found.entries[0].folder, text)
        classifier = self.composing.composed_of(found.combination, found.states)
        values = classifier.classify([text])[0].tolist()
        return Answer(
            dict(zip(classifier.labels, values, strict=True)),
            task=found.task,
            language=found.languages[0] if language else strings.NO_LANGUAGE,
            device=self.machine,
        )

    def composed(self, combination: Combination) -> Classifier:
        """Return the classifier of a combination, for any number of texts; nothing else changes it.

        Raises:
            DeftxError: no such vector or method, or a vector made for another base.
        """
        return self.composing.composed(combination)

    def predict(self, texts: Sequence[str], task: str, language: str = "") -> list[str]:
        """Return the most probable label of each text, with vectors by key; DeftxError as in ``classify``."""
        found = self.composing.find(Combination.of(task, [(language, 1.0)]))
        if takes_pairs(found.entries[0].folder):
            raise DeftxError(strings.PAIR_TASK)
        return self.composing.composed_of(found.combination, found.states).predict(texts)

    def _audit(self, name: str, _changed: int, _size: int) -> Audit:
        return audit(self.corpora.read(name), self.base().tokenizer)
