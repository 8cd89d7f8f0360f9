"""Every text of the page, as ``strings.NAME``, in the current language; the texts are in assets/strings."""

import inspect
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

from deftx.core.assets import ASSETS

FOLDER = ASSETS / "strings"
SPOKEN = {"en": "English", "id": "Bahasa Indonesia", "es": "Español"}

_language: ContextVar[str] = ContextVar("language", default="en")


@cache
def table(language: str) -> Mapping[str, Any]:
    """Read the texts of a language; the sections of the file only order it. A text that it lacks stays English."""
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    own = {name: text for section in sections.values() for name, text in section.items()}
    return own if language == "en" else _over(table("en"), own)


def _over(english: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = {
        name: _over(text, own.get(name, {})) if isinstance(text, Mapping) else own.get(name, text)
        for name, text in english.items()
    }
    return {**own, **merged} if own.keys() - english.keys() else merged


def __getattr__(name: str) -> Any:
    # Looked up at every use: a value taken at import would be English for everyone.
    try:
        return table(_language.get())[name]
    except KeyError:
        raise AttributeError(f"There is no {name} in {FOLDER / _language.get()}.toml.") from None


def language() -> str:
    """Return the code of the current language."""
    return _language.get()


def of_library(text: str) -> str:
    """Translate a sentence of ``deftx`` to the current language; a sentence without translation stays English."""
    return table(_language.get())["LIBRARY"].get(text, text)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Use a language of SPOKEN inside the block."""
    before = _language.set(code)
    try:
        yield
    finally:
        _language.reset(before)


def spoken(code: str, function: Callable) -> Callable:
    """Return a function that always uses a language, whatever its caller and thread."""
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise TypeError(f"{function} is a generator or coroutine function, in which the language would be lost.")

    @wraps(function)
    def speak(*values: Any, **named: Any) -> Any:
        with speaking(code):
            return function(*values, **named)

    return speak
