"""The sparse vector φ: which entries of a base change, by how much, the head that goes with them, and its story."""

import hashlib
import math
import os
import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

import deftx
from deftx.core.errors import VectorError, unknown_name
from deftx.core.gaps import encode_gaps
from deftx.vectors import vector_files
from deftx.vectors.card import write_card
from deftx.vectors.description import FIELDS, check_info, name_of
from deftx.vectors.vector_files import VALUE_TYPES


class BaseLike(Protocol):
    """What a vector asks of a base model: ``deftx.models.bases.Base`` has it."""

    name: str
    revision: str | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the encoder's float32 values."""

    def parameters(self) -> dict[str, Tensor]:
        """The sparse-trainable parameters M with their values θ0."""


@dataclass(frozen=True, eq=False)
class SparseVector:
    """φ = θ2 − θ0 on the mask μ, entry by entry, with the head in full; ``info`` is the content of vector.json.

    ``positions[name]`` (n,) int64 are flat, row-major and strictly ascending; ``values[name]`` (n,) float32 belong to
    them; ``head[name]`` are whole float32 tensors under the names that ``save_pretrained`` of the base writes;
    ``shapes[name]`` is the shape of the parameter itself.
    """

    positions: dict[str, Tensor]
    values: dict[str, Tensor]
    head: dict[str, Tensor]
    shapes: dict[str, tuple[int, ...]]
    info: dict[str, Any]

    @classmethod
    def load(cls, name_or_path: str | os.PathLike) -> "SparseVector":
        """Read a vector from a folder, a bundled name or a Hub id.

        Raises ``VectorError``, naming file and reason, for anything that is damaged, changed, or of another version.
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
        """Write ``vector.safetensors``, ``vector.json`` and ``README.md`` into ``folder``, and return the folder.

        ``values`` is the type that φ is stored in, one of ``vector_files.VALUE_TYPES``; in memory it is float32 always. Raises
        ``VectorError`` where the vector itself or the type is wrong, or the folder cannot be written.
        """
        if values not in VALUE_TYPES:
            raise unknown_name("The type of values", values, VALUE_TYPES, VectorError)
        complete = replace(self, info=self._complete_info())
        complete.validate()
        groups = {
            "positions": {n: encode_gaps(p.detach().cpu()) for n, p in self.positions.items()},
            "values": {n: v.detach().to("cpu", getattr(torch, values), copy=True) for n, v in self.values.items()},
            "head": {n: h.detach().cpu().clone(memory_format=torch.contiguous_format) for n, h in self.head.items()},
        }
        vector_files.write_folder(Path(folder), complete.info, groups, write_card(complete.info, self.count))
        return Path(folder)

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
        """The language's code, where it is known."""
        return self.info.get("language")

    @property
    def labels(self) -> list[str]:
        """The names of the classes, in the order of the head's outputs; empty for a language vector."""
        return list(self.info.get("labels") or [])

    @property
    def takes_pairs(self) -> bool:
        """Whether it decides on pairs of texts; False for a language vector."""
        return vector_files.takes_pairs(self.info)

    @property
    def name(self) -> str:
        """What to call the vector: the name it was given, else its language and kind."""
        return name_of(self.info)

    def dense(self, name: str) -> Tensor:
        """Return the change of one parameter in its full shape, zero where nothing changes."""
        dense = torch.zeros(math.prod(self.shapes[name]), dtype=torch.float32)
        dense[self.positions[name].cpu()] = self.values[name].cpu()
        return dense.view(self.shapes[name])

    def digest(self) -> str:
        """SHA-256 over positions and values: tells whether two vectors are the same, wherever they came from."""
        digest = hashlib.sha256()
        for name in sorted(self.positions):
            digest.update(name.encode())
            digest.update(self.positions[name].cpu().numpy())
            digest.update(self.values[name].cpu().numpy())
        return digest.hexdigest()

    def check_base(self, base: BaseLike) -> None:
        """Refuse a base that this vector was not made for; raises ``VectorError`` with both names."""
        made_for = self.info["base"]
        if made_for["fingerprint"] != base.fingerprint:
            raise VectorError(
                f"The {self.name} was made for the base {_named(made_for['name'], made_for.get('revision'))}, not for "
                f"{_named(base.name, base.revision)}: their weights differ (fingerprints "
                f"{made_for['fingerprint'][:12]} and {base.fingerprint[:12]}). Load the base that it was made for."
            )
        parameters = base.parameters()
        for name in self.positions:
            if name not in parameters:
                raise VectorError(f"The {self.name} changes {name}, which the base {base.name} does not train.")
            if tuple(parameters[name].shape) != tuple(self.shapes[name]):
                raise VectorError(
                    f"The {self.name} has {name} in the shape {tuple(self.shapes[name])}; in the base {base.name} it "
                    f"is {tuple(parameters[name].shape)}."
                )

    def validate(self) -> None:
        """Refuse a vector whose description, names, lengths, order, range or values are not what they must be."""
        check_info(self._complete_info())
        if self.positions.keys() != self.values.keys():
            names = sorted(self.positions.keys() ^ self.values.keys())
            raise VectorError(f"Positions and values are not of the same parameters: {', '.join(names[:5])}.")
        for name in (*self.positions, *self.head):
            vector_files.check_parameter_name(name)
        for name, positions in self.positions.items():
            if name not in self.shapes:
                raise VectorError(f"{name} has positions, but no shape.")
            _check_entries(name, positions, self.values[name], math.prod(self.shapes[name]))
        for name, tensor in self.head.items():
            _check_numbers(name, tensor)

    def _complete_info(self) -> dict[str, Any]:
        known = {
            **self.info,
            "format_version": self.info.get("format_version", vector_files.FORMAT_VERSION),
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
            "versions": self.info.get("versions") or _versions(),
        }
        spectra = known.get("singular_values") or {}
        known["singular_values"] = {name: [float(f"{s:.7g}") for s in values] for name, values in spectra.items()}
        in_order = {name: known.get(name) for name in FIELDS}
        return {**in_order, **{name: value for name, value in known.items() if name not in FIELDS}}


def _check_entries(name: str, positions: Tensor, values: Tensor, size: int) -> None:
    if positions.dtype != torch.int64 or positions.ndim != 1 or values.ndim != 1:
        raise VectorError(f"{name}: positions are a list of 64-bit integers, values a list of numbers.")
    if len(positions) != len(values):
        raise VectorError(f"{name} has {len(positions):,} positions, but {len(values):,} values.")
    _check_numbers(name, values)
    if not len(positions):
        return
    if not bool((positions[1:] > positions[:-1]).all()):
        raise VectorError(f"{name}: positions are not strictly ascending.")
    if int(positions[0]) < 0 or int(positions[-1]) >= size:
        outside = int(positions[0]) if int(positions[0]) < 0 else int(positions[-1])
        raise VectorError(f"{name}: position {outside:,} lies outside its {size:,} entries.")


def _check_numbers(name: str, tensor: Tensor) -> None:
    if tensor.dtype != torch.float32:
        raise VectorError(f"{name} holds {tensor.dtype}, not float32.")
    if not bool(torch.isfinite(tensor).all()):
        raise VectorError(f"{name} holds values that are not finite numbers (NaN or infinity).")


def _named(name: str, revision: str | None) -> str:
    return f"{name} (revision {revision[:12]})" if revision else name


def _versions() -> dict[str, str]:
    return {
        "deftx": getattr(deftx, "__version__", "unreleased"),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "python": platform.python_version(),
    }
