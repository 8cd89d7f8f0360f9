"""Settings of a studio with several users: their defaults and environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from typing import Any

from deftx.core.errors import DeftxError

YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def _setting(default: Any, variable: str, about: str) -> Any:
    return field(default=default, metadata={"variable": variable, "about": about})


@dataclass(frozen=True)
class Hosting:
    """Settings of a shared studio. Limits apply to people and visitors, not to admins, and only with a login; 0 means no limit."""

    hosts: tuple[str, ...] = _setting((), "DEFTX_HOSTS", "names at which the page is reached, beside its own addresses")
    proxies: tuple[str, ...] = _setting(
        (), "DEFTX_PROXIES", "addresses or networks of proxies whose X-Forwarded headers count"
    )
    requests_in_flight: int = _setting(
        300, "DEFTX_REQUESTS", "requests at the same time from one address or password login; applies to everybody"
    )
    people_file: str = _setting("", "DEFTX_AUTH", "file of user names and hashed passwords; empty: no login")
    admins: tuple[str, ...] = _setting((), "DEFTX_ADMINS", "on a Space: accounts of admins, in addition to its author")
    members: tuple[str, ...] = _setting(
        (), "DEFTX_MEMBERS", "on a Space: accounts of members, all others being visitors; empty: all"
    )
    visitors_train: bool = _setting(False, "DEFTX_VISITORS_TRAIN", "whether visitors with a login may train")
    upload_megabytes: int = _setting(500, "DEFTX_UPLOAD_MB", "largest upload; applies to everybody")
    corpus_megabytes: int = _setting(200, "DEFTX_CORPUS_MB", "largest text or labelled file that is stored")
    corpus_lines: int = _setting(5_000_000, "DEFTX_CORPUS_LINES", "lines of a text or rows of a labelled file")
    reading_seconds: int = _setting(
        900, "DEFTX_READING_SECONDS", "time to read an uploaded file, or to audit a text; applies to everybody"
    )
    reading_megabytes: int = _setting(4_000, "DEFTX_READING_MB", "memory to read one in; applies to everybody")
    workspace_megabytes: int = _setting(
        20_000, "DEFTX_ROOM_MB", "disk space of one person's texts, files, training runs and public vectors"
    )
    waiting_jobs: int = _setting(5, "DEFTX_WAITING_JOBS", "queued training runs of one person")
    job_hours: float = _setting(12.0, "DEFTX_JOB_HOURS", "time of one training run, resumed parts included")
    job_megabytes: int = _setting(10_000, "DEFTX_JOB_MB", "disk space of one training run")
    days_kept: float = _setting(
        30.0, "DEFTX_DAYS_KEPT", "days from upload or training after which a person's items are removed"
    )


def in_space(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether this is a Space of the Hugging Face Hub, where a page of huggingface.co frames the studio."""
    return bool((os.environ if environment is None else environment).get("SPACE_ID"))


def on_zero_gpu(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether this is a Space on ZeroGPU, which lends a GPU for one call at a time."""
    return (os.environ if environment is None else environment).get("SPACES_ZERO_GPU", "").casefold() == "true"


def space_hosts(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of the Space, custom domains included; none outside a Space."""
    environment = os.environ if environment is None else environment
    names = environment.get("SPACE_HOST", "").casefold().split(",") if in_space(environment) else []
    return tuple(name.strip() for name in names if name.strip())


def hosting_from(environment: Mapping[str, str] | None = None) -> Hosting:
    """Return the settings from environment variables. Raise DeftxError, naming the variable, for an invalid value."""
    environment = os.environ if environment is None else environment
    given = {}
    for one in fields(Hosting):
        text = environment.get(one.metadata["variable"])
        if text is not None:
            given[one.name] = _read(one.metadata["variable"], text.strip(), one.default)
    for proxy in given.get("proxies", ()):
        try:
            ip_network(proxy)
        except ValueError:
            raise DeftxError(f"{proxy!r} in DEFTX_PROXIES is not an address or network, such as 10.0.0.0/8.") from None
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
        raise DeftxError(f"{variable} is {text!r}; write a number of 0 or more, where 0 means no limit.")
    return number
