"""Converting a vector between a base and its trimmed version: lifting to the full base, or lowering to the trimmed one.

All other weights of the encoder are the same, so only tensors with a row per piece change: positions in the word embeddings
move to the piece's new row, and the head's bias gains or loses rows.
"""

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import BaseModelError, VectorError
from deftx.core.names import base_name
from deftx.method.parameter_kinds import count_by_part
from deftx.models.bases import Base, find_base, load_base
from deftx.models.parameters import head_parameters
from deftx.models.trim_note import TrimNote, read_note
from deftx.vectors.vector import SparseVector


@dataclass(frozen=True)
class Carried:
    """A vector converted to another base, and the number of entries that do not exist there."""

    vector: SparseVector
    lifted: bool  # to the full base; else lowered to a trimmed one
    dropped: int


def lift(
    vector: SparseVector | str | os.PathLike, to: Base | str | os.PathLike, *, trimmed: str | os.PathLike | None = None
) -> Carried:
    """Convert a vector to the base ``to``: lift it from a trimmed version of it, or lower it if ``to`` is the trimmed one.

    The direction follows from the fingerprints. Lowering drops the entries of rows that the trimmed base lacks.

    Args:
        vector: The vector, its folder, a bundled name or a Hub id.
        to: The base to convert to.
        trimmed: The trimmed base of the vector, if the vector itself does not describe it.

    Returns:
        The vector for the base ``to``, and the number of its entries that ``to`` does not have.

    Raises:
        VectorError: If the vector fits ``to`` already, or neither base is known to be a trimmed version of the other.
        BaseModelError: If a base or its ``trimmed.json`` cannot be read.
    """
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    base = to if isinstance(to, Base) else load_base(to)
    own = vector.info["base"]["fingerprint"]
    part = base.trimmed or _note_of_base(base, vector, trimmed)
    if part and part.parent_fingerprint == own:
        _check_own(part, base.fingerprint, base.name)
        place = torch.full((part.parent_rows,), -1).index_copy(0, part.kept, torch.arange(len(part.kept)))
        return _carry(vector, base, place, part)
    note = _note_of_vector(vector, trimmed)
    # A base that was trimmed to all of its pieces has the fingerprint of its parent, and its vectors are lifted.
    if own == base.fingerprint and (note is None or note.parent_fingerprint != own):
        raise VectorError(
            f"The {vector.name} was made for {base.name} itself, so nothing needs converting: use it as it is."
        )
    if note is None:
        raise VectorError(
            f"The {vector.name} cannot be converted to {base.name}: it was made for {trimmed or vector.info['base']['name']}, and "
            "neither base is known to be trimmed from the other. If one is, give the trimmed base (--trimmed DIR); else learn "
            f"the vector on {base.name}."
        )
    _check_own(note, own, str(trimmed or vector.info["base"]["name"]))
    if note.parent_fingerprint != base.fingerprint:
        raise VectorError(
            f"The {vector.name} was made for a base that was trimmed from {note.parent}, not from {base.name}: their "
            f"weights differ (fingerprints {note.parent_fingerprint[:12]} and {base.fingerprint[:12]}). Use {note.parent}."
        )
    return _carry(vector, base, note.kept, None)


def _note_of_base(base: Base, vector: SparseVector, trimmed: str | os.PathLike | None) -> TrimNote | None:
    """Return the note of a base that is not trimmed here. If the vector's own one names it as the parent, it is not looked for."""
    own = _note_of_vector(vector, None) if vector.info.get("trimmed") and not trimmed else None
    if own and own.parent_fingerprint == base.fingerprint:
        return None
    try:
        return read_note(find_base(base.name))
    except BaseModelError as error:
        if isinstance(error.__cause__, ValueError):  # the note is damaged
            raise
        return None  # the base was loaded before, and its files are gone


def _note_of_vector(vector: SparseVector, trimmed: str | os.PathLike | None) -> TrimNote | None:
    try:
        own = vector.info.get("trimmed")
        return (
            TrimNote.from_dict(own)
            if own and not trimmed
            else read_note(find_base(trimmed or vector.info["base"]["name"]))
        )
    except ValueError as error:
        raise VectorError(f"The description of the trimmed base in the {vector.name} is invalid: {error}.") from error
    except BaseModelError:
        if trimmed:
            raise
        return None


def _check_own(note: TrimNote, fingerprint: str, name: str) -> None:
    if note.fingerprint != fingerprint:
        raise VectorError(
            f"The weights of the base {name} were changed after it was trimmed from {note.parent}, so vectors cannot be "
            "converted between the two."
        )


def _carry(vector: SparseVector, base: Base, place: Tensor, part: TrimNote | None) -> Carried:
    """Convert the vector: ``place`` (rows,) maps each row of its base to a row of ``base`` or −1; ``part`` describes ``base``."""
    rows = base.model.config.vocab_size
    if int(place.max()) >= rows:
        raise VectorError(f"The description of the trimmed base names rows beyond the {rows:,} of {base.name}.")
    shapes = {name: tuple(tensor.shape) for name, tensor in base.parameters().items() if name in vector.shapes}
    positions, values = dict(vector.positions), dict(vector.values)
    for name, shape in shapes.items():
        if shape != vector.shapes[name] and vector.shapes[name][:1] == place.shape and name in positions:
            positions[name], present = _move(positions[name], shape[1], place)
            values[name] = values[name][present]
    carried = replace(vector, positions=positions, values=values, shapes=shapes, head=_head(vector, base, place))
    carried = replace(carried, info=_info(carried, vector, base, part))
    carried.check_base(base)
    return Carried(carried, part is None, vector.count - carried.count)


def _info(carried: SparseVector, vector: SparseVector, base: Base, part: TrimNote | None) -> dict[str, Any]:
    info = {name: value for name, value in vector.info.items() if name != "trimmed"}
    info["base"] = {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint}
    if note := part or base.trimmed:
        info["trimmed"] = note.to_dict()
    if carried.count < vector.count:
        info |= {"k": carried.count, "mask": count_by_part(carried.positions)}
    return info


def _move(positions: Tensor, width: int, place: Tensor) -> tuple[Tensor, Tensor]:
    """Return the flat positions in the other matrix, and a boolean (n,) that says which old positions exist there."""
    rows = place[positions // width]
    return (rows * width + positions % width)[rows >= 0], rows >= 0


def _head(vector: SparseVector, base: Base, place: Tensor) -> dict[str, Tensor]:
    """Return the head with the rows of ``base``. Pieces that the vector's base lacks keep the values of ``base``."""
    if vector.kind != "language":
        return dict(vector.head)
    moved, target = dict(vector.head), head_parameters(base.model)
    for name, value in vector.head.items():
        if name not in target or target[name].shape == value.shape:
            continue
        whole = target[name].detach().cpu().float().clone()
        if value.shape == (len(place), *whole.shape[1:]):
            moved[name] = whole.index_copy(0, place[place >= 0], value[place >= 0])
    return moved
