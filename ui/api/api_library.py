"""What other programs can ask of the Library, by name: which vectors there are, and a classifier as a file."""

from typing import Any

import gradio as gr

from ui.classify.combination import Combination
from ui.library import library, library_views
from ui.library.library import Item
from ui.shared.errors import refusals
from ui.studio import Studio


def build(studio: Studio) -> None:
    """Offer the endpoints; docs/api.md shows how they are used."""

    def list_vectors(words: str = "", kind: str = "") -> list[dict[str, Any]]:
        """List the vectors that hold all of the words; ``kind`` is "language", "task" or empty for both."""
        with refusals():
            return [describe(item) for item in library.items(studio, words, kind)]

    gr.api(list_vectors, api_name="library", concurrency_limit=None)

    def export(task: str, language: str, scale_task: float | None, scale_language: float | None) -> str:
        """Pack a classifier of vectors by key as a zip with a plain transformers folder; the language may be empty."""
        of_task, of_language = (1.0 if scale is None else scale for scale in (scale_task, scale_language))
        with refusals():
            return str(library.export(studio, Combination.of(task, [(language, of_language)], of_task)))

    with gr.Column(visible=False):
        inputs = [gr.Textbox(), gr.Textbox(), gr.Number(1.0), gr.Number(1.0)]
        gr.Button().click(export, inputs, gr.File(), api_name="export", concurrency_id="classify")


def describe(item: Item) -> dict[str, Any]:
    """A vector as plain data."""
    info = item.info
    facts = {name: info.get(name) for name in ("kind", "language", "labels", "method", "k")}
    facts["rank"] = (info.get("rank") or {}).get("strategy")
    facts["scores"] = {name: (info.get("scores") or {}).get(name) for name in library_views.scores(info)}
    return {
        "vector": item.key, "name": item.title, **facts, "weights": info.get("weights"), "base": item.base,
        "fits": item.fits, "bytes": item.size, "date": item.date,
    }  # fmt: skip
