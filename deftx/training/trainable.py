"""What the optimiser moves: whole parameters in the dense phase, k selected entries and the head in the sparse one.

The selected entries of a parameter live in one compact vector, so that gradient clipping, optimiser state and
checkpoints of the sparse phase cover exactly them; all else in the model cannot move, because nothing writes to it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

BLOCK = 2**19  # entries that the L1 penalty is added to at a time: they stay in the processor's cache


@dataclass
class Entries:
    """The trained entries of a model, by parameter name.

    ``parameters`` are the model's own; ``compact[name]`` is the leaf that the optimiser moves: the parameter itself,
    or its entries at ``positions[name]`` (flat, row-major, ascending) as a vector.
    """

    parameters: dict[str, nn.Parameter]
    positions: dict[str, Tensor]  # only for parameters of which some entries are trained
    compact: dict[str, nn.Parameter]
    anchors: Mapping[str, Tensor]  # the values at the start of the phase, in the shape of ``compact``
    row_starts: dict[str, Tensor] = field(default_factory=dict)  # (rows + 1,): where each row begins in ``compact``

    @classmethod
    def of(
        cls,
        parameters: Mapping[str, nn.Parameter],
        positions: Mapping[str, Tensor] | None = None,
        anchors: Mapping[str, Tensor] | None = None,
    ) -> "Entries":
        """Take up the parameters as they stand; those in ``positions`` are trained at these entries only.

        ``anchors`` are copies of the values to start from, where there are some already: they need not be made again.
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
        """Move the gradients of the selected entries (μ ⊙ ∇) to their leaves and drop the rest."""
        for name, chosen in self.positions.items():
            gradient = self.parameters[name].grad
            self.parameters[name].grad = None
            if gradient is not None and gradient.is_sparse:
                gradient = self._gather_rows(name, gradient.coalesce())
            elif gradient is not None:
                gradient = gradient.view(-1).index_select(0, chosen)
            self.compact[name].grad = gradient

    def gradients(self) -> Iterator[Tensor]:
        """Walk through the gradients of all leaves; one that had no part in the loss gets zeros."""
        for leaf in self.compact.values():
            leaf.grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            yield leaf.grad

    def _gather_rows(self, name: str, gradient: Tensor) -> Tensor:
        """Return the gradients of the selected entries, of which only those in the rows of ``gradient`` are not zero."""
        chosen, (rows, columns) = self.positions[name], gradient.shape
        if name not in self.row_starts:
            edges = torch.arange(0, rows * columns + 1, columns, device=chosen.device)
            self.row_starts[name] = torch.searchsorted(chosen, edges)
        begin, end = (self.row_starts[name][gradient.indices()[0] + side] for side in (0, 1))
        counts = end - begin
        row = torch.repeat_interleave(counts)  # of each wanted entry: which of the gradient's rows
        skipped = begin - (counts.cumsum(0) - counts)  # entries of other rows before it, less those that are wanted
        places = torch.arange(len(row), device=chosen.device) + skipped[row]
        gathered = gradient.values().new_zeros(len(chosen))
        gathered[places] = gradient.values()[row, chosen[places] % columns]
        return gathered

    @torch.no_grad()
    def add_l1_gradients(self, strength: float) -> None:
        """Add the gradient of strength·Σ|θ − θ_start|; at 0 it is 0, as torch.sign has it."""
        for name, leaf in self.compact.items():
            if leaf.grad is None:
                leaf.grad = torch.zeros_like(leaf)
            walk = (tensor.view(-1).split(BLOCK) for tensor in (leaf.grad, leaf, self.anchors[name]))
            for gradient, value, anchor in zip(*walk, strict=True):
                gradient.add_(torch.sub(value, anchor).sign_(), alpha=strength)

    @torch.no_grad()
    def write_back(self) -> None:
        """Put the moved entries into the model."""
        for name, chosen in self.positions.items():
            self.parameters[name].view(-1).index_copy_(0, chosen, self.compact[name])

    @torch.no_grad()
    def load(self, values: Mapping[str, Tensor]) -> None:
        """Set the entries to saved values, in the shape of ``compact``."""
        for name, leaf in self.compact.items():
            leaf.copy_(values[name])
        self.write_back()

    def values(self) -> dict[str, Tensor]:
        """Return the trained values as they stand, without copying."""
        return {name: leaf.detach() for name, leaf in self.compact.items()}

    def is_finite(self) -> bool:
        """Say whether every trained value is a number."""
        return all(bool(torch.isfinite(leaf).all()) for leaf in self.compact.values())


@contextmanager
def row_gradients(model: nn.Module) -> Iterator[None]:
    """Let trained embeddings give the gradients of the rows that were looked up, not a matrix that is zero elsewhere.

    For XLM-R that is 768 MB of zeros a step. ``Entries`` take such gradients only for parameters with positions.
    """
    tables = [m for m in model.modules() if isinstance(m, nn.Embedding) and m.weight.requires_grad and not m.sparse]
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table in tables:
            table.sparse = False
