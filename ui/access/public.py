"""Public vectors: copies in a folder of the host, which everybody may use and only the publisher and admins may remove."""

import shutil
from collections.abc import Callable
from filecmp import cmpfiles
from functools import partial

import gradio as gr

from deftx.core.errors import DeftxError, VectorError
from deftx.jobs.job import JobError
from deftx.publish.own_vectors import OwnVector
from ui import strings
from ui.current import current_workspace
from ui.library import library, vector_index
from ui.library.library_tab import LibraryTab
from ui.shared import removal, views
from ui.shared.errors import refusals

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}


def build(tab: LibraryTab, section: gr.Tab) -> None:
    """Add buttons to the Library that make the current vector public or private."""
    with section, gr.Row(elem_classes="buttons"):
        give = gr.Button(strings.PUBLISH, min_width=120, elem_id="publish")
        back = gr.Button(strings.WITHDRAW, min_width=120, elem_id="withdraw")
        said = gr.HTML(elem_id="published")
    for button, act in ((give, publish), (back, withdraw)):
        button.click(partial(_said, act), tab.chosen, said, **PRIVATE)


def offer() -> None:
    """Add the endpoints for programs."""

    def make_public(vector: str) -> str:
        """Copy a vector of yours to the public vectors; return the key of the copy."""
        with refusals():
            return publish(vector)

    def make_private(vector: str) -> str:
        """Remove a vector of yours from the public vectors."""
        with refusals():
            return withdraw(vector)

    for function in (make_public, make_private):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


def publish(key: str) -> str:
    """Copy a vector to the public vectors, once for the same files, and return the key of the copy.

    Raises:
        DeftxError: the vector does not exist or belongs to somebody else, or its owner has no space left.
    """
    workspace = current_workspace()
    item = library.find(key or "")
    if item.source not in ("job", "own"):
        raise VectorError(strings.NOT_YOURS.format(title=item.title))
    own = vector_index.public(workspace.store)
    files = [name for name in library.FILES if (item.folder / name).is_file()]
    for there in own.list():
        if there.origin == workspace.owner and cmpfiles(there.folder, item.folder, files, shallow=False)[0] == files:
            return f"{vector_index.PUBLIC_KEY}{there.name}"
    workspace.admit(0)  # as for an import: a vector is not limited to the size of a text
    with own.incoming() as folder:
        for name in files:
            shutil.copyfile(item.folder / name, folder / name)
        return f"{vector_index.PUBLIC_KEY}{own.keep(folder, item.title, workspace.owner).name}"


def withdraw(key: str) -> str:
    """Remove a vector from the public vectors and return its key; only for its publisher and for admins.

    Raises:
        DeftxError: the vector does not exist, belongs to somebody else, or a waiting or running training run starts from it.
    """
    workspace = current_workspace()
    found = _find(key or "")
    if not workspace.is_host and found.origin != workspace.owner:
        raise VectorError(strings.NOT_YOURS.format(title=found.title))
    needing = removal.starting_from(workspace.host.store, found.folder)
    if count := sum(removal.is_busy(job) for job in needing):  # their names are for their owners alone
        raise JobError(strings.PUBLIC_IN_USE.format(title=found.title, count=count))
    vector_index.public(workspace.store).discard(found.name)
    return key


def _find(key: str) -> OwnVector:
    return vector_index.public(current_workspace().store).get(key.removeprefix(vector_index.PUBLIC_KEY))


def _said(act: Callable[[str], str], key: str) -> str:
    try:
        act(key)
    except DeftxError as error:
        return views.refusal(strings.NOT_PUBLISHED, error)
    return views.notice(strings.PUBLISHED if act is publish else strings.WITHDRAWN, kind="good")
