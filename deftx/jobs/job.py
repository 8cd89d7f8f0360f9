"""A job: its row, its folder, and the files in it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError
from deftx.jobs.process import ProcessId
from deftx.training.request import HF_JOBS, TrainingRequest

# The files of a job's folder. `out` is the training's own folder: checkpoints while it runs, the vector at the end.
SETTINGS, LOG, EVENTS, HEARTBEAT, RESULT, LOCK, OUT = (
    "job.json", "log.txt", "events.jsonl", "heartbeat", "result.json", "lock", "out",
)  # fmt: skip

_PLAIN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}")  # date, time, microseconds (UTC): sorting by id sorts by age


class JobError(DeftxError):
    """Something asked of a job or of the queue cannot be done."""


@dataclass(frozen=True)
class Job:
    """What was asked for, and what the row remembers; whether it runs is not here but in ``state_of``.

    Times are seconds since 1970. ``process`` is the worker that was started last, ``reached`` how far the job had come
    when it was last put back by itself (None: never), ``trashed`` when it was discarded (None: it is not in the trash),
    ``owner`` whose it is (empty: the host's own, as all are where nobody logs in).
    """

    id: str
    kind: str
    name: str
    settings: Mapping[str, Any]
    created: float
    position: int
    folder: Path
    process: ProcessId | None = None
    stop_requested: float | None = None
    reached: int | None = None
    trashed: float | None = None
    owner: str = ""

    @property
    def request(self) -> TrainingRequest:
        """What was asked for; SettingsRefused where the settings cannot be read as a request."""
        return TrainingRequest.from_job(self.kind, self.settings, self.name)

    @property
    def device(self) -> str:
        """The device that the settings name; empty: wherever the worker finds one, or several processes use them all."""
        alone = self.settings.get("processes") in (None, 1)
        return str(self.settings.get("device") or "") if alone else ""

    @property
    def is_remote(self) -> bool:
        """Whether another machine works on it, and its process here only watches."""
        return self.settings.get("device") == HF_JOBS

    @property
    def out(self) -> Path:
        """Where the training keeps its checkpoints and, at the end, the vector."""
        return self.folder / OUT

    def log_tail(self, lines: int = 20, limit: int = 65_536) -> str:
        """Return the last lines of the log, reading at most ``limit`` bytes of it; empty where there is none."""
        try:
            with open(self.folder / LOG, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - limit))
                text = log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def check_id(job_id: str) -> str:
    """Return ``job_id`` if it is one that a store gives out; anything else could point outside the jobs folder."""
    if not isinstance(job_id, str) or not _PLAIN_ID.fullmatch(job_id):
        raise JobError(f"{job_id!r} is not the name of a job; jobs are called like 20260131-094501-123456.")
    return job_id


def conflict(one: str, other: str) -> bool:
    """Tell whether jobs on these two devices must wait for each other: all but those that name different ones.

    Jobs elsewhere take no device of this machine, and each has a machine of its own.
    """
    if HF_JOBS in (one, other):
        return False
    same = {"cuda": "cuda:0"}
    return not one or not other or same.get(one, one) == same.get(other, other)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
