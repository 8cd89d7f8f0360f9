"""The sparse vector φ: the changed entries of a base, their values, the head, and a description."""

import hashlib
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import VectorError, unknown_name
from deftx.core.files import expanded
from deftx.core.gaps import encode_gaps
from deftx.hub.client import hub, read_name
from deftx.hub.uploads import check_target, push
from deftx.vectors import vector_files
from deftx.vectors.card import write_card
from deftx.vectors.description import FIELDS, check_info, name_of, tags_words, unit_of, versions_here
from deftx.vectors.entries import check_entries, check_numbers
from deftx.vectors.fitting import BaseLike, check_fits
from deftx.vectors.sharing import vector_upload
from deftx.vectors.vector_files import VALUE_TYPES


@dataclass(frozen=True, eq=False)
class SparseVector:
    """φ = θ2 − θ0 on the mask μ as positions and values, with the complete head.

    Attributes:
        positions: For each parameter, flat row-major positions (n,) int64, strictly ascending.
        values: For each parameter, the changes at these positions (n,) float32.
        head: Complete float32 tensors, named as ``save_pretrained`` of the base names them.
        shapes: The shape of each parameter.
        info: The content of vector.json.
    """

    positions: dict[str, Tensor]
    values: dict[str, Tensor]
    head: dict[str, Tensor]
    shapes: dict[str, tuple[int, ...]]
    info: dict[str, Any]

    @classmethod
    def load(cls, name_or_path: str | os.PathLike) -> "SparseVector":
        """Load a vector.

        Args:
            name_or_path: A folder, the name of a bundled vector, or a Hub id.

        Raises:
            VectorError: If it does not exist, is damaged or modified, or has another format version.
        """
        folder = vector_files.resolve_vector(name_or_path)
        info, groups = vector_files.read_folder(folder)
        try:
            check_info(info)
            shapes = {name: tuple(shape) for name, shape in info["shapes"].items()}
            vector = cls(**groups, shapes=shapes, info=info)
            vector.validate()
        except VectorError as error:
            raise VectorError(f"The vector in {folder} cannot be used: {error}") from error
        vector_files.check_seal(info, folder)
        return vector

    def save(self, folder: str | os.PathLike, *, values: str = "float32") -> Path:
        """Write ``vector.safetensors``, ``vector.json`` and ``README.md`` into ``folder``; return the folder.

        Args:
            folder: The folder, which is created if needed.
            values: The dtype of φ in the file: "float32", "float16" or "bfloat16". The head of a language vector, which
                no classifier uses, is stored in it too; that of a task vector always in float32. In memory, all are float32.

        Raises:
            VectorError: If the vector or the dtype is invalid, or the folder cannot be written.
        """
        if values not in VALUE_TYPES:
            raise unknown_name("The type of values", values, VALUE_TYPES, VectorError)
        complete = replace(self, info=self._complete_info())
        complete.validate()
        stored = getattr(torch, values)
        head = stored if self.kind == "language" else torch.float32
        groups = {
            "positions": {n: encode_gaps(p.detach().cpu()) for n, p in self.positions.items()},
            "values": {n: v.detach().to("cpu", stored, copy=True) for n, v in self.values.items()},
            "head": {n: h.detach().to("cpu", head, copy=True).contiguous() for n, h in self.head.items()},
        }
        path = expanded(folder)
        vector_files.write_folder(path, complete.info, groups, write_card(complete.info, self.count))
        return path

    @classmethod
    def from_pretrained(cls, name_or_path: str | os.PathLike, *, revision: str | None = None) -> "SparseVector":
        """Load a vector, as ``load`` does, from the Hub at a revision if one is given.

        Args:
            name_or_path: A folder, the name of a bundled vector, or a Hub id.
            revision: A branch, a tag or a commit of the Hub repository.

        Raises:
            VectorError: If it does not exist, is damaged or modified, or has no revisions because it is not on the Hub.
        """
        if revision is None:
            return cls.load(name_or_path)
        remote = read_name(os.fspath(name_or_path))
        if remote is None or os.path.isdir(name_or_path):
            raise VectorError(
                f"{name_or_path} is not on the Hub, and only repositories there have revisions: leave it out."
            )
        return cls.load(f"{remote.id}@{revision}")

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        license_id: str | None = None,
        datasets: Sequence[str] = (),
        values: str = "float32",
        token: str | None = None,
    ) -> str:
        """Push the vector to the Hub in one commit: its files, a picture of its spectra, and a card with its scores.

        Args:
            repository: The repository, OWNER/NAME; it is created if it does not exist.
            private: Whether a new repository is private.
            license_id: The licence for the card, as the Hub writes it, e.g. "cc-by-4.0".
            datasets: Data sets on the Hub that it was learned from, for the card.
            values: The dtype of φ in the file, as for ``save``.
            token: A token of the Hub; by default HF_TOKEN or that of ``hf auth login``.

        Returns:
            The URL of the repository.

        Raises:
            HubError: If the account may not write there, or the upload fails; the message says what is on the Hub.
            VectorError: If the vector or the dtype is invalid.
        """
        api = hub(token)
        target = check_target(api, repository, private)
        with tempfile.TemporaryDirectory(prefix="deftx-push-") as folder:
            saved, info = self.save(folder, values=values), self._complete_info()
            upload = vector_upload(
                saved, info, self.count, target, private=private, license_id=license_id, datasets=datasets
            )
            return push(api, upload).url

    @property
    def count(self) -> int:
        """The number of entries, over all parameters."""
        return sum(len(positions) for positions in self.positions.values())

    @property
    def kind(self) -> str:
        """One of VECTOR_KINDS."""
        return self.info["kind"]

    @property
    def language(self) -> str | None:
        """The language's code, or None if unknown."""
        return self.info.get("language")

    @property
    def labels(self) -> list[str]:
        """The names of the classes, in the order of the head's outputs; empty for a language vector."""
        return list(self.info.get("labels") or [])

    @property
    def takes_pairs(self) -> bool:
        """Whether it classifies pairs of texts; False for a language vector."""
        return vector_files.takes_pairs(self.info)

    @property
    def tags_words(self) -> bool:
        """Whether it tags the words of a text (names, parts of speech), and does not classify the text."""
        return tags_words(self.info)

    @property
    def unit(self) -> str:
        """What it answers about: "text", "word" or "question"."""
        return unit_of(self.info)

    @property
    def name(self) -> str:
        """The name that the vector was given, else its language and kind."""
        return name_of(self.info)

    def dense(self, name: str) -> Tensor:
        """Return the change of one parameter as a dense float32 tensor, on the CPU.

        Args:
            name: The name of the parameter, a key of ``shapes``.
        """
        dense = torch.zeros(math.prod(self.shapes[name]), dtype=torch.float32)
        dense[self.positions[name].cpu()] = self.values[name].cpu()
        return dense.view(self.shapes[name])

    def digest(self) -> str:
        """Return the SHA-256 over positions and values, which is equal for equal vectors."""
        digest = hashlib.sha256()
        for name in sorted(self.positions):
            digest.update(name.encode())
            digest.update(self.positions[name].cpu().numpy().data)
            digest.update(self.values[name].cpu().numpy().data)
        return digest.hexdigest()

    def check_base(self, base: BaseLike) -> None:
        """Check that the vector was made for this base.

        Args:
            base: The base model.

        Raises:
            VectorError: If it was made for another base.
        """
        check_fits(self.name, self.info["base"], {name: self.shapes[name] for name in self.positions}, base)

    def validate(self) -> None:
        """Raise VectorError if the description, names, lengths, order, range or values are invalid."""
        check_info(self._complete_info())
        if self.positions.keys() != self.values.keys():
            names = sorted(self.positions.keys() ^ self.values.keys())
            raise VectorError(f"These parameters have only positions or only values: {', '.join(names[:5])}.")
        for name in (*self.positions, *self.head):
            vector_files.check_parameter_name(name)
        for name, positions in self.positions.items():
            if name not in self.shapes:
                raise VectorError(f"{name} has positions, but no shape.")
            check_entries(name, positions, self.values[name], math.prod(self.shapes[name]))
        for name, tensor in self.head.items():
            check_numbers(name, tensor)

    def _complete_info(self) -> dict[str, Any]:
        known = {
            **self.info,
            "format_version": self.info.get("format_version", vector_files.FORMAT_VERSION),
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
            "versions": self.info.get("versions") or versions_here(),
        }
        spectra = known.get("singular_values") or {}
        known["singular_values"] = {name: [float(f"{s:.7g}") for s in values] for name, values in spectra.items()}
        in_order = {name: known.get(name) for name in FIELDS}
        return {**in_order, **{name: value for name, value in known.items() if name not in FIELDS}}
