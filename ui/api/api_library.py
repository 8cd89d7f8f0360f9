"""The endpoints of the Library: a list of vectors, and a classifier as a file."""

from typing import Any

import gradio as gr

from ui.api.arguments import TEXT, check
from ui.classify.combination import Combination
from ui.library import library, library_views
from ui.library.library import Item
from ui.shared.errors import refusals


def build() -> None:
    """Add the endpoints; docs/api.md shows how to use them."""

    def list_vectors(words: str = "", kind: str = "") -> list[dict[str, Any]]:
        """List the vectors that match all of the words; ``kind`` is "language", "task" or empty for both."""
        with refusals():
            check(TEXT, words=words, kind=kind)
            return [describe(item) for item in library.items(words, kind)]

    gr.api(list_vectors, api_name="library", concurrency_limit=None)

    def export(task: str, language: str, strength_task: float | None, strength_language: float | None) -> str:
        """Pack a classifier of vectors by key as a zip with a plain transformers folder; ``language`` may be empty."""
        of_task, of_language = (1.0 if given is None else given for given in (strength_task, strength_language))
        with refusals():
            return str(library.export(Combination.of(task, [(language, of_language)], of_task)))

    with gr.Column(visible=False):
        inputs = [gr.Textbox(), gr.Textbox(), gr.Number(1.0), gr.Number(1.0)]
        gr.Button().click(export, inputs, gr.File(), api_name="export", concurrency_id="classify")


def describe(item: Item) -> dict[str, Any]:
    """Return a vector as plain data."""
    info = item.info
    facts = {name: info.get(name) for name in ("kind", "language", "labels", "method", "k")}
    facts["rank"] = (info.get("rank") or {}).get("strategy")
    facts["scores"] = {name: (info.get("scores") or {}).get(name) for name in library_views.scores(info)}
    return {
        "vector": item.key, "name": item.title, **facts, "weights": info.get("weights"), "base": item.base,
        "fits": item.fits, "bytes": item.size, "date": item.date,
    }  # fmt: skip
