"""Published multilingual encoders that can be bases, from ``assets/published_bases.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache

from deftx.core.assets import ASSETS
from deftx.training.model_size import Model

FILE = ASSETS / "published_bases.toml"


@dataclass(frozen=True)
class PublishedBase:
    """What is known of a base on the Hub without downloading it; ``languages`` is None where its authors name no number.

    ``tokenizer`` names a tokenizer that several bases share; empty if it is not known here.
    """

    id: str
    parameters: int
    pieces: int
    layers: int
    width: int
    licence: str = ""  # not known
    languages: int | None = None
    tokenizer: str = ""

    @property
    def model(self) -> Model:
        """The sizes that determine the cost of a training, approximately: the head and the norms are counted too."""
        return Model(self.parameters, self.pieces * self.width, self.parameters, self.width, self.layers)


@cache
def published_bases() -> tuple[PublishedBase, ...]:
    """Return the published bases, in the order of the file."""
    return tuple(PublishedBase(**one) for one in tomllib.loads(FILE.read_text(encoding="utf-8"))["base"])
