"""What a person has chosen on the guided path: kept in the browser, and turned into requests for training runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from deftx.jobs import state_of
from deftx.training.request import TrainingRequest
from ui.classify import compose_form
from ui.corpus.corpora import SAMPLE
from ui.current import current_workspace
from ui.library import vector_index

STEPS = 5
LONGEST = 200  # characters of a value that the browser stores


@dataclass(frozen=True)
class Plan:
    """The choices of the path; an empty value is not chosen yet."""

    step: int = 1
    name: str = ""  # of the language
    code: str = ""
    guessed: bool = False  # name and code are those of the language of the text, and not typed
    vector: str = ""  # the key of a ready language vector
    text: str = ""  # the name of a text
    task: str = ""  # the key of a ready task vector
    table: str = ""  # the name of a labelled file to learn a task from
    task_name: str = ""
    preset: str = "quick"
    language_job: str = ""
    task_job: str = ""

    @classmethod
    def read(cls, kept: object) -> "Plan":
        """Return the plan that the browser stored; what cannot be read is as at first."""
        given = kept if isinstance(kept, Mapping) else {}
        known = {one.name: type(one.default) for one in fields(cls)}
        usable = {name: given[name] for name, kind in known.items() if isinstance(given.get(name), kind)}
        usable = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in usable.items()}
        step = usable.get("step", 1)
        return cls(**{**usable, "step": step if step in range(1, STEPS + 1) else 1})

    def kept(self) -> dict[str, Any]:
        """Return what the browser stores."""
        return asdict(self)

    def changed(self, **values: Any) -> "Plan":
        """Return the plan with other values."""
        return replace(self, **values)

    def requests(self) -> list[TrainingRequest]:
        """Return the training runs that are still to start: the language's, then the task's."""
        found = []
        if self.text and not self.language_job:
            found.append(TrainingRequest(
                kind="language", name=self.name, language=self.code, corpus=(self.text,), preset=self.preset
            ))  # fmt: skip
        if self.table and not self.task_job:
            found.append(TrainingRequest(kind="task", name=self.task_name, train=self.table, preset=self.preset))
        return found

    def jobs(self) -> list[str]:
        """Return the ids of the training runs that the path has started."""
        return [job for job in (self.language_job, self.task_job) if job]

    def language_key(self) -> str:
        """Return the key of the language vector to try: the one that was trained, otherwise the ready one; empty for none."""
        return _trained(self.language_job, "language") or self.vector

    def task_key(self) -> str:
        """Return the key of the task vector to try: the one that was trained, otherwise the chosen one; empty for none."""
        return _trained(self.task_job, "task") or self.task


def checked(kept: object) -> Plan:
    """Return the stored plan without texts, files, vectors and jobs that no longer exist."""
    plan, workspace = Plan.read(kept), current_workspace()
    jobs = {job.id for job in workspace.store.list()}
    known = {
        "vector": {entry.key for entry in vector_index.entries(workspace.store, "language")},
        "task": {key for _, key in compose_form.task_choices(texts_only=True)},
        "text": {*workspace.corpora.names(), SAMPLE},
        "table": set(workspace.tables.names()),
        "language_job": jobs,
        "task_job": jobs,
    }
    return plan.changed(**{name: "" for name, there in known.items() if getattr(plan, name) not in there})


def _trained(job_id: str, kind: str) -> str:
    """Return the key of a job's vector; empty while it has none."""
    workspace = current_workspace()
    job = next((job for job in workspace.store.list() if job.id == job_id), None)
    if job is None or state_of(job).name != "finished":
        return ""
    keys = {entry.key for entry in vector_index.entries(workspace.store, kind)}
    return f"job:{job.id}" if f"job:{job.id}" in keys else ""
