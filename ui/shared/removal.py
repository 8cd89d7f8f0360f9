"""Removing what people brought, with a way back; and what must not be removed because a training still needs it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.jobs import Job, JobError, state_of
from deftx.jobs.store import TRASH_KEPT
from ui import strings
from ui.corpus.corpora import SAMPLE
from ui.shared import views
from ui.shared.uploads import KeptFiles, Removed
from ui.workspace import Workspace

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
READS = ("corpus", "train", "valid")  # settings of a job that name files


@dataclass(frozen=True)
class RemovalForm:
    """The button that removes what a list has chosen, what it answers, and the button that takes it back."""

    remove: gr.Button
    said: gr.HTML
    undo: gr.Button
    removed: gr.State  # the key in the trash of what this visitor removed last


@dataclass(frozen=True)
class RemovableFiles:
    """Lists of the same files: what they offer, and what stands for "none"."""

    files: Callable[[], KeptFiles]  # those of whoever asks
    lists: Sequence[gr.Dropdown]
    choices: Callable[[], list[tuple[str, str]]]
    none: str | None


def build(name: str, label: str) -> RemovalForm:
    """Lay the form out below a list; the button appears once something that can be removed is chosen."""
    with gr.Row(elem_classes="undo"):
        remove = gr.Button(label, size="sm", visible=False, elem_id=f"remove-{name}")
        said = gr.HTML(elem_id=f"removed-{name}")
        undo = gr.Button(strings.UNDO, size="sm", visible=False, elem_id=f"undo-{name}")
    return RemovalForm(remove, said, undo, gr.State(""))


def connect(studio: Workspace, removable: RemovableFiles, place: int, form: RemovalForm) -> None:
    """Let the form remove what the list at ``place`` has chosen; the other lists offer it no longer."""
    answers = [*removable.lists, form.said, form.undo, form.removed]
    form.remove.click(
        lambda *chosen: remove(studio, removable, chosen[place], chosen), list(removable.lists), answers, **PRIVATE
    )
    form.undo.click(lambda key: bring_back(removable, place, key), form.removed, answers, **PRIVATE)
    removable.lists[place].change(
        lambda name: gr.Button(visible=bool(name) and name != SAMPLE), removable.lists[place], form.remove, **PRIVATE
    )
    # What was said is about a text that is no longer looked at.
    removable.lists[place].input(
        lambda: ("", gr.Button(visible=False), ""), None, [form.said, form.undo, form.removed], **PRIVATE
    )


def remove(studio: Workspace, removable: RemovableFiles, name: str | None, chosen: Sequence[str | None]) -> tuple:
    """Put a file into the trash: (lists, what to say, the undo button, the key); one in use stays and it is said why."""
    try:
        needed = check_unused(studio, removable.files().path(name or ""))
        key = removable.files().discard(name or "")
    except DeftxError as error:
        return *(gr.skip() for _ in removable.lists), views.notice(str(error), kind="bad"), gr.Button(visible=False), ""
    day = datetime.fromtimestamp(time.time() + TRASH_KEPT).strftime("%d %b %H:%M")
    said = strings.FILE_REMOVED.format(name=name, day=day)
    if needed:
        said += " " + strings.FILE_NEEDED.format(trainings=_names(needed))
    listed = removable.choices()
    lists = (gr.Dropdown(choices=listed, **({"value": removable.none} if one == name else {})) for one in chosen)
    return *lists, views.paragraph(said, "quiet"), gr.Button(visible=True), key


def bring_back(removable: RemovableFiles, place: int, key: str) -> tuple:
    """Bring a file back and choose it: (lists, what to say, the undo button, the key)."""
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
    """Offer what there is now; a choice that is gone is taken back."""
    gone = bool(chosen) and chosen not in [key for _, key in choices]
    return gr.Dropdown(choices=choices, **({"value": none} if gone else {}))


def check_unused(studio: Workspace, file: Path) -> list[Job]:
    """Refuse (JobError) a file that a waiting or running training reads; return those that need it to be resumed."""
    users = [job for job in studio.store.list() if file in _reads(job)]
    busy = [job for job in users if _busy(job)]
    if busy:
        raise JobError(strings.FILE_IN_USE.format(name=file.name, trainings=_names(busy)))
    return [job for job in users if state_of(job).resumable]


def check_source_unused(studio: Workspace, folder: Path, name: str) -> None:
    """Refuse (JobError) to remove a vector that a training starts from which waits, runs or was interrupted."""
    needing = [job for job in studio.store.list() if job.settings.get("source") and _starts_from(job, folder)]
    if busy := [job for job in needing if _busy(job) or state_of(job).name == "interrupted"]:
        raise JobError(strings.SOURCE_IN_USE.format(name=name, trainings=_names(busy)))


def discard_job(studio: Workspace, job_id: str) -> None:
    """Put a training into the trash; JobError as in ``check_source_unused``."""
    job = studio.store.get(job_id)
    check_source_unused(studio, job.out, job.name)
    studio.store.discard(job_id)


def in_trash(studio: Workspace) -> list[tuple[str, Removed]]:
    """List the removed files, the last one first: (the key for ``restore``, the file)."""
    found = [(f"{place}:{one.key}", one) for place, files in _places(studio).items() for one in files.trash()]
    return sorted(found, key=lambda entry: entry[1].removed, reverse=True)


def restore(studio: Workspace, key: str) -> None:
    """Bring back what the History's trash shows: a file, or a training by its id."""
    place, _, file = key.rpartition(":")
    if place in _places(studio):
        _places(studio)[place].restore(file)
    else:
        studio.store.restore(key)


def empty_trash(studio: Workspace) -> None:
    """Remove all trainings and files in the trash for good."""
    studio.store.empty_trash()
    for files in _places(studio).values():
        files.empty_trash()


def _places(studio: Workspace) -> dict[str, KeptFiles]:
    return {"corpora": studio.corpora, "tables": studio.tables}


def _reads(job: Job) -> set[Path]:
    named = (job.settings.get(name) or [] for name in READS)
    return {Path(path) for paths in named for path in ([paths] if isinstance(paths, str) else paths)}


def _starts_from(job: Job, folder: Path) -> bool:
    return Path(str(job.settings["source"])).resolve() == folder.resolve()


def _busy(job: Job) -> bool:
    state = state_of(job)
    return state.active or state.name == "waiting"


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(job.name for job in jobs)
