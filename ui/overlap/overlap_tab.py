"""Overlap: which weights vectors have in common, compared with chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import gradio as gr

from deftx.core.errors import DeftxError
from ui import strings
from ui.current import current_workspace
from ui.library import vector_index
from ui.overlap import overlap_figures, overlap_views
from ui.overlap.overlaps import MOST, Compared
from ui.shared import plot, views

NONE = Compared((), (), (), {})  # nothing to compare
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class OverlapTab:
    """The components of the section."""

    vectors: gr.Dropdown
    measure: gr.Radio
    first: gr.Dropdown
    second: gr.Dropdown
    refused: gr.HTML
    heatmap: gr.HTML
    all_words: gr.HTML
    tasks: gr.HTML
    task_words: gr.HTML
    layers: gr.HTML
    kinds: gr.HTML
    pair_words: gr.HTML
    seen: gr.State

    def asked(self) -> list[gr.components.Component]:
        """The inputs: the choices, and what this page shows already."""
        return [self.vectors, self.measure, self.first, self.second, self.seen]

    def answered(self) -> list[gr.components.Component]:
        """The outputs of ``look``, in its order."""
        return [self.vectors, self.refused, self.heatmap, self.all_words, self.tasks, self.task_words, self.first,
                self.second, self.layers, self.kinds, self.pair_words, self.seen]  # fmt: skip


def build() -> OverlapTab:
    """Lay out the section."""
    gr.HTML(views.paragraph(strings.OVERLAP_INTRO))
    vectors = gr.Dropdown(
        choices(), value=usual(), multiselect=True, max_choices=MOST, label=strings.OVERLAP_VECTORS,
        info=strings.OVERLAP_VECTORS_HINT.format(most=MOST), elem_id="overlap-vectors",
    )  # fmt: skip
    refused = gr.HTML(elem_id="overlap-refused")
    gr.HTML(f"<h2>{strings.OVERLAP_ALL}</h2>", elem_classes="section")
    measure = gr.Radio(
        [(name, key) for key, name in strings.OVERLAP_MEASURES.items()], value="overlap",
        label=strings.OVERLAP_CELLS, elem_id="overlap-measure", elem_classes="inline",
    )  # fmt: skip
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=3, min_width=300):
            heatmap = plot.live_plot("overlap-heatmap", strings.OVERLAP_ALL)
            all_words = gr.HTML(elem_id="overlap-all")
        with gr.Column(scale=2, min_width=280):
            gr.HTML(overlap_views.meaning())
    gr.HTML(f"<h2>{strings.OVERLAP_TASKS}</h2>", elem_classes="section")
    tasks = plot.live_plot("overlap-bars", strings.OVERLAP_TASKS)
    task_words = gr.HTML(elem_id="overlap-tasks")
    gr.HTML(f"<h2>{strings.OVERLAP_PAIR}</h2>", elem_classes="section")
    with gr.Row():
        first = gr.Dropdown([], label=strings.FIRST_VECTOR, min_width=200, elem_id="overlap-first")
        second = gr.Dropdown([], label=strings.SECOND_VECTOR, min_width=200, elem_id="overlap-second")
    pair_words = gr.HTML(elem_id="overlap-pair")
    with gr.Row():
        with gr.Column(min_width=300):
            gr.HTML(f"<h3>{strings.OVERLAP_LAYERS}</h3>")
            layers = plot.live_plot("overlap-layers", strings.OVERLAP_LAYERS)
        with gr.Column(min_width=300):
            gr.HTML(f"<h3>{strings.OVERLAP_KINDS}</h3>")
            kinds = plot.live_plot("overlap-kinds", strings.OVERLAP_KINDS)
    return OverlapTab(
        vectors,
        measure,
        first,
        second,
        refused,
        heatmap,
        all_words,
        tasks,
        task_words,
        layers,
        kinds,
        pair_words,
        gr.State({}),
    )


def connect(tab: OverlapTab, section: gr.Tab) -> None:
    """Refresh when the section is opened and whenever a choice changes."""
    looking = {"fn": look, "inputs": tab.asked(), "outputs": tab.answered(), **PRIVATE}
    section.select(**looking)
    tab.vectors.change(**looking)  # not "input", which does not report that all were cleared at once
    for component in (tab.measure, tab.first, tab.second):
        component.input(**looking)


def choices() -> list[tuple[str, str]]:
    """List every vector that can be compared as (label, key)."""
    return [(entry.label, key) for key, (_, entry) in current_workspace().overlaps.entries().items()]


def usual() -> list[str]:
    """The keys chosen at first: all bundled vectors, languages before tasks."""
    return [key for key in current_workspace().overlaps.entries() if key.startswith(vector_index.BUNDLED_KEY)][:MOST]


def look(
    keys: Sequence[str] | None,
    measure: str,
    first: str | None,
    second: str | None,
    seen: dict[str, int],
) -> tuple:
    """Return what differs from ``seen``, in the order of ``OverlapTab.answered``: unchanged plots are not redrawn."""
    offered = choices()
    labels = {key: label for label, key in offered}
    there = [key for key in keys or () if key in labels]  # a training run may have been discarded meanwhile
    # The choice itself is returned only in that case: a late answer must not undo the next choice.
    gone = {"value": there} if there != list(keys or ()) else {}
    compared, refused = _compare(there)
    first, second = _pair_of(compared, first, second)
    pairs = [(labels[key], key) for key in compared.keys]
    shown = {
        "vectors": {"choices": offered, "multiselect": True, **gone},
        "refused": refused,
        **_draw_all(compared, measure),
        "first": {"choices": pairs, "value": first},
        "second": {"choices": pairs, "value": second},
        **_draw_pair(compared, first, second),
    }
    now = {name: crc32(repr(value).encode()) for name, value in shown.items()}
    answers = [
        gr.skip() if now[name] == seen.get(name) else gr.Dropdown(**value) if isinstance(value, dict) else value
        for name, value in shown.items()
    ]
    return *answers, now


def _compare(keys: Sequence[str]) -> tuple[Compared, str]:
    """Compare the vectors; on an error, return its message and no comparison."""
    if len(keys) < 2:
        return NONE, views.notice(strings.CHOOSE_TWO_VECTORS)
    try:
        return current_workspace().overlaps.compare(keys), ""
    except DeftxError as error:
        return NONE, views.refusal(strings.NOT_COMPARED, error)


def _draw_all(compared: Compared, measure: str) -> dict[str, str]:
    if not compared.keys:
        return dict.fromkeys(("heatmap", "all_words", "tasks", "task_words"), "")
    against = against_tasks(compared)
    return {
        "heatmap": plot.as_value(overlap_figures.heatmap(compared.names, compared.pairs, measure)),
        "all_words": _all_words(compared) + overlap_views.matrix(compared, measure),
        "tasks": plot.as_value(overlap_figures.bars(against)),
        "task_words": _task_words(against),
    }


def _draw_pair(compared: Compared, first: str | None, second: str | None) -> dict[str, str]:
    found = compared.pair(first, second)
    if found is None:
        words = views.paragraph(strings.CHOOSE_TWO_DIFFERENT, "quiet") if compared.keys else ""
        return {"layers": "", "kinds": "", "pair_words": words}
    layers, kinds = overlap_views.named_layers(found.layers), overlap_views.named_kinds(found.kinds)
    names = dict(zip(compared.keys, compared.names, strict=True))
    words = overlap_views.reading([found.total], "pair", first=names[first], second=names[second])
    return {
        "layers": plot.as_value(overlap_figures.bars(layers)),
        "kinds": plot.as_value(overlap_figures.bars(kinds)),
        "pair_words": words + overlap_views.parts({strings.OVERLAP_LAYER: layers, strings.OVERLAP_KIND: kinds}),
    }


def against_tasks(compared: Compared) -> dict:
    """Return what each language vector shares with each task vector, by the language's name if there is one task."""
    places = range(len(compared.keys))
    tasks = [place for place in places if compared.kinds[place] == "task"]
    return {
        compared.names[language] if len(tasks) == 1 else f"{compared.names[language]} – {compared.names[task]}":
        compared.pairs[min(language, task), max(language, task)].total
        for task in tasks for language in places if compared.kinds[language] == "language"
    }  # fmt: skip


def _all_words(compared: Compared) -> str:
    languages = [
        pair.total for (i, j), pair in compared.pairs.items() if compared.kinds[i] == compared.kinds[j] == "language"
    ]
    return overlap_views.reading(languages, "languages") if languages else ""


def _task_words(against: dict) -> str:
    if not against:
        return views.paragraph(strings.NEEDS_BOTH_KINDS, "quiet")
    return overlap_views.reading(list(against.values()), "tasks") + overlap_views.parts({strings.VECTOR: against})


def _pair_of(compared: Compared, first: str | None, second: str | None) -> tuple[str | None, str | None]:
    """Keep the two chosen vectors if they still exist; otherwise take the first language and the first task."""
    kinds = dict(zip(compared.keys, compared.kinds, strict=True))
    if len(kinds) < 2:
        return None, None
    usual_first = compared.keys[0]
    usual_second = next((key for key, kind in kinds.items() if kind == "task" and key != usual_first), compared.keys[1])
    return (first if first in kinds else usual_first), (second if second in kinds else usual_second)
