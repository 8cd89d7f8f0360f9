"""Download of a repository's files from the Hub, by id and revision, with the local cache."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RevisionNotFoundError

from deftx.core.errors import VectorError
from deftx.hub.client import HubName, hub
from deftx.hub.errors import FAMILIES, explain_hub


def pull(name: HubName, *, needed: tuple[str, ...], wanted: tuple[str, ...] = ()) -> Path:
    """Return a folder with these files of a repository, from the cache or downloaded.

    An interrupted download is resumed; the cache never contains incomplete files.

    Raises:
        VectorError: If the repository or revision does not exist, lacks a needed file, or cannot be downloaded.
    """
    api, files = hub(), [*needed, *wanted]
    try:
        # Try the cache first: without a network, the Hub's client retries for 23 seconds.
        folder = Path(
            api.snapshot_download(name.id, revision=name.revision, allow_patterns=files, local_files_only=True)
        )
        if all((folder / file).is_file() for file in needed):
            return folder
    except FAMILIES:
        pass  # not in the cache: downloaded below
    try:
        folder = Path(api.snapshot_download(name.id, revision=name.revision, allow_patterns=files))
    except FAMILIES as error:
        raise pull_refusal(name, error) from error
    for file in needed:
        if not (folder / file).is_file():
            raise VectorError(f"The Hub repository {name} has no {file}.")
    return folder


def cached_commit(repository: str) -> str | None:
    """Return the commit from which transformers has loaded a model, which it does not tell; None if it is not in the cache."""
    found = try_to_load_from_cache(repository, "config.json")
    return Path(found).parent.name if isinstance(found, str) else None


def pull_refusal(name: HubName, error: Exception) -> VectorError:
    """Return the error for a failed download from a repository."""
    if isinstance(error, RevisionNotFoundError):
        return VectorError(
            f"{name.id} has no revision {name.revision!r}. Give a branch, a tag or a commit, or leave it out."
        )
    instead = "download the folder in another way and use that"
    return VectorError(explain_hub(error, f"repository {name.id}", instead, missing=(HFValidationError,)))
