"""Vectors that somebody made public: copies on a shelf of the house, which all who come may use and nobody else may change."""

import shutil
from typing import TYPE_CHECKING

import gradio as gr

from deftx.core.errors import DeftxError, VectorError
from deftx.publish.own_vectors import OwnVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS
from ui import strings
from ui.library import library, vector_index
from ui.library.library_tab import LibraryTab
from ui.shared import views
from ui.shared.errors import refusals

if TYPE_CHECKING:
    from ui.access.workspaces import Rooms
    from ui.studio import Studio

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}


def build(rooms: "Rooms", tab: LibraryTab, section: gr.Tab) -> None:
    """Add to the Library the buttons that make the vector shown public, and take that back."""
    with section, gr.Row(elem_classes="buttons"):
        give = gr.Button(strings.PUBLISH, min_width=120, elem_id="publish")
        back = gr.Button(strings.WITHDRAW, min_width=120, elem_id="withdraw")
        said = gr.HTML(elem_id="published")
    for button, act in ((give, publish), (back, withdraw)):
        button.click(lambda key, act=act: _said(rooms, act, key), tab.chosen, said, **PRIVATE)


def offer(rooms: "Rooms") -> None:
    """Offer the same to programs."""

    def make_public(vector: str) -> str:
        """Put a copy of a vector of yours on the shelf of all; return its key there."""
        with refusals():
            return publish(rooms, vector)

    def make_private(vector: str) -> str:
        """Take a vector that you made public off the shelf of all."""
        with refusals():
            return withdraw(rooms, vector)

    for function in (make_public, make_private):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


def publish(studio: "Studio | Rooms", key: str) -> str:
    """Put a copy of a vector on the shelf of all and return its key there.

    Raises:
        DeftxError: there is none, or it is not one's own.
    """
    item = library.find(studio, key or "")
    if item.source not in ("job", "own"):
        raise VectorError(strings.NOT_YOURS.format(title=item.title))
    studio.admit(item.size)
    own = vector_index.public(studio.store)
    with own.incoming() as folder:
        for name in (TENSORS, INFO, CARD):
            if (item.folder / name).is_file():
                shutil.copyfile(item.folder / name, folder / name)
        return f"{vector_index.PUBLIC_KEY}{own.keep(folder, item.title, studio.owner).name}"


def withdraw(studio: "Studio | Rooms", key: str) -> str:
    """Take a vector off the shelf of all and return its key; for whoever put it there, and for admins.

    Raises:
        DeftxError: there is none, or somebody else's.
    """
    found = _find(studio, key or "")
    if not studio.is_house and found.origin != studio.owner:
        raise VectorError(strings.NOT_YOURS.format(title=found.title))
    vector_index.public(studio.store).discard(found.name)
    return key


def _find(studio: "Studio | Rooms", key: str) -> OwnVector:
    return vector_index.public(studio.store).get(key.removeprefix(vector_index.PUBLIC_KEY))


def _said(rooms: "Rooms", act: object, key: str) -> str:
    try:
        act(rooms, key)
    except DeftxError as error:
        return views.refusal(strings.NOT_PUBLISHED, error)
    return views.notice(strings.PUBLISHED if act is publish else strings.WITHDRAWN, kind="good")
