"""Training outside of web requests: jobs that continue when the page or the server is closed.

A ``Store`` contains the jobs. A ``Scheduler`` in the server starts one worker process at a time per device. ``state_of``,
``progress_of`` and ``turns`` return what the page shows.
"""

from deftx.jobs.forecast import Turn, turns
from deftx.jobs.home import home
from deftx.jobs.job import Job, JobError
from deftx.jobs.progress import Message, Progress, progress_of
from deftx.jobs.scheduler import Scheduler
from deftx.jobs.state import STATES, State, state_of
from deftx.jobs.store import Store

__all__ = [
    "STATES",
    "Job",
    "JobError",
    "Message",
    "Progress",
    "Scheduler",
    "State",
    "Store",
    "Turn",
    "home",
    "progress_of",
    "state_of",
    "turns",
]
