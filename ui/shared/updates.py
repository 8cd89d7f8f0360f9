"""A faster page: outputs that do not change cost nothing.

For each output that a handler leaves unchanged (``gr.skip()``), Gradio rebuilds the component twice. A poll has two dozen
outputs and changes two of them, so that is most of its cost, and every open page polls every two seconds.
Gradio also describes every component for every opened page (2.8 MB, a tenth of a second), for links that reopen a page
with its values; the studio has no such links.
In the browser, each step of an event updates the status of every component that any earlier event had as an output, and looks for
each of them in the whole page: half of the time until a page is ready. Events without a display of progress have one invisible
component for their status instead.
"""

import logging
from collections.abc import Mapping
from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

from ui import strings

log = logging.getLogger(__name__)

SKIPPED = gr.skip()
_NONE: dict[str, Any] = {}


def without_progress(page: gr.Blocks, places: Mapping[str, gr.components.Component]) -> None:
    """Let the events that show no progress have their status at one component: that of their page, by the page's address."""
    for handler in page.fns.values():
        if handler.show_progress == "hidden" and handler.page in places:
            handler.show_progress_on = [places[handler.page]]


class _Config(BlocksConfig):
    """The components of a page; a visitor's copy omits the descriptions that only those links need."""

    def __copy__(self) -> BlocksConfig:
        """Copy for a visitor."""
        own = super().__copy__()
        own.config_for_block = lambda *_: _NONE
        return own


class Page(gr.Blocks):
    """Blocks that ignore outputs that a handler leaves unchanged, and say so if an input is not what they expect."""

    is_built = True

    def __init__(self, **settings: Any) -> None:
        """Create an empty page with the settings of Blocks."""
        super().__init__(**settings)
        config = _Config(self)
        vars(config).update(vars(self.default_config))
        self.default_config = config

    def get_config_file(self) -> Any:
        """Return the description of all components; an empty one while the page is built.

        Gradio describes the page eight times while its languages are built, and uses none of these descriptions.
        """
        return super().get_config_file() if self.is_built else {}

    async def preprocess_data(self, block_fn: Any, *given: Any, **named: Any) -> Any:
        """Prepare the inputs of a handler; without this, whoever sends a file that is not theirs is answered null."""
        try:
            return await super().preprocess_data(block_fn, *given, **named)
        except gr.Error:
            raise
        except Exception as error:
            log.info("An input was refused: %s", error)
            with strings.speaking(block_fn.page or strings.language()):
                raise gr.Error(strings.INPUT_REFUSED, print_exception=False) from error

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Prepare the answers of a handler, one per output, for the browser."""
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
