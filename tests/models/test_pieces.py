"""Trimmed tokenizers: text that was cut into kept pieces is cut into the same ones, for every kind that is covered."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import tiny
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from deftx.core.errors import BaseModelError
from deftx.data.text import read_corpus
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.models.pieces import BYTES, add_bytes, choose_pieces, count_pieces, pieces_of, read_state, trim_pieces

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
LINES = [*tiny.sentences(300), "rivers and housed roads", "unseen good-natured word7 zürich"]


def unigram(lines, size=120):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def wordpiece(lines, size=150):
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        lines, trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    )
    return tokenizer


def byte_level(lines, size=400):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def trimmed(tokenizer, kept):
    return Tokenizer.from_str(json.dumps(trim_pieces(read_state(tokenizer), kept)))


def check_same_cuts(tokenizer, lines, seen_lines, **limits):
    """Trim to ``seen_lines``; every line whose pieces are all kept must be cut as before. Returns how many were.

    Two cuts into the same pieces in another order ("h mm m", "h m mm") have the same score, and the last bit of a sum,
    which changes when the scores are read from JSON, decides between them: one line in a thousand may be such a tie.
    """
    state = read_state(tokenizer)
    kept = choose_pieces(state, count_pieces(tokenizer, seen_lines), **limits)
    small, whole = trimmed(tokenizer, kept), set(kept)
    compared = ties = 0
    for before, after in zip(tokenizer.encode_batch(lines), small.encode_batch(lines), strict=True):
        if set(before.ids) <= whole:
            ids = [kept[i] for i in after.ids]
            assert sorted(ids) == sorted(before.ids)
            assert after.tokens == [tokenizer.id_to_token(i) for i in ids]
            compared += 1
            ties += ids != before.ids
    assert ties <= (compared / 1000 if state["model"]["type"] == "Unigram" else 0)
    assert len(kept) < tokenizer.get_vocab_size()
    return compared


@pytest.mark.parametrize("make", [unigram, wordpiece, byte_level])
def test_text_of_kept_pieces_is_cut_as_before(make):
    tokenizer = make(LINES)
    assert check_same_cuts(tokenizer, LINES, LINES[:40]) >= 20
    assert check_same_cuts(tokenizer, LINES, LINES, most=40) >= 1


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("make", [unigram, wordpiece, byte_level, "bundled"])
def test_real_text_of_kept_pieces_is_cut_as_before(make):
    read = {
        name: read_corpus(Path(os.environ["DEFTX_DATA"], "corpora", f"{name}.txt.gz")).lines[:4000]
        for name in ("abs", "ban", "sun")
    }
    everything = [line for lines in read.values() for line in lines]
    tokenizer = load_base(BUNDLED_BASE).tokenizer.backend_tokenizer if make == "bundled" else make(everything, 6000)
    assert check_same_cuts(tokenizer, everything, read["ban"], least=1) >= len(read["ban"])
    assert check_same_cuts(tokenizer, everything, read["ban"]) >= 500


def test_continuations_of_single_characters_special_and_frequent_pieces_are_kept():
    state = read_state(wordpiece(LINES))
    pieces = pieces_of(state)
    kept = choose_pieces(state, Counter({pieces["good"]: 2, pieces["day"]: 1}))
    names = {name for name, i in pieces.items() if i in kept}
    singles = {name for name in pieces if len(name.removeprefix("##")) == 1}
    assert names == {*SPECIAL, *singles, "good"}


def test_a_merged_piece_keeps_the_pieces_that_it_is_merged_from():
    tokenizer = byte_level(LINES)
    state = read_state(tokenizer)
    pieces = pieces_of(state)
    kept = choose_pieces(state, Counter({pieces["good"]: 5}))
    assert len(kept) > len(choose_pieces(state, Counter())) + 1  # "goo" or "od", say
    assert trimmed(tokenizer, kept).encode("good", add_special_tokens=False).tokens == ["good"]


def test_ids_in_templates_follow_their_pieces():
    tokenizer = byte_level(LINES)
    state = read_state(tokenizer)
    state["post_processor"]["sep"] = ["</s>", 2]
    kept = [i for i in choose_pieces(state, Counter()) if i != 1]
    assert trim_pieces({**state, "added_tokens": []}, kept)["post_processor"]["sep"] == ["</s>", 1]


def test_with_bytes_no_character_is_unknown_and_known_text_is_cut_as_before():
    tokenizer = unigram(LINES)
    spelled = Tokenizer.from_str(json.dumps(add_bytes(read_state(tokenizer))))
    for line in LINES[:50]:
        assert spelled.encode(line).tokens == tokenizer.encode(line).tokens
    for text in ("ᮞᮥᮔ᮪ᮓ", "漢字 и", "🙂 good"):
        encoded = spelled.encode(text)
        assert "<unk>" not in encoded.tokens
        assert spelled.decode(encoded.ids) == text
    state = read_state(spelled)
    kept = choose_pieces(state, Counter())
    assert set(BYTES) <= {piece for piece, i in pieces_of(state).items() if i in kept}


def test_a_tokenizer_that_cannot_be_trimmed_exactly_is_refused():
    with pytest.raises(BaseModelError, match="prefix or suffix"):
        pieces_of({"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {}}})
    with pytest.raises(BaseModelError, match="kind Nonsense"):
        pieces_of({"model": {"type": "Nonsense"}})
