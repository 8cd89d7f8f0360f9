"""The file ``trimmed.json`` of a trimmed base: its parent base and which rows of the parent it has (docs/trimming.md).

A vector learned on a trimmed base has the same note under ``trimmed`` in its ``vector.json``, so that it can be lifted to
the full base without the trimmed one.
"""

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.utils.hub import cached_file

from deftx.core.errors import BaseModelError, DeftxError
from deftx.core.gaps import decode_gaps, encode_gaps
from deftx.core.names import base_name

NOTE, NOTE_VERSION = "trimmed.json", 1
MOST_ROWS = 10**7  # of a base: vocabularies have up to a million pieces


@dataclass(frozen=True, eq=False)
class TrimNote:
    """The parent of a trimmed base, the base's own ``fingerprint``, and the kept rows of the parent (n,) int64, ascending."""

    parent: str
    parent_revision: str | None
    parent_fingerprint: str
    parent_rows: int
    fingerprint: str
    kept: Tensor

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file, with the rows as gap codes (docs/vector-format.md) in base64."""
        parent = {
            "name": base_name(self.parent),
            "revision": self.parent_revision,
            "fingerprint": self.parent_fingerprint,
        }
        return {
            "format_version": NOTE_VERSION,
            "parent": parent | {"rows": self.parent_rows},
            "fingerprint": self.fingerprint,
            "kept": base64.b64encode(encode_gaps(self.kept).numpy().tobytes()).decode(),
        }

    @classmethod
    def from_dict(cls, note: Any) -> "TrimNote":
        """Return the note that ``to_dict`` wrote.

        Args:
            note: The content of a ``trimmed.json``.

        Raises:
            ValueError: If it is invalid.
        """
        try:
            if note["format_version"] != NOTE_VERSION:
                raise ValueError(f"its format version {note['format_version']!r} is not {NOTE_VERSION}")
            parent, code = note["parent"], np.frombuffer(base64.b64decode(note["kept"]), np.uint8)
            kept, rows = decode_gaps(torch.from_numpy(code.copy())), parent["rows"]
            texts = parent["name"], parent["revision"] or "", parent["fingerprint"], note["fingerprint"]
        except (KeyError, TypeError, DeftxError) as error:
            raise ValueError(f"it has a missing or invalid field: {error}") from error
        if not all(isinstance(text, str) for text in texts) or not isinstance(rows, int):
            raise ValueError("a field has the wrong type")
        if not len(kept) or int(kept[-1]) >= rows or rows > MOST_ROWS:
            raise ValueError("its rows do not match its parent")
        return cls(parent["name"], parent["revision"], parent["fingerprint"], rows, note["fingerprint"], kept)


def read_note(source: str | os.PathLike) -> TrimNote | None:
    """Return the note of a base (a folder or Hub id), or None. Raise BaseModelError if it is damaged or there is no such base."""
    try:
        found = cached_file(
            str(source), NOTE, _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_gated_repo=False, _raise_exceptions_for_connection_errors=False,
        )  # fmt: skip
    except OSError as error:  # there is no such repository, or no longer
        raise BaseModelError(f"The base {source} cannot be found: {error}") from error
    if found is None:
        return None
    try:
        with open(found, encoding="utf-8") as stream:
            return TrimNote.from_dict(json.load(stream))
    except (OSError, ValueError, RecursionError) as error:
        raise BaseModelError(f"The {NOTE} of base {source} cannot be read: {error}. Trim the base again.") from error


def write_note(folder: str | os.PathLike, note: TrimNote) -> None:
    """Write the note of a trimmed base into its folder."""
    with open(os.path.join(folder, NOTE), "w", encoding="utf-8") as stream:
        json.dump(note.to_dict(), stream, indent=1)
        stream.write("\n")
