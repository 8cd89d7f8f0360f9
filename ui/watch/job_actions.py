"""What the buttons below the list of training runs do: stop, resume, move, discard and restore a job, and free its space."""

from deftx.jobs.disk import free_checkpoints
from ui.current import current_workspace
from ui.shared import removal
from ui.shared.errors import refusals


def act(action: str, job_id: str) -> None:
    """Apply a button's action to a job; on an error, show a message."""
    workspace = current_workspace()
    actions = {
        "stop": workspace.store.request_stop,
        "resume": workspace.resume,
        "discard": lambda job_id: removal.discard_job(workspace.store, job_id),
        "first": lambda job_id: workspace.store.move(job_id, 0),
        "earlier": lambda job_id: workspace.shift(job_id, -1),
        "later": lambda job_id: workspace.shift(job_id, 1),
        "free": lambda job_id: free_checkpoints(workspace.store.get(job_id)),
    }
    if job_id:
        with refusals():
            actions[action](job_id)


def undo() -> str:
    """Restore the job of this workspace that was discarded last and return its id; empty if there is none."""
    store = current_workspace().own_store
    for job in store.trash()[:1]:
        with refusals():
            store.restore(job.id)
        return job.id
    return ""
