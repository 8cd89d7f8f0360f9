"""Step 1, the language: choose one that is ready, or name another; without a name, the text tells."""

from dataclasses import dataclass

import gradio as gr

from ui import strings
from ui.classify import compose_form
from ui.classify.examples import example_in
from ui.guide.plan import Plan
from ui.language_names import code_of, titled
from ui.library import vector_index
from ui.shared import views

LONGEST_NAME = 60


@dataclass(frozen=True)
class LanguageStep:
    """The components of the step."""

    ready: gr.Radio
    name: gr.Textbox
    said: gr.HTML
    go: gr.Button


def build() -> LanguageStep:
    """Lay out the step."""
    ready = gr.Radio(
        choices(), value=None, label=strings.GUIDE_READY, info=strings.GUIDE_READY_HINT, elem_id="guide-ready"
    )
    name = gr.Textbox(
        label=strings.GUIDE_NAME, info=strings.GUIDE_NAME_HINT, max_length=LONGEST_NAME, elem_id="guide-name"
    )  # fmt: skip
    said = gr.HTML(elem_id="guide-language")
    go = gr.Button(strings.GUIDE_NEXT, variant="primary", elem_id="guide-to-text")
    return LanguageStep(ready, name, said, go)


def choices() -> list[tuple[str, str]]:
    """List the language vectors that are ready for the base of this page as (label, key)."""
    return [(entry.label, entry.key) for entry in compose_form.usable("language")]


def ready(code: str) -> vector_index.Entry | None:
    """Return the ready vector of a language by its code; None if there is none."""
    usable = compose_form.usable("language") if code else []
    return next((entry for entry in usable if code_of(vector_index.code_of(entry.folder)) == code), None)


def named(plan: Plan, typed: str) -> Plan:
    """Return the plan for a typed name; a name that is not known is used as it is, without a code."""
    name = typed.strip()[:LONGEST_NAME]
    return plan.changed(name=name, code=code_of(name), guessed=False, vector="")


def say(typed: str) -> str:
    """Say which language a typed name is, and whether a vector for it is ready."""
    if not typed.strip():
        return ""
    code = code_of(typed)
    if not code:
        return views.paragraph(strings.GUIDE_NAME_UNKNOWN.format(name=typed.strip()), "quiet")
    there = ready(code)
    if there:
        return views.notice(strings.GUIDE_NAME_READY.format(name=titled(code), vector=there.label), kind="good")
    return views.paragraph(strings.GUIDE_NAME_KNOWN.format(name=titled(code)), "quiet")


def example(key: str) -> str:
    """Return a sentence to try with a language vector; empty if there is none in its language."""
    folder = next((entry.folder for entry in compose_form.usable("language") if entry.key == key), None)
    return example_in(vector_index.code_of(folder)) if folder else ""
