"""Without these, a base that reads a script byte by byte would be called ready."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from deftx.data.coverage import reading_notes, spelled_share, unread_share

ENGLISH, SANTALI = ["the food is good and the day is fine"] * 3, ["ᱡᱚᱦᱟᱨ ᱟᱢᱟᱜ ᱧᱩᱛᱩᱢ"] * 3


def tokenizer(normalizer=None, cased=False):
    words = ["the", "food", "is", "good", "and", "day", "fine", *(["The", "Food", "Good", "Fine"] if cased else [])]
    pieces = [f"▁{word}" for word in words]
    vocabulary = [
        ("<unk>", 0.0),
        *((piece, -1.0) for piece in pieces),
        *((f"<0x{byte:02X}>", -9.0) for byte in range(256)),
    ]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    if normalizer:
        made.normalizer = normalizer
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")


def test_a_script_in_bytes_is_told_from_words():
    assert spelled_share(ENGLISH, tokenizer()) == 0
    assert spelled_share(SANTALI, tokenizer()) > 0.9


def test_the_share_that_cannot_be_read_counts_characters():
    made = tokenizer()
    assert unread_share("the food is good.", made) == 0
    assert unread_share(SANTALI[0], made) == 1
    assert unread_share("good ᱡᱚᱦᱟ!", made) == 0.5
    assert unread_share("good xyz", made) == pytest.approx(3 / 7)  # "xyz" is three pieces of a letter
    assert unread_share(" ... ", made) is None
    assert unread_share("good", object()) is None


def test_a_script_that_is_spelled_out_is_said_with_its_name_and_tokens_a_word():
    (note,) = reading_notes(SANTALI, {"Ol Chiki": 1.0}, spelled_share(SANTALI, tokenizer()), tokenizer())
    assert "spells Ol Chiki out" in note
    assert "tokens" in note
    assert reading_notes(ENGLISH, {"Latin": 1.0}, 0.0, tokenizer()) == []


@pytest.mark.parametrize(("cased", "said"), [(True, 1), (False, 0)])
def test_lower_case_is_said_where_the_vocabulary_has_upper_case(cased, said):
    made = tokenizer(normalizers.Lowercase(), cased)
    assert len(reading_notes(["The Food is Good"], {"Latin": 1.0}, 0.0, made)) == said


def test_dropped_vowel_signs_are_said():
    made = tokenizer(normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]))
    (note,) = reading_notes(["कि की कु"], {"Devanagari": 1.0}, 0.0, made)
    assert "drops accents or vowel signs" in note
