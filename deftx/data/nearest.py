"""Which known languages are nearest to a text: by its letters, and by the pieces that a base's tokenizer cuts it into.

Both are overlaps of two distributions, Σ min(p, q), from 0 (nothing in common) to 1 (the same): of the commonest n-grams of
letters, and of the commonest pieces. ``docs/library.md`` says how well that finds relatives; ``scripts/piece_profiles.py``
makes the profiles of pieces, which hold counts and no text, and are of the bundled base's tokenizer.
"""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deftx.core.assets import ASSETS
from deftx.core.errors import CorpusError
from deftx.core.files import write_bytes
from deftx.data.languages import Languages, ngrams
from deftx.data.unpacking import BROKEN_GZIP

PIECES = ASSETS / "pieces.json.gz"
LINES = 2_000  # of a text that are looked at, spread over it
PIECES_KEPT = 2_000  # of a language: the commonest
AT_A_TIME = 500  # lines that are cut into pieces at once


@dataclass(frozen=True)
class Near:
    """A known language and how much of its letters and pieces (None: not known for this base) a text shares, 0 to 1."""

    code: str
    name: str
    letters: float
    pieces: float | None


def nearest(lines: Sequence[str], languages: Languages, tokenizer: Any = None) -> tuple[Near, ...]:
    """Compare a text with every known language, the nearest by letters first; ``tokenizer`` adds the shared pieces.

    Raises:
        CorpusError: there is not one letter in the text.
    """
    chosen = spread(lines, LINES)
    letters = shares(Counter(ngram for line in chosen for ngram in ngrams(line)))
    if not letters:
        raise CorpusError("There are no letters in this text, so nothing can be said about its language.")
    known = piece_profiles(tokenizer) if tokenizer is not None else {}
    pieces = shares(count_pieces(chosen, tokenizer)) if known else {}
    found = [
        Near(
            profile.code,
            profile.name,
            common(letters, {ngram: count / profile.total for ngram, count in profile.counts.items()}),
            common(pieces, known[profile.code]) if profile.code in known else None,
        )
        for profile in languages.profiles
    ]
    return tuple(sorted(found, key=lambda near: near.letters, reverse=True))


def common(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    """Σ min(p, q): the share that two distributions have in common."""
    return sum(min(share, one.get(item, 0.0)) for item, share in other.items())


def shares(counts: Counter) -> dict[Any, float]:
    """Turn counts into shares of their total."""
    total = counts.total()
    return {item: count / total for item, count in counts.items()}


def count_pieces(lines: Sequence[str], tokenizer: Any) -> Counter[str]:
    """Count the pieces that a tokenizer cuts lines into, the special ones left out."""
    counts: Counter[int] = Counter()
    for start in range(0, len(lines), AT_A_TIME):
        encoded = tokenizer(list(lines[start : start + AT_A_TIME]), add_special_tokens=False, verbose=False)
        for ids in encoded["input_ids"]:
            counts.update(ids)
    special = set(tokenizer.all_special_ids)
    names = tokenizer.convert_ids_to_tokens(list(counts))
    return Counter(
        {name: counts[place] for name, place in zip(names, list(counts), strict=True) if place not in special}
    )


def piece_profiles(tokenizer: Any) -> dict[str, dict[str, float]]:
    """Give the shares of the commonest pieces of each known language; empty for another tokenizer than the bundled base's."""
    content = _bundled()
    return content["languages"] if content["tokenizer"] == tokenizer_fingerprint(tokenizer) else {}


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """SHA-256 over the pieces of a tokenizer with their numbers."""
    vocabulary = json.dumps(tokenizer.get_vocab(), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(vocabulary.encode("ascii")).hexdigest()


def save(profiles: Mapping[str, Counter[str]], tokenizer: Any, path: Path) -> None:
    """Write counts of pieces by language as gzipped JSON, the same ones always as the same bytes."""
    languages = {
        code: {"total": counts.total(), "counts": dict(counts.most_common(PIECES_KEPT))}
        for code, counts in profiles.items()
    }
    content = {"tokenizer": tokenizer_fingerprint(tokenizer), "languages": languages}
    write_bytes(path, gzip.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0))


def spread(lines: Sequence[str], most: int) -> list[str]:
    """Choose lines that are spread evenly over a text, at most so many."""
    step = max(len(lines) / most, 1.0)
    return [lines[int(place * step)] for place in range(int(len(lines) / step))]


@cache
def _bundled() -> dict[str, Any]:
    try:
        content = json.loads(gzip.decompress(PIECES.read_bytes()))
    except (OSError, ValueError, *BROKEN_GZIP) as problem:
        raise CorpusError(f"{PIECES.name}, which comes with deftx, cannot be read: {problem}.") from None
    languages = {
        code: {piece: count / profile["total"] for piece, count in profile["counts"].items()}
        for code, profile in content["languages"].items()
    }
    return {**content, "languages": languages}
