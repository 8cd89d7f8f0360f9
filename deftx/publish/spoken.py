"""The texts of reports and scores in several languages: assets/report/LANGUAGE.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache

from deftx.core.assets import ASSETS
from deftx.core.errors import unknown_name

FOLDER = ASSETS / "report"
SPOKEN = ("en", "id", "es")


@cache
def texts_in(language: str) -> Mapping[str, str]:
    """Return the texts of a language by name. Raise RecipeError if it is not one of SPOKEN."""
    if language not in SPOKEN:
        raise unknown_name("The language of the report", language, SPOKEN)
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
