"""The place of a training: this machine, or one of Hugging Face Jobs, which only the host may request, who pays for it."""

from dataclasses import dataclass

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.jobs.remote.flavors import Flavor, find
from deftx.jobs.remote.places import why_not_offered
from deftx.training.request import FEWEST_HOURS, HOURS, MOST_HOURS, TrainingRequest
from ui import strings
from ui.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """A remote machine, the hours after which it is switched off, and why its price is unknown, if it is."""

    flavor: Flavor
    hours: float
    problem: str = ""


def fields() -> dict[str, gr.components.Component]:
    """Make the fields; they are hidden until ``choices`` offers a remote machine."""
    flavor = gr.Dropdown(
        [(strings.TRAIN_HERE, "")], value="", label=strings.FIELDS["flavor"], info=strings.FIELD_HINTS["flavor"],
        visible=False, elem_id="flavor",
    )  # fmt: skip
    hours = gr.Number(
        HOURS, label=strings.FIELDS["hours"], info=strings.FIELD_HINTS["hours"], minimum=FEWEST_HOURS, maximum=MOST_HOURS,
        visible=False, elem_id="hours",
    )  # fmt: skip
    flavor.change(
        lambda name: gr.Number(visible=bool(name)), flavor, hours, api_visibility="private", show_progress="hidden"
    )
    return {"flavor": flavor, "hours": hours}


def choices(workspace: Workspace) -> list[tuple[str, str]]:
    """List this machine, and those that the caller may request, as (label, name)."""
    here = [(strings.TRAIN_HERE, "")]
    if not workspace.is_host or why_not_offered():
        return here
    return [*here, *((_label(flavor), flavor.name) for flavor in workspace.offers.now().flavors)]


def place_of(workspace: Workspace, request: TrainingRequest) -> Place | None:
    """Return where a requested training runs; None for this machine.

    Raises:
        DeftxError: the caller may not request it, it is not set up, or there is no such machine.
    """
    if not request.flavor:
        return None
    if not workspace.is_host:
        raise DeftxError(strings.ELSEWHERE_NOT_YOURS)
    if reason := why_not_offered():
        raise DeftxError(reason)
    offer = workspace.offers.now()
    return Place(find(offer.flavors, request.flavor), request.hours, offer.problem)


def numbers(place: Place, seconds: tuple[float, float] | None) -> list[tuple[str, str]]:
    """Return the machine and its cost as (name, value); ``seconds`` is None if the time is unknown."""
    flavor = place.flavor
    found = [(strings.ELSEWHERE_MACHINE, flavor.machine)]
    if flavor.dollars is None:
        return [*found, (strings.ELSEWHERE_PRICE, strings.ELSEWHERE_NO_PRICE)]
    price = strings.ELSEWHERE_PRICE_OF.format(
        hour=flavor.price(1), most=flavor.price(place.hours), hours=f"{place.hours:g}"
    )
    found.append((strings.ELSEWHERE_PRICE, price))
    if seconds is not None:
        low, high = (flavor.price(min(time / 3600, place.hours)) for time in seconds)
        found.append((strings.ELSEWHERE_COST, strings.TIME_RANGE.format(low=low, high=high)))
    return found


def rests_on(place: Place, trainings: int) -> str:
    """Explain the estimate of time and price."""
    text = strings.ELSEWHERE_MEASURED if trainings else strings.ELSEWHERE_UNMEASURED
    said = text.format(count=trainings, machine=place.flavor.name, hours=f"{place.hours:g}")
    return f"{said} {place.problem}".strip()


def _label(flavor: Flavor) -> str:
    gpu = f", {flavor.gpu}" if flavor.gpu else ""
    price = (
        strings.ELSEWHERE_AN_HOUR.format(price=flavor.price(1))
        if flavor.dollars is not None
        else strings.ELSEWHERE_NO_PRICE
    )
    return f"{flavor.name}{gpu}: {price}"
