"""Audit of a corpus before training: size, repetition, scripts, and coverage by a tokenizer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from deftx.data.coverage import BATCH_LINES, reading_notes, spelled_share
from deftx.data.lengths import LengthBin, length_bins
from deftx.data.splitting import fold
from deftx.data.text import WITHOUT_LETTERS, Corpus, unused_lines
from deftx.data.wiki_markup import wiki_lines
from deftx.data.writing_systems import script_shares, word_count, writing_shares

# Unknown tokens cannot be learned; a tokenizer that covers the script has a much lower rate.
UNKNOWN_RATE = 0.02
# The model memorises repeated lines; above about a fifth, that is most of what it learns.
DUPLICATE_SHARE = 0.20
# The smallest corpora in the paper have a few thousand lines; below this, the vector has little effect.
SMALL_LINES = 1_000
SMALL_WORDS = 20_000  # a text with fewer lines is not small if it has as many words
# Names and loan words in another script are less than a tenth of a text; more is often a second language.
SCRIPT_SHARE = 0.10
# Sentences have at least this many words; shorter lines are headings or entries of a word list.
SHORT_WORDS = 3
# The longest sentences of prose are shorter than this; longer lines are paragraphs or whole documents.
LONG_CHARACTERS = 2_000
# If more lines than this have no letters, the file is probably not the intended text.
UNUSABLE_SHARE = 0.10
WIKI_SHARE = 0.02  # above this share of lines with wiki markup, the text is from a dump or the source of pages
LONG_SHARE = 0.10  # above this share of very long lines, lines are probably documents

EXAMPLES = 10  # unknown words or characters shown
EXAMPLE_CHARACTERS = 20  # longer examples could reveal the text
UNUSED_SHOWN = 3  # unused lines shown, with their numbers
EXAMPLE_LINES = 200  # lines with unknown tokens that are searched for examples


@dataclass(frozen=True)
class Audit:
    """Findings on the usable lines of a corpus. Fields on tokens are None if no tokenizer was given.

    ``duplicates`` counts lines equal to an earlier one, ignoring case and white space. ``scripts`` gives each script's
    share of all letters, the largest first. ``lengths`` counts lines by their number of words. ``unknown_examples`` are
    single words or characters, never whole lines. ``repairs`` names the cleaning step of each warning that has one.
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
    repairs: dict[str, str] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether the text has few lines and few words."""
        return self.lines < SMALL_LINES and self.words < SMALL_WORDS

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)


def audit(corpus: Corpus, tokenizer: Any = None) -> Audit:
    """Return counts and warnings on a corpus; with a tokenizer, also on its tokens."""
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
    found = _warnings(findings, median(words)) | _wiki_warning(corpus.lines)
    findings.warnings.extend([*corpus.notes, *found])
    findings.repairs.update({warning: step for warning, step in found.items() if step})
    if tokenizer is not None:
        findings.warnings.extend(reading_notes(corpus.lines, findings.scripts, findings.spelled, tokenizer))
    return findings


@dataclass(frozen=True)
class Unused:
    """Lines that are not used for one reason: how many, and the first ones as (file, line number, text).

    It quotes the text, so it is shown only to the text's owner and never stored.
    """

    reason: str
    lines: int
    first: tuple[tuple[str, int, str], ...]


def unused(source: str | Path | Sequence[str | Path], *, column: str | None = None) -> tuple[Unused, ...]:
    """Return the lines of a source that are not used for training, by reason. Raise CorpusError as ``read_corpus`` does."""
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
    """Return the most frequent words with unknown tokens; single characters if all such words are long."""
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


def _wiki_warning(lines: Sequence[str]) -> dict[str, str]:
    """Return a warning on wiki markup, as ``_warnings`` does; empty if there is little of it."""
    count = wiki_lines(lines)
    if count <= WIKI_SHARE * len(lines):
        return {}
    said = (
        f"{count:,} lines have wiki markup, such as [[links]], {{{{templates}}}} or tables. It is not language: remove it "
        'by "Remove web addresses and markup", or take the text from pages without it.'
    )
    return {said: "markup"}


def _warnings(found: Audit, median_words: float) -> dict[str, str]:
    """Return a warning for each finding above its threshold, with the cleaning step that repairs it or an empty string."""
    warnings = {}
    if found.unknown_rate is not None and found.unknown_rate > UNKNOWN_RATE:
        examples = f" (for example {', '.join(found.unknown_examples[:5])})" if found.unknown_examples else ""
        warning = (
            f"{found.unknown_rate:.1%} of the tokens are unknown to this base model{examples}: it cannot read them. "
            "Choose a base that covers the script, or change the spelling of the text."
        )
        warnings[warning] = ""
    if found.small:
        warnings[f"This is a small corpus: {found.lines:,} lines. More text will help more than any setting."] = ""
    if found.duplicates > DUPLICATE_SHARE * found.lines:
        warning = (
            f"{found.duplicates / found.lines:.0%} of the lines repeat an earlier line. Remove the copies, "
            "unless they are intended."
        )
        warnings[warning] = "repeated"
    scripts = {name: share for name, share in writing_shares(found.scripts).items() if share > SCRIPT_SHARE}
    if len(scripts) > 1:
        shares = ", ".join(f"{script} {share:.0%}" for script, share in scripts.items())
        warnings[f"The text mixes scripts ({shares}). If that is not expected, a second language may be in it."] = (
            "script"
        )
    if median_words < SHORT_WORDS:
        warning = f"Half of the lines have fewer than {SHORT_WORDS} words: this looks like a word list, not sentences."
        warnings[warning] = "short"
    if found.long_lines > LONG_SHARE * found.lines:
        warning = (
            f"{found.long_lines:,} lines are longer than {LONG_CHARACTERS:,} characters: probably whole documents. "
            "Put one sentence or paragraph on each line, so that held-out lines can be chosen better."
        )
        warnings[warning] = "long"
    unusable = found.skipped.get(WITHOUT_LETTERS, 0)
    if unusable > UNUSABLE_SHARE * (found.lines + unusable):
        warnings[f"{unusable:,} lines have no letter or digit and were left out. Is this the right file?"] = ""
    return warnings
