"""The form of "Compose and test": texts, vectors with their strengths, and how they are merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.core.units import QUESTION, TEXT, WORD
from deftx.models.batches import Text
from deftx.vectors.merging import METHODS, PAPER, Parameter
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import takes_pairs
from ui.classify.units import unit_of
from ui.current import current_workspace
from ui.language_names import name_of
from ui.library import vector_index

MORE = (2, 3)  # fields for further language vectors
STRONGEST, STEP = 2.0, 0.05
EXAMPLE_LANGUAGE = "bundled:ind"  # the language vector for the example sentence
LONGEST = 4_000  # characters of a text: far more than a base reads at a time


@dataclass(frozen=True)
class ComposeForm:
    """The components, by the names under which ``combination_of`` and ``text_of`` find their values."""

    fields: dict[str, gr.components.Component]
    button: gr.Button
    more: gr.Accordion
    settings: dict[str, tuple[str, ...]]  # the fields of each merge method's parameters

    def inputs(self) -> list[gr.components.Component]:
        """The components in the order of ``values``."""
        return list(self.fields.values())

    def values(self, given: Sequence[Any]) -> dict[str, Any]:
        """Map the values of ``inputs`` to their names."""
        return dict(zip(self.fields, given, strict=True))


def build(asking: gr.Column, further: gr.Column) -> ComposeForm:
    """Lay out the form: the sentence and the two vectors in ``asking``; everything else, folded, in ``further``."""
    tasks = task_choices()
    first = tasks[0][1] if tasks else None
    asks = texts_asked(first)
    fields: dict[str, gr.components.Component] = {}
    with asking:
        fields["text"] = gr.Textbox(
            strings.EXAMPLE, label=asks.first, lines=1, max_lines=6, max_length=LONGEST, elem_id="sentence",
        )  # fmt: skip
        fields["second"] = gr.Textbox(
            "", label=asks.second, info=asks.hint, lines=1, max_lines=6, max_length=LONGEST, visible=asks.two,
            elem_id="hypothesis",
        )  # fmt: skip
        with gr.Row(elem_classes="pair"):
            fields["task"] = gr.Dropdown(tasks, value=first, label=strings.TASK, min_width=130, elem_id="task")
            fields["language"] = gr.Dropdown(
                language_choices(), value=first_language(), label=strings.LANGUAGE, min_width=130,
                elem_id="language",
            )  # fmt: skip
        button = gr.Button(asks.action, variant="primary", elem_id="classify")
    with further:
        with gr.Accordion(strings.STRENGTHS, open=False, elem_id="strengths"):
            fields["strength_task"] = _strength(strings.STRENGTH_TASK, "strength-task")
            fields["strength_language"] = _strength(strings.STRENGTH_LANGUAGE, "strength-language")
        with gr.Accordion(strings.MORE_LANGUAGES, open=False, elem_id="more-languages") as more:
            for place in MORE:
                fields |= _further(place)
        with gr.Accordion(strings.MERGE_ADVANCED, open=False, elem_id="merge-advanced"):
            settings = _add_methods(fields)
    return ComposeForm(fields, button, more, settings)


def combination_of(values: dict[str, Any]) -> Combination:
    """Read the combination; DeftxError if something is missing or out of range."""
    languages = [(values["language"], values["strength_language"])]
    languages += [(values[f"language_{place}"], values[f"strength_{place}"]) for place in MORE]
    method = values["method"]
    parameters = {name: _setting(parameter, values[_field(method, name)])
                  for name, parameter in METHODS[method].parameters.items()}  # fmt: skip
    return Combination.of(values["task"], languages, values["strength_task"], method, parameters)


def text_of(values: dict[str, Any], pairs: bool) -> Text:
    """Read the text: a sentence, or premise and hypothesis."""
    text = values["text"] or ""
    return (text, values["second"] or "") if pairs else text


@dataclass(frozen=True)
class TextsAsked:
    """The labels of the texts that a task needs, and of the button; ``two``: whether the second text is needed too."""

    first: str
    second: str
    hint: str
    two: bool
    action: str


def texts_asked(task: str | None) -> TextsAsked:
    """Return the texts that a task vector, by its key, needs."""
    unit = unit_of_key(task)
    action = {QUESTION: strings.ANSWER_QUESTION, WORD: strings.TAG_WORDS}.get(unit, strings.CLASSIFY)
    if unit == QUESTION:
        return TextsAsked(strings.QUESTION, strings.QUESTION_CONTEXT, strings.QUESTION_CONTEXT_HINT, True, action)
    pair = needs_pair(task)
    first = strings.PREMISE if pair else strings.SENTENCE
    return TextsAsked(first, strings.HYPOTHESIS, strings.HYPOTHESIS_HINT, pair, action)


def needs_pair(task: str | None) -> bool:
    """Return whether a task vector, by its key, classifies pairs."""
    found = {entry.key: entry for entry in vector_index.entries(current_workspace().store, "task")}
    return task in found and takes_pairs(found[task].folder)


def unit_of_key(task: str | None) -> str:
    """Return what a task vector, by its key, answers about: one of UNITS."""
    found = {entry.key: entry for entry in vector_index.entries(current_workspace().store, "task")}
    return unit_of(found[task].folder) if task in found else TEXT


def is_for_words(task: str | None) -> bool:
    """Return whether a task vector, by its key, tags words."""
    return unit_of_key(task) == WORD


def task_choices(texts_only: bool = False) -> list[tuple[str, str]]:
    """List task vectors as (label with score, key): those made for the base of this page, the best first, then the others.

    With ``texts_only``, those that tag words, answer questions or classify pairs are left out.
    """
    fitting = vector_index.best_first(usable("task"))
    others = [entry for entry in vector_index.entries(current_workspace().store, "task") if entry not in fitting]
    found = [*fitting, *others]
    if texts_only:
        found = [entry for entry in found if unit_of(entry.folder) == TEXT and not takes_pairs(entry.folder)]
    return [(_scored(entry), entry.key) for entry in found]


def language_choices() -> list[tuple[str, str]]:
    """List language vectors as (label, key), "none" first."""
    entries = vector_index.entries(current_workspace().store, "language")
    return [(strings.NO_LANGUAGE, ""), *((entry.label, entry.key) for entry in entries)]


def first_language() -> str:
    """Return the key of the vector that the page chooses at first: that of the example's language, if it fits the base."""
    return EXAMPLE_LANGUAGE if EXAMPLE_LANGUAGE in [entry.key for entry in usable("language")] else ""


