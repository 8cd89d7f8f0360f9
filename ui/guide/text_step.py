"""Step 2, the text: paste it, upload files or take the sample; see its first lines, and repair what can be repaired."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from deftx.core.errors import CorpusError, DeftxError
from deftx.data.encodings import has_long_characters
from deftx.data.languages import clear_language
from deftx.data.reading import guesses_of
from deftx.data.table_columns import guess_text_column
from ui import strings
from ui.corpus import corpus_tab
from ui.corpus.audit_view import first_lines, repair
from ui.corpus.corpora import SAMPLE, title_of
from ui.current import current_workspace
from ui.guide import choices_panel, language_step
from ui.guide.choices_panel import ChoicesPanel
from ui.guide.plan import Plan
from ui.language_names import name_of, titled
from ui.shared import encoding_form, views
from ui.shared.isolation import read_isolated
from ui.shared.uploads import FILE_TYPES

PASTED = "pasted"
LONGEST_PASTE = 2_000_000  # characters; longer texts are uploaded as files


@dataclass(frozen=True)
class TextStep:
    """The components of the step."""

    paste: gr.Textbox
    use: gr.Button
    upload: gr.File
    sample: gr.Button
    said: gr.HTML
    ready: gr.Button
    go: gr.Button
    choices: ChoicesPanel


def build() -> TextStep:
    """Lay out the step."""
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            paste = gr.Textbox(
                label=strings.GUIDE_PASTE, info=strings.GUIDE_PASTE_HINT, lines=6, max_lines=10, max_length=LONGEST_PASTE,
                elem_id="guide-paste",
            )  # fmt: skip
            use = gr.Button(strings.GUIDE_USE_PASTED, elem_id="guide-use-pasted")
            upload = gr.File(
                label=strings.GUIDE_UPLOAD,
                file_types=FILE_TYPES,
                file_count="multiple",
                height=120,
                elem_id="guide-file",
            )
            sample = gr.Button(strings.GUIDE_SAMPLE, size="sm", elem_id="guide-sample")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            said = gr.HTML(views.paragraph(strings.GUIDE_NO_TEXT, "quiet"), elem_id="guide-text", js_on_load=views.PICK)
            ready = gr.Button(strings.GUIDE_TRY, visible=False, elem_id="guide-text-ready")
            go = gr.Button(strings.GUIDE_NEXT, variant="primary", elem_id="guide-to-task")
    return TextStep(paste, use, upload, sample, said, ready, go, choices_panel.build())


def pasted(plan: Plan, text: str) -> tuple[Plan, str]:
    """Store a pasted text and show it; an error is shown and changes nothing."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return plan, views.notice(strings.GUIDE_PASTE_EMPTY, kind="bad")
    corpora = current_workspace().corpora
    try:
        stored = corpora.with_lines(lines)  # by a first of two clicks
        return _with_text(plan, stored or corpora.add_lines(_as_typed(plan).code or PASTED, lines))
    except DeftxError as error:
        return plan, views.refusal(strings.NOT_READ, error)


def uploaded(plan: Plan, files: Sequence[str] | None) -> tuple[Plan, str]:
    """Store uploaded files as one text and show it. The most likely encoding and column are used, and said."""
    if not files:
        return plan, show(plan)
    try:
        files, remarks = _readable(list(files))
        column = _column(files)
        remarks += [strings.GUIDE_COLUMN_USED.format(column=column)] if column else []
        plan, said = _with_text(plan, current_workspace().corpora.add(files, column))
    except DeftxError as error:
        return plan, views.refusal(strings.NOT_READ, error)
    return plan, views.notes(strings.NOTE, remarks) + said


def sampled(plan: Plan) -> tuple[Plan, str]:
    """Take the sample text."""
    return _with_text(plan, SAMPLE)


def is_little(plan: Plan) -> bool:
    """Return whether the text of the plan is so small that a vector from it will hardly help, or cannot be read."""
    try:
        return current_workspace().facts.audit(plan.text).small
    except DeftxError:
        return True


def fixed(plan: Plan, step: str) -> tuple[Plan, str]:
    """Apply one cleaning step to a copy of the text, which becomes the text of the plan."""
    try:
        return _with_text(plan, current_workspace().corpora.clean(plan.text, [step]))
    except DeftxError as error:
        return plan, views.notice(str(error), kind="bad") + show(plan)


