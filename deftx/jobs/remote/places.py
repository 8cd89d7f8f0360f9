"""Where remote trainings run and for whom: what this machine's environment says."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deftx.jobs.job import JobError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

IMAGE, BUCKET, NAMESPACE, POLL = "DEFTX_JOBS_IMAGE", "DEFTX_JOBS_BUCKET", "DEFTX_JOBS_NAMESPACE", "DEFTX_JOBS_POLL"
TOKEN = "HF_TOKEN"


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
