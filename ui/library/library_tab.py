"""The Library: find, inspect, rename, download, remove and restore vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from ui import strings
from ui.library import library, library_answers, library_forms, many_form, push_form
from ui.shared import views
from ui.shared.errors import refusals

_TABLE = """
const names = ['show', 'restore'];
const of = target => { for (const name of names) {
  const found = target?.closest?.(`[data-${name}]`);
  if (found) return [name, found.dataset[name]];
} };
let last = '';
element.addEventListener('click', e => {
  const [name, key] = of(e.target) ?? [];
  if (name) { last = `[data-${name}="${key}"]`; trigger('select', {key}); }
});
document.addEventListener('focusin', e => { if (!element.contains(e.target)) last = ''; });
watch('value', () => {
  if (last && document.activeElement === document.body) element.querySelector(last)?.focus({preventScroll: true});
});
"""

_TAKE = views.press("taking")  # a finished file is downloaded as if its button had been clicked
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
SLOW = {"api_visibility": "private", "show_progress": "minimal"}


@dataclass(frozen=True)
class LibraryTab:
    """The components of the section; ``chosen`` and ``undoable`` are keys of vectors."""

    words: gr.Textbox
    kind: gr.Dropdown
    table: gr.HTML
    detail: gr.HTML
    overlaps: gr.HTML
    title: gr.Textbox
    rename: gr.Button
    use: gr.Button
    take: gr.Button
    discard: gr.Button
    actions: gr.Row
    naming: gr.Row
    said: gr.HTML
    undo: gr.Button
    trash: gr.HTML
    chosen: gr.Textbox
    undoable: gr.Textbox
    taking: gr.DownloadButton
    import_form: library_forms.ImportForm
    export: library_forms.ExportForm
    nearest: library_forms.NearestForm
    push: push_form.PushForm
    many: many_form.ManyForm

    def lists(self) -> list[gr.components.Component]:
        """The outputs that list the vectors, in the order of ``look``."""
        return [self.table, self.trash]

    def shown(self) -> list[gr.components.Component]:
        """The outputs that show one vector, in the order of ``show``."""
        return [self.detail, self.title, self.actions, self.naming, self.rename, self.discard, self.use]

    def whole(self) -> list[gr.components.Component]:
        """The outputs that a choice changes, in the order of ``whole``."""
        return [self.chosen, *self.shown(), *self.lists()]


def build() -> LibraryTab:
    """Lay out the section."""
    gr.HTML(
        views.paragraph(strings.LIBRARY_INTRO) + views.paragraph(f"{strings.LOSS_MEANS} {strings.RANK_MEANS}", "quiet")
    )
    with gr.Row(elem_classes="filters"):
        words = gr.Textbox(
            label=strings.SEARCH,
            info=strings.VECTOR_SEARCH_HINT,
            max_length=80,
            scale=3,
            min_width=220,
            elem_id="vector-search",
        )
        kinds = [(strings.ANY, ""), *((label, name) for name, label in strings.KIND_NAMES.items())]
        kind = gr.Dropdown(kinds, value="", label=strings.KIND_COLUMN, scale=1, min_width=140, elem_id="vector-kind")
    table = gr.HTML(elem_id="vectors", js_on_load=_TABLE)
    with gr.Row(elem_classes="undo", elem_id="vector-undo-row"):
        said = gr.HTML(elem_id="vector-said")
        undo = gr.Button(strings.UNDO, visible=False, elem_id="vector-undo")
    card = _build_card()
    import_form, nearest, export = (
        library_forms.build_import(),
        library_forms.build_nearest(),
        library_forms.build_export(),
    )
    push = push_form.build()
    many = many_form.build()
    with gr.Accordion(strings.TRASH, open=False, elem_id="vector-trash"):
        trash = gr.HTML(js_on_load=_TABLE)
    taking = gr.DownloadButton(strings.TAKE_AWAY, visible="hidden", elem_id="taking")
    chosen, undoable = gr.Textbox("", visible=False), gr.Textbox("", visible=False)
    return LibraryTab(
        words, kind, table, *card, said, undo, trash, chosen, undoable, taking, import_form, export, nearest, push, many
    )  # fmt: skip


def _build_card() -> tuple[gr.blocks.Block, ...]:
    """Lay out the card of one vector; return its parts in the order of ``LibraryTab``."""
    with gr.Column(elem_classes="card", elem_id="vector-card"):
        detail = gr.HTML(views.paragraph(strings.CHOOSE_VECTOR, "quiet"), elem_id="vector-detail")
        overlaps = gr.HTML(elem_id="vector-overlaps")
        with gr.Row(elem_classes="buttons", visible=False) as actions:
            use = gr.Button(strings.USE, min_width=120, elem_id="vector-use")
            take = gr.Button(strings.TAKE_AWAY, min_width=120, elem_id="vector-take")
            discard = gr.Button(strings.REMOVE_VECTOR, min_width=120, elem_id="vector-discard")
        with gr.Row(elem_classes="file", visible=False) as naming:
            title = gr.Textbox(label=strings.NAME, max_length=80, scale=3, min_width=200, elem_id="vector-title")
            rename = gr.Button(strings.RENAME, scale=1, min_width=120, elem_id="vector-rename")
    return detail, overlaps, title, rename, use, take, discard, actions, naming


def connect(tab: LibraryTab, section: gr.Tab, corpus: gr.Dropdown) -> None:
    """Connect the events of the section; ``corpus`` is the choice of Corpus."""
    found = [tab.words, tab.kind]

    def listed(event: Callable) -> gr.events.Dependency:
        return event(library_answers.look, [*found, tab.chosen], tab.lists(), **PRIVATE)

    def selected(words: str, kind: str, event: gr.EventData) -> tuple:
        return library_answers.whole(str(event.key), words, kind)

    renewing = _renewing(tab, corpus)
    listed(section.select).then(**renewing)
    section.select(many_form.renew, None, [tab.many.folder, tab.many.open], **PRIVATE)
    push_form.connect(tab.push)
    for component in found:
        listed(component.change)
    _compare(tab, tab.table.select(selected, found, tab.whole(), **SLOW))
    changes = [*_connect_changes(tab, found), *_connect_forms(tab, found)]
    for done in changes:
        _compare(tab, done)
        # Names in the forms too: a renamed or removed vector stands in all of their lists.
        done.success(**renewing).success(library_forms.compare, tab.nearest.corpus, tab.nearest.answer, **PRIVATE)


def _compare(tab: LibraryTab, done: gr.events.Dependency) -> None:
    """Show overlaps last, because they take longer."""
    done.success(library_answers.show_overlaps, tab.chosen, tab.overlaps, **PRIVATE)


def _renewing(tab: LibraryTab, corpus: gr.Dropdown) -> dict[str, Any]:
    """Return the event that renews the lists of vectors and texts in the forms."""
    lists, pushed = [*tab.export.choices(), tab.nearest.corpus], tab.push.choices()
    return {"fn": renewed, "inputs": [*lists, corpus, *pushed], "outputs": [*lists, *pushed], **PRIVATE}


def renewed(task: str | None, language: str | None, text: str | None, corpus: str | None, *pushed: str | None) -> tuple:
    """Return the lists of the forms that export, compare and push, as they are now."""
    return *library_forms.renew(task, language, text, corpus), *push_form.renew(*pushed)


def _connect_changes(tab: LibraryTab, found: list[gr.components.Component]) -> list[gr.events.Dependency]:
    """Connect what changes the vectors; return these events."""

    # Each action and its display are one answer, so that no late answer undoes a newer choice.
    def renamed(key: str, title: str, *filters: str) -> tuple:
        library_answers.rename(key, title)
        return library_answers.whole(key, *filters)

    def discarded(key: str, *filters: str) -> tuple:
        return *library_answers.discard(key), *library_answers.whole("", *filters)

    def undone(key: str, *filters: str) -> tuple:
        key = library_answers.restore(key)
        return "", gr.Button(visible=False), *library_answers.whole(key, *filters)

    def restored(words: str, kind: str, event: gr.EventData) -> tuple:
        return undone(str(event.key), words, kind)

    def packed(key: str) -> str:
        with refusals():
            return str(library.pack_vector(key))

    called = gr.on(
        [tab.rename.click, tab.title.submit], renamed, [tab.chosen, tab.title, *found], tab.whole(), **PRIVATE
    )
    gone = tab.discard.click(
        discarded, [tab.chosen, *found], [tab.undoable, tab.said, tab.undo, *tab.whole()], **PRIVATE
    )
    back = [tab.said, tab.undo, *tab.whole()]
    again = tab.undo.click(undone, [tab.undoable, *found], back, **PRIVATE)
    tab.take.click(packed, tab.chosen, tab.taking, **SLOW).success(None, js=_TAKE, **PRIVATE)
    return [called, gone, again, tab.trash.select(restored, found, back, **PRIVATE)]


def _connect_forms(tab: LibraryTab, found: list[gr.components.Component]) -> list[gr.events.Dependency]:
    """Connect the forms; return the events that import a vector."""
    import_form, export, nearest = tab.import_form, tab.export, tab.nearest
    imports = []

    def imported(take: Callable, count: int, *values: str) -> tuple:
        """Import a vector and choose it; the file field is cleared for the next file."""
        key, said = take(*values[:count])
        chosen = library_answers.whole(key, *values[count:]) if key else (gr.skip(),) * len(tab.whole())
        return said, None, *chosen

    for event, take, asked in (
        (import_form.file.upload, library_forms.import_file, [import_form.file, *import_form.wishes]),
        (
            import_form.fetch.click,
            library_forms.import_from_hub,
            [import_form.hub, import_form.revision, *import_form.wishes],
        ),
    ):
        outputs = [import_form.answer, import_form.file, *tab.whole()]
        imports.append(event(partial(imported, take, len(asked)), [*asked, *found], outputs, **SLOW))
    import_form.catalogue.change(
        library_forms.from_catalogue, import_form.catalogue, [import_form.hub, *import_form.wishes[1:]], **PRIVATE
    )
    packed = export.button.click(
        lambda *values: library_forms.export(partial(library_forms.chosen_for_export, *values)),
        export.inputs, [tab.taking, export.answer], **SLOW,
    )  # fmt: skip
    packed.success(None, js=_TAKE, **PRIVATE)
    nearest.corpus.change(library_forms.compare, nearest.corpus, nearest.answer, **SLOW)
    many, shown = tab.many, [tab.many.answer, tab.many.figure]
    many.file.upload(many_form.from_file, many.file, shown, **SLOW)
    many.open.click(many_form.from_folder, many.folder, shown, **SLOW)
    return imports
