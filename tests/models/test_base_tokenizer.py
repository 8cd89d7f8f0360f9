"""A base's tokenizer reads case and accents as its vocabulary does, and SentencePiece files alone are enough."""

import io
import json
import shutil

import pytest
import sentencepiece
import torch
from transformers import (
    AlbertConfig,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    CamembertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    RemBertConfig,
    XLMRobertaConfig,
)

from deftx.classify.composition import Classifier
from deftx.core.errors import BaseModelError
from deftx.models import base_tokenizer
from deftx.models.base_tokenizer import load_tokenizer
from deftx.models.bases import load_base
from deftx.training.base_facts import read_base_facts

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CASED = ["Rumah", "rumah", "né", "ne", "café", "cafe", "yang"]
ACCENTED = ["rumah", "né", "ne", "café", "cafe", "yang"]
PLAIN = ["rumah", "ne", "cafe", "yang"]
HINDI = ["अच्छा", "खाना", "rumah", "yang"]  # with vowel signs that BERT drops as accents
LINES = [f"Rumah né café nasi lamak bana urang yang pai ka pasa {number}" for number in range(200)]


@pytest.fixture
def bert(tmp_path):
    """Write a tiny BERT whose only tokenizer file is vocab.txt."""

    def write(words, config=BertConfig):
        settings = config(vocab_size=len(SPECIAL) + len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                          intermediate_size=16, max_position_embeddings=24)  # fmt: skip
        if config is BertConfig:
            torch.manual_seed(0)
            BertForMaskedLM(settings).save_pretrained(tmp_path)
        settings.save_pretrained(tmp_path)
        (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, *words]) + "\n", encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("words", "text", "read", "said"),
    [
        (CASED, "Rumah né café", ["Rumah", "né", "café"], "with upper case and accents"),
        (ACCENTED, "Rumah né café", ["rumah", "né", "café"], "in lower case, with accents"),
        (HINDI, "अच्छा Rumah", ["अच्छा", "rumah"], "in lower case, with accents"),
        (PLAIN, "Rumah né café", ["rumah", "ne", "cafe"], None),
    ],
    ids=["cased", "accented", "vowel-signs", "plain"],
)
def test_vocab_txt_alone_is_read_as_its_words_are_spelt(bert, words, text, read, said):
    base = load_base(bert(words))
    assert base.tokenizer.tokenize(text) == read
    assert [said in note for note in base.notes] == ([True] if said else [])
    assert read_base_facts(str(base.name)).tokenizer.tokenize(text) == read


@pytest.mark.parametrize("config", [DistilBertConfig, ElectraConfig])
def test_other_families_with_a_vocab_txt_are_read_alike(bert, config):
    tokenizer, notes = load_tokenizer(str(bert(CASED, config)), "x", 20)
    assert tokenizer.tokenize("Rumah né") == ["Rumah", "né"]
    assert len(notes) == 1


def test_what_the_files_state_is_kept(bert):
    folder = bert(CASED)
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    tokenizer, notes = load_tokenizer(str(folder), "x", 20)
    assert tokenizer.tokenize("Rumah né") == ["rumah", "ne"]
    assert notes == []


def test_a_tokenizer_json_without_its_settings_is_read_as_it_says(bert):
    folder = bert(CASED)
    BertTokenizer.from_pretrained(folder, do_lower_case=False).save_pretrained(folder)
    (folder / "tokenizer_config.json").unlink()
    base = load_base(folder)
    assert base.tokenizer.tokenize("Rumah né") == ["Rumah", "né"]
    assert base.notes == []


def test_an_exported_classifier_keeps_the_case(bert, tmp_path):
    base = load_base(bert(CASED))
    Classifier(base, base.classifier(["a", "b"], seed=0), ["a", "b"], 16).save_pretrained(tmp_path / "exported")
    assert AutoTokenizer.from_pretrained(tmp_path / "exported").tokenize("Rumah né") == ["Rumah", "né"]


def train_pieces(file, **settings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES),
        model_writer=model,
        vocab_size=70,
        hard_vocab_limit=False,
        minloglevel=2,
        **settings,
    )
    file.write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_file=str(file))


BERT_SYMBOLS = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1, "control_symbols": ["[CLS]", "[SEP]", "[MASK]"]}
DEBERTA_SYMBOLS = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "[PAD]", "bos_piece": "[CLS]",
                   "eos_piece": "[SEP]", "unk_piece": "[UNK]"}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "file", "symbols", "first", "last"),
    [
        (XLMRobertaConfig, "sentencepiece.bpe.model", {}, "<s>", "</s>"),
        (CamembertConfig, "sentencepiece.bpe.model", {}, "<s>", "</s>"),
        (DebertaV2Config, "spm.model", DEBERTA_SYMBOLS, "[CLS]", "[SEP]"),
        (AlbertConfig, "spiece.model", BERT_SYMBOLS, "[CLS]", "[SEP]"),
    ],
    ids=lambda value: getattr(value, "model_type", None),
)
def test_a_sentencepiece_file_alone_gives_its_own_pieces_between_the_right_ends(
    tmp_path, config, file, symbols, first, last
):
    config(vocab_size=90).save_pretrained(tmp_path)
    pieces = train_pieces(tmp_path / file, **symbols)
    tokenizer, _ = load_tokenizer(str(tmp_path), "x", 90)
    text = "nasi lamak bana"
    assert tokenizer.tokenize(text) == pieces.encode(text, out_type=str)
    assert tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) == [first, *tokenizer.tokenize(text), last]


def test_a_tokenizer_that_leaves_its_start_token_out_is_noted(tmp_path):
    RemBertConfig(vocab_size=90).save_pretrained(tmp_path)
    train_pieces(tmp_path / "sentencepiece.model", **BERT_SYMBOLS)
    tokenizer, notes = load_tokenizer(str(tmp_path), "x", 90)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("nasi")["input_ids"])
    assert ("[CLS]" in tokens) is not any("puts no [CLS] before a text" in note for note in notes)


def test_missing_packages_are_named_instead_of_tiktoken(tmp_path, monkeypatch):
    XLMRobertaConfig(vocab_size=90).save_pretrained(tmp_path)
    train_pieces(tmp_path / "sentencepiece.bpe.model")
    monkeypatch.setattr(base_tokenizer, "is_protobuf_available", lambda: False)
    # What transformers does without the packages: it takes the file for one of tiktoken, which is not installed either.
    monkeypatch.setattr("transformers.convert_slow_tokenizer.requires_backends", missing_backend)
    with pytest.raises(BaseModelError, match="needs the packages sentencepiece and protobuf"):
        load_tokenizer(str(tmp_path), "x", 90)


def missing_backend(*_):
    raise ImportError("a package is missing")


def test_a_sentencepiece_file_that_is_damaged_or_misnamed_is_told_from_a_missing_package(tmp_path):
    XLMRobertaConfig(vocab_size=90).save_pretrained(tmp_path)
    train_pieces(tmp_path / "spm.model")
    with pytest.raises(BaseModelError, match=r"needs its tokenizer\.json or sentencepiece\.bpe\.model"):
        load_tokenizer(str(tmp_path), "x", 90)
    shutil.move(tmp_path / "spm.model", tmp_path / "sentencepiece.bpe.model")
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(BaseModelError, match=r"sentencepiece\.bpe\.model is damaged"):
        load_tokenizer(str(tmp_path), "x", 90)
