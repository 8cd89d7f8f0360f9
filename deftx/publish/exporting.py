"""A composed classifier as one zip to take away: a plain transformers folder, or a Space, and nothing of this machine."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from deftx.classify.composition import Classifier
from deftx.core.files import require_free_space
from deftx.publish.classifier_space import write_space
from deftx.vectors.archives import pack


def export_zip(classifier: Classifier, target: Path) -> Path:
    """Write a classifier as ``target``, a zip of one folder of its name; what is written on the way is removed.

    Raises:
        DeftxError: the disk has no room for the folder and the zip together, or cannot be written.
    """
    return _packed(classifier, target, classifier.save_pretrained)


def export_space_zip(classifier: Classifier, target: Path, *, pairs: bool = False, language: str = "") -> Path:
    """Write a classifier's Space as ``target``, as ``export_zip`` does; DeftxError as there."""
    title = target.name.removesuffix(".zip")
    return _packed(
        classifier, target, lambda folder: write_space(classifier, folder, title=title, pairs=pairs, language=language)
    )


def _packed(classifier: Classifier, target: Path, write: Callable[[Path], object]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    require_free_space(target.parent, 2 * classifier.size)
    name = target.name.removesuffix(".zip")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".exporting-") as beside:
        folder = Path(beside) / name
        write(folder)
        files = [(f"{name}/{path.relative_to(folder)}", path) for path in folder.rglob("*") if path.is_file()]
        return pack(files, target, compress=False)  # weights are noise to a compressor
