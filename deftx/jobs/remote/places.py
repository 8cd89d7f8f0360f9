"""Configuration of remote jobs from environment variables and from a job's settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deftx.jobs.job import HF_JOBS, JobError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

IMAGE, BUCKET, NAMESPACE, POLL = "DEFTX_JOBS_IMAGE", "DEFTX_JOBS_BUCKET", "DEFTX_JOBS_NAMESPACE", "DEFTX_JOBS_POLL"
TOKEN = "HF_TOKEN"

HOURS = 4.0  # default time limit
FEWEST_HOURS, MOST_HOURS = 0.5, 168.0


@dataclass(frozen=True)
class RemoteRequest:
    """The machine of a remote job, and its time limit in hours."""

    flavor: str
    hours: float

    @property
    def seconds(self) -> int:
        """The time limit in seconds."""
        return round(self.hours * 3600)


def settings_for(flavor: str, hours: float = HOURS) -> dict[str, Any]:
    """Return the settings of a remote job. Raise JobError if they are invalid."""
    return {"device": HF_JOBS, "flavor": flavor, "hours": remote_request({"flavor": flavor, "hours": hours}).hours}


def remote_request(settings: Mapping[str, Any]) -> RemoteRequest:
    """Return the request in a job's settings. Raise JobError if it is invalid."""
    flavor, hours = str(settings.get("flavor") or ""), settings.get("hours", HOURS)
    if not flavor:
        raise JobError("A training run on Hugging Face Jobs needs the name of a machine (flavor), such as l4x1.")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not FEWEST_HOURS <= hours <= MOST_HOURS:
        raise JobError(
            f"The time limit on Hugging Face Jobs must be {FEWEST_HOURS:g} to {MOST_HOURS:g} hours, not {hours!r}."
        )
    return RemoteRequest(flavor, float(hours))


def why_not_offered(environment: Mapping[str, str] = os.environ) -> str:
    """Return what is missing to start remote jobs; empty if nothing is missing."""
    if not environment.get(IMAGE):
        return (
            f"Hugging Face Jobs are not set up: set {IMAGE} to the image to run, such as hf.co/spaces/OWNER/STUDIO, a Space of "
            "this studio."
        )
    if not environment.get(TOKEN):
        return (
            f"Hugging Face Jobs need an account: set {TOKEN} to a token that may run jobs and write to buckets. It is read only "
            "from the environment and never stored."
        )
    return ""


def client() -> "HfApi":
    """Return a client with the token of the environment. Raise JobError if something is missing."""
    from deftx.hub.client import hub  # slow to import; the command line imports this module for every command

    if reason := why_not_offered():
        raise JobError(reason)
    return hub(os.environ[TOKEN])


def poll_seconds() -> float:
    """Return the seconds between two checks of a remote job."""
    return max(0.05, float(os.environ.get(POLL) or 10.0))
