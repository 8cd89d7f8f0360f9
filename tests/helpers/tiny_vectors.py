"""A small base and vectors of it, for the tests of everything that handles vectors."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from deftx.vectors.card import Publication, write_card
from deftx.vectors.vector import SparseVector

SHAPES = {
    "roberta.embeddings.word_embeddings.weight": (40, 9),
    "roberta.encoder.layer.0.attention.self.query.weight": (8, 6),
    "roberta.encoder.layer.0.attention.self.query.bias": (8,),
    "roberta.encoder.layer.1.output.dense.weight": (4, 12),
}


@dataclass
class TinyBase:
    """What a vector sees of a base model."""

    name: str = "tiny-base"
    revision: str | None = None
    fingerprint: str = "ab" * 32
    shapes: dict[str, tuple[int, ...]] = field(default_factory=lambda: dict(SHAPES))

    def parameters(self) -> dict[str, Tensor]:
        return {name: torch.zeros(shape) for name, shape in self.shapes.items()}


def make_vector(draw: int = 0, shapes: dict[str, tuple[int, ...]] = SHAPES, **info: object) -> SparseVector:
    """A language vector with a third of the entries of every parameter, and a head."""
    generator = torch.Generator().manual_seed(draw)
    positions, values = {}, {}
    for name, shape in shapes.items():
        entries = torch.Size(shape).numel()
        positions[name] = torch.randperm(entries, generator=generator)[: entries // 3].sort().values
        values[name] = torch.randn(entries // 3, generator=generator)
    head = {
        "lm_head.bias": torch.randn(7, generator=generator),
        "lm_head.dense.weight": torch.randn(3, 3, generator=generator),
    }
    base = {"name": "tiny-base", "revision": None, "fingerprint": "ab" * 32}
    described = {"kind": "language", "language": "min", "base": base, "k": 100, **info}
    return SparseVector(positions, values, head, dict(shapes), described)


def card_of(vector: SparseVector, published: Publication | None = None) -> str:
    """The card of a vector that was not saved."""
    return write_card(vector.info, vector.count, published)


def same_tensors(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Bit for bit the same tensors under the same names."""
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) and a[n].dtype == b[n].dtype for n in a)


def same_vector(a: SparseVector, b: SparseVector) -> bool:
    """Bit for bit the same entries and head."""
    return all(same_tensors(getattr(a, part), getattr(b, part)) for part in ("positions", "values", "head"))
