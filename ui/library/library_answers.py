"""The answers to the events of the Library: updates of its components."""

import gradio as gr

from ui import strings
from ui.library import library, library_facts, library_views
from ui.shared import views
from ui.shared.errors import refusals


def look(words: str, kind: str, chosen: str) -> tuple[str, str]:
    """List the matching vectors, and the trash."""
    with refusals():
        items, removed = library.items(words, kind or ""), library.trash()
    return library_views.table(items, chosen), library_views.trash(removed)


def show(key: str) -> tuple:
    """Show one vector and its actions; empty if it no longer exists."""
    item = next((item for item in library.items() if item.key == key), None)
    if item is None:
        hidden = (gr.Row(visible=False),) * 2
        return (views.paragraph(strings.CHOOSE_VECTOR, "quiet"), gr.skip(), *hidden, *(gr.skip(),) * 3)
    own = item.source not in ("bundled", "public")
    with refusals():
        detail = library_views.detail(item)
    rows = gr.Row(visible=True), gr.Row(visible=own)
    return detail, item.title, *rows, gr.Button(visible=own), gr.Button(visible=own), gr.Button(visible=item.fits)


def show_overlaps(key: str) -> str:
    """Show how much a vector overlaps with the others of its base."""
    item = next((item for item in library.items() if item.key == key), None)
    with refusals():
        return library_views.overlaps(library_facts.overlaps(item)) if item else ""


def whole(key: str, words: str, kind: str) -> tuple:
    """Choose a vector: return it and the lists in one answer, in the order of ``LibraryTab.whole``."""
    return key, *show(key), *look(words, kind, key)


def rename(key: str, title: str) -> None:
    """Rename a vector."""
    with refusals():
        library.rename(key, title)


def discard(key: str) -> tuple[str, str, gr.Button]:
    """Remove a vector; return (the key to restore, the message, the undo button)."""
    with refusals():
        title = library.find(key).title
        library.discard(key)
    return key, views.paragraph(strings.REMOVED_VECTOR.format(title=title), "quiet"), gr.Button(visible=True)


def restore(key: str) -> str:
    """Restore a vector; return its key."""
    with refusals():
        return library.restore(key)
