"""Language identification: naive Bayes over character n-grams, which may answer "unknown".

A profile contains the counts of a language's most frequent letter n-grams and no text. ``docs/languages.md`` gives the
accuracy on held-out lines and says how the bundled profiles were made (``scripts/language_profiles.py``).
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from deftx.data.writing_systems import main_writing

UNKNOWN = "unknown"  # no language code has seven letters
BUNDLED = ASSETS / "languages.json.gz"

ORDERS = (1, 2, 3, 4)  # letters in an n-gram, the space around words included
KEPT = 3_000  # n-grams per profile; more do not help, and rare ones would reveal words of the text
RARE = 3  # n-grams that occur less often are not kept
LINES_COUNTED = 2_000  # random lines of a text used for counting
LINES_WEIGHED = 300  # held-out lines used to measure typical scores
FEWEST_LINES = 200  # smallest number of lines for a profile
STEADY = 100  # lines with at least this many n-grams have stable scores
MIX_LINES = 2_000  # lines of a text that are classified, spread evenly over it
CLEAR = 0.6  # a text is in a language if so large a share of the lines whose language is known are in it,
LEAST_KNOWN = 1 / 3  # and the language of so large a share of all lines is known
# Weight and limit of the lead over the second language, chosen on held-out lines (docs/languages.md).
LEAD_WEIGHT, LEAD_LIMIT = 8.0, 0.5
LEAD_NOISE = 3.0  # nats; three words of a language then seldom look like another (docs/languages.md)

_CODE = re.compile(r"[a-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Profile:
    """Counts of n-grams in a language, and mean and spread of the scores of its held-out lines.

    A score is the mean log-probability of a line's n-grams, in nats. ``total`` is the number of all n-grams.
    """

    code: str
    name: str
    counts: dict[str, int]
    total: int
    mean: float
    spread: float

    @property
    def floor(self) -> float:
        """The probability of n-grams that were not kept: half that of the rarest kept one."""
        return min(self.counts.values()) / 2 / self.total


@dataclass(frozen=True)
class Languages:
    """The known profiles. A line with a confidence below ``threshold`` is "unknown".

    ``noise`` is the variance of a score per n-gram (nats²); it makes the scores of short lines uncertain.
    """

    profiles: tuple[Profile, ...]
    threshold: float
    noise: float

    @cached_property
    def _matrix(self) -> tuple[dict[str, int], np.ndarray]:
        """Create one matrix (n-grams, languages) of all profiles; its last row is for unknown n-grams."""
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

    @cached_property
    def writings(self) -> dict[str, str | None]:
        """The writing system of each language by code, that of most of its profile's letters."""
        return {
            profile.code: main_writing(ngram * count for ngram, count in profile.counts.items() if len(ngram) == 1)
            for profile in self.profiles
        }

    def names(self) -> dict[str, str]:
        """Return the names of the languages by code."""
        return {profile.code: profile.name for profile in self.profiles}

    def without(self, code: str) -> "Languages":
        """Return the profiles without a language."""
        return replace(self, profiles=tuple(profile for profile in self.profiles if profile.code != code))

    def weigh(self, line: str) -> tuple[str, float]:
        """Return the most likely language of a line and the confidence; (unknown, -inf) if it contains no letter."""
        found = ngrams(line)
        if not found:
            return UNKNOWN, float("-inf")
        scores = self._scores(found)
        best = int(scores.argmax())
        profile = self.profiles[best]
        typical = (scores[best] - profile.mean) / np.sqrt(profile.spread**2 + self.noise / len(found))
        others = np.delete(scores, best)
        lead = min(scores[best] - others.max(), LEAD_LIMIT) if len(others) else LEAD_LIMIT
        return profile.code, float(typical + LEAD_WEIGHT * lead)

    def lead(self, line: str, over: Sequence[str]) -> tuple[str, float]:
        """Return the most likely language of a line, and its lead over the best of some known languages.

        The lead is in nats per n-gram, less what chance can make of a line of this length: LEAD_NOISE / √n for n n-grams. For a line
        that is "unknown", or in one of these languages, it is not above 0.
        """
        found, code = ngrams(line), self.identify(line)
        if code == UNKNOWN:
            return UNKNOWN, 0.0
        scores = dict(zip((profile.code for profile in self.profiles), self._scores(found).tolist(), strict=True))
        return code, scores[code] - max(scores[other] for other in over) - LEAD_NOISE / len(found) ** 0.5

    def _scores(self, found: Sequence[str]) -> np.ndarray:
        """Return the mean log-probability of n-grams in each language, in nats: (languages,)."""
        places, table = self._matrix
        return table[[places.get(ngram, len(places)) for ngram in found]].mean(axis=0)

    def identify(self, line: str) -> str:
        """Return the code of the most likely language of a line, or "unknown"."""
        code, confidence = self.weigh(line)
        return code if confidence >= self.threshold else UNKNOWN

    def mix(self, lines: Sequence[str]) -> dict[str, float]:
        """Return the share of lines in each language, the largest first. For a long text, only a sample is used."""
        step = max(len(lines) / MIX_LINES, 1.0)
        chosen = [lines[int(place * step)] for place in range(int(len(lines) / step))]
        found = Counter(map(self.identify, chosen))
        return {code: count / len(chosen) for code, count in found.most_common()}


