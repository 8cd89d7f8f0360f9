"""The list of published LT-SFT vectors that can be imported, from ``assets/lt_sft.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache

from deftx.core.assets import ASSETS

FILE = ASSETS / "lt_sft.toml"


@dataclass(frozen=True)
class Published:
    """A vector on the Hub in LT-SFT's format: its base, the language of its text, and for a task its labels in order.

    ``code`` is the language's code in the language profiles (ISO 639); empty if there are several.
    """

    id: str
    base: str
    kind: str
    language: str
    code: str
    labels: tuple[str, ...] = ()


@cache
def published() -> tuple[Published, ...]:
    """Return the known published vectors: language vectors by language, then task vectors."""
    contents = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = (Published(base=contents["base"], labels=tuple(one.pop("labels", ())), **one) for one in contents["vector"])
    return tuple(sorted(found, key=lambda one: (one.kind, one.language)))
