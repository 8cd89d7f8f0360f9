"""A composed classifier as one zip to take away: the plain transformers folder, and nothing of this machine."""

import tempfile
from pathlib import Path

from deftx.archives import check_room, pack
from deftx.composition import Classifier


def export_zip(classifier: Classifier, target: Path) -> Path:
    """Write a classifier as ``target``, a zip of one folder of its name; what is written on the way is removed.

    Raises:
        DeftxError: the disk has no room for the folder and the zip together, or cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    weights = sum(p.numel() * p.element_size() for p in classifier.model.parameters())
    check_room(target.parent, 2 * weights)
    name = target.name.removesuffix(".zip")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".exporting-") as beside:
        folder = Path(beside) / name
        classifier.save_pretrained(folder)
        files = [(f"{name}/{path.relative_to(folder)}", path) for path in folder.rglob("*") if path.is_file()]
        return pack(files, target, compress=False)  # weights are noise to a compressor
