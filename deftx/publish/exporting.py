"""Export of a composed classifier as a transformers folder, or as a zip of it or of a Space, and of a vector as a zip, without local paths."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deftx.classify.classifier import Classifier
from deftx.core.files import require_free_space
from deftx.models.xglm import needs_deftx
from deftx.publish.classifier_card import OWN_CLASS, write_classifier_card
from deftx.publish.classifier_space import write_space
from deftx.publish.measured import Measured, write_measured
from deftx.vectors.archives import pack
from deftx.vectors.card_data import checked_license
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS, rewrite_info


def export_folder(
    classifier: Classifier,
    folder: Path,
    parts: Sequence[tuple[SparseVector, float]],
    method: str = "sum",
    repository: str = "",
    license_id: str | None = None,
    results: Sequence[Measured] = (),
) -> None:
    """Write a classifier as a transformers folder with a README.md, and its measured scores in ``.eval_results``.

    Args:
        classifier: The classifier.
        folder: The folder, which must be empty or new.
        parts: The vectors that it was composed of, with their strengths, the task vector first.
        method: How they were merged.
        repository: Where it will be loaded from, for the card: a Hub id; by default the name of the folder.
        license_id: The licence of the classifier, for the card.
        results: Its scores on data sets of the Hub.

    Raises:
        DeftxError: If the folder is not empty, or the licence is no id of the Hub. Nothing is overwritten.
    """
    (task, strength), *languages = parts
    card = write_classifier_card(
        repository or folder.resolve().name,
        task,
        strength,
        languages,
        checked_license(license_id),
        method,
        classifier.max_length,
        results,
        OWN_CLASS if needs_deftx(classifier.model) else "",
    )
    classifier.save_pretrained(folder)
    (folder / CARD).write_text(card, encoding="utf-8")
    write_measured(folder, results)


def export_zip(
    classifier: Classifier, target: Path, parts: Sequence[tuple[SparseVector, float]], method: str = "sum"
) -> Path:
    """Write a classifier as the zip ``target``, which contains one folder of the same name, as ``export_folder`` writes it.

    Raises:
        DeftxError: If the disk has too little space for the folder and the zip together, or cannot be written.
    """
    return _packed(classifier, target, lambda folder: export_folder(classifier, folder, parts, method))


def export_space_zip(classifier: Classifier, target: Path, *, title: str = "", **about: Any) -> Path:
    """Write a classifier's Space as the zip ``target``; ``about`` has arguments of ``write_space``.

    Raises:
        DeftxError: As ``export_zip`` does.
    """
    title = title or target.name.removesuffix(".zip")
    return _packed(classifier, target, lambda folder: write_space(classifier, folder, title=title, **about))


def export_vector_zip(folder: Path, target: Path, name: str) -> Path:
    """Write a vector as the zip ``target``, which contains one folder of the same name, with the same bytes each time.

    ``vector.json`` gets the ``name``, so that it has it where it is imported, whatever the zip is called by then.

    Raises:
        DeftxError: If the vector is damaged, or the disk has too little space or cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="deftx-pack-") as beside:
        rewrite_info(Path(beside), {**SparseVector.load(folder).info, "name": name})
        paths = [(Path(beside) if file == INFO else folder) / file for file in (TENSORS, INFO, CARD)]
        inside = target.name.removesuffix(".zip")
        return pack(((f"{inside}/{path.name}", path) for path in paths if path.is_file()), target)


def _packed(classifier: Classifier, target: Path, write: Callable[[Path], object]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    require_free_space(target.parent, 2 * classifier.size)
    name = target.name.removesuffix(".zip")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".exporting-") as beside:
        folder = Path(beside) / name
        write(folder)
        files = [(f"{name}/{path.relative_to(folder)}", path) for path in folder.rglob("*") if path.is_file()]
        return pack(files, target, compress=False)  # weights do not compress