def clear_language(mix: Mapping[str, float]) -> str:
    """Return the code of the language that clearly prevails among the lines of a ``mix``; empty if there is none."""
    known = {code: share for code, share in mix.items() if code != UNKNOWN}
    total = sum(known.values())
    code = max(known, key=known.__getitem__, default="")
    return code if code and total >= LEAST_KNOWN and known[code] >= CLEAR * total else ""


def ngrams(line: str) -> list[str]:
    """Return the letter n-grams of a line, case-folded, with all other characters as spaces; empty without letters."""
    letters = "".join(sign if sign.isalpha() or sign in "'’ʼ" else " " for sign in line.casefold())
    words = letters.split()
    if not any(map(str.isalpha, letters)):
        return []
    text = f" {' '.join(words)} "
    return [text[start : start + order] for order in ORDERS for start in range(len(text) - order + 1)]


def learn_profile(code: str, name: str, train: Iterable[str], held_out: Iterable[str]) -> Profile:
    """Return the profile of a language from training lines and held-out lines."""
    counts: Counter[str] = Counter()
    for line in train:
        counts.update(ngrams(line))
    kept = {ngram: count for ngram, count in counts.most_common(KEPT) if count >= RARE}
    if not kept:
        raise CorpusError("This text has too few letters to learn a language from it.")
    profile = Profile(code, name, kept, counts.total(), 0.0, 1.0)
    logs = {ngram: float(np.log(count / profile.total)) for ngram, count in kept.items()}
    floor = float(np.log(profile.floor))
    scores = [(len(found), np.mean([logs.get(ngram, floor) for ngram in found]))
              for found in map(ngrams, held_out) if found]  # fmt: skip
    steady = [score for length, score in scores if length >= STEADY]
    weighed = steady if len(steady) >= 20 else [score for _, score in scores]
    return replace(profile, mean=float(np.mean(weighed)), spread=max(float(np.std(weighed)), 0.05))


def register(folder: Path, code: str, name: str, lines: Sequence[str]) -> Profile:
    """Learn a language from a text and store its profile, but not the text, in ``folder``.

    Raises:
        CorpusError: If the code is invalid or the text too short.
    """
    if not _CODE.fullmatch(code) or code == UNKNOWN:
        raise CorpusError(f"{code!r} is not a language code. Use a code in lower case, for example min.")
    if len(lines) < FEWEST_LINES:
        raise CorpusError(f"{len(lines):,} lines are too few to learn a language; {FEWEST_LINES} or more are needed.")
    train, held_out = split(
        draw(lines, LINES_COUNTED + LINES_WEIGHED), LINES_WEIGHED / (LINES_COUNTED + LINES_WEIGHED), 0
    )
    profile = learn_profile(code, name.strip() or code, train, held_out)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(folder / f"{code}.json", asdict(profile), indent=None)
    return profile


def load_languages(folder: Path | None = None) -> Languages:
    """Return the bundled profiles, and those in ``folder``, which replace bundled ones of the same code."""
    bundled = _bundled()
    files = sorted(folder.glob("[!.]*.json")) if folder and folder.is_dir() else []
    if not files:
        return bundled  # it keeps its matrix, which takes longer to compute than a line to identify
    profiles = {profile.code: profile for profile in bundled.profiles}
    for path in files:
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
    """Return at most ``count`` random lines, in their order."""
    places = np.random.default_rng(seed).permutation(len(lines))[:count]
    return [lines[int(place)] for place in sorted(places)]


def save(languages: Languages, path: Path) -> None:
    """Write profiles as gzipped JSON, byte for byte reproducible."""
    content: dict[str, Any] = {**asdict(languages), "profiles": [asdict(profile) for profile in languages.profiles]}
    write_bytes(path, gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0))


@cache
def _bundled() -> Languages:
    try:
        content = json.loads(gzip.decompress(BUNDLED.read_bytes()))
    except (OSError, ValueError, *BROKEN_GZIP) as problem:
        raise CorpusError(f"{BUNDLED.name}, the bundled language profiles, cannot be read: {problem}.") from None
    profiles = tuple(Profile(**profile) for profile in content.pop("profiles"))
    return Languages(profiles, **content)
