"""Pushing to the Hub: what will be uploaded is put together and described first; then it is one commit, or nothing."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from deftx.analysis.spectra_picture import write_spectra
from deftx.classify.composition import Classifier
from deftx.core.errors import HubError
from deftx.core.files import require_free_space
from deftx.hub.client import Target, check_push
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.publish.classifier_card import write_classifier_card
from deftx.publish.classifier_space import write_space
from deftx.vectors.card import Publication, write_card
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS, resolve_vector

NOUNS = {"model": "repository", "space": "Space"}


@dataclass(frozen=True)
class Upload:
    """A folder that is ready to be pushed, and where to; ``files`` are (name, bytes), in their order."""

    what: str
    target: Target
    private: bool
    folder: Path
    files: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(size for _, size in self.files)


@dataclass(frozen=True)
class Pushed:
    """What came of a push: the repository's address and the commit that holds exactly what was uploaded."""

    repository: str
    url: str
    commit: str


def prepare_vector(
    api: HfApi, vector: str | os.PathLike, repository: str, folder: Path, *, private: bool,
    license_id: str | None = None, datasets: Sequence[str] = (),
) -> Upload:  # fmt: skip
    """Put a vector's files with a new card and its picture into the empty ``folder``.

    Raises:
        DeftxError: the vector cannot be used, or the account may not write to the repository.
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
    """Write a composed classifier as a plain transformers model with its card into the empty ``folder``.

    ``compose`` is called once the account is known to have the right to push; the other parts are for the card.

    Raises:
        DeftxError: it cannot be composed, or the account may not write to the repository.
    """
    target = check_target(api, repository, private)
    classifier = compose()
    require_free_space(folder, classifier.size)
    classifier.save_pretrained(folder)
    card = write_classifier_card(target.repository, task, strength, languages, license_id, method)
    (folder / CARD).write_text(card, encoding="utf-8")
    return _upload(f"a classifier of {', '.join(classifier.labels)}", target, private, folder)


def prepare_space(
    api: HfApi, compose: Callable[[], Classifier], task: SparseVector, languages: Sequence[tuple[SparseVector, float]],
    repository: str, folder: Path, *, private: bool, license_id: str | None = None,
) -> Upload:  # fmt: skip
    """Write a composed classifier as a Space of its own into the empty ``folder``; called and refused as ``prepare_classifier``."""
    target = check_target(api, repository, private, "space")
    classifier = compose()
    require_free_space(folder, classifier.size)
    title = target.repository.split("/")[1]
    language = (languages[0][0].language or "") if languages else ""
    write_space(classifier, folder, title=title, pairs=task.takes_pairs, language=language, license_id=license_id or "")
    return _upload(f"a Space that classifies as {', '.join(classifier.labels)}", target, private, folder)


def describe(upload: Upload) -> list[str]:
    """Say in lines what a push will do: nothing of it can be undone on the Hub by this project."""
    target = upload.target
    sight = (
        "private: you and those you let in can see it" if upload.private else "public: everybody can see and copy it"
    )
    noun = NOUNS[target.kind]
    where = f"a new {noun}, {sight}" if target.private is None else f"a {noun} that is there already, {sight}"
    files = [f"  {name}  {size:,} bytes" for name, size in upload.files]
    replaced = (
        [] if target.private is None else ["Files of these names there are replaced by a new commit; others stay."]
    )
    return [
        f"{upload.what} goes to {target.repository} ({where}), as {target.account}:",
        *files,
        f"  {len(files)} files, {upload.size:,} bytes",
        *replaced,
    ]


def push(api: HfApi, upload: Upload) -> Pushed:
    """Make the repository where there is none, and upload the files as one commit.

    Raises:
        HubError: it was interrupted or refused; it says what is on the Hub then. Nothing is ever half committed.
    """
    target, made, before = upload.target, False, None
    repository, kind = target.repository, target.kind
    try:
        if target.private is None:
            sdk = "gradio" if kind == "space" else None
            api.create_repo(repository, repo_type=kind, space_sdk=sdk, private=upload.private, exist_ok=False)
            made = True
        before = api.repo_info(repository, repo_type=kind, timeout=20).sha
        additions = [CommitOperationAdd(name, upload.folder / name) for name, _ in upload.files]
        commit = api.create_commit(repository, additions, repo_type=kind, commit_message=f"Push {upload.what}")
    except (*FAMILIES, RuntimeError) as error:  # the client reports large files that did not arrive as RuntimeError
        raise HubError(_failed(api, target, made, before, error)) from error
    return Pushed(repository, f"{api.endpoint}/{'spaces/' if kind == 'space' else ''}{repository}", commit.oid)


def check_target(api: HfApi, repository: str, private: bool, kind: str = "model") -> Target:
    """Check the right to push, and that nothing private is put where everybody sees it."""
    target = check_push(api, repository, kind)
    if private and target.private is False:
        raise HubError(
            f"{target.repository} is public, so what is pushed there is. Push without the wish for a private "
            "repository, choose another name, or make it private on the Hub first."
        )
    return target


def _upload(what: str, target: Target, private: bool, folder: Path) -> Upload:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = tuple((path.relative_to(folder).as_posix(), path.stat().st_size) for path in files)
    return Upload(what, target, private if target.private is None else target.private, folder, named)


def _failed(api: HfApi, target: Target, made: bool, before: str | None, error: Exception) -> str:
    """Say why a push failed and how the repository is now."""
    repository = target.repository
    reason = explain_hub(error, f"repository {repository}", "push again later")
    try:
        after = api.repo_info(repository, repo_type=target.kind, timeout=20).sha if made or before else None
    except FAMILIES:
        return f"{reason} Whether the commit arrived cannot be asked now: it is there whole or not at all."
    if before and after != before:
        return f"{reason} But {repository} has a new commit since ({after}): look there before you push again."
    state = f"{repository} was made and is empty" if made else f"{repository} is as it was"
    return f"{reason} {state}. Push again: what the Hub has stored already is not sent a second time."
