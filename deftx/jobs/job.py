"""A job: its row in the database, its folder, and its files."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError
from deftx.jobs.process import ProcessId
from deftx.training.request import HF_JOBS, ZERO_GPU, TrainingRequest

# The files in a job's folder. `out` is the folder of the training run, for checkpoints and the vector.
# `stop` asks a running slice to stop; `tracked` has the files of a tracker, if the run is reported to one.
SETTINGS, LOG, EVENTS, HEARTBEAT, RESULT, LOCK, OUT, STOP, TRACKED = (
    "job.json", "log.txt", "events.jsonl", "heartbeat", "result.json", "lock", "out", "stop", "tracked",
)  # fmt: skip

_PLAIN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}")  # date, time, microseconds (UTC), so ids are in order of creation


class JobError(DeftxError):
    """A request about a job or the queue that cannot be fulfilled."""


@dataclass(frozen=True)
class Job:
    """A job as stored in the database. Its state is derived by ``state_of``.

    Times are seconds since 1970. ``process`` is the last worker. ``reached`` is the progress when the job was last requeued
    automatically (None: never). ``trashed`` is the time when it was discarded (None: not in the trash). ``owner`` is empty
    for the host, as for all jobs without a login.
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
        """The training request. Raises SettingsRefused if the settings are not a valid request."""
        return TrainingRequest.from_job(self.kind, self.settings, self.name)

    @property
    def device(self) -> str:
        """The device in the settings; empty if the worker chooses it, or if several processes use all devices."""
        alone = self.settings.get("processes") in (None, 1)
        return str(self.settings.get("device") or "") if alone else ""

    @property
    def is_remote(self) -> bool:
        """Whether it runs on a remote machine; its worker here only monitors it."""
        return self.settings.get("device") == HF_JOBS

    @property
    def is_sliced(self) -> bool:
        """Whether it has no worker, and trains in the calls of whoever started it (``deftx.jobs.slices``)."""
        return self.settings.get("device") == ZERO_GPU

    @property
    def out(self) -> Path:
        """The folder of the checkpoints and, at the end, the vector."""
        return self.folder / OUT

    def log_tail(self, lines: int = 20, limit: int = 65_536) -> str:
        """Return the last lines of the log, reading at most ``limit`` bytes; empty if there is no log."""
        try:
            with open(self.folder / LOG, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - limit))
                text = log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def check_id(job_id: str) -> str:
    """Return ``job_id`` if it has the form of an id. Raise JobError otherwise, since it could be a path."""
    if not isinstance(job_id, str) or not _PLAIN_ID.fullmatch(job_id):
        raise JobError(f"{job_id!r} is not the id of a job; ids have the form 20260131-094501-123456.")
    return job_id


def conflict(one: str, other: str) -> bool:
    """Return whether jobs on these two devices must not run at the same time; only different devices do not conflict.

    Remote jobs use no device of this machine, and each has its own machine; sliced jobs have a GPU only during their calls.
    """
    if {HF_JOBS, ZERO_GPU} & {one, other}:
        return False
    same = {"cuda": "cuda:0"}
    return not one or not other or same.get(one, one) == same.get(other, other)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object from a file; None if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
