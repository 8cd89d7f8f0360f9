"""The loss of a language vector on held-out text, before and after its training."""

from collections.abc import Callable
from typing import Any, Protocol

from transformers import PreTrainedModel

from deftx.core.events import Event, Listener
from deftx.models.bases import Base
from deftx.training.loop import stoppable
from deftx.training.parts import EVALUATION, part
from deftx.training.recipes import LanguageRecipe
from deftx.vectors.description import LANGUAGE_LOSSES, SMALL_GAIN


class HeldOut(Protocol):
    """An objective with held-out text: the name of its loss, and what is predicted."""

    metric: str
    predicted: str
    recipe: LanguageRecipe

    @property
    def evaluation_tokens(self) -> int:
        """The number of tokens that the evaluation predicts."""
        ...

    def evaluate(self, model: PreTrainedModel) -> float:
        """Return the mean loss over these tokens, in nats."""
        ...


def comparison(base: Base, objective: HeldOut, listener: Listener) -> Callable[[PreTrainedModel], dict[str, Any]]:
    """Evaluate the base before training; return a function that evaluates after training and returns both losses."""
    loss = LANGUAGE_LOSSES[objective.metric]
    with part(EVALUATION), stoppable(base.model, listener):
        before = objective.evaluate(base.model)
    message = f"Held-out {loss} of the base: {before:.3f} nats."
    listener.on_event(Event("evaluate", 1, 2, evaluation=before, metric=objective.metric, message=message))

    def scores(model: PreTrainedModel) -> dict[str, Any]:
        after = objective.evaluate(model.eval())
        message = f"Held-out {loss}: {before:.3f} nats before, {after:.3f} with the vector."
        if before - after < SMALL_GAIN:
            message += " A classifier may be better without this vector: compare one with it and one without it."
        listener.on_event(Event("evaluate", 2, 2, evaluation=after, metric=objective.metric, message=message))
        return {
            objective.metric: {"before": before, "after": after},
            "examples": objective.evaluation_tokens,
            "on": f"{objective.predicted} of held-out text ({objective.recipe.hold_out:.0%} of the lines, chosen by seed)",
        }

    return scores
