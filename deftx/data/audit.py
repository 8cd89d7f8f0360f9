"""What a corpus is, before anything is trained on it: amounts, repetition, scripts, and what a tokenizer covers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from deftx.data.coverage import reading_notes, spelled_share
from deftx.data.lengths import LengthBin, length_bins
from deftx.data.splitting import fold
from deftx.data.text import BATCH_LINES, WITHOUT_LETTERS, Corpus, unused_lines
from deftx.data.writing_systems import script_shares, word_count, writing_shares

# What is unknown to the tokenizer cannot be learned; a tokenizer made for the script leaves well under this.
UNKNOWN_RATE = 0.02
# Every copy of a line is trained on and predicted again: from about a fifth on, what is learned is the copies.
DUPLICATE_SHARE = 0.20
# The smallest corpora behind the paper's results hold a few thousand lines; below this the vector moves little.
SMALL_LINES = 1_000
# Names and loan words in another script stay below a tenth; more is often a second language.
SCRIPT_SHARE = 0.10
# A sentence has more words than this; shorter lines are headings or entries of a word list.
SHORT_WORDS = 3
# The longest sentences of ordinary prose stay below this; longer lines are paragraphs or whole documents.
LONG_CHARACTERS = 2_000
# A file in which so many lines hold no letter is probably not the text that was meant.
UNUSABLE_SHARE = 0.10
LONG_SHARE = 0.10  # above this share of very long lines, lines are documents rather than sentences

EXAMPLES = 10  # unknown words or characters that are shown
EXAMPLE_CHARACTERS = 20  # longer ones could quote the text
UNUSED_SHOWN = 3  # lines that are left out and shown with their numbers
EXAMPLE_LINES = 200  # lines with unknown tokens in which examples are looked for


@dataclass(frozen=True)
class Audit:
    """The findings over the usable lines of a corpus; token fields are None where no tokenizer was given.

    ``duplicates`` are lines equal to an earlier one (case and white space aside); ``scripts`` gives each script's share
    of all letters, the largest first; ``lengths`` counts lines by their number of words; ``unknown_examples`` are single
    words or characters, never a line.
    """

    lines: int
    words: int
    characters: int
    duplicates: int
    short_lines: int
    long_lines: int
    scripts: dict[str, float]
    skipped: dict[str, int]
    sources: tuple[tuple[str, int], ...]
    lengths: tuple[LengthBin, ...]
    normalised: dict[str, int] = field(default_factory=dict)  # lines that were changed while reading, by what
    tokens: int | None = None
    tokens_per_word: float | None = None
    unknown_rate: float | None = None
    unknown_examples: list[str] = field(default_factory=list)
    spelled: float | None = None  # share of the words' tokens that are single characters or bytes; None: not known
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return every finding by name, fit for JSON."""
        return asdict(self)


def audit(corpus: Corpus, tokenizer: Any = None) -> Audit:
    """Count what a corpus holds and say in plain words what should be looked at before training."""
    words = [word_count(line) for line in corpus.lines]
    tokens: dict[str, Any] = _audit_tokens(corpus.lines, sum(words), tokenizer) if tokenizer is not None else {}
    findings = Audit(
        lines=len(corpus.lines),
        words=sum(words),
        characters=sum(map(len, corpus.lines)),
        duplicates=len(corpus.lines) - len({fold(line) for line in corpus.lines}),
        short_lines=sum(count < SHORT_WORDS for count in words),
        long_lines=sum(len(line) > LONG_CHARACTERS for line in corpus.lines),
        scripts=script_shares(corpus.lines),
        skipped=corpus.skipped,
        sources=corpus.sources,
        lengths=length_bins(words),
        normalised=corpus.normalised,
        **tokens,
    )
    findings.warnings.extend([*corpus.notes, *_warnings(findings, median(words))])
    if tokenizer is not None:
        findings.warnings.extend(reading_notes(corpus.lines, findings.scripts, findings.spelled, tokenizer))
    return findings


@dataclass(frozen=True)
class Unused:
    """Lines that are left out for one reason: how many, and the first ones as (file, line number, text).

    For the page of the text's owner alone: it quotes the text, so it is part of no audit and is never stored.
    """

    reason: str
    lines: int
    first: tuple[tuple[str, int, str], ...]


