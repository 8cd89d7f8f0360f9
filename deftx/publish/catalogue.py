"""The published vectors of LT-SFT that can be brought: ``assets/lt_sft.toml``, which is data and asks no network."""

import tomllib
from dataclasses import dataclass
from functools import cache

from deftx.core.assets import ASSETS

FILE = ASSETS / "lt_sft.toml"


@dataclass(frozen=True)
class Published:
    """A vector on the Hub in LT-SFT's format: of which base, learned in which language, and a task's labels in order.

    ``code`` is the language's code as the language profiles have it (ISO 639), empty where there are several.
    """

    id: str
    base: str
    kind: str
    language: str
    code: str
    labels: tuple[str, ...] = ()


@cache
def published() -> tuple[Published, ...]:
    """List what is known to be published, language vectors by their language first, then task vectors."""
    contents = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = (Published(base=contents["base"], labels=tuple(one.pop("labels", ())), **one) for one in contents["vector"])
    return tuple(sorted(found, key=lambda one: (one.kind, one.language)))
