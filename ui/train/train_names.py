"""The name and the code of a language, suggested from what its text looks like."""

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.languages import UNKNOWN
from ui.studio import Studio

SURE = 0.6  # share of the lines from which a text is called by its language


def suggest(studio: Studio, text: str | None, name: str, code: str) -> tuple:
    """Give (name, code) for fields that are both empty, where most of the text is in a language that is known here."""
    if not text or name or code:
        return gr.skip(), gr.skip()
    try:
        found, share = next(iter(studio.facts.mix(text).items()))
        names = studio.facts.languages().names()
    except DeftxError:  # the Corpus section says why
        return gr.skip(), gr.skip()
    if found == UNKNOWN or share < SURE:
        return gr.skip(), gr.skip()
    return names[found], found
