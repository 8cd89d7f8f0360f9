"""Similarity of a text to known languages, by letter n-grams and by the pieces of a base's tokenizer.

Both similarities are overlaps of two distributions, Σ min(p, q), from 0 (disjoint) to 1 (equal), over the most frequent
n-grams or pieces. ``docs/library.md`` says how well they find related languages. ``scripts/piece_profiles.py`` makes the
profiles of pieces, for the bundled base's tokenizer; they contain counts and no text.
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
LINES = 2_000  # lines of a text that are compared, spread evenly over it
PIECES_KEPT = 2_000  # most frequent pieces per language
AT_A_TIME = 500  # lines tokenised at a time


@dataclass(frozen=True)
class Near:
    """A known language and its similarity to a text, from 0 to 1. ``pieces`` is None if unknown for this base."""

    code: str
    name: str
    letters: float
    pieces: float | None


def nearest(lines: Sequence[str], languages: Languages, tokenizer: Any = None) -> tuple[Near, ...]:
    """Compare a text with every known language; return the most similar by letters first.

    With a ``tokenizer``, also compare its pieces.

    Raises:
        CorpusError: If the text contains no letter.
    """
    chosen = spread(lines, LINES)
    letters = shares(Counter(ngram for line in chosen for ngram in ngrams(line)))
    if not letters:
        raise CorpusError("This text contains no letters, so its language cannot be identified.")
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
    """Return the overlap of two distributions, Σ min(p, q)."""
    return sum(min(share, one.get(item, 0.0)) for item, share in other.items())


def shares(counts: Counter) -> dict[Any, float]:
    """Divide counts by their total."""
    total = counts.total()
    return {item: count / total for item, count in counts.items()}


def count_pieces(lines: Sequence[str], tokenizer: Any) -> Counter[str]:
    """Count the tokens of lines, without special tokens."""
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
    """Return the shares of the most frequent pieces of each known language; empty unless it is the bundled base's tokenizer."""
    content = _bundled()
    return content["languages"] if content["tokenizer"] == tokenizer_fingerprint(tokenizer) else {}


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """Return the SHA-256 of a tokenizer's vocabulary."""
    vocabulary = json.dumps(tokenizer.get_vocab(), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(vocabulary.encode("ascii")).hexdigest()


def save(profiles: Mapping[str, Counter[str]], tokenizer: Any, path: Path) -> None:
    """Write the counts of pieces of each language as gzipped JSON, byte for byte reproducible."""
    languages = {
        code: {"total": counts.total(), "counts": dict(counts.most_common(PIECES_KEPT))}
        for code, counts in profiles.items()
    }
    content = {"tokenizer": tokenizer_fingerprint(tokenizer), "languages": languages}
    write_bytes(path, gzip.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0))


def spread(lines: Sequence[str], most: int) -> list[str]:
    """Return at most ``most`` lines, spread evenly over a text."""
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
