"""The text of the bundled base: which corpora, the tokenizer that is trained on them, and the sequences they become."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from deftx.text import pack, read_corpus, split

# Corpus, and how often it is read in one pass: the source language and the small corpora more often than once. The five
# target languages of NusaX are not here: they stay unseen, as they were for XLM-R.
CORPORA = {"ind": 2, "jav": 1, "sun": 1, "bew": 1, "mak": 1, "mui": 2, "rej": 2, "abs": 3, "eng_clear": 1}
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
NEVER = -1000.0  # the score of a byte: it stands for what no piece can spell, never for text that looks like its name
HELD_OUT = 200  # lines of each corpus, by which the course of the training is judged


def read_corpora(data: Path, seed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the lines to train on and those held out, by corpus."""
    train, held_out = {}, {}
    for name in CORPORA:
        lines = read_corpus(data / "corpora" / f"{name}.txt.gz").lines
        train[name], held_out[name] = split(lines, min(0.1, HELD_OUT / len(lines)), seed)
    return train, held_out


def train_tokenizer(lines: Mapping[str, list[str]], size: int, longest: int) -> PreTrainedTokenizerFast:
    """Train a lower-casing Unigram tokenizer of ``size`` pieces, of which 256 are bytes for what it has never seen."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=size - len(BYTES), special_tokens=list(SPECIAL), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(repeated(lines), trainer)
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    vocabulary = [tuple(piece) for piece in pieces] + [(byte, NEVER) for byte in BYTES]
    tokenizer.model = models.Unigram(vocabulary, unk_id=SPECIAL.index("<unk>"), byte_fallback=True)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, SPECIAL.index(token)) for token in ("<s>", "</s>")],
    )  # fmt: skip
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", mask_token="<mask>", model_max_length=longest,
    )  # fmt: skip


def repeated(lines: Mapping[str, list[str]]) -> Iterator[str]:
    """Walk through the lines of all corpora, each as often as ``CORPORA`` says."""
    return (line for name, corpus in lines.items() for _ in range(CORPORA[name]) for line in corpus)


def sequences(lines: Mapping[str, list[str]], tokenizer: PreTrainedTokenizerFast, length: int, seed: int) -> Tensor:
    """Return (sequences, length) int32: the lines of each corpus in a random order, joined and cut."""
    rows = []
    for name, corpus in lines.items():
        for number in range(CORPORA[name]):
            order = np.random.default_rng([seed, number]).permutation(len(corpus))
            pieces = pack([corpus[place] for place in order], tokenizer, length)
            rows += [piece for piece in pieces if len(piece) == length]
    return torch.stack(rows)
