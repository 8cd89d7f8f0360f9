"""Words as pieces: every word is answered once, whatever the tokenizer makes of it and however long the sentence is."""

import random
from copy import deepcopy
from itertools import pairwise

import pytest
from tiny_tokenizer import tiny_tokenizer
from tokenizers import normalizers

from deftx.core.errors import BaseModelError
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.models.windows import _cut, encode_words, split_words

WORDS = "the day night is very good bad"


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer(WORDS, limit=64)


def read(tokenizer, windows, sentences):
    """The words that are answered, with the piece at their place, by sentence."""
    found = [[] for _ in sentences]
    for window in windows:
        for offset, place in enumerate(window.places):
            word = sentences[window.sentence][window.first + offset]
            found[window.sentence].append((word, tokenizer.convert_ids_to_tokens(window.ids[place])))
    return found


def test_the_first_piece_of_each_word(tokenizer):
    sentences = [["the", "day", "is", "good"], [], ["night"], ["unseen", "day"]]
    windows = encode_words(tokenizer, sentences, 16)
    assert read(tokenizer, windows, sentences) == [
        [("the", "the"), ("day", "day"), ("is", "is"), ("good", "good")],
        [],
        [("night", "night")],
        [("unseen", "<unk>"), ("day", "day")],
    ]
    assert windows[0].ids[0] == 0
    assert windows[0].ids[-1] == 2
    assert encode_words(tokenizer, [], 16) == []


def test_no_word_of_a_long_sentence_is_lost_and_each_has_context(tokenizer):
    sentence = [random.Random(3).choice(WORDS.split()) for _ in range(200)]
    windows = encode_words(tokenizer, [sentence], 18)  # 16 words at once
    assert read(tokenizer, windows, [sentence]) == [[(word, word) for word in sentence]]
    assert max(map(len, windows)) == 18
    for window in windows[1:]:
        assert window.places[0] >= 3  # words before it, after the start token
    for one, other in pairwise(windows):
        assert one.first + len(one.places) == other.first


def test_a_word_of_more_pieces_than_a_window_and_words_without_any():
    draw = random.Random(1)
    for _ in range(500):
        firsts, place = [], draw.randint(0, 2)
        for _ in range(draw.randint(1, 40)):
            firsts.append(place)
            place += draw.choice([0, 1, 1, 2, 5, 30])
        size, pieces, answered = draw.randint(1, 20), firsts[-1] + draw.randint(1, 5), []
        for begin, end, words in _cut(firsts, pieces, size):
            assert 0 <= begin < end <= pieces
            assert end - begin <= size
            assert all(begin <= firsts[word] < end for word in words)
            answered += words
        assert answered == list(range(len(firsts)))


def test_a_word_without_visible_characters_has_a_piece_of_its_own(tokenizer):
    for sentence in (
        ["the", "\u200b", "day"],
        ["\u200e"],
        [""],
        ["\u200f", "day"],
        ["the", "\ufeff"],
        ["\xa0", "\ufe0f", "day"],
    ):
        (window,) = encode_words(tokenizer, [sentence], 16)
        assert window.places == tuple(range(1, len(sentence) + 1))


def test_a_word_that_the_tokenizer_drops_is_answered(tokenizer):
    tokenizer = deepcopy(tokenizer)
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("day", "")
    for sentence in (["the", "day"], ["day"]):
        (window,) = encode_words(tokenizer, [sentence], 16)
        assert window.places == (1,) * len(sentence)


def test_the_space_before_a_text_is_not_its_first_word():
    tokenizer = load_base(BUNDLED_BASE).tokenizer
    sentences = [["中国", "人"], ["人", "中国"], [".", "Budi"]]
    found = read(tokenizer, encode_words(tokenizer, sentences, 16), sentences)
    assert [piece for sentence in found for _, piece in sentence] == ["中", "人", "人", "中", ".", "▁Budi"]


def test_special_tokens_in_a_text_are_text(tokenizer):
    windows = encode_words(tokenizer, [["<s>", "day"]], 16)
    assert windows[0].ids.count(0) == 1


def test_a_text_is_split_at_spaces_with_punctuation_apart():
    text = "Yemen, (Saudi) 1.000 monyet-monyet “U.S.” नमस्ते! "
    words = [text[start:end] for start, end in split_words(text)]
    assert words == ["Yemen", ",", "(", "Saudi", ")", "1.000", "monyet-monyet", "“", "U.S", ".", "”", "नमस्ते", "!"]
    assert split_words(" \n") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("❤️ bagus❤️!", ["❤️", "bagus", "❤️", "!"]),
        ("a👨‍👩‍👧 👍🏽🇮🇩🇮🇩", ["a", "👨‍👩‍👧", "👍🏽", "🇮🇩", "🇮🇩"]),
        ("\u200fBudi\u200f. \u200f(\u2067x\u2069)\u200e \u200f", ["Budi", ".", "(", "x", ")"]),
        ("\ufe0f a 1\ufe0f\u20e3", ["a", "1\ufe0f\u20e3"]),
        ("ന്\u200d می\u200c، e\u0301.", ["ന്\u200d", "می\u200c", "،", "e\u0301", "."]),
    ],
)
def test_an_emoji_is_one_word_and_direction_marks_are_in_none(text, words):
    assert [text[start:end] for start, end in split_words(text)] == words


def test_a_slow_tokenizer_is_refused(tokenizer):
    class Slow:
        is_fast = False

    with pytest.raises(BaseModelError, match="fast tokenizer"):
        encode_words(Slow(), [["a"]], 16)
