"""Preparing what is pushed to the Hub: vectors, classifiers, their Spaces and the studio."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from huggingface_hub import HfApi

from deftx.classify.classifier import Classifier
from deftx.core.files import require_free_space
from deftx.hub.uploads import Upload, check_target, upload_of
from deftx.publish.classifier_space import write_space
from deftx.publish.exporting import export_folder
from deftx.publish.measured import Measured
from deftx.publish.space_card import HARDWARE
from deftx.publish.studio_space import write_studio_space
from deftx.vectors.sharing import vector_upload
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import INFO, TENSORS, resolve_vector


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
    return vector_upload(
        folder, read.info, read.count, target, private=private, license_id=license_id, datasets=datasets
    )


def prepare_classifier(
    api: HfApi, compose: Callable[[], Classifier], task: SparseVector, strength: float,
    languages: Sequence[tuple[SparseVector, float]], repository: str, folder: Path, *, private: bool,
    license_id: str | None = None, method: str = "sum", results: Sequence[Measured] = (),
) -> Upload:  # fmt: skip
    """Prepare a composed classifier as a transformers model with a card in the empty ``folder``.

    ``compose`` is called after the check of write access; the vectors, strengths and measured scores are for the card.

    Raises:
        DeftxError: If the classifier cannot be composed, or the account has no write access.
    """
    target = check_target(api, repository, private)
    classifier = compose()
    require_free_space(folder, classifier.size)
    parts = [(task, strength), *languages]
    export_folder(classifier, folder, parts, method, target.repository, license_id, results)
    return upload_of(f"a classifier of {', '.join(classifier.labels)}", target, private, folder)


def prepare_space(
    api: HfApi, compose: Callable[[], Classifier], task: SparseVector, languages: Sequence[tuple[SparseVector, float]],
    repository: str, folder: Path, *, private: bool, license_id: str | None = None,
) -> Upload:  # fmt: skip
    """Prepare a composed classifier as a Space in the empty ``folder``. Raise DeftxError as ``prepare_classifier`` does."""
    target = check_target(api, repository, private, "space")
    classifier = compose()
    require_free_space(folder, classifier.size)
    title = target.repository.split("/")[1]
    write_space(classifier, folder, title=title, pairs=task.takes_pairs, task=task.info, license_id=license_id or "")
    return upload_of(f"a Space that classifies as {', '.join(classifier.labels)}", target, private, folder, HARDWARE)


def prepare_studio(api: HfApi, repository: str, folder: Path, *, private: bool) -> Upload:
    """Prepare the whole studio as a Space on ZeroGPU in ``folder``, which must be new or empty.

    Raises:
        DeftxError: If the account has no write access, or the folder cannot be written.
    """
    target = check_target(api, repository, private, "space")
    written = write_studio_space(folder, target.repository.split("/")[1])
    return upload_of("a Space with the whole studio", target, private, written, HARDWARE)
