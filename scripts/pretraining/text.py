"""Training and evaluation text of the bundled base, and packing it into sequences."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from deftx.data.sequences import pack
from deftx.data.text import read_corpus, split

# Corpora, and how often each is used per epoch: the source language and small corpora more than once. They contain only texts
# whose licences allow distribution of trained weights (docs/base.md). The target languages are not included.
CORPORA = {"ind": 2, "jav": 1, "sun": 1, "bew": 1, "mak": 1, "mui": 2, "rej": 2, "abs": 3, "eng_clear": 1}
UNSEEN = ("min", "ban", "ace", "mad", "bjn")  # not used for training; their loss is reported but not used for choices
HELD_OUT = 200  # evaluation lines per corpus


def read_corpora(
    data: Path, seed: int, left_out: Collection[str] = ()
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the training lines and the evaluation lines of each corpus.

    The latter also for unseen languages, if present, and for those that are left out of the training.
    """
    train, held_out = {}, {}
    for name in (*CORPORA, *UNSEEN):
        path = data / "corpora" / f"{name}.txt.gz"
        if name in CORPORA or path.is_file():
            lines = read_corpus(path).lines
            rest, held_out[name] = split(lines, min(0.1, HELD_OUT / len(lines)), seed)
            train |= {name: rest} if name in CORPORA and name not in left_out else {}
    return train, held_out


def sequences(lines: Mapping[str, list[str]], tokenizer: PreTrainedTokenizerFast, length: int, seed: int) -> Tensor:
    """Return the lines of each corpus in random order, packed into (sequences, length) int32."""
    rows = []
    for name, corpus in lines.items():
        for number in range(CORPORA.get(name, 1)):
            order = np.random.default_rng([seed, number]).permutation(len(corpus))
            pieces = pack([corpus[place] for place in order], tokenizer, length)
            rows += [piece for piece in pieces if len(piece) == length]
    return torch.stack(rows)