def unused(source: str | Path | Sequence[str | Path], *, column: str | None = None) -> tuple[Unused, ...]:
    """Find the lines of a source that no training will see, by reason; CorpusError as ``read_corpus``."""
    counts: Counter[str] = Counter()
    first: dict[str, list[tuple[str, int, str]]] = {}
    for reason, file, number, line in unused_lines(source, column=column):
        counts[reason] += 1
        if counts[reason] <= UNUSED_SHOWN:
            first.setdefault(reason, []).append((file, number, line))
    return tuple(Unused(reason, count, tuple(first[reason])) for reason, count in counts.most_common())


def _audit_tokens(lines: Sequence[str], words: int, tokenizer: Any) -> dict[str, Any]:
    tokens = unknown = 0
    affected: list[str] = []
    for start in range(0, len(lines), BATCH_LINES):
        batch = lines[start : start + BATCH_LINES]
        for line, ids in zip(batch, _token_ids(batch, tokenizer), strict=True):
            tokens += len(ids)
            if tokenizer.unk_token_id in ids:
                unknown += ids.count(tokenizer.unk_token_id)
                affected.append(line)
    return {
        "tokens": tokens,
        "tokens_per_word": tokens / words,
        "unknown_rate": unknown / max(tokens, 1),
        "unknown_examples": _unknown_examples(affected[:EXAMPLE_LINES], tokenizer) if affected else [],
        "spelled": spelled_share(lines, tokenizer),
    }


def _unknown_examples(lines: Sequence[str], tokenizer: Any) -> list[str]:
    """Find the most frequent words that become unknown; single characters where every such word is long."""
    words = Counter(word for line in lines for word in line.split() if len(word) <= EXAMPLE_CHARACTERS)
    for counted in (words, Counter(chain.from_iterable(lines))):
        candidates = [candidate for candidate, _ in counted.most_common()]
        found = [
            candidate
            for candidate, ids in zip(candidates, _token_ids(candidates, tokenizer), strict=True)
            if tokenizer.unk_token_id in ids
        ]
        if found:
            return found[:EXAMPLES]
    return []


def _token_ids(texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
    if not texts:
        return []
    return tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]


def _warnings(found: Audit, median_words: float) -> list[str]:
    """Say what is above its threshold, what that means and what could be done."""
    said = []
    if found.unknown_rate is not None and found.unknown_rate > UNKNOWN_RATE:
        examples = f" (for example {', '.join(found.unknown_examples[:5])})" if found.unknown_examples else ""
        said.append(
            f"{found.unknown_rate:.1%} of the tokens are unknown to this base model{examples}: it cannot read them. "
            "Choose a base that covers the script, or change the spelling of the text."
        )
    if found.lines < SMALL_LINES:
        said.append(f"This is a small corpus: {found.lines:,} lines. More text will help more than any setting.")
    if found.duplicates > DUPLICATE_SHARE * found.lines:
        said.append(
            f"{found.duplicates / found.lines:.0%} of the lines repeat an earlier line. Remove the copies, "
            "unless they are meant."
        )
    scripts = {name: share for name, share in writing_shares(found.scripts).items() if share > SCRIPT_SHARE}
    if len(scripts) > 1:
        shares = ", ".join(f"{script} {share:.0%}" for script, share in scripts.items())
        said.append(f"The text mixes scripts ({shares}). If that is not expected, a second language may be in it.")
    if median_words < SHORT_WORDS:
        said.append(
            f"Half of the lines have fewer than {SHORT_WORDS} words: this looks like a word list, not sentences."
        )
    if found.long_lines > LONG_SHARE * found.lines:
        said.append(
            f"{found.long_lines:,} lines are longer than {LONG_CHARACTERS:,} characters: whole documents on one line. "
            "One sentence or paragraph a line lets the held-out lines be chosen better."
        )
    unusable = found.skipped.get(WITHOUT_LETTERS, 0)
    if unusable > UNUSABLE_SHARE * (found.lines + unusable):
        said.append(f"{unusable:,} lines hold no letter or digit and were left out. Is this the right file?")
    return said
