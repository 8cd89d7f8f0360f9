"""A requested combination of vectors, by name only: it can be compared, stored and passed between threads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deftx.core.errors import DeftxError
from deftx.vectors.merging import PAPER, check_method
from ui import strings

# The four combinations that are compared: which of the vectors are added.
SIDES = {"neither": (False, False), "task": (True, False), "language": (False, True), "both": (True, True)}


@dataclass(frozen=True)
class Combination:
    """A task vector and language vectors by key, the strength of each, and how they are merged."""

    task: str
    languages: tuple[tuple[str, float], ...] = ()
    strength_task: float = 1.0
    method: str = PAPER
    parameters: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(
        cls,
        task: str | None,
        languages: Iterable[tuple[str | None, Any]] = (),
        strength_task: Any = 1.0,
        method: str = PAPER,
        parameters: Mapping[str, Any] | None = None,
    ) -> "Combination":
        """Make a combination from the values of a form or a program; a language with an empty key is left out.

        Raises:
            DeftxError: there is no task, a strength is not a number, or the method or a parameter cannot be used.
        """
        if not task:
            raise DeftxError(strings.NEEDS_TASK_VECTOR)
        chosen = tuple((key, _number(strength)) for key, strength in languages if key)
        check_method(method, parameters)
        return cls(str(task), chosen, _number(strength_task), method, tuple(sorted((parameters or {}).items())))

    def side(self, name: str) -> "Combination":
        """Return one of SIDES: vectors that are left out have strength 0 and keep their place for the random draw."""
        task, language = SIDES[name]
        return replace(
            self,
            strength_task=self.strength_task if task else 0.0,
            languages=tuple((key, strength if language else 0.0) for key, strength in self.languages),
        )


def _number(strength: Any) -> float:
    if isinstance(strength, bool) or not isinstance(strength, int | float):
        raise DeftxError(f"{strength!r} cannot be the strength of a vector; 1 adds it as it was learned.")
    return float(strength)
