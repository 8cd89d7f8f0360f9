"""How the studio is offered to more people than one: every setting, its default and its environment variable."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from deftx.core.errors import DeftxError

YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def _setting(default: Any, variable: str, about: str) -> Any:
    return field(default=default, metadata={"variable": variable, "about": about})


@dataclass(frozen=True)
class Hosting:
    """The settings; limits hold for people and visitors, not for admins, nor where nobody logs in. 0 is no limit."""

    people_file: str = _setting("", "DEFTX_AUTH", "file of people and their hashed passwords; empty: nobody logs in")
    admins: tuple[str, ...] = _setting((), "DEFTX_ADMINS", "on a Space: account names of admins, beside its author")
    members: tuple[str, ...] = _setting((), "DEFTX_MEMBERS", "on a Space: accounts that are no visitors; empty: all")
    visitors_train: bool = _setting(False, "DEFTX_VISITORS_TRAIN", "whether visitors who have logged in may train")
    upload_megabytes: int = _setting(500, "DEFTX_UPLOAD_MB", "largest file that is taken; holds for everybody")
    corpus_megabytes: int = _setting(200, "DEFTX_CORPUS_MB", "largest text or labelled file that is kept")
    workspace_megabytes: int = _setting(
        20_000, "DEFTX_ROOM_MB", "what all of a person's texts, files and trainings may take"
    )
    waiting_jobs: int = _setting(5, "DEFTX_WAITING_JOBS", "trainings of one person that may wait")
    job_hours: float = _setting(12.0, "DEFTX_JOB_HOURS", "time of one training, all its runs together")
    job_megabytes: int = _setting(10_000, "DEFTX_JOB_MB", "disk of one training")
    days_kept: float = _setting(30.0, "DEFTX_DAYS_KEPT", "days without use after which what is a person's is removed")


def hosting_from(environment: Mapping[str, str] | None = None) -> Hosting:
    """Read the settings from the environment; DeftxError, naming the variable, for what cannot be read."""
    environment = os.environ if environment is None else environment
    given = {}
    for one in fields(Hosting):
        text = environment.get(one.metadata["variable"])
        if text is not None:
            given[one.name] = _read(one.metadata["variable"], text.strip(), one.default)
    return Hosting(**given)


def _read(variable: str, text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return tuple(name.casefold() for name in text.replace(",", " ").split())
    if isinstance(default, bool):
        if text.lower() not in (*YES, *NO):
            raise DeftxError(f"{variable} is {text!r}; write 1 or 0.")
        return text.lower() in YES
    try:
        number = type(default)(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise DeftxError(f"{variable} is {text!r}; write a number of 0 or more, 0 being no limit.")
    return number
