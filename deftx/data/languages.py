"""Which languages a text is likely in: naive Bayes over character n-grams, with "unknown" as an answer.

A profile holds how often a language's commonest n-grams of letters occur, and no text. ``docs/languages.md`` gives the
accuracy on held-out lines and how the profiles that come with this project were made (``scripts/language_profiles.py``).
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from deftx.core.assets import ASSETS
from deftx.core.errors import CorpusError
from deftx.core.files import write_bytes, write_json
from deftx.data.text import split
from deftx.data.unpacking import BROKEN_GZIP

UNKNOWN = "unknown"  # no language code has seven letters
BUNDLED = ASSETS / "languages.json.gz"

ORDERS = (1, 2, 3, 4)  # letters in an n-gram, the space around words included
KEPT = 3_000  # n-grams of a profile: more gain nothing, and rare ones would be words of the text
RARE = 3  # n-grams that occur less often are never kept
LINES_COUNTED = 2_000  # of a text, drawn at random
LINES_WEIGHED = 300  # held-out lines by which it is learned how typical lines of the language score
FEWEST_LINES = 200  # below this a profile is chance
STEADY = 100  # n-grams from which a line's score is steady
MIX_LINES = 2_000  # lines of a text that are looked at, spread over it
# How much the lead over the second language counts, and up to where; chosen on held-out lines (docs/languages.md).
LEAD_WEIGHT, LEAD_LIMIT = 8.0, 0.5

_CODE = re.compile(r"[a-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Profile:
    """How often n-grams occur in a language, and how its own held-out lines score (mean log-probability, in nats).

    ``total`` counts all n-grams, the kept ones and the others.
    """

    code: str
    name: str
    counts: dict[str, int]
    total: int
    mean: float
    spread: float

    @property
    def floor(self) -> float:
        """The probability given to an n-gram that was not kept: half that of the rarest kept one."""
        return min(self.counts.values()) / 2 / self.total


@dataclass(frozen=True)
class Languages:
    """Profiles to choose from; a line whose confidence is below ``threshold`` is in none of them.

    ``noise`` is the variance that one n-gram adds to a score (nats²): the shorter a line, the more is left to chance.
    """

    profiles: tuple[Profile, ...]
    threshold: float
    noise: float

    @cached_property
    def _matrix(self) -> tuple[dict[str, int], np.ndarray]:
        """Lay all profiles out in one matrix (n-grams, languages); its last row is for n-grams in none of them."""
        places: dict[str, int] = {}
        for profile in self.profiles:
            for ngram in profile.counts:
                places.setdefault(ngram, len(places))
        floors = np.log([profile.floor for profile in self.profiles])
        table = np.tile(floors, (len(places) + 1, 1)).astype(np.float32)
        for column, profile in enumerate(self.profiles):
            rows = [places[ngram] for ngram in profile.counts]
            table[rows, column] = np.log(np.fromiter(profile.counts.values(), float) / profile.total)
        return places, table

    def names(self) -> dict[str, str]:
        """Give the name of each language by its code."""
        return {profile.code: profile.name for profile in self.profiles}

    def without(self, code: str) -> "Languages":
        """Leave a language out."""
        return replace(self, profiles=tuple(profile for profile in self.profiles if profile.code != code))

    def weigh(self, line: str) -> tuple[str, float]:
        """Give the likeliest language of a line and how sure that is; (unknown, -inf) where there is no letter."""
        found = ngrams(line)
        if not found:
            return UNKNOWN, float("-inf")
        places, table = self._matrix
        scores = table[[places.get(ngram, len(places)) for ngram in found]].mean(axis=0)
        best = int(scores.argmax())
        profile = self.profiles[best]
        typical = (scores[best] - profile.mean) / np.sqrt(profile.spread**2 + self.noise / len(found))
        others = np.delete(scores, best)
        lead = min(scores[best] - others.max(), LEAD_LIMIT) if len(others) else LEAD_LIMIT
        return profile.code, float(typical + LEAD_WEIGHT * lead)

    def identify(self, line: str) -> str:
        """Give the code of the language that a line is likely in, or "unknown"."""
        code, confidence = self.weigh(line)
        return code if confidence >= self.threshold else UNKNOWN

    def mix(self, lines: Sequence[str]) -> dict[str, float]:
        """Give the share of lines in each language, the largest first; of a long text, of lines spread over it."""
        step = max(len(lines) / MIX_LINES, 1.0)
        chosen = [lines[int(place * step)] for place in range(int(len(lines) / step))]
        found = Counter(map(self.identify, chosen))
        return {code: count / len(chosen) for code, count in found.most_common()}


def ngrams(line: str) -> list[str]:
    """Cut a line into its n-grams of letters, case folded, all else taken as one space; none where there is no letter."""
    letters = "".join(sign if sign.isalpha() or sign in "'’ʼ" else " " for sign in line.casefold())
    words = letters.split()
    if not any(map(str.isalpha, letters)):
        return []
    text = f" {' '.join(words)} "
    return [text[start : start + order] for order in ORDERS for start in range(len(text) - order + 1)]


def learn_profile(code: str, name: str, train: Iterable[str], held_out: Iterable[str]) -> Profile:
    """Count the n-grams of lines, and weigh lines that were held out."""
    counts: Counter[str] = Counter()
    for line in train:
        counts.update(ngrams(line))
    kept = {ngram: count for ngram, count in counts.most_common(KEPT) if count >= RARE}
    if not kept:
        raise CorpusError("There are too few letters in this text to learn a language from.")
    profile = Profile(code, name, kept, counts.total(), 0.0, 1.0)
    logs = {ngram: float(np.log(count / profile.total)) for ngram, count in kept.items()}
    floor = float(np.log(profile.floor))
    scores = [(len(found), np.mean([logs.get(ngram, floor) for ngram in found]))
              for found in map(ngrams, held_out) if found]  # fmt: skip
    steady = [score for length, score in scores if length >= STEADY]
    weighed = steady if len(steady) >= 20 else [score for _, score in scores]
    return replace(profile, mean=float(np.mean(weighed)), spread=max(float(np.std(weighed)), 0.05))


def register(folder: Path, code: str, name: str, lines: Sequence[str]) -> Profile:
    """Learn a language from a person's text and keep its profile, not the text, in ``folder``.

    Raises:
        CorpusError: the code is no language code, or the text is too small.
    """
    if not _CODE.fullmatch(code) or code == UNKNOWN:
        raise CorpusError(f"{code!r} is no language code. Use a short one in small letters, for example min.")
    if len(lines) < FEWEST_LINES:
        raise CorpusError(
            f"{len(lines):,} lines are too few to learn a language from; {FEWEST_LINES} or more are needed."
        )
    train, held_out = split(
        draw(lines, LINES_COUNTED + LINES_WEIGHED), LINES_WEIGHED / (LINES_COUNTED + LINES_WEIGHED), 0
    )
    profile = learn_profile(code, name.strip() or code, train, held_out)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(folder / f"{code}.json", asdict(profile), indent=None)
    return profile


def load_languages(folder: Path | None = None) -> Languages:
    """Load the profiles that come with the project, and those that were registered in ``folder`` in their place."""
    bundled = _bundled()
    profiles = {profile.code: profile for profile in bundled.profiles}
    for path in sorted(folder.glob("[!.]*.json")) if folder and folder.is_dir() else ():
        try:
            profile = Profile(**json.loads(path.read_text(encoding="utf-8")))
            profiles[profile.code] = replace(
                profile, counts={str(n): int(c) for n, c in profile.counts.items() if c > 0}
            )
        except (OSError, ValueError, TypeError, AttributeError):
            raise CorpusError(
                f"The language profile {path.name} is damaged. Remove it, or register the text again."
            ) from None
    return replace(bundled, profiles=tuple(profiles.values()))


def draw(lines: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Draw lines at random, at most ``count``, in their order."""
    places = np.random.default_rng(seed).permutation(len(lines))[:count]
    return [lines[int(place)] for place in sorted(places)]


def save(languages: Languages, path: Path) -> None:
    """Write profiles as gzipped JSON, the same ones always as the same bytes."""
    content: dict[str, Any] = {**asdict(languages), "profiles": [asdict(profile) for profile in languages.profiles]}
    write_bytes(path, gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0))


@cache
def _bundled() -> Languages:
    try:
        content = json.loads(gzip.decompress(BUNDLED.read_bytes()))
    except (OSError, ValueError, *BROKEN_GZIP) as problem:
        raise CorpusError(f"{BUNDLED.name}, the languages that come with deftx, cannot be read: {problem}.") from None
    profiles = tuple(Profile(**profile) for profile in content.pop("profiles"))
    return Languages(profiles, **content)
