"""Score every combination of the chosen vectors on a labelled file in the background, and show the mistakes of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.file_kinds import TABLES
from deftx.data.table_columns import table_columns
from ui import strings
from ui.classify import column_form, file_tab, file_views, score_shown
from ui.classify.compose_form import ComposeForm, combination_of
from ui.classify.file_tasks import wants_pairs
from ui.classify.scoring import Mismatch, Scores, Wanted
from ui.classify.word_scoring import WordScores
from ui.current import current_workspace
from ui.library import library
from ui.shared import encoding_form, label_form, plot, removal, views
from ui.shared.background_views import known_work, see
from ui.shared.isolation import read_isolated
from ui.shared.uploads import TABLE_TYPES

PRIVATE = file_tab.PRIVATE


@dataclass(frozen=True)
class ScoreTab:
    """The components that a refresh updates, in the order of its answers; ``table`` is the choice of the file."""

    table: gr.Dropdown
    view: gr.HTML
    stop: gr.Button
    intervals: gr.HTML
    found: gr.Column
    lines: gr.HTML
    combination: gr.Dropdown
    plot: gr.HTML
    details: gr.HTML
    timer: gr.Timer

    def outputs(self) -> list[Any]:
        """The components as a list, without the choice of the file."""
        return list(vars(self).values())[1:]


def build(vectors: ComposeForm, kept: gr.BrowserState) -> ScoreTab:
    """Lay out the section below the form that chooses the vectors, and connect it; the browser keeps the id of the work in ``kept``."""
    gr.HTML(f'<h2 class="part" id="score">{strings.SCORE_TITLE}</h2>{views.paragraph(strings.SCORE_INTRO)}')
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            table = gr.Dropdown(choices(), value="", label=strings.CHOOSE_TABLE, elem_id="score-table")
            file = gr.File(label=strings.SCORE_UPLOAD, file_types=TABLE_TYPES, height=140, elem_id="score-file")
            gr.HTML(views.paragraph(strings.LABELLED_FORMATS.format(tables=", ".join(TABLES)), "quiet"))
            encoding = encoding_form.build("score")
            columns = column_form.build("score", labelled=True)
            use = gr.Button(strings.USE_COLUMNS, visible=False, elem_id="score-use-columns")
            compared = gr.Checkbox(False, label=strings.COMPARE_LANGUAGES, info=strings.COMPARE_LANGUAGES_HINT, elem_id="score-compare")  # fmt: skip
            labels = label_form.build("score")
            start = gr.Button(strings.SCORE_START, variant="primary", elem_id="score-start")
            stop = gr.Button(strings.WORK_STOP, visible=False, elem_id="stop-score")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            view = gr.HTML(views.paragraph(strings.NO_SCORES_YET, "quiet"), elem_id="score-view")
            intervals = plot.live_plot("intervals", strings.INTERVALS)
    with gr.Column(visible=False) as found:
        lines = gr.HTML(elem_id="score-lines")
        combination = gr.Dropdown([], label=strings.CHOOSE_COMBINATION, elem_id="score-combination")
        with gr.Row(equal_height=False, elem_classes="columns"):
            with gr.Column(scale=2, min_width=300):
                figure = plot.live_plot("confusion", strings.CONFUSION)
            with gr.Column(scale=3, min_width=300):
                details = gr.HTML(elem_id="score-details")
        report = gr.Button(strings.SCORE_REPORT, size="sm", elem_id="take-score-report")
        reported = gr.HTML(elem_id="score-report-answer")
    # Outside of the column: a column that is shown shows a hidden part of it too.
    download = gr.DownloadButton(strings.SCORE_REPORT, visible="hidden", elem_id="taking-score-report")
    tab = ScoreTab(
        table, view, stop, intervals, found, lines, combination, figure, details, gr.Timer(file_tab.EVERY, active=False)
    )
    _connect_file(tab, vectors.fields["task"], file, columns, labels, use)
    _connect_encoding(tab, file, encoding)
    _connect_work(tab, vectors, compared, labels, start, kept)
    written = report.click(write_report, [kept, tab.combination], [download, reported], show_progress="minimal",
                           api_visibility="private")  # fmt: skip
    written.success(None, js=views.press("taking-score-report"), **PRIVATE)
    return tab


def _connect_file(tab: ScoreTab, task: gr.Dropdown, file: gr.File, columns: column_form.ColumnForm,
                  labels: label_form.LabelForm, use: gr.Button) -> None:  # fmt: skip
    received = [tab.table, *columns.outputs(), use, tab.view, tab.intervals, tab.found]
    file.change(receive, [file, task, tab.view], received, **PRIVATE)
    use.click(
        lambda file, task, shown, *values: receive(file, task, shown, values),
        [file, task, tab.view, *columns.inputs()], received, **PRIVATE,
    )  # fmt: skip
    gr.on([tab.table.change, task.change], without_refusal, tab.view, tab.view, **PRIVATE)
    gr.on([tab.table.change, task.change], label_form.ask_nothing, None, labels.outputs(), **PRIVATE)


def _connect_encoding(tab: ScoreTab, file: gr.File, encoding: encoding_form.EncodingForm) -> None:
    file.change(file_tab.ask_encoding, file, encoding.outputs(), **PRIVATE)
    encoding.use.click(file_tab.use_encoding, encoding.inputs(), [file, tab.view], **PRIVATE)


def _connect_work(tab: ScoreTab, vectors: ComposeForm, compared: gr.Checkbox, labels: label_form.LabelForm,
                  start: gr.Button, kept: gr.BrowserState) -> None:  # fmt: skip
    chosen = vectors.inputs()
    start.click(
        lambda table, compared, before, *given: begin(
            table, vectors.values(given[: len(chosen)]), compared, before, *given[len(chosen) :]
        ),
        [tab.table, compared, kept, *chosen, labels.asked, *labels.fields],
        [kept, tab.view, tab.stop, tab.intervals, tab.found, tab.timer, *labels.outputs()], **PRIVATE,
    )  # fmt: skip
    looking = {"fn": look, "inputs": kept, "outputs": tab.outputs(), **PRIVATE}
    tab.timer.tick(**looking)
    tab.stop.click(lambda id_: current_workspace().background_tasks.stop(id_), kept, None, **PRIVATE).then(**looking)
    tab.combination.input(show, [kept, tab.combination], [tab.plot, tab.details], **PRIVATE)


def choices() -> list[tuple[str, str]]:
    """List the stored labelled files, "none" first."""
    return [(strings.NO_TABLE, ""), *((name, name) for name in current_workspace().tables.names())]


def renew(chosen: str | None) -> gr.Dropdown:
    """Return the current list of labelled files; another section may have added or removed some."""
    return removal.renewed(choices(), chosen, "")


def receive(file: str | None, task: str | None, shown: str | None = "",
            values: Sequence[str | None] | None = None) -> tuple:  # fmt: skip
    """Store an uploaded file and choose it, or ask for its columns.

    A refusal hides an earlier result. ``shown`` is what the view shows: a refusal of another file is removed, a result stays.
    """
    nothing = [*column_form.ask_nothing(labelled=True), gr.Button(visible=False)]
    kept = [without_refusal(shown), gr.skip(), gr.skip()]
    if not file:
        return gr.skip(), *nothing, *kept
    workspace, pairs = current_workspace(), False
    try:
        pairs = bool(task) and wants_pairs(workspace, task)
        columns, recognised = read_isolated([file], table_columns, file)
        if not recognised and values is None:
            asked = column_form.ask(file, columns, pairs, labelled=True)
            return gr.skip(), *asked, gr.Button(visible=True), *kept
        named = None if recognised else column_form.mapping(values, pairs, labelled=True)
        name = workspace.tables.add(file, named)
        return gr.Dropdown(choices=choices(), value=name), *nothing, *kept
    except DeftxError as error:
        form = nothing if values is None else [*column_form.ask_again(pairs, labelled=True), gr.skip()]
        if encoding_form.ask([file]):  # a file that is not in UTF-8: the encoding form asks
            return gr.skip(), *form, *kept
        return gr.skip(), *form, views.refusal(strings.NOT_READ, error), *_hidden()


def without_refusal(shown: str | None) -> Any:
    """Remove a refusal from the view when another file or task is chosen; leave anything else as it is."""
    return file_tab.without_refusal(shown, strings.NO_SCORES_YET)


def begin(table: str | None, vectors: dict[str, Any], compared: bool, before: str,
          asked: Sequence[str], *meant: str | None) -> tuple:  # fmt: skip
    """Put the scoring into the queue; unknown labels are asked about, and errors are shown at once."""
    workspace = current_workspace()
    names = label_form.meanings(asked, meant)
    nothing = [gr.skip()] * (3 + label_form.MOST_MAPPED)
    try:
        combination = combination_of(vectors)
        if not table:
            raise DeftxError(strings.NEEDS_TABLE_TO_SCORE)
        wanted = Wanted(table, names, combination.task, workspace.scoring.combinations(combination, bool(compared)))
        id_ = workspace.background_tasks.start(score_shown.work_for(wanted), instead_of=before)
    except Mismatch as error:
        said = (strings.LABELS_GUESSED, strings.LABELS_NOT_GUESSED)
        messages = (text.format(known=", ".join(error.known)) for text in said)
        form = label_form.ask(error.found, error.known, *messages)
        return gr.skip(), views.refusal(strings.SCORE_REFUSED, error), gr.skip(), *_hidden(), gr.skip(), *form
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.SCORE_REFUSED, error), gr.skip(), *_hidden(), gr.skip(), *nothing
    view = file_views.progress(workspace.background_tasks, workspace.background_tasks.find(id_))
    return id_, view, gr.Button(visible=True), *_hidden(), gr.Timer(active=True), *nothing


def _hidden() -> tuple[str, gr.Column]:
    """Hide the plot and the tables of an earlier result."""
    return "", gr.Column(visible=False)


def restore(id_: object) -> tuple:
    """Show an earlier scoring, for a page that opens; nothing if it is gone."""
    return look(known_work(id_))


def look(id_: str) -> tuple:
    """Show the progress; after the end, show the result and stop polling."""
    seen = see(current_workspace().background_tasks, id_, (Scores, WordScores), strings.SCORE_REFUSED)
    if seen is None:
        return *[gr.skip()] * 8, gr.Timer(active=False)
    if seen.going:
        return seen.view, gr.Button(visible=True), "", *[gr.skip()] * 5, gr.Timer(active=True)
    return _ended(seen.view or score_shown.about(seen.result), seen.result)


def show(id_: str, combination: str | None) -> tuple[str, str]:
    """Show the mistakes of one combination: the plot and its tables."""
    found = _found(id_, combination)
    return ("", views.notice(strings.WORK_GONE)) if found is None else score_shown.details(found, combination)


def write_report(id_: str, combination: str | None) -> tuple[str | None, str]:
    """Write a report on one combination with these scores; return (the file, the message)."""
    found = _found(id_, combination)
    if found is None:
        return None, views.notice(strings.WORK_GONE)
    if isinstance(found, WordScores):
        return None, views.refusal(strings.NOT_EXPORTED, strings.WORD_TASK)
    vectors = next(one.vectors for one in found.wanted.combinations if one.id == combination)
    answers = next(one.probabilities for one in found.predictions if one.name == combination)
    try:
        file = library.write_report(vectors, found.table, answers, found.shared)
    except DeftxError as error:
        return None, views.refusal(strings.NOT_EXPORTED, error)
    said = strings.EXPORTED_REPORT.format(name=file.name, size=views.size(file.stat().st_size))
    return str(file), views.notice(said, kind="good")


def _found(id_: str, combination: str | None) -> score_shown.AnyScores | None:
    """Return a finished scoring, if it has this combination."""
    background_task = current_workspace().background_tasks.find(id_)
    found = background_task.result if background_task is not None else None
    return found if score_shown.has(found, combination) else None


def _ended(view: str, found: score_shown.AnyScores | None = None) -> tuple:
    shown = ("", gr.Column(visible=False), *[gr.skip()] * 4) if found is None else score_shown.result(found)
    return view, gr.Button(visible=False), *shown, gr.Timer(active=False)
