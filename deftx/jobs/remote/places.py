"""Configuration of remote jobs from environment variables."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deftx.jobs.job import JobError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

IMAGE, BUCKET, NAMESPACE, POLL = "DEFTX_JOBS_IMAGE", "DEFTX_JOBS_BUCKET", "DEFTX_JOBS_NAMESPACE", "DEFTX_JOBS_POLL"
TOKEN = "HF_TOKEN"


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
