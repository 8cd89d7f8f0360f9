"""The machines that Hugging Face Jobs lend, and what they cost: as the Hub says now, never from memory."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock, Thread

from huggingface_hub import HfApi, JobHardware
from huggingface_hub.hf_api import JobHardwareInfo

from deftx.core.errors import unknown_name
from deftx.hub.client import hub
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.jobs.job import JobError

UNITS = {"second": 3600, "minute": 60, "hour": 1}  # of a price, in an hour
KEPT = 600.0  # seconds that an answer of the Hub is used; a refusal a tenth of that


@dataclass(frozen=True)
class Flavor:
    """A kind of machine: its name, what it is, its GPU (empty: none), and dollars an hour (None: not known)."""

    name: str
    title: str = ""
    gpu: str = ""
    dollars: float | None = None

    @property
    def machine(self) -> str:
        """Say what it is, with its GPU."""
        return f"{self.title or self.name}{f' ({self.gpu})' if self.gpu else ''}"

    @property
    def device(self) -> str:
        """What the worker computes with there."""
        return "cuda" if self.gpu else "cpu"

    def price(self, hours: float) -> str:
        """Write what so many hours cost, in whole cents; empty where the price is not known."""
        return "" if self.dollars is None else f"${self.dollars * hours:,.2f}"


@dataclass(frozen=True)
class Offer:
    """What can be chosen, and why there are no prices, in words, where there are none."""

    flavors: tuple[Flavor, ...]
    problem: str = ""


def ask(api: HfApi) -> tuple[Flavor, ...]:
    """Ask the Hub for machines and prices, the cheapest first; JobError where it cannot be asked."""
    try:
        found = [_flavor(one) for one in api.list_jobs_hardware()]
    except (*FAMILIES, KeyError, TypeError) as error:
        said = explain_hub(error, "list of machines", "try again later") if isinstance(error, FAMILIES) else str(error)
        raise JobError(f"What machines there are and what they cost is not known. {said}") from error
    return tuple(sorted(found, key=lambda one: (one.dollars is None, one.dollars or 0.0)))


def find(flavors: Iterable[Flavor], name: str) -> Flavor:
    """Find a machine by its name; JobError, with the nearest one, where there is none."""
    known = {one.name: one for one in flavors}
    if name not in known:
        raise unknown_name("The machine of Hugging Face Jobs", name, known, JobError)
    return known[name]


class Offers:
    """The last answer, for pages that ask often and must not wait for a Hub that is far away."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._lock, self._asking, self._until = Lock(), None, 0.0
        self._offer = Offer(tuple(Flavor(one.value, one.value) for one in JobHardware), "The Hub has not answered yet.")

    def now(self, patience: float = 3.0) -> Offer:
        """Give what is offered; before the Hub has answered, the names that its client knows, and no prices."""
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
        except JobError as error:  # prices of an hour ago may not hold any more: none are shown
            offer = Offer(tuple(replace(one, dollars=None) for one in self._offer.flavors), str(error))
        with self._lock:
            self._offer, self._asking = offer, None
            self._until = time.monotonic() + (KEPT / 10 if offer.problem else KEPT)


def _flavor(one: JobHardwareInfo) -> Flavor:
    gpu = f"{one.accelerator.quantity} × {one.accelerator.model}, {one.accelerator.vram}" if one.accelerator else ""
    unit = UNITS.get(one.unit_label)
    return Flavor(one.name, one.pretty_name, gpu, None if unit is None else one.unit_cost_usd * unit)
