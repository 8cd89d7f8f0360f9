"""Where remote trainings run and for whom: what this machine's environment says, and the settings of a job."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deftx.jobs.job import HF_JOBS, JobError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

IMAGE, BUCKET, NAMESPACE, POLL = "DEFTX_JOBS_IMAGE", "DEFTX_JOBS_BUCKET", "DEFTX_JOBS_NAMESPACE", "DEFTX_JOBS_POLL"
TOKEN = "HF_TOKEN"

HOURS = 4.0  # that a remote training gets where nobody says otherwise
FEWEST_HOURS, MOST_HOURS = 0.5, 168.0


@dataclass(frozen=True)
class RemoteRequest:
    """What a job's settings say about a remote machine: its flavour, and the hours after which it is switched off."""

    flavor: str
    hours: float

    @property
    def seconds(self) -> int:
        """The time limit as the Hub takes it."""
        return round(self.hours * 3600)


def settings_for(flavor: str, hours: float = HOURS) -> dict[str, Any]:
    """Give what makes a job's settings those of a remote one; JobError for what cannot be ordered."""
    return {"device": HF_JOBS, "flavor": flavor, "hours": remote_request({"flavor": flavor, "hours": hours}).hours}


def remote_request(settings: Mapping[str, Any]) -> RemoteRequest:
    """Read the order of a job's settings; JobError where it cannot be used."""
    flavor, hours = str(settings.get("flavor") or ""), settings.get("hours", HOURS)
    if not flavor:
        raise JobError("A training on Hugging Face Jobs needs the name of a machine (flavour), such as l4x1.")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not FEWEST_HOURS <= hours <= MOST_HOURS:
        raise JobError(
            f"A training on Hugging Face Jobs gets {FEWEST_HOURS:g} to {MOST_HOURS:g} hours at most; {hours!r} is not that."
        )
    return RemoteRequest(flavor, float(hours))


def why_not_offered(environment: Mapping[str, str] = os.environ) -> str:
    """Say what is missing before remote trainings can be started from here; empty where nothing is."""
    if not environment.get(IMAGE):
        return (
            f"Hugging Face Jobs are not set up here: {IMAGE} must name the image that they run, such as "
            "hf.co/spaces/OWNER/STUDIO, a Space of this studio."
        )
    if not environment.get(TOKEN):
        return (
            f"Hugging Face Jobs need an account: {TOKEN} must hold a token that may run jobs and write to buckets. It is "
            "read from the environment alone and kept nowhere."
        )
    return ""


def client() -> "HfApi":
    """Return a client with the token of the environment; JobError where something is missing."""
    from deftx.hub.client import hub  # the command line reads this module for every command

    if reason := why_not_offered():
        raise JobError(reason)
    return hub(os.environ[TOKEN])


def poll_seconds() -> float:
    """Seconds between two looks at a remote job."""
    return max(0.05, float(os.environ.get(POLL) or 10.0))
