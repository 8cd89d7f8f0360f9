"""The losses on held-out text are reported, and whether the vector gains enough to be worth using."""

from types import SimpleNamespace

import pytest

from deftx.core.events import Listener
from deftx.training.held_out import comparison
from deftx.vectors.description import SMALL_GAIN


@pytest.mark.parametrize(("gain", "warned"), [(SMALL_GAIN + 0.01, False), (SMALL_GAIN - 0.01, True), (-1.0, True)])
def test_a_small_gain_is_said_with_what_to_do(base, gain, warned):
    losses, said = iter([5.0, 5.0 - gain]), []
    objective = SimpleNamespace(
        metric="masked_lm_loss", predicted="masked tokens", recipe=SimpleNamespace(hold_out=0.02), evaluation_tokens=7,
        evaluate=lambda model: next(losses),
    )  # fmt: skip
    scores = comparison(base, objective, Listener(said.append, lambda: False))
    found = scores(base.model)
    assert found["masked_lm_loss"] == {"before": 5.0, "after": 5.0 - gain}
    assert ("A classifier may be better without this vector" in said[-1].message) == warned
