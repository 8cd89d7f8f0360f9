"""Facts about each text, computed once for each state of its file: unused lines, languages, effects of cleaning."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from deftx.data.audit import Unused, unused
from deftx.data.cleaning import Effect, preview
from deftx.data.languages import Languages, Profile, load_languages, register
from deftx.data.nearest import Near, nearest
from deftx.data.text import Corpus
from ui.corpus.corpora import Corpora


class TextFacts:
    """Facts by the name of a text; every method can be called from any thread."""

    def __init__(self, corpora: Corpora, home: Path) -> None:
        """Use these texts; registered languages are in a folder of ``home``."""
        self.corpora, self.languages_folder = corpora, home / "languages"
        self._read = lru_cache(maxsize=1)(lambda name, state: corpora.read(name))  # one: a text may be large
        self._unused = lru_cache(maxsize=32)(lambda name, state: unused(corpora.path(name)))
        self._effects = lru_cache(maxsize=32)(self._preview)
        self._mix = lru_cache(maxsize=32)(self._mix_of)
        self._nearest = lru_cache(maxsize=32)(self._nearest_to)
        self._languages = lru_cache(maxsize=1)(lambda state: load_languages(self.languages_folder))

    def read(self, name: str) -> Corpus:
        """Read a text."""
        return self._read(name, self._state(name))

    def unused(self, name: str) -> tuple[Unused, ...]:
        """Return the lines that are not used for training."""
        return self._unused(name, self._state(name))

    def effects(self, name: str, choices: Sequence[str]) -> tuple[Effect, ...]:
        """Return the effect of each cleaning step on a text, given the chosen steps."""
        return self._effects(name, self._state(name), tuple(sorted(choices)))

    def mix(self, name: str) -> dict[str, float]:
        """Return the share of lines in each language by code, including "unknown"."""
        return self._mix(name, self._state(name), self._registered())

    def nearest(self, name: str, tokenizer: Any) -> tuple[Near, ...]:
        """Compare a text with every known language, the nearest first; CorpusError if it has no letters."""
        return self._nearest(name, self._state(name), self._registered(), tokenizer)

    def languages(self) -> Languages:
        """Return the known languages: the bundled ones and those registered here."""
        return self._languages(self._registered())

    def register(self, name: str, code: str, title: str) -> Profile:
        """Learn a language from a text; CorpusError if that is not possible."""
        return register(self.languages_folder, code.strip(), title, self.read(name).lines)

    def _preview(self, name: str, state: tuple[int, int], choices: tuple[str, ...]) -> tuple[Effect, ...]:
        return preview(self._read(name, state).lines, choices)

    def _mix_of(self, name: str, state: tuple[int, int], registered: tuple) -> dict[str, float]:
        return self._languages(registered).mix(self._read(name, state).lines)

    def _nearest_to(self, name: str, state: tuple[int, int], registered: tuple, tokenizer: Any) -> tuple[Near, ...]:
        return nearest(self._read(name, state).lines, self._languages(registered), tokenizer)

    def _state(self, name: str) -> tuple[int, int]:
        found = self.corpora.path(name).stat()
        return found.st_mtime_ns, found.st_size

    def _registered(self) -> tuple:
        if not self.languages_folder.is_dir():
            return ()
        return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in self.languages_folder.glob("*.json")))
