"""What the page compares to know whether the training runs that it shows are still the ones that there are."""

import time
from zlib import crc32

from deftx.jobs import Job, state_of
from ui.classify import classify_tab
from ui.current import current_workspace
from ui.slices import calls

UNDO_OFFERED = 600.0  # seconds after a discard; the trash itself is under History


def is_busy() -> bool:
    """Return whether anything trains or waits, also the training runs of others, which come first."""
    workspace = current_workspace()
    everyone = workspace.host.store
    waits = everyone.queue() or calls.current(workspace.store)
    return bool(waits) or any(state_of(job).active for job in everyone.list())


def just_discarded() -> Job | None:
    """Return the training run of this workspace whose removal can be undone here."""
    trash = current_workspace().own_store.trash()
    return trash[0] if trash and time.time() - trash[0].trashed < UNDO_OFFERED else None


def state() -> int:
    """Return a fingerprint of all that a look shows of training runs and vectors, but for the progress of a training run."""
    workspace = current_workspace()
    jobs = [(job.id, job.name, state_of(job).name) for job in workspace.store.list()]
    waiting = [job.id for job in workspace.host.store.queue()]
    lists = classify_tab.task_choices(), classify_tab.language_choices()
    return crc32(repr((jobs, waiting, just_discarded(), *lists)).encode())
