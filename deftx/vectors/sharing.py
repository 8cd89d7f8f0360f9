"""What a vector's folder has on the Hub besides its own files: a picture of its spectra, and a card with its scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deftx.hub.client import Target
from deftx.hub.uploads import Upload, upload_of
from deftx.vectors.card import Publication, write_card
from deftx.vectors.card_data import checked_license
from deftx.vectors.spectra_picture import write_spectra
from deftx.vectors.vector_files import CARD


def vector_upload(
    folder: Path, info: Mapping[str, Any], count: int, target: Target, *, private: bool,
    license_id: str | None = None, datasets: Sequence[str] = (),
) -> Upload:  # fmt: skip
    """Write the picture and the card into a folder with a vector's files, and return the upload of all of them.

    Args:
        folder: The folder with ``vector.safetensors`` and ``vector.json``.
        info: The content of ``vector.json``.
        count: The number of entries.
        target: The repository.
        private: Whether a new repository is private.
        license_id: The licence, for the card.
        datasets: Data sets on the Hub that it was learned from, for the card.

    Raises:
        HubError: If the licence cannot be written as the Hub does.
    """
    published = Publication(
        target.repository, checked_license(license_id), tuple(datasets), write_spectra(info, folder)
    )
    (folder / CARD).write_text(write_card(info, count, published), encoding="utf-8")
    return upload_of(f"a {info['kind']} vector of {count:,} entries", target, private, folder)
