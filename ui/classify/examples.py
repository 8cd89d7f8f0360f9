"""Short sentences to try first, by language; assets/samples/sentences.toml has them."""

import tomllib
from functools import cache

from deftx.core.assets import ASSETS


def example_in(code: str) -> str:
    """Return a sentence in the language of this code; empty if there is none."""
    return _sentences().get(code, {}).get("sentence", "")


def meaning_of(sentence: str, language: str) -> str:
    """Return the meaning of one of these sentences in a language of the page; empty for other sentences."""
    return next((one[language] for one in _sentences().values() if one["sentence"] == sentence), "")


@cache
def _sentences() -> dict[str, dict[str, str]]:
    return tomllib.loads((ASSETS / "samples" / "sentences.toml").read_text(encoding="utf-8"))
