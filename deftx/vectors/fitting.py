"""Whether a vector fits a base: the fingerprint of the weights, the names of the parameters, and their shapes."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from deftx.core.errors import VectorError


class BaseLike(Protocol):
    """The part of a base model that vectors need; ``deftx.models.bases.Base`` implements it."""

    name: str
    revision: str | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the encoder's float32 values."""
        ...

    def parameters(self) -> Mapping[str, Tensor]:
        """The sparse-trainable parameters M with their values θ0."""
        ...


def check_fits(vector: str, made_for: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], base: BaseLike) -> None:
    """Raise VectorError unless a vector was made for a base.

    Args:
        vector: Its name, for the message.
        made_for: The base in its description.
        shapes: The shapes of the parameters that it changes.
        base: The base model.
    """
    if made_for["fingerprint"] != base.fingerprint:
        raise VectorError(
            f"The {vector} was made for the base {_named(made_for['name'], made_for.get('revision'))}, not for "
            f"{_named(base.name, base.revision)}: their weights differ (fingerprints "
            f"{made_for['fingerprint'][:12]} and {base.fingerprint[:12]}). Load the base that it was made for."
        )
    parameters = base.parameters()
    for name, shape in shapes.items():
        if name not in parameters:
            raise VectorError(f"The {vector} changes {name}, which the base {base.name} does not train.")
        if tuple(parameters[name].shape) != tuple(shape):
            raise VectorError(
                f"The {vector} has {name} in the shape {tuple(shape)}; in the base {base.name} it "
                f"is {tuple(parameters[name].shape)}."
            )


def _named(name: str, revision: str | None) -> str:
    return f"{name} (revision {revision[:12]})" if revision else name
