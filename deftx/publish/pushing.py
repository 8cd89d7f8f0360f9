"""Pushing to the Hub: files are first prepared and described, then uploaded as a single commit."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from deftx.analysis.spectra_picture import write_spectra
from deftx.classify.classifier import Classifier
from deftx.core.errors import HubError
from deftx.core.files import require_free_space
from deftx.hub.client import Target, check_push
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.publish.classifier_space import write_space
from deftx.publish.exporting import export_folder
from deftx.publish.space_card import HARDWARE
from deftx.publish.studio_space import write_studio_space
from deftx.vectors.card import Publication, write_card
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS, resolve_vector

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


def prepare_vector(
    api: HfApi, vector: str | os.PathLike, repository: str, folder: Path, *, private: bool,
    license_id: str | None = None, datasets: Sequence[str] = (),
) -> Upload:  # fmt: skip
    """Prepare a vector's files, with a new card and a picture, in the empty ``folder``.

    Raises:
        DeftxError: If the vector cannot be used, or the account has no write access.
    """
    source = resolve_vector(vector)
    read = SparseVector.load(source)
    target = check_target(api, repository, private)
    require_free_space(folder, sum((source / file).stat().st_size for file in (TENSORS, INFO)))
    for file in (TENSORS, INFO):
        shutil.copyfile(source / file, folder / file)
    published = Publication(target.repository, license_id, tuple(datasets), write_spectra(read.info, folder))
    (folder / CARD).write_text(write_card(read.info, read.count, published), encoding="utf-8")
    return _upload(f"a {read.kind} vector of {read.count:,} entries", target, private, folder)


def prepare_classifier(
    api: HfApi, compose: Callable[[], Classifier], task: SparseVector, strength: float,
    languages: Sequence[tuple[SparseVector, float]], repository: str, folder: Path, *, private: bool,
    license_id: str | None = None, method: str = "sum",
) -> Upload:  # fmt: skip
    """Prepare a composed classifier as a transformers model with a card in the empty ``folder``.

    ``compose`` is called after the check of write access; the vectors and strengths are for the card.

    Raises:
        DeftxError: If the classifier cannot be composed, or the account has no write access.
    """
    target = check_target(api, repository, private)
    classifier = compose()
    require_free_space(folder, classifier.size)
    export_folder(classifier, folder, [(task, strength), *languages], method, target.repository, license_id)
    return _upload(f"a classifier of {', '.join(classifier.labels)}", target, private, folder)


def prepare_space(
    api: HfApi, compose: Callable[[], Classifier], task: SparseVector, languages: Sequence[tuple[SparseVector, float]],
    repository: str, folder: Path, *, private: bool, license_id: str | None = None,
) -> Upload:  # fmt: skip
    """Prepare a composed classifier as a Space in the empty ``folder``. Raise DeftxError as ``prepare_classifier`` does."""
    target = check_target(api, repository, private, "space")
    classifier = compose()
    require_free_space(folder, classifier.size)
    title = target.repository.split("/")[1]
    language = (languages[0][0].language or "") if languages else ""
    write_space(classifier, folder, title=title, pairs=task.takes_pairs, language=language, license_id=license_id or "")
    return _upload(f"a Space that classifies as {', '.join(classifier.labels)}", target, private, folder, HARDWARE)


def prepare_studio(api: HfApi, repository: str, folder: Path, *, private: bool) -> Upload:
    """Prepare the whole studio as a Space on ZeroGPU in ``folder``, which must be new or empty.

    Raises:
        DeftxError: If the account has no write access, or the folder cannot be written.
    """
    target = check_target(api, repository, private, "space")
    written = write_studio_space(folder, target.repository.split("/")[1])
    return _upload("a Space with the whole studio", target, private, written, HARDWARE)


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


def check_target(api: HfApi, repository: str, private: bool, kind: str = "model") -> Target:
    """Check write access, and that a private push does not go to a public repository."""
    target = check_push(api, repository, kind)
    if private and target.private is False:
        raise HubError(
            f"{target.repository} is public, so a push to it is public. Push without --private, choose another name, or make "
            "the repository private on the Hub first."
        )
    return target


def _upload(what: str, target: Target, private: bool, folder: Path, hardware: str | None = None) -> Upload:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = tuple((path.relative_to(folder).as_posix(), path.stat().st_size) for path in files)
    return Upload(what, target, private if target.private is None else target.private, folder, named, hardware)


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
