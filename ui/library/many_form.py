"""The results of ``many`` in the Library: a table of the vectors and a heat map of their overlaps, from a zip or a folder."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.language_names import titled
from deftx.evidence.many_results import ManyResults, read_many
from deftx.jobs import push
from ui import strings
from ui.current import current_workspace
from ui.overlap.overlap_figures import matrix_figure
from ui.shared import plot, views

SHOWN_ROWS = 500
NUMBERS = ("setting", "seed", "lines", "loss_before", "loss_after", "seconds", "failure")


@dataclass(frozen=True)
class ManyForm:
    """The components that show the results of ``many``."""

    file: gr.File
    folder: gr.Textbox
    open: gr.Button
    answer: gr.HTML
    figure: gr.HTML


def build() -> ManyForm:
    """Lay out the form; only the host, who may name any path of the machine, gets the field for a folder."""
    with gr.Accordion(strings.MANY, open=False, elem_id="many"):
        gr.HTML(views.paragraph(strings.MANY_INTRO, "quiet"))
        file = gr.File(label=strings.MANY_FILE, file_types=[".zip"], height=110, elem_id="many-file")
        folder = gr.Textbox(label=strings.MANY_FOLDER, max_length=500, visible=False, elem_id="many-folder")
        look = gr.Button(strings.MANY_OPEN, visible=False, elem_id="many-open")
        answer = gr.HTML(elem_id="many-answer")
        figure = plot.live_plot("many-overlaps", strings.MANY_OVERLAPS)
    return ManyForm(file, folder, look, answer, figure)


def renew() -> tuple[gr.Textbox, gr.Button]:
    """Show the field for a folder to the host alone."""
    allowed = _may_name_folders()
    return gr.Textbox(visible=allowed), gr.Button(visible=allowed)


def from_file(file: str | None) -> tuple[str, str]:
    """Show an uploaded zip; return (the table or a message, the heat map)."""
    return _shown(Path(file)) if file else ("", "")


def from_folder(folder: str) -> tuple[str, str]:
    """Show a folder of the machine, which only the host may name; return (the table or a message, the heat map)."""
    if not _may_name_folders():
        return views.refusal(strings.MANY_NOT_SHOWN, strings.MANY_ONLY_HOST), ""
    return _shown(Path(folder.strip())) if folder.strip() else ("", "")


def _may_name_folders() -> bool:
    """Whether this is the page of the machine's owner alone, neither one of several people nor one that strangers share."""
    return current_workspace().is_host and not push.is_shared()


def _shown(place: Path) -> tuple[str, str]:
    try:
        found = read_many(place)
    except DeftxError as error:
        return views.refusal(strings.MANY_NOT_SHOWN, error), ""
    return _table(found), plot.as_value(matrix_figure(found.languages, _percent(found)))


def _table(found: ManyResults) -> str:
    done = sum(bool(row["entries"]) for row in found.rows)
    said = strings.MANY_DONE.format(done=f"{done:,}", count=f"{len(found.rows):,}")
    heads = (strings.LANGUAGE_COLUMN, *(strings.MANY_COLUMNS[name] for name in NUMBERS))
    rows = [
        (titled(row["language"], strings.language()), *(row[name] for name in NUMBERS))
        for row in found.rows[:SHOWN_ROWS]
    ]
    more = views.paragraph(strings.MANY_MORE.format(count=SHOWN_ROWS), "quiet") if len(found.rows) > SHOWN_ROWS else ""
    return views.paragraph(said) + views.table(heads, rows) + more


def _percent(found: ManyResults) -> list[list[float | None]]:
    """Return the overlaps in percent, without those of a vector with itself, beside which all others would be pale."""
    return [
        [None if one == other else 100 * value for other, value in enumerate(row)]
        for one, row in enumerate(found.overlaps)
    ]
