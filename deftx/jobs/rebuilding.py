"""Rows of the database made from the folders of jobs, after the database was lost or damaged."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deftx.core.logs import about
from deftx.jobs.home import PEOPLE
from deftx.jobs.job import SETTINGS, read_json

log = logging.getLogger(__name__)
_TYPES = {"id": str, "kind": str, "name": str, "created": (int, float), "settings": dict}


def rebuild(database: sqlite3.Connection, home: Path) -> None:
    """Add a row for every job folder below a home, in the order of their creation.

    What only the database knew is lost: jobs of the trash are back, the order of the queue is that of creation, and names are
    the first ones. A folder whose description is damaged stays as it is, without a row.
    """
    found = sorted(_jobs(home), key=lambda job: job["id"])
    for position, job in enumerate(found, start=1):
        settings = json.dumps(job["settings"], ensure_ascii=False)
        database.execute(
            "INSERT INTO jobs (id, kind, name, settings, created, owner, position) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job["id"], job["kind"], job["name"], settings, job["created"], job["owner"], position),
        )
    if found:
        log.warning("The queue was rebuilt from the folders of %d jobs.", len(found), extra=about("queue_rebuilt"))


def _jobs(home: Path) -> Iterator[dict[str, Any]]:
    people = home / PEOPLE
    owners = ["", *(path.name for path in people.iterdir() if path.is_dir())] if people.is_dir() else [""]
    for owner in owners:
        folder = (people / owner if owner else home) / "jobs"
        for place in folder.iterdir() if folder.is_dir() else ():
            job = read_json(place / SETTINGS) or {}
            if all(isinstance(job.get(name), kind) for name, kind in _TYPES.items()) and job["id"] == place.name:
                yield {**job, "owner": owner}
            else:
                log.error("%s is not the folder of a job that can be read; it stays as it is.", place,
                          extra=about("job_damaged"))  # fmt: skip
