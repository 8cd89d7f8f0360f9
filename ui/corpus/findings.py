"""What the section Corpus shows of a text: its audit, with a button beside each note that cleaning repairs."""

from collections.abc import Sequence

import gradio as gr

from deftx.core.bounded import Stopped
from deftx.core.errors import DeftxError
from deftx.data.cleaning import CLEANINGS, Effect
from ui import strings
from ui.corpus import audit_view
from ui.corpus.corpora import title_of
from ui.corpus.corpus_figures import length_figure
from ui.current import current_workspace
from ui.shared import plot, views


def show(name: str | None) -> tuple[str, str, str, str]:
    """Return the audit of a text: findings, the heading of the length plot, the plot, its table and the unused lines."""
    try:
        said = show_findings(name)
    except Stopped:  # another text is shown by now, or nobody is here
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    if not name:
        return said, "", "", ""
    workspace = current_workspace()
    try:
        found, unused = workspace.audit(name), workspace.facts.unused(name)
    except DeftxError:  # it has been reported already
        return said, "", "", ""
    heading = f"<h4>{views.escape(strings.LENGTHS_TITLE)}</h4>"
    details = audit_view.lengths_table(found) + audit_view.left_out(unused)
    return said, heading, plot.as_value(length_figure(found)), details


def show_repairs(name: str | None) -> str:
    """Return the findings with a button beside each note that cleaning repairs; nothing new if there is none."""
    if not name:
        return gr.skip()
    facts = current_workspace().facts
    try:
        return show_findings(name, facts.effects(name, ())) if facts.audit(name).repairs else gr.skip()
    except DeftxError:  # it has been reported already, or another text is shown by now
        return gr.skip()


def show_findings(name: str | None, effects: Sequence[Effect] = ()) -> str:
    """Audit a text and describe it in plain words; ``effects`` are those of cleaning it."""
    if not name:
        return views.paragraph(strings.NO_CORPUS_YET, "quiet")
    workspace = current_workspace()
    try:
        titles = {cleaning.name: strings.of_library(cleaning.title) for cleaning in CLEANINGS.values()}
        origin = audit_view.origin(workspace.corpora.note(name), titles)
        names = workspace.facts.languages().names()
        facts = workspace.facts
        first, mix = facts.first_lines(name), facts.mix(name)
        return audit_view.findings(title_of(name), origin, first, workspace.audit(name), mix, names, effects)
    except Stopped:
        raise
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)
