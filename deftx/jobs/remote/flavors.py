"""Machines of Hugging Face Jobs and their current prices, as reported by the Hub."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock, Thread

from huggingface_hub import HfApi, JobHardware, JobHardwareInfo

from deftx.core.errors import unknown_name
from deftx.hub.client import hub
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.jobs.job import JobError

UNITS = {"second": 3600, "minute": 60, "hour": 1}  # number of units per hour
KEPT = 600.0  # seconds for which an answer of the Hub is cached; a tenth of that for an error


@dataclass(frozen=True)
class Flavor:
    """A type of machine: its name, title, GPU (empty: none), and price in dollars per hour (None: unknown)."""

    name: str
    title: str = ""
    gpu: str = ""
    dollars: float | None = None

    @property
    def machine(self) -> str:
        """The title with the GPU."""
        return f"{self.title or self.name}{f' ({self.gpu})' if self.gpu else ''}"

    @property
    def device(self) -> str:
        """The device of the worker: "cuda" or "cpu"."""
        return "cuda" if self.gpu else "cpu"

    def price(self, hours: float) -> str:
        """Return the price of a number of hours as text; empty if unknown."""
        return "" if self.dollars is None else f"${self.dollars * hours:,.2f}"


@dataclass(frozen=True)
class Offer:
    """The available machines, and a message if the prices are unknown."""

    flavors: tuple[Flavor, ...]
    problem: str = ""


def ask(api: HfApi) -> tuple[Flavor, ...]:
    """Return machines and prices from the Hub, the cheapest first. Raise JobError if it cannot be reached."""
    try:
        found = [_flavor(one) for one in api.list_jobs_hardware()]
    except (*FAMILIES, KeyError, TypeError) as error:
        said = explain_hub(error, "list of machines", "try again later") if isinstance(error, FAMILIES) else str(error)
        raise JobError(f"The machines and their prices are unknown. {said}") from error
    return tuple(sorted(found, key=lambda one: (one.dollars is None, one.dollars or 0.0)))


def find(flavors: Iterable[Flavor], name: str) -> Flavor:
    """Return a machine by its name. Raise JobError, with the most similar name, if there is none."""
    known = {one.name: one for one in flavors}
    if name not in known:
        raise unknown_name("The machine of Hugging Face Jobs", name, known, JobError)
    return known[name]


class Offers:
    """A cache of the Hub's answer, so that pages do not wait for the Hub."""

    def __init__(self) -> None:
        """Start without an answer; no request is sent."""
        self._lock, self._asking, self._until = Lock(), None, 0.0
        self._offer = Offer(tuple(Flavor(one.value, one.value) for one in JobHardware), "The Hub has not answered yet.")

    def now(self, patience: float = 3.0) -> Offer:
        """Return the offer; before the Hub has answered, the machines that its client knows, without prices."""
        with self._lock:
            if self._asking is None and time.monotonic() > self._until:
                self._asking = Thread(target=self._ask, name="offers", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(patience)
        return self._offer

    def _ask(self) -> None:
        try:
            offer = Offer(ask(hub()))
        except JobError as error:  # old prices may be wrong, so none are shown
            offer = Offer(tuple(replace(one, dollars=None) for one in self._offer.flavors), str(error))
        with self._lock:
            self._offer, self._asking = offer, None
            self._until = time.monotonic() + (KEPT / 10 if offer.problem else KEPT)


def _flavor(one: JobHardwareInfo) -> Flavor:
    gpu = f"{one.accelerator.quantity} × {one.accelerator.model}, {one.accelerator.vram}" if one.accelerator else ""
    unit = UNITS.get(one.unit_label)
    return Flavor(one.name, one.pretty_name, gpu, None if unit is None else one.unit_cost_usd * unit)
