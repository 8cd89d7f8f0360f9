"""Facts about each text, computed once for each state of its file: its audit, languages, effects of cleaning."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from deftx.core.errors import CorpusError
from deftx.data.audit import Audit, Unused
from deftx.data.bare_tokenizer import BareTokenizer
from deftx.data.cleaning import Effect
from deftx.data.incoming import Report, as_effects, effects_of, nearest_to, register_text, report
from deftx.data.languages import Languages, Profile, load_languages
from deftx.data.nearest import Near
from deftx.data.text import Corpus
from ui import strings
from ui.corpus.corpora import Corpora
from ui.shared.isolation import is_small, read_isolated

R = TypeVar("R")


class TextFacts:
    """Facts by the name of a text; every method can be called from any thread."""

    def __init__(self, corpora: Corpora, home: Path, tokenizer: Callable[[], Any] = lambda: None) -> None:
        """Use these texts; registered languages are in a folder of ``home``, and audits are for a base's ``tokenizer``."""
        self.corpora, self.languages_folder, self._tokenizer = corpora, home / "languages", tokenizer
        self._read = lru_cache(maxsize=1)(lambda name, state: corpora.read(name))  # one: a text may be large
        self._reports = lru_cache(maxsize=32)(self._report)
        self._effects = lru_cache(maxsize=32)(self._preview)
        self._nearest = lru_cache(maxsize=32)(self._nearest_to)
        self._languages = lru_cache(maxsize=1)(lambda state: load_languages(self.languages_folder))

    def read(self, name: str) -> Corpus:
        """Read a text."""
        return self._read(name, self._state(name))

    def audit(self, name: str) -> Audit:
        """Return the audit of a text."""
        return self._report_of(name).audit

    def unused(self, name: str) -> tuple[Unused, ...]:
        """Return the lines that are not used for training."""
        return self._report_of(name).unused

    def first_lines(self, name: str) -> tuple[str, ...]:
        """Return the first lines of a text."""
        return self._report_of(name).first

    def effects(self, name: str, choices: Sequence[str]) -> tuple[Effect, ...]:
        """Return the effect of each cleaning step on a text, given the chosen steps."""
        return self._effects(name, self._state(name), tuple(sorted(choices)))

    def mix(self, name: str) -> dict[str, float]:
        """Return the share of lines in each language by code, including "unknown"."""
        return self._report_of(name).mix

    def nearest(self, name: str, tokenizer: Any) -> tuple[Near, ...]:
        """Compare a text with every known language, the nearest first; CorpusError if it has no letters."""
        return self._nearest(name, self._state(name), self._registered(), tokenizer)

    def languages(self) -> Languages:
        """Return the known languages: the bundled ones and those registered here."""
        return self._languages(self._registered())

    def register(self, name: str, code: str, title: str) -> Profile:
        """Learn a language from a text; CorpusError if that is not possible."""
        path = self.corpora.path(name)
        try:
            return read_isolated([path], register_text, self.languages_folder, code.strip(), title, path)
        except OSError as error:
            raise CorpusError(strings.NOT_STORED.format(name=title or code, reason=error.strerror)) from error

    def _report_of(self, name: str) -> Report:
        return self._reports(name, self._state(name), self._registered())

    def _report(self, name: str, state: tuple[int, int], registered: tuple) -> Report:
        path = self.corpora.path(name)
        return _with_tokenizer(self._tokenizer(), report, path, self.languages_folder)

    def _preview(self, name: str, state: tuple[int, int], choices: tuple[str, ...]) -> tuple[Effect, ...]:
        path = self.corpora.path(name)
        return as_effects(read_isolated([path], effects_of, path, choices))

    def _nearest_to(self, name: str, state: tuple[int, int], registered: tuple, tokenizer: Any) -> tuple[Near, ...]:
        path = self.corpora.path(name)
        return _with_tokenizer(tokenizer, nearest_to, path, self.languages_folder)

    def _state(self, name: str) -> tuple[int, int]:
        found = self.corpora.path(name).stat()
        return found.st_mtime_ns, found.st_size

    def _registered(self) -> tuple:
        if not self.languages_folder.is_dir():
            return ()
        return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in self.languages_folder.glob("*.json")))


def _with_tokenizer(tokenizer: Any, function: Callable[..., R], path: Path, *arguments: Any) -> R:
    """Call a function that reads ``path`` with a tokenizer; one that is written in Python stays in the server."""
    is_python = tokenizer is not None and not tokenizer.is_fast
    if is_python or is_small([path]):
        return function(path, *arguments, tokenizer)
    return read_isolated([path], function, path, *arguments, BareTokenizer.of(tokenizer))
