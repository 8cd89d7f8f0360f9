"""Training outside the web request: jobs that outlive the page and the server.

A ``Store`` keeps the jobs, a ``Scheduler`` in the server starts one worker process at a time for each device,
``state_of``, ``progress_of`` and ``turns`` say what a page shows.
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
