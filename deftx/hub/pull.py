"""Files of a repository on the Hub, by id and revision: from the cache where they are there, else fetched whole."""

from pathlib import Path

from huggingface_hub.errors import HFValidationError, RevisionNotFoundError

from deftx.core.errors import VectorError
from deftx.hub.client import HubName, hub
from deftx.hub.errors import FAMILIES, explain_hub


def pull(name: HubName, *, needed: tuple[str, ...], wanted: tuple[str, ...] = ()) -> Path:
    """Give the folder with these files of a repository: the cached copy where there is one, else a new one.

    A connection that breaks is taken up again where it broke; a file is in the cache whole or not at all.

    Raises:
        VectorError: there is no such repository or revision, a needed file is not in it, or it cannot be fetched.
    """
    api, files = hub(), [*needed, *wanted]
    try:
        # The cache first: without a network the Hub's client tries for 23 seconds before it gives up.
        folder = Path(
            api.snapshot_download(name.id, revision=name.revision, allow_patterns=files, local_files_only=True)
        )
        if all((folder / file).is_file() for file in needed):
            return folder
    except FAMILIES:
        pass  # not in the cache: asked for below
    try:
        folder = Path(api.snapshot_download(name.id, revision=name.revision, allow_patterns=files))
    except FAMILIES as error:
        raise pull_refusal(name, error) from error
    for file in needed:
        if not (folder / file).is_file():
            raise VectorError(f"The Hub repository {name} has no {file}: it does not hold what is looked for.")
    return folder


def pull_refusal(name: HubName, error: Exception) -> VectorError:
    """Say why nothing came from a repository."""
    if isinstance(error, RevisionNotFoundError):
        return VectorError(
            f"{name.id} has no revision {name.revision!r}. Give a branch, a tag or a commit, or leave it out."
        )
    instead = "download the folder elsewhere and use that"
    return VectorError(explain_hub(error, f"repository {name.id}", instead, missing=(HFValidationError,)))
