"""A folded part of the text step: which base, which relative, how much text; computed when a person asks for it."""

from dataclasses import dataclass

import gradio as gr

from deftx.analysis.base_choice import Plan as Training
from deftx.analysis.base_choice import cached_bases
from deftx.analysis.choices import Choices, advise_on
from deftx.core.errors import DeftxError
from deftx.models.bases import BUNDLED_BASE
from deftx.training.preflight import Machine
from deftx.training.recipes import recipe_for
from ui import strings
from ui.corpus.corpora import title_of
from ui.current import current_workspace
from ui.guide import choices_views
from ui.guide.plan import Plan
from ui.shared import views


@dataclass(frozen=True)
class ChoicesPanel:
    """The components of the part."""

    look: gr.Button
    answer: gr.HTML


def build() -> ChoicesPanel:
    """Lay out the part."""
    with gr.Accordion(strings.CHOICES, open=False, elem_id="guide-choices"):
        gr.HTML(views.paragraph(strings.CHOICES_INTRO, "quiet"))
        look = gr.Button(strings.CHOICES_LOOK, size="sm", elem_id="guide-choices-look")
        answer = gr.HTML(elem_id="guide-choices-answer")
    return ChoicesPanel(look, answer)


def look(plan: Plan) -> str:
    """Show the answers on the text of a plan; an error is shown."""
    if not plan.text:
        return views.notice(strings.GUIDE_NEEDS_TEXT, kind="bad")
    try:
        return f"<h3>{views.escape(title_of(plan.text))}</h3>{choices_views.show(choices(plan))}"
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)


def choices(plan: Plan) -> Choices:
    """Compare for the text of a plan the base of the page and, on the host's own page, those in the cache of the Hub.

    Raises:
        DeftxError: If the text cannot be read or has no letters.
    """
    workspace = current_workspace()
    names = [workspace.base_name] if workspace.base_name != BUNDLED_BASE else []
    names += cached_bases() if workspace.is_host else ()
    training = Training(recipe_for("language", plan.preset), Machine.of(workspace.device), workspace.forecast.speed)
    facts = workspace.facts
    return advise_on(facts.read(plan.text), names, training, workspace.base(), facts.languages_folder)
