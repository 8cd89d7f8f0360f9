"""How well a base's tokenizer covers a text: words split into characters or bytes, and letters or marks that it drops."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import regex

from deftx.data.characters import as_seen
from deftx.data.writing_systems import MIXED, piece_spans, word_count, writing_shares

BATCH_LINES = 1_000  # lines tokenised at a time
LINES_TRIED = 1_000  # lines to check, at equal distances
# A base that has learned a script has pieces of several letters, so that well under half of the tokens are single letters.
SPELLED_SHARE = 0.5
SPELLED_LETTERS = 3  # a word with fewer single letters is not spelled out
# Reference sentences that nearly every multilingual base covers; the one with the fewest tokens per word is used.
KNOWN_SENTENCES = (
    "The food here is very good and the service is friendly.",
    "Makanan di sini enak sekali dan pelayanannya ramah.",
)
CASED_SHARE = 0.02  # of the pieces of a vocabulary
CHANGED_SHARE = 0.5  # of the words that could lose their case or their marks

_MARK = regex.compile(r"\p{M}")
_NONSPACING = regex.compile(r"\p{Mn}")  # what BERT drops as accents


def spelled_share(lines: Sequence[str], tokenizer: Any) -> float | None:
    """Return the share of tokens that are a single letter or part of one, in words of several letters.

    Return None if the tokenizer gives no offsets, or if the text has no such word.
    """
    if not getattr(tokenizer, "is_fast", False):
        return None
    words = [word for line in spread(lines) for word in line.split() if sum(map(str.isalpha, word)) > 1]
    single = total = 0
    for word, offsets in zip(words, _offsets(words, tokenizer), strict=True):
        spans = Counter((start, end) for start, end in offsets if any(map(str.isalpha, word[start:end])))
        total += spans.total()
        # All bytes of a character, or of several, have the same offsets.
        single += sum(count for (start, end), count in spans.items() if end - start <= 1 or count > 1)
    return single / total if total else None


def unread_share(text: str, tokenizer: Any) -> float | None:
    """Return the share of a text's characters that a base cannot read; white space and punctuation are not counted.

    Unread are characters that are unknown tokens or bytes, and words in which at least half of the letters, and three or more,
    are tokens of their own. Return None if the tokenizer gives no offsets, or if nothing is counted.
    """
    if not getattr(tokenizer, "is_fast", False):
        return None
    text = as_seen(text)
    counted = {place for place, sign in enumerate(text) if unicodedata.category(sign)[0] in "LMNS"}
    made = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    pieces = tokenizer.convert_ids_to_tokens(made["input_ids"])
    # The mark of a word's beginning can be a token of its own, at the place of the first letter.
    spans = [tuple(span) for piece, span in zip(pieces, made["offset_mapping"], strict=True) if piece.strip("▁Ġ")]
    unknown = {
        tuple(s) for i, s in zip(made["input_ids"], made["offset_mapping"], strict=True) if i == tokenizer.unk_token_id
    }
    # All bytes of a character, or of several, have the same offsets.
    lost = {span for span, count in Counter(spans).items() if count > 1} | unknown
    unread = {place for start, end in lost for place in range(start, end)}
    single = {start for start, end in spans if end - start == 1}
    for start, end in piece_spans(text):
        word = counted & set(range(start, end))
        if len(word & single) >= max(SPELLED_LETTERS, len(word) / 2):
            unread |= word
    return len(unread & counted) / len(counted) if counted else None


def tokens_a_word(lines: Sequence[str], tokenizer: Any) -> float:
    """Return the mean number of tokens per word, without special tokens."""
    words = sum(map(word_count, lines))
    ids = tokenizer(list(lines), add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
    return sum(map(len, ids)) / max(words, 1)


def reading_notes(
    lines: Sequence[str], scripts: Mapping[str, float], spelled: float | None, tokenizer: Any
) -> list[str]:
    """Return warnings on what a base does not read well: a script that it spells out, case, vowel signs or accents."""
    notes = []
    writing = next(iter(writing_shares(dict(scripts))), None)
    if spelled is not None and spelled > SPELLED_SHARE and writing != MIXED:
        known = min(tokens_a_word([sentence], tokenizer) for sentence in KNOWN_SENTENCES)
        notes.append(
            f"This base spells {writing} out: {spelled:.0%} of the tokens in words are single characters or bytes, and a word "
            f"takes {tokens_a_word(spread(lines), tokenizer):.1f} tokens, compared with {known:.1f} in a language that it covers. "
            "It has learned no words of this script. Choose a base that covers it."
        )
    changed = _changed_by(lines, tokenizer)
    if changed["marks"] > CHANGED_SHARE:
        notes.append(
            "The tokenizer of this base drops accents or vowel signs: words that differ only in these become the same. "
            "Choose another base if they matter in this language."
        )
    if changed["case"] > CHANGED_SHARE and is_cased(tokenizer):
        notes.append(
            "The tokenizer of this base reads all text in lower case, but its vocabulary has words in upper case, which are "
            "never used. Its files may lack tokenizer_config.json with do_lower_case false."
        )
    return notes


def is_cased(tokenizer: Any) -> bool:
    """Return whether a tokenizer's vocabulary has words in upper case."""
    words = _words(tokenizer)
    return sum(word != word.lower() for word in words) > CASED_SHARE * len(words)


def has_accents(tokenizer: Any) -> bool:
    """Return whether a tokenizer's vocabulary has words with accents or with vowel signs that count as such."""
    words = _words(tokenizer)
    marked = sum(_NONSPACING.search(unicodedata.normalize("NFD", word)) is not None for word in words)
    return marked > CASED_SHARE * len(words)


def spread(lines: Sequence[str]) -> Sequence[str]:
    """Return up to ``LINES_TRIED`` lines, at equal distances."""
    return lines if len(lines) <= LINES_TRIED else list(islice(lines, 0, None, -(-len(lines) // LINES_TRIED)))


def _changed_by(lines: Sequence[str], tokenizer: Any) -> dict[str, float]:
    """Return the shares of words that lose their upper case or their combining marks in the tokenizer's normalisation."""
    normalizer = getattr(getattr(tokenizer, "backend_tokenizer", None), "normalizer", None)
    if normalizer is None:
        return {"case": 0.0, "marks": 0.0}
    words = {word for line in spread(lines) for word in line.split()}
    read = {word: normalizer.normalize_str(word) for word in words}
    upper = [word for word in words if word != word.lower()]
    marked = [word for word in words if _marks(word)]
    lowered = sum(read[word] == read[word].lower() for word in upper)
    stripped = sum(_marks(read[word]) < _marks(word) for word in marked)
    return {"case": lowered / max(len(upper), 1), "marks": stripped / max(len(marked), 1)}


def _words(tokenizer: Any) -> list[str]:
    """Return the pieces of a vocabulary that have several letters, without marks of the beginning or middle of a word."""
    pieces = (piece.strip("▁Ġ#") for piece in tokenizer.get_vocab())
    return [piece for piece in pieces if sum(map(str.isalpha, piece)) > 1 and piece[0] not in "[<"]


def _marks(word: str) -> int:
    return len(_MARK.findall(unicodedata.normalize("NFD", word)))


def _offsets(words: Sequence[str], tokenizer: Any) -> list[list[tuple[int, int]]]:
    if not words:
        return []
    return tokenizer(
        list(words), add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False, verbose=False
    )["offset_mapping"]
