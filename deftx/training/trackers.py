"""Reports of a training run to TensorBoard, Trackio or Weights & Biases: its events as they come, and nothing else.

Words of the held-out text, which some events quote, are never reported.
"""

import hashlib
import importlib
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deftx.core.errors import TrainingError, unknown_name
from deftx.core.events import PHASES, Event, OnEvent
from deftx.core.files import write_json
from deftx.core.names import base_name, plain_name
from deftx.core.optional import require_package
from deftx.training.request import TRACKERS, TrainingRequest

PROJECT = "deftx"  # the project of all runs, where a tracker has projects
LINK = "link.json"  # in the folder of a report: the tracker, and the folder or URL where it shows the run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackedRun:
    """A training run that is reported: a folder for the tracker's files, its name, and its settings."""

    folder: Path
    name: str
    settings: Mapping[str, Any]

    @property
    def run(self) -> str:
        """A name that no other folder has and that a resumed run has again."""
        own = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]
        return f"{plain_name(self.name, 60)}-{own}".lstrip("-")


class Tracker(Protocol):
    """A tracker that has been opened; ``link`` is the folder or the URL where it shows the run."""

    link: str

    def take(self, event: Event) -> None:
        """Report one event."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


def tracked_run(request: TrainingRequest, folder: Path, name: str) -> TrackedRun:
    """Return what is reported of a training run: the settings that it was asked for, without paths of data."""
    settings = {"kind": request.kind, "language": request.language, "base": base_name(request.base)}
    return TrackedRun(folder, name, {**settings, "preset": request.preset, **request.recipe})


def folder_beside(out: Path) -> Path:
    """Return the folder of the reports on a vector: beside that of the vector, which is published as it is."""
    out = out.resolve()
    return out.with_name(f"{out.name}-tracked")


@contextmanager
def reporting(tracker: str, tracked: TrackedRun, on_event: OnEvent) -> Iterator[OnEvent]:
    """Yield a callback that passes events on to ``on_event`` and reports them.

    A tracker that fails later is left out, with a warning, and training continues.

    Args:
        tracker: A name of ``TRACKERS``; without one, nothing is reported.
        tracked: The run that is reported.
        on_event: The callback that receives every event.

    Raises:
        DeftxError: If the tracker's package is missing, or it cannot start.
    """
    from deftx.training import distributed  # imports torch

    if not tracker or not distributed.is_main():
        yield on_event
        return
    opened = open_tracker(tracker, tracked)
    on_event(Event("tokenise", message=f"This run is reported to {TRACKERS[tracker]}: {opened.link}"))
    failed = False

    def guarded(call: Callable[[], None], phase: str) -> None:
        nonlocal failed
        try:
            call()
        except Exception as error:  # any, since a tracker must not end a training run
            log.exception("The tracker failed.")
            if not failed:
                message = f"{TRACKERS[tracker]} failed and is left out from now on: {error}"
                on_event(Event(phase, message=message, warning=True))
            failed = True

    def both(event: Event) -> None:
        on_event(event)
        if not failed:
            guarded(lambda: opened.take(event), event.phase)

    try:
        yield both
    finally:
        with redirect_stdout(sys.stderr):
            guarded(opened.close, "evaluate")


def open_tracker(tracker: str, tracked: TrackedRun) -> Tracker:
    """Start a tracker, and write where it shows the run.

    Raises:
        DeftxError: If it is not known, its package is missing, or it cannot start.
    """
    check_tracker(tracker)
    try:
        tracked.folder.mkdir(parents=True, exist_ok=True)
        with redirect_stdout(sys.stderr):  # stdout is for results
            opened = _OPEN[tracker](tracked)
        write_json(tracked.folder / LINK, {"tracker": tracker, "link": opened.link})
    except Exception as error:  # whatever a tracker raises, for example without a login
        raise TrainingError(f"{TRACKERS[tracker]} could not start: {error}") from error
    return opened


def check_tracker(tracker: str) -> None:
    """Raise DeftxError if a tracker is named that is not known or whose package is missing."""
    if not tracker:
        return
    if tracker not in TRACKERS:
        raise unknown_name("The tracker", tracker, TRACKERS)
    require_package(tracker, "Reports of training runs need", "trackers")


def values_of(event: Event) -> dict[str, float]:
    """Return the numbers of an event by name; ``done`` is the part of the phase that is done."""
    values = {"loss": event.loss, "learning_rate": event.learning_rate, event.metric: event.evaluation,
              "seconds_left": event.seconds_left, "done": event.step / event.total if event.total else None}  # fmt: skip
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}


class _TensorBoard:
    """Event files in a folder for each phase, so that TensorBoard draws the phases into one plot."""

    def __init__(self, tracked: TrackedRun) -> None:
        self._folder = tracked.folder / "tensorboard"
        self._writers: dict[str, Any] = {}
        self.link = str(self._folder)
        settings = "\n".join(f"- {name}: {value}" for name, value in tracked.settings.items())
        self._writer("settings", 0).add_text("settings", settings)

    def take(self, event: Event) -> None:
        values = values_of(event)
        # A resumed run says at which step it continues and repeats those after it: TensorBoard drops the earlier ones.
        continues = bool(event.message) and event.loss is None and event.evaluation is None
        writer = self._writer(event.phase, event.step + continues)
        for name, value in values.items():
            if not continues:  # otherwise how much is done was reported with the step
                writer.add_scalar(name, value, event.step, walltime=event.time)
        if event.message:
            writer.add_text("warning" if event.warning else "message", event.message, event.step, walltime=event.time)
        writer.flush()

    def close(self) -> None:
        with ExitStack() as stack:  # closes the others too if one fails
            for writer in self._writers.values():
                stack.callback(writer.close)

    def _writer(self, phase: str, step: int) -> Any:
        if phase not in self._writers:
            torch_writer: Any = importlib.import_module("torch.utils.tensorboard")
            self._writers[phase] = torch_writer.SummaryWriter(self._folder / phase, purge_step=step)
        return self._writers[phase]


class _Run:
    """A run of Trackio, or of Weights & Biases, which has the same interface; names of values begin with the phase."""

    def __init__(self, run: Any, link: str) -> None:
        self._run, self.link = run, link

    def take(self, event: Event) -> None:
        values: dict[str, Any] = {f"{event.phase}/{name}": value for name, value in values_of(event).items()}
        if values:
            self._run.log({**values, f"{event.phase}/step": event.step})

    def close(self) -> None:
        self._run.finish()


def _trackio(tracked: TrackedRun) -> _Run:
    trackio: Any = importlib.import_module("trackio")
    run = trackio.init(project=PROJECT, name=tracked.run, config=dict(tracked.settings), resume="allow", embed=False,
                       auto_log_cpu=False, auto_log_gpu=False)  # fmt: skip
    return _Run(run, str(run.url or importlib.import_module("trackio.utils").TRACKIO_DIR))


def _wandb(tracked: TrackedRun) -> _Run:
    wandb: Any = importlib.import_module("wandb")
    settings = wandb.Settings(console="off", disable_git=True, save_code=False, x_disable_stats=True,
                              x_disable_meta=True, x_save_requirements=False)  # fmt: skip
    run = wandb.init(project=PROJECT, name=tracked.name, id=tracked.run, config=dict(tracked.settings), resume="allow",
                     dir=tracked.folder, settings=settings)  # fmt: skip
    for phase in PHASES:  # their steps count from 1
        run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
    return _Run(run, str(run.url or Path(run.dir).parent))


_OPEN: dict[str, Callable[[TrackedRun], Tracker]] = {"tensorboard": _TensorBoard, "trackio": _trackio, "wandb": _wandb}
