"""Encoding of questions with their texts: a question and a part of its text in each window, and the spans of its pieces."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex
from transformers import PreTrainedTokenizerBase

from deftx.core.errors import BaseModelError
from deftx.models.batches import Encoded

WINDOW, STRIDE = 384, 128  # tokens of a window, and of its text that the next one repeats (SQuAD's scripts)
NOWHERE = (0, 0)  # the target where the answer is not in a window: its first token
LONGEST_QUESTION = 64  # tokens, as in BERT's script; a question has at most half of a window
_MARKS = regex.compile(r"\p{M}*+")  # combining marks


@dataclass(frozen=True)
class QuestionWindow:
    """A question with the part of its text that is read at once.

    ``spans`` are the (start, end) in the text of the pieces from ``first`` on, without white space before them and with
    the combining marks behind them. ``covers``
    is the part of the text that the window holds, with the characters to which no piece belongs.
    """

    question: int
    ids: Encoded
    first: int
    spans: tuple[tuple[int, int], ...]
    covers: tuple[int, int]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)

    def target(self, start: int, end: int) -> tuple[int, int]:
        """Return the places in ``ids`` of the first and the last piece of an answer; NOWHERE if it is not all in here."""
        first = bisect_right(self.spans, start, key=lambda span: span[1])
        last = bisect_left(self.spans, end, key=lambda span: span[0]) - 1
        whole = self.covers[0] <= start and end <= self.covers[1] and first <= last
        return (self.first + first, self.first + last) if whole else NOWHERE


@dataclass(frozen=True)
class _Frame:
    """The special tokens before, between and after two texts, and the token types of both texts and of what follows them."""

    before: list[int]
    between: list[int]
    after: list[int]
    types: tuple[int, int, int] | None

    def filled(self, question: list[int], part: list[int]) -> Encoded:
        start = [*self.before, *question, *self.between]
        parts = (start, part, self.after)
        types = [kind for kind, tokens in zip(self.types or (), parts, strict=False) for _ in tokens]
        return Encoded([*start, *part, *self.after], types if self.types else None)


def encode_questions(
    tokenizer: PreTrainedTokenizerBase, asked: Sequence[tuple[str, str]], length: int, stride: int
) -> list[QuestionWindow]:
    """Return the windows of (question, text) pairs in their order; no part of a text is left out.

    Args:
        tokenizer: The tokenizer of an encoder.
        asked: Questions, each with its text.
        length: The most tokens of a window.
        stride: The tokens of a text that two neighbouring windows share, at most half of those that fit into a window.

    Raises:
        BaseModelError: If the tokenizer does not say which characters a piece stands for, or a window is too short.
    """
    if not tokenizer.is_fast:
        raise BaseModelError(
            "Answers to questions need a fast tokenizer, which this base does not have. Choose another."
        )
    if not asked:
        return []
    frame = _frame(tokenizer)
    room = length - len(frame.before) - len(frame.between) - len(frame.after)
    if room < 2:
        raise BaseModelError(f"A window of {length} tokens has no room for a question and a part of its text.")
    questions = tokenizer([question for question, _ in asked], add_special_tokens=False, verbose=False)["input_ids"]
    texts = list(dict.fromkeys(text for _, text in asked))
    made = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    pieces = dict(zip(texts, zip(made["input_ids"], made["offset_mapping"], strict=True), strict=True))
    found = []
    for number, (question, (_, text)) in enumerate(zip(questions, asked, strict=True)):
        question = question[: min(LONGEST_QUESTION, room // 2)]
        ids, offsets = pieces[text]
        spans = [_visible(text, *span) for span in offsets]
        for begin, end in _cut(len(ids), room - len(question), stride):
            first = len(frame.before) + len(question) + len(frame.between)
            covers = spans[begin - 1][1] if begin else 0, spans[end][0] if end < len(spans) else len(text)
            window = frame.filled(question, ids[begin:end])
            found.append(QuestionWindow(number, window, first, tuple(spans[begin:end]), covers))
    return found


def _cut(pieces: int, size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield (first piece, last piece + 1) of each window of a text."""
    step = size - min(stride, size // 2)
    begin = 0
    while begin + size < pieces:
        yield begin, begin + size
        begin += step
    yield begin, pieces


def _visible(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a piece without the white space that a tokenizer counts to it, and with the marks on its last letter.

    A tokenizer that composes letters gives the place of the base letter alone.
    """
    start = end - len(text[start:end].lstrip())
    marks = _MARKS.match(text, end)
    return start, marks.end() if marks and start < end else end


def _frame(tokenizer: PreTrainedTokenizerBase) -> _Frame:
    made = tokenizer("a", "b")
    parts, ids = made.sequence_ids(0), made["input_ids"]
    first, second = ([place for place, part in enumerate(parts) if part == number] for number in (0, 1))
    kinds = made.get("token_type_ids")
    types = (kinds[first[0]], kinds[second[0]], kinds[-1]) if kinds else None
    return _Frame(ids[: first[0]], ids[first[-1] + 1 : second[0]], ids[second[-1] + 1 :], types)