def usable(kind: str) -> list[vector_index.Entry]:
    """List the vectors of a kind that were made for the base of this page."""
    workspace = current_workspace()
    base = workspace.loaded_base()
    fingerprint = base.fingerprint if base else None
    found = vector_index.entries(workspace.store, kind)
    return [entry for entry in found if vector_index.made_for(entry, workspace.base_name, fingerprint)]


def _scored(entry: vector_index.Entry) -> str:
    # That nine of ten words are no name says little about a task on words.
    share = None if unit_of(entry.folder) == WORD else vector_index.right_share(entry)
    if share is None:
        return entry.label
    code = vector_index.describe(entry.folder).get("language")  # that of the validation rows
    said = strings.SCORED_IN if code else strings.SCORED
    return said.format(title=entry.label, right=round(100 * share), language=name_of(str(code)))


def _strength(label: str, elem_id: str) -> gr.Slider:
    return gr.Slider(0, STRONGEST, value=1.0, step=STEP, label=label, info=strings.STRENGTH_HINT, elem_id=elem_id,
                     elem_classes="strength")  # fmt: skip


def _further(place: int) -> dict[str, gr.components.Component]:
    language, strength = strings.LANGUAGE_NUMBER.format(number=place), strings.STRENGTH_NUMBER.format(number=place)
    choice = gr.Dropdown(language_choices(), value="", label=language, elem_id=f"language-{place}")
    return {f"language_{place}": choice, f"strength_{place}": _strength(strength, f"strength-{place}")}


def _add_methods(fields: dict[str, gr.components.Component]) -> dict[str, tuple[str, ...]]:
    """Add the choice of the method and the parameters of each method; only those of the chosen one are visible."""
    choices = [(title, name) for name, title in strings.MERGE_METHODS.items()]
    fields["method"] = gr.Radio(choices, value=PAPER, label=strings.MERGE, info=strings.MERGE_HINT, elem_id="merge")
    for method, known in METHODS.items():
        for name, parameter in known.parameters.items():
            fields[_field(method, name)] = _parameter(name, parameter, method)
    return {method: tuple(_field(method, name) for name in known.parameters) for method, known in METHODS.items()}


def _parameter(name: str, parameter: Parameter, method: str) -> gr.components.Component:
    about = {
        "label": strings.MERGE_PARAMETERS[name], "info": strings.MERGE_PARAMETER_HINTS[name],
        "visible": method == PAPER, "elem_id": f"merge-{name}",
    }  # fmt: skip
    if parameter.whole:
        return gr.Number(parameter.default, precision=0, minimum=parameter.low, maximum=parameter.high, **about)
    return gr.Slider(parameter.low, parameter.high, value=parameter.default, step=0.01, **about)


def _setting(parameter: Parameter, value: Any) -> Any:
    return int(value) if parameter.whole and value is not None else value


def _field(method: str, parameter: str) -> str:
    return f"{method}.{parameter}"
