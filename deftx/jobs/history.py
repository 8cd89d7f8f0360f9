"""Searching jobs, and comparing their settings."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError
from deftx.jobs.job import OUT, Job
from deftx.jobs.state import state_of

DATA = ("corpus", "train", "valid", "source", "start", "lexicon", "delta")  # settings that name files or vectors


def search(jobs: Iterable[Job], words: str = "", state: str = "", method: str = "") -> list[Job]:
    """Return the jobs with all words in their name, language, data, base, preset or method, in the given order.

    ``state`` and ``method`` filter by state and method; empty means any.
    """
    wanted = words.casefold().split()
    return [
        job
        for job in jobs
        if (not method or method_of(job) == method)
        and (not wanted or all(word in _text(job) for word in wanted))
        and (not state or state_of(job).name == state)
    ]


def method_of(job: Job) -> str:
    """Return the training method of a job."""
    return str((job.settings.get("recipe") or {}).get("method") or "deft-x")


def settings_of(job: Job) -> dict[str, Any]:
    """Return all settings that affect a job's result, those of its preset included; files are given by name."""
    given = {name: value for name, value in job.settings.items() if name not in ("recipe", "device", "report_to")}
    named = {name: _short(value) if name in (*DATA, "further", "base") else value for name, value in given.items()}
    return {"kind": job.kind, **named, **_recipe(job)}


def differences(jobs: Sequence[Job]) -> dict[str, tuple[Any, ...]]:
    """Return the settings in which jobs differ: name -> one value per job, None if it has none."""
    settings = [settings_of(job) for job in jobs]
    names = dict.fromkeys(name for each in settings for name in each)
    values = {name: tuple(each.get(name) for each in settings) for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}


def _recipe(job: Job) -> dict[str, Any]:
    try:
        return job.request.full_recipe().to_dict()
    except DeftxError:  # written by another version, or by hand
        return dict(job.settings.get("recipe") or {})


def _text(job: Job) -> str:
    return "\n".join((job.id, job.name, job.kind, method_of(job), *_values(job))).casefold()


def _values(job: Job) -> list[str]:
    names = (*DATA, "base", "language", "preset")
    return [str(_short(job.settings[name])) for name in names if job.settings.get(name)]


def _short(value: Any) -> Any:
    if isinstance(value, str):
        path = Path(value)
        return path.parent.name if path.name == OUT else path.name  # a vector that was trained here: the id of its job
    if isinstance(value, Mapping):  # one of the further labelled files
        return {name: _short(one) if name in ("file", *DATA) else one for name, one in value.items()}
    return [_short(each) for each in value] if isinstance(value, list | tuple) else value
