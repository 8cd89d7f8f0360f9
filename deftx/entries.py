"""What the optimiser moves: whole parameters in the dense phase, k selected entries and the head in the sparse one.

The selected entries of a parameter live in one compact vector, so that gradient clipping, optimiser state and
checkpoints of the sparse phase cover exactly them; all else in the model cannot move, because nothing writes to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Entries:
    """The trained entries of a model, by parameter name.

    ``parameters`` are the model's own; ``compact[name]`` is the leaf that the optimiser moves: the parameter itself,
    or its entries at ``positions[name]`` (flat, row-major, ascending) as a vector.
    """

    parameters: dict[str, nn.Parameter]
    positions: dict[str, Tensor]  # only for parameters of which some entries are trained
    compact: dict[str, nn.Parameter]
    anchors: dict[str, Tensor]  # the values at the start of the phase, in the shape of ``compact``

    @classmethod
    def of(cls, parameters: Mapping[str, nn.Parameter], positions: Mapping[str, Tensor] | None = None) -> "Entries":
        """Take up the parameters as they stand; those in ``positions`` are trained at these entries only."""
        positions = {n: p.to(parameters[n].device) for n, p in (positions or {}).items()}
        compact = {
            name: nn.Parameter(parameter.detach().flatten()[positions[name]]) if name in positions else parameter
            for name, parameter in parameters.items()
        }
        anchors = {name: leaf.detach().clone() for name, leaf in compact.items()}
        return cls(dict(parameters), positions, compact, anchors)

    def gather_gradients(self) -> None:
        """Move the gradients of the selected entries (μ ⊙ ∇) to their leaves and drop the rest."""
        for name, chosen in self.positions.items():
            gradient = self.parameters[name].grad
            self.compact[name].grad = None if gradient is None else gradient.flatten()[chosen]
            self.parameters[name].grad = None

    def gradients(self) -> Iterator[Tensor]:
        """Walk through the gradients of all leaves; one that had no part in the loss gets zeros."""
        for leaf in self.compact.values():
            leaf.grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            yield leaf.grad

    def add_l1_gradients(self, strength: float) -> None:
        """Add the gradient of strength·Σ|θ − θ_start|; at 0 it is 0, as torch.sign has it."""
        for name, leaf in self.compact.items():
            slope = torch.sign(leaf.detach() - self.anchors[name]).mul_(strength)
            leaf.grad = slope if leaf.grad is None else leaf.grad.add_(slope)

    @torch.no_grad()
    def write_back(self) -> None:
        """Put the moved entries into the model."""
        for name, chosen in self.positions.items():
            self.parameters[name].view(-1)[chosen] = self.compact[name]

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
