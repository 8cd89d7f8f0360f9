"""Windows of questions and texts, targets in them, and the best spans over all of them."""

import itertools
import math

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from deftx.core.errors import BaseModelError
from deftx.models.answer_spans import LONGEST_ANSWER, best_spans
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.models.batches import Encoded
from deftx.models.question_windows import LONGEST_QUESTION, QuestionWindow, encode_questions

TEXT = " ".join(["the day was very good this night is sweet not"] * 8)


def test_every_piece_is_in_a_window_and_neighbours_share_the_stride(base):
    windows = encode_questions(base.tokenizer, [("is this", TEXT), ("very", "the day")], 32, 8)
    first = [window for window in windows if window.question == 0]
    assert len(first) > 2
    assert all(len(window) <= 32 for window in windows)
    assert all(len(window) == 32 for window in first[:-1])
    spans = [span for window in first for span in window.spans]
    assert [TEXT[start:end] for start, end in sorted(set(spans))] == TEXT.split()
    for one, other in itertools.pairwise(first):
        assert one.spans[-8:] == other.spans[:8]
    assert [window.question for window in windows[-2:]] == [0, 1]


def test_a_window_is_what_the_tokenizer_makes_of_the_pair(base):
    (window,) = encode_questions(base.tokenizer, [("is this", "the day was good")], 32, 8)
    assert list(window.ids) == base.tokenizer("is this", "the day was good")["input_ids"]
    tokens = base.tokenizer.convert_ids_to_tokens(window.ids[window.first : window.first + 4])
    assert tokens == ["▁the", "▁day", "▁was", "▁good"]


@pytest.mark.parametrize("pair", ["[CLS] $A [SEP] $B:1 [SEP]:1", "[CLS] $A [SEP] $B [SEP]"])
def test_token_types_are_those_of_the_tokenizer(pair):
    words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "where", "is", "the", "day"]
    backend = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, "[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=pair, special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    (window,) = encode_questions(tokenizer, [("where is", "the day")], 16, 4)
    made = tokenizer("where is", "the day")
    assert (list(window.ids), window.ids.types) == (made["input_ids"], made["token_type_ids"])


def test_a_window_without_room_for_a_text_is_refused(base):
    with pytest.raises(BaseModelError, match="no room"):
        encode_questions(base.tokenizer, [("is this", TEXT)], 4, 0)


def test_the_marks_on_the_last_letter_of_a_piece_belong_to_it():
    text = "di cafe\u0301 itu, o\u0302\u0301"
    (window,) = encode_questions(load_base(BUNDLED_BASE).tokenizer, [("di mana?", text)], 64, 8)
    found = [text[start:end] for start, end in window.spans]
    assert "cafe\u0301" in found
    assert found[-1] == "o\u0302\u0301"
    assert window.target(3, 8) == (window.first + 1,) * 2


@pytest.mark.parametrize("length", [8, 16, 32])
def test_a_long_question_leaves_half_of_the_window_to_the_text(base, length):
    windows = encode_questions(base.tokenizer, [("very " * 200, "the day was good " * 3)], length, 128)
    assert all(len(window) <= length for window in windows)
    assert len({span for window in windows for span in window.spans}) == 12
    (window,) = encode_questions(base.tokenizer, [("very " * 200, "the")], 1_000, 128)
    assert window.first == LONGEST_QUESTION + 3


def test_targets(base):
    windows = encode_questions(base.tokenizer, [("is this", TEXT)], 32, 8)
    place = len(TEXT) - len("sweet not")
    targets = [window.target(place, len(TEXT)) for window in windows]
    assert targets[:-1] == [(0, 0)] * (len(windows) - 1)
    first, last = targets[-1]
    pieces = base.tokenizer.convert_ids_to_tokens(windows[-1].ids)
    assert (pieces[first], pieces[last]) == ("▁sweet", "▁not")
    whole = windows[0].target(0, len(TEXT))
    assert whole == (0, 0)  # no window has all of it
    inside = windows[0].target(1, 2)  # a part of a word stands for the word
    assert inside == (windows[0].first, windows[0].first)


