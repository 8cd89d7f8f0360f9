"""The layout of Spectra: the choice of a source, the effect of a strategy, all matrices, and one of them."""

from dataclasses import dataclass

import gradio as gr

from deftx.method.ranks import STRATEGIES
from ui import strings
from ui.shared import plot, views

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
LEAST_SHARE = 0.01  # of the variance; a smaller one moves the end of the slider


@dataclass(frozen=True)
class SpectraTab:
    """The components of the section."""

    choice: gr.Dropdown
    strategy: gr.Radio
    share: gr.Slider
    rank: gr.Slider
    summary: gr.HTML
    mask: gr.HTML
    compute_mask: gr.Button
    train: gr.Button
    answer: gr.HTML
    measure: gr.Radio
    map: gr.HTML
    map_table: gr.HTML
    matrix: gr.Dropdown
    words: gr.HTML
    values: gr.HTML
    shares: gr.HTML
    values_table: gr.HTML

    def source_inputs(self) -> list[gr.components.Component]:
        """The inputs that name the source and the strategy."""
        return [self.choice, self.strategy, self.share, self.rank]

    def shown(self) -> list[gr.components.Component]:
        """The outputs that depend on these and on the map's measure, in the order of ``look``."""
        return [self.summary, self.map, self.map_table, *self.of_matrix()]

    def of_matrix(self) -> list[gr.components.Component]:
        """The outputs for one matrix, in the order of ``look_at_matrix``."""
        return [self.words, self.values, self.shares, self.values_table]

    def chosen(self) -> list[gr.components.Component]:
        """The outputs that a new source changes, in the order of ``choose``."""
        return [self.strategy, self.share, self.rank, self.matrix, *self.allowed()]

    def allowed(self) -> list[gr.components.Component]:
        """The outputs that depend on whether the source has a δ."""
        return [self.mask, self.compute_mask, self.train, self.answer]


def build() -> SpectraTab:
    """Lay out the section."""
    gr.HTML(views.paragraph(strings.SPECTRA_INTRO) + views.paragraph(strings.RANK_MEANS, "quiet"))
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            controls = _controls()
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            beside = _beside()
    gr.HTML(f"<h2>{strings.MAP_TITLE}</h2>")
    measure = gr.Radio(
        [(label, name) for name, label in strings.MEASURES.items()], value="rank", label=strings.MEASURE,
        info=strings.MEASURE_HINT, elem_id="spectra-measure",
    )  # fmt: skip
    drawn = plot.live_plot("spectra-map", strings.MAP_TITLE)
    with gr.Accordion(strings.MAP_NUMBERS, open=False, elem_id="spectra-map-numbers"):
        map_table = gr.HTML()
    return SpectraTab(**controls, **beside, measure=measure, map=drawn, map_table=map_table, **_matrix())


def _controls() -> dict[str, gr.components.Component]:
    choice = gr.Dropdown([], label=strings.SPECTRA_OF, info=strings.SPECTRA_OF_HINT, elem_id="spectra-of")
    strategy = gr.Radio(
        [(strings.RANKS.get(name, name), name) for name in STRATEGIES], value="variance", label=strings.TRY_STRATEGY,
        info=strings.TRY_STRATEGY_HINT, elem_id="spectra-strategy",
    )  # fmt: skip
    share = gr.Slider(LEAST_SHARE, 1, value=0.9, step=0.01, label=strings.TRY_SHARE, elem_id="spectra-share")
    rank = gr.Slider(0, 768, value=100, step=1, label=strings.TRY_RANK, visible=False, elem_id="spectra-rank")
    return {"choice": choice, "strategy": strategy, "share": share, "rank": rank}


def _beside() -> dict[str, gr.components.Component]:
    summary = gr.HTML(views.paragraph(strings.SPECTRA_EMPTY, "quiet"), elem_id="spectra-summary")
    gr.HTML(f"<h3>{strings.MASK_TITLE}</h3>")
    mask = gr.HTML(elem_id="spectra-mask")
    with gr.Row(elem_classes="buttons"):
        compute_mask = gr.Button(strings.MASK_BUTTON, interactive=False, elem_id="spectra-mask-button")
        train = gr.Button(strings.TRAIN_BRANCH, variant="primary", interactive=False, elem_id="spectra-train")
    answer = gr.HTML(elem_id="spectra-answer")
    return {"summary": summary, "mask": mask, "compute_mask": compute_mask, "train": train, "answer": answer}


def _matrix() -> dict[str, gr.components.Component]:
    gr.HTML(f"<h2>{strings.MATRIX_TITLE}</h2>")
    matrix = gr.Dropdown([], label=strings.MATRIX, elem_id="spectra-matrix")
    words = gr.HTML(elem_id="spectra-words")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            values = plot.live_plot("spectra-values", strings.VALUE_AXIS)
        with gr.Column(min_width=300):
            shares = plot.live_plot("spectra-shares", strings.SHARE_AXIS)
    with gr.Accordion(strings.VALUES_NUMBERS, open=False, elem_id="spectra-numbers"):
        table = gr.HTML()
    return {"matrix": matrix, "words": words, "values": values, "shares": shares, "values_table": table}
