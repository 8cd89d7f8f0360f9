"""Encoding of sentences of words: pieces of each word, in windows if a sentence is longer than the base reads."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import regex
from transformers import PreTrainedTokenizerBase

from deftx.core.errors import BaseModelError
from deftx.data.characters import as_seen, as_text_only
from deftx.models.batches import Encoded

STRIDE = 0.25  # share of a window that the next one repeats, so that words at its edges have context on both sides
# Where a word begins and ends: no space, punctuation or sign, and no invisible selector of a sign or mark of the direction.
_EDGE = r"[^\s\p{P}\p{S}\uFE0E\uFE0F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]"
# A word of running text: what stands between spaces, without the punctuation and signs around it, which are words too. Each
# character is taken whole (\X): an emoji may be written with several code points.
WORD = rf"(?={_EDGE})\X(?:(?:(?=\S)\X)*(?={_EDGE})\X)?|(?=[\p{{P}}\p{{S}}])\X"

# What is read where a word has no visible character, such as a lone mark of the direction: it needs a piece of its own.
NOTHING_SEEN = "."

_WORD = regex.compile(WORD)
_SEEN = regex.compile(r"[^\s\p{Cc}\p{Cf}\uFE0E\uFE0F]")
_SPACE_SIGNS = ("▁", "Ġ")  # how SentencePiece and byte-level BPE write a space


@dataclass(frozen=True)
class Window:
    """A part of a sentence that is read at once.

    ``places`` are the positions in ``ids`` of the first pieces of the words that are answered here: those from ``first`` on.
    The words before and after them are only context, because another window has more of it for them.
    """

    sentence: int
    first: int
    ids: Encoded
    places: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


def split_words(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of the words of a running text: split at spaces, with punctuation apart."""
    return [found.span() for found in _WORD.finditer(text)]


def encode_words(
    tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sequence[str]], max_length: int
) -> list[Window]:
    """Return the windows of sentences in their order; each word is answered in exactly one window.

    A sentence is read as its words with spaces between them, as a pipeline of transformers reads such a text. A word without a
    visible character is read as ".".

    Raises:
        BaseModelError: If the tokenizer does not say which characters a piece stands for.
    """
    if not tokenizer.is_fast:
        raise BaseModelError("Tags of words need a fast tokenizer, which this base does not have. Choose another base.")
    if not sentences:
        return []
    special = tokenizer.all_special_tokens
    written = [[_written(word, special) for word in words] for words in sentences]
    made = tokenizer(
        [" ".join(words) for words in written], add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    before, after = _around(tokenizer)
    typed = "token_type_ids" in made
    found = []
    for number, (words, ids, offsets) in enumerate(
        zip(written, made["input_ids"], made["offset_mapping"], strict=True)
    ):
        ids = ids or [tokenizer.unk_token_id]  # of a sentence that the tokenizer reads nothing of
        firsts = _first_pieces(words, made.tokens(number) or [""], [end for _, end in offsets] or [0])
        for begin, end, owned in _cut(firsts, len(ids), max_length - len(before) - len(after)):
            pieces = [*before, *ids[begin:end], *after]
            places = tuple(firsts[word] - begin + len(before) for word in owned)
            found.append(Window(number, owned.start, Encoded(pieces, [0] * len(pieces) if typed else None), places))
    return found


def _around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the special tokens before and after a text."""
    made = tokenizer("a", return_special_tokens_mask=True)
    text = [place for place, special in enumerate(made["special_tokens_mask"]) if not special]
    return made["input_ids"][: text[0]], made["input_ids"][text[-1] + 1 :]


def _written(word: str, special: Sequence[str]) -> str:
    word = as_seen(word)
    return as_text_only(word, special) if _SEEN.search(word) else NOTHING_SEEN


def _first_pieces(words: Sequence[str], pieces: Sequence[str], ends: Sequence[int]) -> list[int]:
    """Return the first piece of each word: the first one that reaches beyond the word's start, and is no lone sign for a space.

    A word of which the tokenizer reads nothing has the piece that follows it.
    """
    starts = [0, *accumulate(len(word) + 1 for word in words)][: len(words)]
    found = []
    for start in starts:
        place = min(bisect_right(ends, start), len(ends) - 1)
        # Some tokenizers count the space that they put before a text to its first character.
        before_word = pieces[place] in _SPACE_SIGNS and ends[place : place + 2].count(ends[place]) == 2
        found.append(place + before_word)
    return found


def _cut(firsts: Sequence[int], pieces: int, size: int) -> Iterator[tuple[int, int, range]]:
    """Yield (first piece, last piece + 1, words answered here) of each window of a sentence, of at most ``size`` pieces."""
    repeated, done = round(size * STRIDE / 2), 0
    while done < len(firsts):
        begin = max(0, min(firsts[done] - repeated, pieces - size))
        end = min(begin + size, pieces)
        # Words nearer to the end than this are answered in the next window, which has more of what follows them.
        until = pieces if end == pieces else max(end - repeated, firsts[done] + 1)
        words = range(done, bisect_right(firsts, until - 1))
        yield begin, end, words
        done = words.stop
