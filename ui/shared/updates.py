"""A page on which what stays as it is costs nothing.

Gradio makes a component anew, twice, for each output that a handler leaves as it is (``gr.skip()``): of a poll that answers for
two dozen components and changes two of them, that is most of the work, and every open page polls every two seconds.
And it describes every component for every page that is opened (2.8 MB, a tenth of a second), for links that reopen a
page as it was; the studio offers none.
"""

from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

SKIPPED = gr.skip()
_NONE: dict[str, Any] = {}


class _Config(BlocksConfig):
    """The components of a page; for a visitor they are copied without the descriptions that only such links would need."""

    def __copy__(self) -> BlocksConfig:
        """Copy for a visitor."""
        own = super().__copy__()
        own.config_for_block = lambda *_: _NONE
        return own


class Page(gr.Blocks):
    """Blocks that pass over what a handler leaves as it is."""

    def __init__(self, **settings: Any) -> None:
        """Begin an empty page; the settings are those of Blocks."""
        super().__init__(**settings)
        config = _Config(self)
        vars(config).update(vars(self.default_config))
        self.default_config = config

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Prepare the answers of a handler, one for each of its outputs, for the browser."""
        outputs = block_fn.outputs
        if not isinstance(predictions, list | tuple) or len(predictions) != len(outputs) or len(outputs) == 1:
            return await super().postprocess_data(block_fn, predictions, state)
        places = [place for place, (output, answer) in enumerate(zip(outputs, predictions, strict=True))
                  if output.stateful or not (isinstance(answer, dict) and answer == SKIPPED)]  # fmt: skip
        answers: list[Any] = [dict(SKIPPED) for _ in predictions]
        if places:
            less = copy(block_fn)
            less.outputs = [outputs[place] for place in places]
            given = [predictions[place] for place in places]
            changed = await super().postprocess_data(less, given if len(given) > 1 else given[0], state)
            for place, answer in zip(places, changed, strict=True):
                answers[place] = answer
        return answers
