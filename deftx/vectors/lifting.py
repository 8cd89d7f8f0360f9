"""Carrying a vector between a base and a trimmed part of it: lifted to the whole, or lowered to the part.

The encoder's other weights are the same in both, so only what has a row for each piece changes: positions in the word
embeddings are moved to their piece's row there, and the head's bias gets or loses rows.
"""

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import BaseModelError, VectorError
from deftx.core.names import base_name
from deftx.method.parameter_kinds import count_by_part
from deftx.models.bases import Base, find_base, head_parameters, load_base
from deftx.models.trim_note import TrimNote, read_note
from deftx.vectors.vector import SparseVector


@dataclass(frozen=True)
class Carried:
    """A vector made for another base than it was learned on, and the entries that had no place there."""

    vector: SparseVector
    lifted: bool  # to the whole base; else lowered to a trimmed one
    dropped: int


def lift(
    vector: SparseVector | str | os.PathLike, to: Base | str | os.PathLike, *, trimmed: str | os.PathLike | None = None
) -> Carried:
    """Return the vector for the base ``to``: lifted from a trimmed part of it, or lowered where ``to`` is that part.

    Which of the two follows from the fingerprints. ``trimmed`` is the trimmed base of a vector to be lifted, where the
    vector itself does not describe it. Lowering drops the entries of rows that the part does not have.

    Raises:
        VectorError: neither base is a part of the other, as far as vector and base say.
        BaseModelError: a base or its ``trimmed.json`` cannot be read.
    """
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    base = to if isinstance(to, Base) else load_base(to)
    part = base.trimmed or read_note(find_base(base.name))
    if part and part.parent_fingerprint == vector.info["base"]["fingerprint"]:
        _check_own(part, base.fingerprint, base.name)
        place = torch.full((part.parent_rows,), -1).index_copy(0, part.kept, torch.arange(len(part.kept)))
        return _carry(vector, base, place, part)
    note = _note_of_vector(vector, base, trimmed)
    _check_own(note, vector.info["base"]["fingerprint"], str(trimmed or vector.info["base"]["name"]))
    if note.parent_fingerprint != base.fingerprint:
        raise VectorError(
            f"The {vector.name} was made for a base that was trimmed from {note.parent}, not from {base.name}: their "
            f"weights differ (fingerprints {note.parent_fingerprint[:12]} and {base.fingerprint[:12]}). Name that base."
        )
    return _carry(vector, base, note.kept, None)


def _note_of_vector(vector: SparseVector, base: Base, trimmed: str | os.PathLike | None) -> TrimNote:
    name = vector.info["base"]["name"]
    try:
        told = vector.info.get("trimmed")
        note = (
            read_note(find_base(trimmed))
            if trimmed
            else TrimNote.from_dict(told)
            if told
            else read_note(find_base(name))
        )
    except ValueError as error:
        raise VectorError(f"What the {vector.name} says of its trimmed base cannot be used: {error}.") from error
    except BaseModelError:
        if trimmed:
            raise
        note = None
    if note is None:
        raise VectorError(
            f"The {vector.name} cannot be carried to {base.name}: nothing says that this base or {trimmed or name}, which "
            "it was made for, was trimmed from the other. If it was, name the trimmed base (--trimmed DIR); else learn the "
            f"vector on {base.name}."
        )
    return note


def _check_own(note: TrimNote, fingerprint: str, name: str) -> None:
    if note.fingerprint != fingerprint:
        raise VectorError(
            f"The base {name} was trained further after it was trimmed from {note.parent}, or its files were exchanged, so "
            "vectors cannot be carried between the two."
        )


def _carry(vector: SparseVector, base: Base, place: Tensor, part: TrimNote | None) -> Carried:
    """``place`` (rows,) gives each row of the vector's base its row in ``base``, or −1; ``part`` describes ``base``."""
    rows = base.model.config.vocab_size
    if int(place.max()) >= rows:
        raise VectorError(f"What is told of the trimmed base names rows beyond the {rows:,} of {base.name}.")
    shapes = {name: tuple(tensor.shape) for name, tensor in base.parameters().items() if name in vector.shapes}
    positions, values = dict(vector.positions), dict(vector.values)
    for name, shape in shapes.items():
        if shape != vector.shapes[name] and vector.shapes[name][:1] == place.shape and name in positions:
            positions[name], there = _move(positions[name], shape[1], place)
            values[name] = values[name][there]
    carried = replace(vector, positions=positions, values=values, shapes=shapes, head=_head(vector, base, place))
    carried = replace(carried, info=_info(carried, vector, base, part))
    carried.check_base(base)
    return Carried(carried, part is None, vector.count - carried.count)


def _info(carried: SparseVector, vector: SparseVector, base: Base, part: TrimNote | None) -> dict[str, Any]:
    info = {name: value for name, value in vector.info.items() if name != "trimmed"}
    info["base"] = {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint}
    if part is not None:
        info["trimmed"] = part.to_dict()
    if carried.count < vector.count:
        info |= {"k": carried.count, "mask": count_by_part(carried.positions)}
    return info


def _move(positions: Tensor, width: int, place: Tensor) -> tuple[Tensor, Tensor]:
    """Return flat positions in the other matrix, and which (n,) bool of the old ones have a place there."""
    rows = place[positions // width]
    return (rows * width + positions % width)[rows >= 0], rows >= 0


def _head(vector: SparseVector, base: Base, place: Tensor) -> dict[str, Tensor]:
    """Give the head the rows of ``base``; pieces that the vector's base lacks keep what ``base`` has for them."""
    if vector.kind != "language":
        return dict(vector.head)
    moved, there = dict(vector.head), head_parameters(base.model)
    for name, value in vector.head.items():
        if name not in there or there[name].shape == value.shape:
            continue
        whole = there[name].detach().cpu().float().clone()
        if value.shape == (len(place), *whole.shape[1:]):
            moved[name] = whole.index_copy(0, place[place >= 0], value[place >= 0])
    return moved
