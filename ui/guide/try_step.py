"""Step 5: try the classifier on sentences of one's own, and go on to judging it."""

from dataclasses import dataclass

import gradio as gr

from deftx.classify.estimating import LEAST_TEXTS
from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import compose_views, file_views
from ui.classify.combination import Combination
from ui.classify.compose_form import LONGEST
from ui.classify.composing import FEW_TEXTS
from ui.classify.examples import meaning_of
from ui.current import current_workspace
from ui.guide.plan import Plan
from ui.library import vector_index
from ui.shared import views

OWN_LINES = 3  # lines of the person's text that are offered as sentences
SHORT, LONG = 20, 160  # characters of such a line
MOST_LINES = FEW_TEXTS  # lines of the person's text from which it is estimated how many answers are right


@dataclass(frozen=True)
class TryStep:
    """The components of the step."""

    made_of: gr.HTML
    text: gr.Textbox
    classify: gr.Button
    lines: gr.HTML
    estimate: gr.Button
    estimated: gr.HTML
    answer: gr.HTML
    judge: gr.Button
    label: gr.Button
    again: gr.Button


def build() -> TryStep:
    """Lay out the step."""
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            made_of = gr.HTML(elem_id="guide-made-of")
            text = gr.Textbox(
                label=strings.SENTENCE, lines=1, max_lines=6, max_length=LONGEST, elem_id="guide-sentence"
            )
            classify = gr.Button(strings.CLASSIFY, variant="primary", elem_id="guide-classify")
            lines = gr.HTML(elem_id="guide-lines", js_on_load=views.PICK)
            estimate = gr.Button(strings.GUIDE_ESTIMATE, visible=False, elem_id="guide-estimate")
            estimated = gr.HTML(elem_id="guide-estimated")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            answer = gr.HTML(views.paragraph(strings.NOTHING_CLASSIFIED, "quiet"), elem_id="guide-answer")
            with gr.Row(elem_classes="buttons"):
                judge = gr.Button(strings.GUIDE_JUDGE, elem_id="guide-judge")
                label = gr.Button(strings.GUIDE_LABEL, elem_id="guide-label")
                again = gr.Button(strings.GUIDE_OTHER, elem_id="guide-other")
    return TryStep(made_of, text, classify, lines, estimate, estimated, answer, judge, label, again)


def made_of(plan: Plan) -> str:
    """Say with which language and for which task the sentence is classified."""
    store = current_workspace().store
    wanted = (("task", plan.task_key()), ("language", plan.language_key()))
    found = [{e.key: e.label for e in vector_index.entries(store, kind)}.get(key, "") for kind, key in wanted]
    if not found[0]:
        return views.notice(strings.NO_TASK, kind="bad")
    said = strings.GUIDE_MADE_OF.format(task=found[0], language=found[1] or strings.NO_LANGUAGE)
    skipped = f" {strings.GUIDE_WAS_READY}" if plan.vector and not plan.text else ""
    return views.paragraph(said + skipped, "quiet")


def own_lines(plan: Plan) -> str:
    """Offer short lines of the person's text as sentences to try."""
    if not plan.text:
        return ""
    try:
        picked = _spread(plan.text, OWN_LINES)
    except DeftxError:
        return ""
    buttons = "".join(
        f'<li><button type="button" class="line" data-pick="{views.escape(line)}">{views.escape(line)}</button></li>'
        for line in picked
    )
    return f'<h4>{views.escape(strings.GUIDE_OWN_LINES)}</h4><ul class="lines">{buttons}</ul>' if picked else ""


def _spread(text: str, count: int) -> list[str]:
    """Return different lines of a text that are as long as a sentence, spread over the whole text."""
    lines = dict.fromkeys(current_workspace().facts.read(text).lines)
    short = [line for line in lines if SHORT <= len(line) <= LONG]
    picked = min(count, len(short))
    return [short[number * len(short) // picked] for number in range(picked)]


def estimate(plan: Plan) -> str:
    """Say how many answers are probably right, estimated from the person's text without labels."""
    composing = current_workspace().composing
    try:
        lines = _spread(plan.text, MOST_LINES)
        found = composing.find(Combination.of(plan.task_key(), [(plan.language_key(), 1.0)]))
        with composing.classifier(found, len(lines)) as classifier:
            if len(lines) < LEAST_TEXTS or classifier.calibration is None:
                return views.notice(strings.NOT_ESTIMATED.format(least=LEAST_TEXTS))
            probabilities = classifier.classify(lines).numpy()
    except DeftxError as error:
        return views.refusal(strings.NOT_CLASSIFIED, error)
    return file_views.estimate(classifier.calibration, probabilities) + views.paragraph(
        strings.GUIDE_ESTIMATED_FROM.format(count=len(lines)), "quiet"
    )


def answer(plan: Plan, text: str) -> str:
    """Classify a sentence; an error replaces the answer."""
    if not text.strip():
        return views.paragraph(strings.NOTHING_CLASSIFIED, "quiet")
    workspace = current_workspace()
    try:
        combination = Combination.of(plan.task_key(), [(plan.language_key(), 1.0)])
        compared = workspace.composing.compare(combination, text)
    except DeftxError as error:
        return views.refusal(strings.NOT_CLASSIFIED, error)
    changed = compose_views.change_sentence(compared) if plan.language_key() else ""
    meaning = meaning_of(text, strings.language())
    return (
        compose_views.answer_view(compared, workspace.machine)
        + (views.paragraph(changed, "said") if changed else "")
        + (views.paragraph(strings.GUIDE_EXAMPLE_MEANS.format(meaning=meaning), "quiet") if meaning else "")
    )
