"""The trained entries: whole parameters in the dense phase; k selected entries and the head in the sparse phase.

The selected entries of a parameter are copied to one compact tensor, so that gradient clipping, optimiser state and
checkpoints of the sparse phase contain only them. All other entries stay unchanged, because nothing writes to them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

BLOCK = 2**19  # entries per block of the L1 penalty, so that a block fits into the CPU's cache


@dataclass
class Entries:
    """The trained entries of a model, by parameter name.

    ``parameters`` are those of the model. ``compact[name]`` is the leaf tensor of the optimiser: the parameter itself, or
    its entries at ``positions[name]`` (flat, row-major, ascending) as a one-dimensional tensor.
    """

    parameters: dict[str, nn.Parameter]
    positions: dict[str, Tensor]  # only for parameters with some trained entries
    compact: dict[str, nn.Parameter]
    anchors: Mapping[str, Tensor]  # the values at the start of the phase, in the shape of ``compact``
    row_starts: dict[str, Tensor] = field(default_factory=dict)  # (rows + 1,): start of each row in ``compact``

    @classmethod
    def of(
        cls,
        parameters: Mapping[str, nn.Parameter],
        positions: Mapping[str, Tensor] | None = None,
        anchors: Mapping[str, Tensor] | None = None,
    ) -> "Entries":
        """Create from parameters; those in ``positions`` are trained only at these entries.

        ``anchors`` are existing copies of the initial values, if any, to avoid another copy.
        """
        positions = {n: p.to(parameters[n].device) for n, p in (positions or {}).items()}
        compact = {
            name: nn.Parameter(parameter.detach().view(-1).index_select(0, positions[name]))
            if name in positions
            else parameter
            for name, parameter in parameters.items()
        }
        if anchors is None:
            anchors = {name: leaf.detach().clone() for name, leaf in compact.items()}
        return cls(dict(parameters), positions, compact, anchors)

    def gather_gradients(self) -> None:
        """Move the gradients of the selected entries (μ ⊙ ∇) to the leaves and delete the others."""
        for name, chosen in self.positions.items():
            gradient = self.parameters[name].grad
            self.parameters[name].grad = None
            if gradient is not None and gradient.is_sparse:
                gradient = self._gather_rows(name, gradient.coalesce())
            elif gradient is not None:
                gradient = gradient.view(-1).index_select(0, chosen)
            self.compact[name].grad = gradient

    def gradients(self) -> Iterator[Tensor]:
        """Yield the gradients of all leaves; zeros for a leaf without a gradient."""
        for leaf in self.compact.values():
            leaf.grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            yield leaf.grad

    def _gather_rows(self, name: str, gradient: Tensor) -> Tensor:
        """Return the gradients of the selected entries from a row-sparse gradient."""
        chosen, (rows, columns) = self.positions[name], gradient.shape
        if name not in self.row_starts:
            edges = torch.arange(0, rows * columns + 1, columns, device=chosen.device)
            self.row_starts[name] = torch.searchsorted(chosen, edges)
        begin, end = (self.row_starts[name][gradient.indices()[0] + side] for side in (0, 1))
        counts = end - begin
        row = torch.repeat_interleave(counts)  # for each entry: index of its row in the gradient
        skipped = begin - (counts.cumsum(0) - counts)  # number of entries of other rows before each row
        places = torch.arange(len(row), device=chosen.device) + skipped[row]
        gathered = gradient.values().new_zeros(len(chosen))
        gathered[places] = gradient.values()[row, chosen[places] % columns]
        return gathered

    @torch.no_grad()
    def add_l1_gradients(self, strength: float) -> None:
        """Add the gradient of strength·Σ|θ − θ_start|, which is 0 at θ = θ_start."""
        for name, leaf in self.compact.items():
            if leaf.grad is None:
                leaf.grad = torch.zeros_like(leaf)
            walk = (tensor.view(-1).split(BLOCK) for tensor in (leaf.grad, leaf, self.anchors[name]))
            for gradient, value, anchor in zip(*walk, strict=True):
                gradient.add_(torch.sub(value, anchor).sign_(), alpha=strength)

    @torch.no_grad()
    def write_back(self) -> None:
        """Copy the trained entries into the model."""
        for name, chosen in self.positions.items():
            self.parameters[name].view(-1).index_copy_(0, chosen, self.compact[name])

    @torch.no_grad()
    def load(self, values: Mapping[str, Tensor]) -> None:
        """Set the entries to saved values, in the shape of ``compact``."""
        for name, leaf in self.compact.items():
            leaf.copy_(values[name])
        self.write_back()

    def values(self) -> dict[str, Tensor]:
        """Return the trained values, without copying."""
        return {name: leaf.detach() for name, leaf in self.compact.items()}

    def is_finite(self) -> bool:
        """Return whether all trained values are finite."""
        return all(bool(torch.isfinite(leaf).all()) for leaf in self.compact.values())


@contextmanager
def row_gradients(model: nn.Module) -> Iterator[None]:
    """Make trained embeddings produce row-sparse gradients, which saves 768 MB of zeros per step for XLM-R.

    ``Entries`` accept sparse gradients only for parameters with positions.
    """
    tables = [m for m in model.modules() if isinstance(m, nn.Embedding) and m.weight.requires_grad and not m.sparse]
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table in tables:
            table.sparse = False
