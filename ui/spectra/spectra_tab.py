"""Spectra: what of a change is signal, what another rank would keep, and training with that rank."""

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.method.ranks import STRATEGIES
from ui import strings
from ui.current import current_workspace
from ui.shared import plot, views
from ui.spectra import spectra_views
from ui.spectra.spectra_facts import Source
from ui.spectra.spectra_figures import map_figure, shares_figure, values_figure
from ui.spectra.spectra_form import LEAST_SHARE, SpectraTab

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
LATEST = {
    "trigger_mode": "always_last",
    "concurrency_limit": None,
    **PRIVATE,
}  # while one runs, only the last request waits


def strategy_text(strategy: str, share: float, rank: float) -> str:
    """Return a strategy as ``choose_rank`` reads it."""
    written = {"variance": f"variance:{share:g}", "uniform": f"uniform:{int(rank)}"}
    return written.get(strategy) or STRATEGIES[strategy].example


def choices() -> list[tuple[str, str]]:
    """List the sources as (label, key)."""
    return [(source.label, source.key) for source in current_workspace().spectra.sources()]


def choose(key: str | None, matrix: str | None) -> tuple:
    """Return the outputs for a new source, in the order of ``SpectraTab.chosen``: its strategy, its matrices, and what δ allows."""
    if not key:
        return tuple(gr.skip() for _ in range(8))
    spectra = current_workspace().spectra
    try:
        source = spectra.find(key)
        matrices, own = spectra.spectra(source).matrices, spectra.strategy(source)
    except DeftxError as error:
        return (*(gr.skip() for _ in range(7)), views.refusal(strings.NOT_SHOWN, error))
    name, _, parameter = own.partition(":")
    share = float(parameter) if name == "variance" else 0.9
    full = max((min(one.shape) for one in matrices.values()), default=1)
    return (
        gr.Radio(value=name),
        gr.Slider(minimum=min(LEAST_SHARE, share), value=share, visible=name == "variance"),
        gr.Slider(
            maximum=full, value=min(full, int(parameter) if name == "uniform" else 100), visible=name == "uniform"
        ),
        gr.Dropdown(
            choices=[(spectra_views.matrix_name(one), one) for one in matrices],
            value=matrix if matrix in matrices else next(iter(matrices), None),
        ),
        *_allowed(source),
    )


def opened(key: str | None, strategy: str, share: float, rank: float, measure: str, matrix: str | None) -> tuple:
    """Return the list, the outputs of ``look`` and what δ allows: the run of the source may have finished since.

    If no source is chosen, or it no longer exists, only the first one is chosen, and this change shows it.
    """
    listed = choices()
    try:
        source = current_workspace().spectra.find(key or "")
    except DeftxError:
        return gr.Dropdown(choices=listed, value=listed[0][1] if listed else None), *(gr.skip() for _ in range(11))
    allowed = [gr.skip() for _ in range(4)] if source.delta else _allowed(source)  # a computed change of the mask stays
    return gr.Dropdown(choices=listed), *look(key, strategy, share, rank, measure, matrix), *allowed


def _allowed(source: Source) -> tuple:
    """Return what δ allows, in the order of ``SpectraTab.allowed``."""
    return (
        _about_mask(source),
        gr.Button(interactive=source.delta is not None),
        gr.Button(interactive=source.delta is not None),
        views.paragraph(strings.TRAIN_BRANCH_HINT if source.delta else strings.NO_DELTA, "quiet"),
    )


def _about_mask(source: Source) -> str:
    return views.paragraph(strings.MASK_NEEDS if source.delta else strings.MASK_UNKNOWN, "quiet")


def look(key: str | None, strategy: str, share: float, rank: float, measure: str, matrix: str | None) -> tuple:
    """Show what a strategy would choose, in the order of ``SpectraTab.shown``, from stored singular values alone."""
    if not key:
        return (views.paragraph(strings.SPECTRA_EMPTY, "quiet"), *("" for _ in range(6)))
    spectra = current_workspace().spectra
    try:
        source = spectra.find(key)
        found = spectra.outcome(source, strategy_text(strategy, share, rank))
    except DeftxError as error:
        return (views.refusal(strings.NOT_SHOWN, error), *("" for _ in range(6)))
    return (
        spectra_views.summary(spectra.spectra(source), found),
        plot.as_value(map_figure(found, measure)),
        spectra_views.map_table(found),
        *_of_matrix(source, found.strategy, matrix),
    )