def show(plan: Plan) -> str:
    """Show the first lines of the text, its size, its language, and what can be repaired."""
    if not plan.text:
        return views.paragraph(strings.GUIDE_NO_TEXT, "quiet")
    facts = current_workspace().facts
    try:
        found, mix = facts.audit(plan.text), facts.mix(plan.text)
        effects = [effect for effect in facts.effects(plan.text, ()) if effect.dropped or effect.changed]
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)
    size = strings.GUIDE_TEXT_SIZE.format(lines=f"{found.lines:,}", words=f"{found.words:,}")
    repairs = "".join(f"<li><b>{escape(strings.NOTE)}</b> {repair(effect)}</li>" for effect in effects)
    little = views.notice(strings.GUIDE_LITTLE_TEXT) if found.small else ""
    return (
        f"<h3>{escape(title_of(plan.text))}</h3>{views.paragraph(size, 'quiet')}{little}{_language(plan, mix)}"
        f'{first_lines(facts.first_lines(plan.text))}{f"""<ul class="notes">{repairs}</ul>""" if repairs else ""}'
    )


def offer(plan: Plan) -> gr.Button:
    """Offer to try the text's sentences with a ready vector of the language, without training; hidden if there is none."""
    entry = language_step.ready(plan.code) if plan.text and not plan.language_job else None
    if entry is None:
        return gr.Button(visible=False)
    return gr.Button(strings.GUIDE_TRY_READY.format(name=titled(plan.code)), visible=True)


def with_ready(plan: Plan) -> Plan:
    """Return the plan with the ready vector of its language in place of training; unchanged if there is none."""
    entry = language_step.ready(plan.code)
    return plan.changed(vector=entry.key) if entry else plan


def _with_text(plan: Plan, text: str) -> tuple[Plan, str]:
    """Return the plan with another text, and named after its language unless a name was typed."""
    plan = _as_typed(plan).changed(text=text, language_job="")
    if not plan.name and (code := _main_language(text)):
        plan = plan.changed(name=name_of(code), code=code, guessed=True)
    return plan, show(plan)


def _as_typed(plan: Plan) -> Plan:
    """Return the plan without a name that was guessed from an earlier text."""
    return plan.changed(name="", code="", guessed=False) if plan.guessed else plan


def _main_language(text: str) -> str:
    """Return the code of the language that a text is in; empty if that is not clear."""
    try:
        return clear_language(current_workspace().facts.mix(text))
    except DeftxError:
        return ""


def _language(plan: Plan, mix: dict[str, float]) -> str:
    """Say which language the text looks like, if that is clear, or that it is not the one of the plan."""
    code = clear_language(mix)
    if not code:
        return ""
    share = f"{mix[code]:.0%}"
    if plan.code in ("", code):
        return views.notice(strings.GUIDE_LOOKS_LIKE.format(name=titled(code), share=share), kind="good")
    return views.notice(strings.GUIDE_OTHER_LANGUAGE.format(
        found=titled(code), share=share, name=titled(plan.code)
    ), kind="bad")  # fmt: skip


def _readable(files: list[str]) -> tuple[list[str], list[str]]:
    """Return the files in UTF-8, and remarks on the encoding that was used for others."""
    remarks: list[str] = []
    used: list[str] = []
    for _ in range(len(files)):  # each time, at least one file is saved as UTF-8
        name, guesses = read_isolated(files, guesses_of, files, CorpusError)
        if not guesses:
            break
        # Most uploads are in one encoding; text of others is hardly ever valid in one of Chinese, Japanese or Korean.
        same = (guess for guess in guesses if guess.encoding in used and has_long_characters(guess.encoding))
        guess = next(same, guesses[0])
        used.append(guess.encoding)
        remarks.append(strings.GUIDE_ENCODING_USED.format(name=name, encoding=strings.of_library(guess.title)))
        files = encoding_form.confirmed(files, guess.encoding)
    return files, remarks


def _column(files: list[str]) -> str | None:
    """Return the likely column of the text in tables that have several; None where it is clear."""
    file, columns = corpus_tab.unclear_columns(files) or ("", ())
    return read_isolated([file], guess_text_column, file, columns, CorpusError) if columns else None
