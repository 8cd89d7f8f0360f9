"""A workspace: the files of one person or of the host, and what all share with the host: one base and composed classifiers.

What is computed from it, such as the forecast of a training, takes a workspace; ``ui.studio`` puts all of it together.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch

from deftx.classify.classifier import Classifier
from deftx.core.files import expanded
from deftx.core.machine import cores
from deftx.data.audit import Audit
from deftx.data.reading import Amount
from deftx.jobs import Store, push
from deftx.jobs.remote.flavors import Offers
from deftx.models.bases import ASSETS, Base, load_base
from deftx.training.request import ZERO_GPU
from ui import strings
from ui.access.file_access import ServedFiles
from ui.classify.combination import Combination
from ui.classify.composing import Composing
from ui.corpus.corpora import Corpora
from ui.corpus.lexicons import Lexicons
from ui.corpus.tables import Tables
from ui.corpus.text_facts import TextFacts
from ui.overlap.overlaps import Overlaps
from ui.shared.background import BackgroundTasks, OwnBackgroundTasks
from ui.slices.batches import batches_here
from ui.slices.calls import calls_here
from ui.spectra.spectra_facts import SpectraFacts


class Workspace:
    """The store of jobs, texts, labelled files, word lists, one base and composed classifiers; every method can be called from any thread."""

    def __init__(
        self,
        base_name: str,
        store: Store | None = None,
        *,
        host: "Workspace | None" = None,
        admit: Callable[[int], None] = lambda size: None,
        most: Amount | None = None,
    ) -> None:
        """Use the base of this name, which is loaded when it is first needed.

        A workspace of a ``host`` shares its base, composed classifiers and background tasks; its files are below the ``root`` of
        its store. ``admit`` is called before so many bytes are read or stored, and refuses by raising a DeftxError; ``most``
        limits what a text or labelled file unpacks to.
        """
        self.base_name = full_name(base_name)
        self.host, self.admit = host or self, admit
        self.store = store or Store()
        self.served_files = host.served_files if host else ServedFiles()
        self.corpora = Corpora(self.store.root, admit, most)
        self.tables = Tables(self.store.root, admit, most)
        self.lexicons = Lexicons(self.store.root, admit, most)
        self.facts = TextFacts(self.corpora, self.store.root, lambda: self.base().tokenizer)
        self.overlaps = Overlaps(self.store)
        self.spectra = SpectraFacts(self.store)
        self.calls = host.calls if host else calls_here()
        self.batches = host.batches if host else batches_here(self.base)
        # On ZeroGPU, CUDA seems to be there also outside of calls.
        self.device = "cuda" if torch.cuda.is_available() and not self.calls else "cpu"
        self.offers = host.offers if host else Offers()
        self.gpus = torch.cuda.device_count() if self.device == "cuda" else 0
        self.lasting = True  # whether files outlive the container; False for a container without a mounted volume
        self.background_tasks = OwnBackgroundTasks(host.background_tasks, self.owner) if host else BackgroundTasks()
        self._loading = threading.Lock()
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
    def own_store(self) -> Store:
        """The jobs of this workspace alone; the ``store`` of the host has those of all people."""
        return self.store.of("") if self.is_host else self.store

    @property
    def is_host(self) -> bool:
        """Whether only the host uses it, who may name any path of the machine."""
        return self.host is self

    @property
    def reports(self) -> bool:
        """Whether training runs can be reported to trackers, which use the accounts of this machine."""
        return self.is_host and not push.is_shared()

    @property
    def title(self) -> str:
        """The page's name of the base."""
        return Path(self.base_name).name if Path(self.base_name).is_absolute() else self.base_name

    @property
    def training_device(self) -> str:
        """The device of new training runs."""
        return ZERO_GPU if self.calls else self.device

    @property
    def machine(self) -> str:
        """Return the device: the GPU's name, otherwise the number of processor cores."""
        if self.device == "cuda":
            name = torch.cuda.get_device_name()
            return name if self.gpus == 1 else strings.SEVERAL_GPUS.format(count=self.gpus, name=name)
        count = cores()
        return strings.ONE_CORE if count == 1 else strings.CORES.format(count=count)

    def audit(self, name: str) -> Audit:
        """Audit a text by its name, once for each state of its file."""
        return self.facts.audit(name)

    def composed(self, combination: Combination) -> Classifier:
        """Return the classifier of a combination, for any number of texts; nothing else changes it.

        Raises:
            DeftxError: no such vector or method, or a vector made for another base.
        """
        return self.composing.composed(combination)


def full_name(base: str) -> str:
    """Return a base's name for a worker that starts in another folder: a folder becomes a full path."""
    bundled = (ASSETS / "bases" / base).is_dir()
    folder = expanded(base)
    return str(folder.resolve()) if folder.is_dir() and not bundled else base