def look_at_matrix(key: str | None, strategy: str, share: float, rank: float, matrix: str | None) -> tuple:
    """Show one matrix, in the order of ``SpectraTab.of_matrix``."""
    try:
        source = current_workspace().spectra.find(key or "")
        return _of_matrix(source, strategy_text(strategy, share, rank), matrix)
    except DeftxError:
        return "", "", "", ""  # the summary gives the reason


def _of_matrix(source: Source, strategy: str, matrix: str | None) -> tuple[str, str, str, str]:
    spectra = current_workspace().spectra
    matrices = spectra.spectra(source).matrices
    if matrix not in matrices:
        return "", "", "", ""
    spectrum, outcome = matrices[matrix], spectra.outcome(source, strategy).matrices[matrix]
    return (
        spectra_views.matrix_words(spectrum, outcome),
        plot.as_value(values_figure(spectrum, outcome.rank)),
        plot.as_value(shares_figure(spectrum, outcome)),
        spectra_views.values_table(spectrum, outcome.rank),
    )


def compute_mask(key: str | None, strategy: str, share: float, rank: float) -> str:
    """Compute how much of the mask would change; an error is shown in its place."""
    spectra = current_workspace().spectra
    text = strategy_text(strategy, share, rank)
    try:
        source = spectra.find(key or "")
        return spectra_views.mask_words(source, spectra.mask_change(source, text), text)
    except DeftxError as error:
        return views.refusal(strings.NOT_SHOWN, error)


def mask_cost(key: str | None) -> str:
    """State the cost of computing the change of the mask, replacing the result of another strategy."""
    try:
        return _about_mask(current_workspace().spectra.find(key or ""))
    except DeftxError:
        return ""


def train(key: str | None, strategy: str, share: float, rank: float) -> tuple:
    """Start a training run with this rank from δ; return its id and the message."""
    spectra = current_workspace().spectra
    try:
        job = spectra.branch(spectra.find(key or ""), strategy_text(strategy, share, rank))
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_BRANCHED, error)
    return job.id, views.notice(strings.BRANCHED.format(name=job.name), kind="good")


def connect(tab: SpectraTab, section: gr.Tab, job: gr.BrowserState) -> None:
    """Connect the events of the section; ``job`` holds the training run shown under Train."""
    looked = {
        "fn": look,
        "inputs": [*tab.source_inputs(), tab.measure, tab.matrix],
        "outputs": tab.shown(),
    }

    section.select(opened, looked["inputs"], [tab.choice, *tab.shown(), *tab.allowed()], **LATEST)
    chosen = tab.choice.change(choose, [tab.choice, tab.matrix], tab.chosen(), **LATEST)
    chosen.then(**looked, **LATEST)
    turned = [tab.strategy.input, tab.share.input, tab.rank.input]
    gr.on(
        turned, lambda key, *rest: (*look(key, *rest), mask_cost(key)), looked["inputs"],
        [*tab.shown(), tab.mask], **LATEST,
    )  # fmt: skip
    tab.strategy.input(
        lambda name: (gr.Slider(visible=name == "variance"), gr.Slider(visible=name == "uniform")),
        tab.strategy, [tab.share, tab.rank], **PRIVATE,
    )  # fmt: skip
    tab.measure.input(**looked, **LATEST)
    tab.matrix.input(look_at_matrix, [*tab.source_inputs(), tab.matrix], tab.of_matrix(), **LATEST)

    def matrix_clicked(key: str | None, strategy: str, share: float, rank: float, event: gr.EventData) -> tuple:
        """Show the matrix of the clicked cell."""
        name = str(event.name)
        return (name, *look_at_matrix(key, strategy, share, rank, name))

    tab.map.select(matrix_clicked, tab.source_inputs(), [tab.matrix, *tab.of_matrix()], **PRIVATE)
    tab.compute_mask.click(
        compute_mask, tab.source_inputs(), tab.mask, concurrency_id="mask", concurrency_limit=1,
        api_visibility="private", show_progress="minimal",
    )  # fmt: skip
    tab.train.click(train, tab.source_inputs(), [job, tab.answer], **PRIVATE)
