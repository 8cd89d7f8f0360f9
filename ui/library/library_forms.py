"""The forms below the list of vectors: import one, export a classifier, find the languages nearest to a text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.publish.catalogue import published
from deftx.publish.importing import Wishes, bring_file, bring_from_hub
from deftx.publish.own_vectors import OwnVector, OwnVectors
from ui import strings
from ui.classify.combination import Combination
from ui.classify.compose_form import language_choices, task_choices
from ui.corpus import corpus_tab
from ui.current import current_workspace
from ui.library import library, library_views
from ui.shared import views

# Buttons of a table carry their key in a data attribute.
USE = """element.addEventListener('click', e => {
  const key = e.target.closest?.('[data-use]')?.dataset.use;
  if (key) trigger('select', {key});
});"""

# What can be downloaded of a combination: the function that writes the file, and the name of the message.
PACKED: dict[str, tuple[Callable[[Combination], Path], str]] = {
    "classifier": (library.export, "EXPORTED"),
    "space": (library.export_space, "EXPORTED_SPACE"),
    "report": (library.write_report, "EXPORTED_REPORT"),
}


@dataclass(frozen=True)
class ImportForm:
    """The components that import a vector."""

    file: gr.File
    catalogue: gr.Dropdown
    hub: gr.Textbox
    revision: gr.Textbox
    fetch: gr.Button
    wishes: list[gr.components.Component]
    answer: gr.HTML


@dataclass(frozen=True)
class ExportForm:
    """The components that pack a classifier."""

    inputs: list[gr.components.Component]
    button: gr.Button
    answer: gr.HTML

    def choices(self) -> list[gr.components.Component]:
        """The lists of vectors."""
        return self.inputs[:2]


@dataclass(frozen=True)
class NearestForm:
    """The components that compare a text with the known languages."""

    corpus: gr.Dropdown
    answer: gr.HTML  # its select event carries the vector to use


def build_import() -> ImportForm:
    """Lay out the form that imports a vector."""
    with gr.Accordion(strings.BRING, open=False, elem_id="bring"):
        gr.HTML(views.paragraph(strings.BRING_INTRO, "quiet"))
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                file = gr.File(label=strings.BRING_FILE, file_types=[".zip", ".bin"], height=110, elem_id="bring-file")
                gr.HTML(views.paragraph(strings.BRING_FORMATS, "under"))
            with gr.Column(min_width=280):
                catalogue = gr.Dropdown(
                    catalogue_choices(), value="", label=strings.CATALOGUE, info=strings.CATALOGUE_HINT,
                    elem_id="bring-catalogue",
                )  # fmt: skip
                hub = gr.Textbox(
                    label=strings.BRING_HUB, info=strings.BRING_HUB_HINT, max_length=200, elem_id="bring-hub"
                )
                revision = gr.Textbox(
                    label=strings.REVISION, info=strings.REVISION_HINT, max_length=100, elem_id="bring-revision"
                )
                fetch = gr.Button(strings.BRING_FETCH, elem_id="bring-fetch")
        with gr.Row():
            title = gr.Textbox(
                label=strings.BRING_TITLE, info=strings.BRING_TITLE_HINT, max_length=80, elem_id="bring-title"
            )
            code = gr.Textbox(
                label=strings.LANGUAGE_CODE, info=strings.ONLY_LT_SFT, max_length=40, elem_id="bring-code"
            )
            labels = gr.Textbox(
                label=strings.BRING_LABELS, info=strings.BRING_LABELS_HINT, max_length=400, elem_id="bring-labels"
            )
        answer = gr.HTML(elem_id="bring-answer")
    return ImportForm(file, catalogue, hub, revision, fetch, [title, code, labels], answer)


def build_export() -> ExportForm:
    """Lay out the form that packs a classifier."""
    with gr.Accordion(strings.EXPORT, open=False, elem_id="export"):
        gr.HTML(views.paragraph(strings.EXPORT_INTRO, "quiet"))
        with gr.Row():
            task = gr.Dropdown([], label=strings.TASK, info=strings.TASK_HINT, elem_id="export-task")
            language = gr.Dropdown([], label=strings.LANGUAGE, info=strings.LANGUAGE_HINT, elem_id="export-language")
        with gr.Row():
            of_task = gr.Slider(
                0,
                2,
                1,
                step=0.05,
                label=strings.EXPORT_STRENGTH_TASK,
                info=strings.EXPORT_STRENGTH_HINT,
                elem_id="export-strength-task",
            )
            of_language = gr.Slider(
                0,
                2,
                1,
                step=0.05,
                label=strings.EXPORT_STRENGTH_LANGUAGE,
                info=strings.EXPORT_STRENGTH_HINT,
                elem_id="export-strength-language",
            )
        button = gr.Button(strings.EXPORT_APPLY, elem_id="export-apply")
        answer = gr.HTML(elem_id="export-answer")
    return ExportForm([task, language, of_task, of_language], button, answer)


def build_nearest() -> NearestForm:
    """Lay out the form that compares a text with the known languages."""
    with gr.Accordion(strings.NEAREST, open=False, elem_id="nearest"):
        gr.HTML(views.paragraph(strings.NEAREST_INTRO, "quiet"))
        corpus = gr.Dropdown([], label=strings.TRAIN_ON, info=strings.TRAIN_ON_HINT, elem_id="nearest-corpus")
        answer = gr.HTML(elem_id="nearest-answer", js_on_load=USE)
    return NearestForm(corpus, answer)


def catalogue_choices() -> list[tuple[str, str]]:
    """List the published LT-SFT vectors as (label, id), with kind, language and base; "none" first."""
    listed = (
        (strings.CATALOGUE_ENTRY.format(
            kind=strings.KIND_NAMES[one.kind], language=f"{one.language} ({one.code})" if one.code else one.language,
            name=one.id.split("/")[1], base=one.base,
        ), one.id)
        for one in published()
    )  # fmt: skip
    return [(strings.CATALOGUE_NONE, ""), *listed]


def from_catalogue(chosen: str | None) -> tuple[str, str, str]:
    """Return the form's values for a published vector: (its id, its language's code, its labels)."""
    found = next((one for one in published() if one.id == chosen), None)
    return (found.id, found.code, ", ".join(found.labels)) if found else ("", "", "")


def import_file(file: str | None, title: str, code: str, labels: str) -> tuple[str, str]:
    """Import an uploaded file; return (its key or "", the message)."""
    if not file:
        return "", ""
    base, path = current_workspace().base, Path(file)
    return _taken(lambda own, wishes: bring_file(own, path, path.name, base, wishes), title, code, labels)


def import_from_hub(name: str, revision: str, title: str, code: str, labels: str) -> tuple[str, str]:
    """Import from the Hub; return (its key or "", the message)."""
    base = current_workspace().base
    return _taken(
        lambda own, wishes: bring_from_hub(own, name or "", revision or "", base, wishes), title, code, labels
    )


def _taken(bring: Callable[[OwnVectors, Wishes], OwnVector], title: str, code: str, labels: str) -> tuple[str, str]:
    workspace = current_workspace()
    wishes = Wishes(
        title or "", (code or "").strip(), tuple(part.strip() for part in (labels or "").split(",") if part.strip())
    )
    try:
        workspace.admit(0)
        kept = bring(OwnVectors(workspace.store.root), wishes)
    except DeftxError as error:
        return "", views.refusal(strings.NOT_TAKEN, error)
    item = library.find(f"own:{kept.name}")
    said = strings.TAKEN if item.fits else strings.TAKEN_FOR_OTHER
    return item.key, views.notice(said.format(title=item.title, base=item.base), kind="good" if item.fits else "note")


def renew(task: str | None, language: str | None, corpus: str | None, chosen: str | None) -> tuple:
    """Refresh the lists of the forms; ``chosen`` is the text chosen under Corpus."""
    tasks, languages = task_choices(), language_choices()
    texts = corpus_tab.choices()
    return (
        gr.Dropdown(choices=tasks, value=_still(task, tasks) or (tasks[0][1] if tasks else None)),
        gr.Dropdown(choices=languages, value=_still(language, languages) or ""),
        gr.Dropdown(choices=texts, value=_still(corpus, texts) or _still(chosen, texts)),
    )


def _still(value: str | None, choices: list[tuple[str, str]]) -> str | None:
    return value if value in [key for _, key in choices] else None


def export(wanted: Callable[[], Combination], kind: str = "classifier") -> tuple[str | None, str]:
    """Write one of PACKED for a combination; return (the file, the message)."""
    write, said = PACKED[kind]
    try:
        file = write(wanted())
    except (DeftxError, OSError) as error:  # a full disk
        return None, views.refusal(strings.NOT_EXPORTED, error)
    named = getattr(strings, said).format(name=file.name, size=views.size(file.stat().st_size))
    return str(file), views.notice(named, kind="good")


def chosen_for_export(task: str | None, language: str | None, of_task: float, of_language: float) -> Combination:
    """Read the form of ``build_export``; DeftxError if there is no task."""
    return Combination.of(task, [(language, of_language)], of_task)


def compare(corpus: str | None) -> str:
    """Show the known languages that are nearest to a text, with their vectors."""
    if not corpus:
        return views.paragraph(strings.NEEDS_CORPUS, "quiet")
    workspace = current_workspace()
    try:
        found = workspace.facts.nearest(corpus, workspace.base().tokenizer)
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)
    vectors: dict[str, list] = {}
    for item in library.items(kind="language"):
        if item.fits:
            vectors.setdefault(str(item.info.get("language") or ""), []).append(item)
    return library_views.nearest(found, vectors)
