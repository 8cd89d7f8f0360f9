"""What jobs were expected to take when they were put into the queue, and the pace that finished ones kept."""

from collections.abc import Iterable
from itertools import pairwise

from deftx.core.events import Event, event_from_json
from deftx.core.files import write_json
from deftx.jobs.job import EVENTS, Job, read_json
from deftx.jobs.state import state_of
from deftx.training.estimates import Estimate
from deftx.training.speed import Pace

EXPECTED = "expected.json"  # in the job's folder: operations, steps, seconds
TRAINING = ("dense", "sparse")
FEWEST_SECONDS = 2.0  # of training, below which the events are too coarse to tell a pace


def note_expected(job: Job, expected: Estimate) -> None:
    """Keep what a job was reckoned to take, to be compared with what it took."""
    content = {"operations": expected.operations, "steps": expected.steps, "seconds": expected.seconds}
    write_json(job.folder / EXPECTED, content)


def expected_seconds(job: Job) -> tuple[float, float] | None:
    """Give the time that a job was reckoned to take (at the least, at the most); None where nobody reckoned."""
    noted = (read_json(job.folder / EXPECTED) or {}).get("seconds")
    return (float(noted[0]), float(noted[1])) if noted else None


def paces(jobs: Iterable[Job], base: str, device: str) -> list[Pace]:
    """Give the pace of every finished job on this base and device, in the order of the jobs."""
    alike = [job for job in jobs if job.settings.get("base") == base and job.device == device]
    found = [pace_of(job) for job in alike if state_of(job).name == "finished"]
    return [pace for pace in found if pace is not None]


def pace_of(job: Job) -> Pace | None:
    """Work out a job's pace from its events; None where they or what was expected are too little to tell."""
    noted = read_json(job.folder / EXPECTED) or {}
    if not noted.get("steps"):
        return None
    training, steps, beside = 0.0, 0, 0.0
    for before, after in pairwise(_events(job)):
        passed = max(0.0, after.time - before.time)
        if before.phase == after.phase and after.phase in TRAINING and after.step > before.step:
            training, steps = training + passed, steps + after.step - before.step
        elif not _is_restart(before, after):
            beside += passed
    if training < FEWEST_SECONDS:
        return None
    return Pace(noted["operations"] / noted["steps"] * steps / training, beside)


def _is_restart(before: Event, after: Event) -> bool:
    """Say whether the time between two events went by while nothing ran: reading the text again, a phase that goes on."""
    return (after.phase == "tokenise" != before.phase) or (after.phase in TRAINING and bool(after.message))


def _events(job: Job) -> list[Event]:
    found = []
    try:
        lines = (job.folder / EVENTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            found.append(event_from_json(line))
        except (ValueError, TypeError):
            continue  # cut short by a kill
    return found