def test_characters_that_the_tokenizer_removes_stay_in_the_text_and_in_the_offsets(base):
    context = "\n the d\u00aday &amp; was go\u200bod\u00ad"
    (window,) = encode_questions(base.tokenizer, [("is this", context)], 32, 8)
    answer = "d\u00aday"
    start = context.index(answer)
    first, last = window.target(start, start + len(answer))
    assert first == last
    assert base.tokenizer.convert_ids_to_tokens([window.ids[first]]) == ["▁day"]
    assert context[slice(*window.spans[first - window.first])] == answer
    start = context.index("go")
    first, _ = window.target(start, len(context))  # to the soft hyphen at its end, which is no piece
    assert base.tokenizer.convert_ids_to_tokens([window.ids[first]]) == ["▁good"]


def test_texts_without_a_piece(base):
    assert encode_questions(base.tokenizer, [], 32, 8) == []
    (window,) = encode_questions(base.tokenizer, [("is this", " \n ")], 32, 8)
    assert window.spans == ()
    assert window.target(0, 1) == (0, 0)
    (found,) = best_spans([window], [torch.zeros(len(window), 2)], 1, 5)
    assert found.spans == ()
    assert found.best(may_refuse=False) is None
    assert found.probabilities(may_refuse=False) == ([], 1.0)


def window_of(spans, question=0, first=3):
    ids = Encoded(range(first + len(spans) + 1))
    return QuestionWindow(question, ids, first, tuple(spans), (0, 10_000))


def test_the_best_spans_are_those_of_a_full_search():
    spans = [(place * 3, place * 3 + 2) for place in range(40)]
    window = window_of(spans)
    logits = torch.randn(len(window), 2, generator=torch.Generator().manual_seed(0))
    starts, ends = (logits[3:43, place].tolist() for place in (0, 1))
    by_hand = sorted(
        (
            (starts[i] + ends[j], spans[i][0], spans[j][1])
            for i in range(40) for j in range(i, 40) if j - i < LONGEST_ANSWER
        ),
        reverse=True,
    )[:20]  # fmt: skip
    (found,) = best_spans([window], [logits], 1, 20)
    assert [(span.start, span.end) for span in found.spans] == [(start, end) for _, start, end in by_hand]
    assert [span.score for span in found.spans] == pytest.approx([score for score, _, _ in by_hand], abs=1e-5)
    assert found.no_answer == pytest.approx(logits[0].sum().item())


def test_windows_of_a_question_are_compared_and_a_span_in_two_of_them_counts_once():
    one, other, alien = window_of([(0, 3), (4, 7)]), window_of([(4, 7), (8, 11)]), window_of([(0, 3)], question=1)
    logits = [torch.zeros(6, 2), torch.zeros(6, 2), torch.full((5, 2), 9.0)]
    logits[0][4], logits[1][3], logits[1][4] = (
        torch.tensor([1.0, 1.0]),
        torch.tensor([3.0, 3.0]),
        torch.tensor([0.0, 4.0]),
    )
    logits[0][0], logits[1][0] = torch.tensor([5.0, 5.0]), torch.tensor([-1.0, 2.0])
    found, second = best_spans([one, other, alien], logits, 2, 3)
    assert [(span.start, span.end, span.score) for span in found.spans] == [(4, 11, 7.0), (4, 7, 6.0), (8, 11, 4.0)]
    assert found.no_answer == 1.0  # the lowest over the windows
    assert found.best(may_refuse=True) == found.spans[0]
    assert second.spans[0].score == 18.0
    assert second.no_answer == 18.0
    assert second.best(may_refuse=True) == second.spans[0]  # equal scores: an answer, as in the script
    probabilities, none = found.probabilities(may_refuse=True)
    weights = [math.exp(score) for score in (7.0, 6.0, 4.0, 1.0)]
    assert [*probabilities, none] == pytest.approx([weight / sum(weights) for weight in weights])
    assert found.probabilities(may_refuse=False)[1] == 0.0
