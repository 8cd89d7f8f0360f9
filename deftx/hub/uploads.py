"""Uploads to the Hub: files of a folder are first listed and described, then pushed as a single commit."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from deftx.core.errors import HubError
from deftx.hub.client import Target, check_push
from deftx.hub.errors import FAMILIES, explain_hub

NOUNS = {"model": "repository", "space": "Space"}


@dataclass(frozen=True)
class Upload:
    """A folder to push and its target; ``files`` are (name, size in bytes)."""

    what: str
    target: Target
    private: bool
    folder: Path
    files: tuple[tuple[str, int], ...]
    hardware: str | None = None  # of a new Space

    @property
    def size(self) -> int:
        """The total size of all files in bytes."""
        return sum(size for _, size in self.files)


@dataclass(frozen=True)
class Pushed:
    """The result of a push: the repository, its URL and the commit."""

    repository: str
    url: str
    commit: str


def check_target(api: HfApi, repository: str, private: bool, kind: str = "model") -> Target:
    """Check write access, and that a private push does not go to a public repository."""
    target = check_push(api, repository, kind)
    if private and target.private is False:
        raise HubError(
            f"{target.repository} is public, so a push to it is public. Push it as public, choose another name, or make "
            "the repository private on the Hub first."
        )
    return target


def upload_of(what: str, target: Target, private: bool, folder: Path, hardware: str | None = None) -> Upload:
    """Return the upload of all files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = tuple((path.relative_to(folder).as_posix(), path.stat().st_size) for path in files)
    return Upload(what, target, private if target.private is None else target.private, folder, named, hardware)


def describe(upload: Upload) -> list[str]:
    """Return lines that describe what a push will do."""
    target = upload.target
    sight = (
        "private: only you and people with access can see it"
        if upload.private
        else "public: everybody can see and copy it"
    )
    noun = NOUNS[target.kind]
    hardware = f" on {upload.hardware}" if upload.hardware else ""
    where = f"a new {noun}{hardware}, {sight}" if target.private is None else f"an existing {noun}, {sight}"
    files = [f"  {name}  {size:,} bytes" for name, size in upload.files]
    replaced = (
        [] if target.private is None else ["Existing files with these names are replaced by a new commit; others stay."]
    )
    return [
        f"{upload.what} will be pushed to {target.repository} ({where}) as {target.account}:",
        *files,
        f"  {len(files)} files, {upload.size:,} bytes",
        *replaced,
    ]


def push(api: HfApi, upload: Upload) -> Pushed:
    """Create the repository if it does not exist, and upload the files as one commit.

    Raises:
        HubError: If it was interrupted or refused; the message describes the state on the Hub. A commit is never partial.
    """
    target, made, before = upload.target, False, None
    repository, kind = target.repository, target.kind
    try:
        if target.private is None:
            more = {"space_sdk": "gradio", "space_hardware": upload.hardware} if kind == "space" else {}
            api.create_repo(repository, repo_type=kind, private=upload.private, exist_ok=False, **more)
            made = True
        before = api.repo_info(repository, repo_type=kind, timeout=20).sha
        additions = [CommitOperationAdd(name, upload.folder / name) for name, _ in upload.files]
        commit = api.create_commit(repository, additions, repo_type=kind, commit_message=f"Push {upload.what}")
    except (*FAMILIES, RuntimeError) as error:  # the client raises RuntimeError if a large upload fails
        raise HubError(_failed(api, target, made, before, error)) from error
    return Pushed(repository, f"{api.endpoint}/{'spaces/' if kind == 'space' else ''}{repository}", commit.oid)


def _failed(api: HfApi, target: Target, made: bool, before: str | None, error: Exception) -> str:
    """Return a message on why a push failed and on the state of the repository."""
    repository = target.repository
    reason = explain_hub(error, f"repository {repository}", "push again later")
    try:
        after = api.repo_info(repository, repo_type=target.kind, timeout=20).sha if made or before else None
    except FAMILIES:
        return f"{reason} Whether the commit arrived is unknown; it is never partial."
    if before and after != before:
        return f"{reason} But {repository} has a new commit ({after}): check it before you push again."
    state = f"{repository} was created and is empty" if made else f"{repository} is unchanged"
    return f"{reason} {state}. Push again: files that the Hub has already stored are not uploaded again."
