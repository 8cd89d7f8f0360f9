"""Removal of uploaded files, with undo; files that a training run still needs are protected."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.core.files import TRASH_KEPT
from deftx.jobs import Job, JobError, Store, state_of
from ui import strings
from ui.corpus.corpora import SAMPLE
from ui.current import current_workspace
from ui.shared import views
from ui.shared.uploads import KeptFiles, Removed

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
# The settings of a job, and of its further labelled files, that name files and folders of vectors.
READS, STARTS = ("corpus", "train", "valid", "lexicon", "file"), ("source", "start")


@dataclass(frozen=True)
class RemovalForm:
    """The button that removes the chosen file, its message, and the undo button."""

    remove: gr.Button
    said: gr.HTML
    undo: gr.Button
    removed: gr.State  # the trash key of this visitor's last removal


@dataclass(frozen=True)
class RemovableFiles:
    """Lists of the same files: their content, and the value for "none"."""

    files: Callable[[], KeptFiles]  # those of the caller
    lists: Sequence[gr.Dropdown]
    choices: Callable[[], list[tuple[str, str]]]
    none: str | None


def build(name: str, label: str) -> RemovalForm:
    """Lay out the form below a list; the button is visible only for a file that can be removed."""
    with gr.Row(elem_classes="undo"):
        remove = gr.Button(label, size="sm", visible=False, elem_id=f"remove-{name}")
        said = gr.HTML(elem_id=f"removed-{name}")
        undo = gr.Button(strings.UNDO, size="sm", visible=False, elem_id=f"undo-{name}")
    return RemovalForm(remove, said, undo, gr.State(""))


def connect(removable: RemovableFiles, place: int, form: RemovalForm) -> None:
    """Let the form remove the file chosen in the list at ``place``; the other lists are refreshed."""
    answers = [*removable.lists, form.said, form.undo, form.removed]
    form.remove.click(
        lambda *chosen: remove(removable, chosen[place], chosen), list(removable.lists), answers, **PRIVATE
    )
    form.undo.click(lambda key: undo_removal(removable, place, key), form.removed, answers, **PRIVATE)
    removable.lists[place].change(
        lambda name: gr.Button(visible=bool(name) and name != SAMPLE), removable.lists[place], form.remove, **PRIVATE
    )
    # The message was about an earlier text.
    removable.lists[place].input(
        lambda: ("", gr.Button(visible=False), ""), None, [form.said, form.undo, form.removed], **PRIVATE
    )


def remove(removable: RemovableFiles, name: str | None, chosen: Sequence[str | None]) -> tuple:
    """Move a file to the trash: (lists, message, undo button, key); a file in use stays, with a message."""
    try:
        needed = check_unused(current_workspace().store, removable.files().path(name or ""))
        key = removable.files().discard(name or "")
    except DeftxError as error:
        return *(gr.skip() for _ in removable.lists), views.notice(str(error), kind="bad"), gr.Button(visible=False), ""
    day = datetime.fromtimestamp(time.time() + TRASH_KEPT).strftime(views.DATE_AND_TIME)
    said = strings.FILE_REMOVED.format(name=name, day=day)
    if needed:
        said += " " + strings.FILE_NEEDED.format(trainings=_names(needed))
    listed = removable.choices()
    lists = (gr.Dropdown(choices=listed, **({"value": removable.none} if one == name else {})) for one in chosen)
    return *lists, views.paragraph(said, "quiet"), gr.Button(visible=True), key


def undo_removal(removable: RemovableFiles, place: int, key: str) -> tuple:
    """Restore a file and choose it: (lists, message, undo button, key)."""
    try:
        name = removable.files().restore(key)
    except DeftxError as error:
        said = views.notice(str(error), kind="bad")
        return *(gr.skip() for _ in removable.lists), said, gr.Button(visible=False), ""
    listed = removable.choices()
    lists = (
        gr.Dropdown(choices=listed, **({"value": name} if at == place else {})) for at in range(len(removable.lists))
    )
    return *lists, "", gr.Button(visible=False), ""


def renewed(choices: list[tuple[str, str]], chosen: str | None, none: str | None) -> gr.Dropdown:
    """Return the current choices; a choice that no longer exists is cleared."""
    gone = bool(chosen) and chosen not in [key for _, key in choices]
    return gr.Dropdown(choices=choices, **({"value": none} if gone else {}))


def check_unused(store: Store, file: Path) -> list[Job]:
    """Refuse (JobError) a file that a waiting or running training run reads; return the runs that need it to resume."""
    users = [job for job in store.list() if file in _reads(job)]
    busy = [job for job in users if is_busy(job)]
    if busy:
        raise JobError(strings.FILE_IN_USE.format(name=file.name, trainings=_names(busy)))
    return [job for job in users if state_of(job).resumable]


def check_source_unused(store: Store, folder: Path, name: str) -> None:
    """Refuse (JobError) to remove a vector from which a waiting, running or interrupted training run starts."""
    if needing := starting_from(store, folder):
        raise JobError(strings.SOURCE_IN_USE.format(name=name, trainings=_names(needing)))


def starting_from(store: Store, folder: Path) -> list[Job]:
    """Return the waiting, running and interrupted training runs that start from the vector in a folder."""
    users = [job for job in store.list() if folder.resolve() in _starts(job)]
    return [job for job in users if is_busy(job) or state_of(job).name == "interrupted"]


def discard_job(store: Store, job_id: str) -> None:
    """Move a training run to the trash; JobError as in ``check_source_unused``."""
    job = store.get(job_id)
    check_source_unused(store, job.out, job.name)
    store.discard(job_id)


def in_trash() -> list[tuple[str, Removed]]:
    """List the removed files as (key for ``restore``, file), the last one first."""
    found = [(f"{place}:{one.key}", one) for place, files in _places().items() for one in files.trash()]
    return sorted(found, key=lambda entry: entry[1].removed, reverse=True)


def restore(key: str) -> None:
    """Restore an item of the History's trash: a file, or a training run by its id."""
    place, _, file = key.rpartition(":")
    places = _places()
    if place in places:
        places[place].restore(file)
    else:
        current_workspace().store.restore(key)


def empty_trash() -> None:
    """Permanently remove all training runs and files of this workspace in the trash."""
    current_workspace().own_store.empty_trash()
    for files in _places().values():
        files.empty_trash()


def _places() -> dict[str, KeptFiles]:
    workspace = current_workspace()
    return {"corpora": workspace.corpora, "tables": workspace.tables, "lexicons": workspace.lexicons}


def _reads(job: Job) -> set[Path]:
    return {Path(path) for path in _named(job, READS)}


def _starts(job: Job) -> set[Path]:
    return {Path(path).resolve() for path in _named(job, STARTS)}


def _named(job: Job, names: Sequence[str]) -> Iterator[str]:
    """Yield the paths in these settings of a job and of its further labelled files."""
    for settings in (job.settings, *(job.settings.get("further") or ())):
        for paths in (settings.get(name) or [] for name in names):
            yield from [paths] if isinstance(paths, str) else paths


def is_busy(job: Job) -> bool:
    """Return whether a training run waits or runs."""
    state = state_of(job)
    return state.active or state.name == "waiting"


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(job.name for job in jobs)
