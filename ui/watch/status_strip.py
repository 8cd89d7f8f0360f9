"""The line at the top of the page: the machine, the base, what trains now and how many training runs wait."""

from deftx.jobs import Job, progress_of, state_of
from ui import strings
from ui.current import current_workspace
from ui.shared import views
from ui.watch import watch_views


def status_strip(jobs: tuple[Job, ...]) -> str:
    """Show the machine, the current training run, and the number of waiting ones."""
    workspace = current_workspace()
    states = [(job, state_of(job)) for job in jobs]
    running = [f"{job.name}: {watch_views.phase_line(progress_of(job))}" for job, state in states if state.active]
    waiting = sum(state.name == "waiting" for _, state in states)
    if not workspace.is_host:
        waiting = len(workspace.host.store.queue())
        known = {job.id for job in jobs}
        others = [job for job in workspace.host.store.list() if job.id not in known and state_of(job).active]
        running += [strings.OTHERS_TRAIN] if others else []
    return views.strip(
        [
            (strings.MACHINE, workspace.machine),
            (strings.BASE, workspace.title),
            (strings.NOW, ", ".join(running) or strings.IDLE),
            (strings.QUEUE, strings.SO_MANY_WAIT.format(count=waiting) if waiting else strings.NOBODY_WAITS),
        ]
    )
