"""The text that the bundled base is trained on and judged by, and the sequences that it becomes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from deftx.data.text import pack, read_corpus, split

# Corpus, and how often it is read in one pass: the source language and the small corpora more often than once. Only texts
# whose licences allow trained weights to be passed on (docs/base.md). The target languages are not here: they stay unseen.
CORPORA = {"ind": 2, "jav": 1, "sun": 1, "bew": 1, "mak": 1, "mui": 2, "rej": 2, "abs": 3, "eng_clear": 1}
UNSEEN = ("min", "ban", "ace", "mad", "bjn")  # never trained on: their loss is reported, and nothing is chosen by it
HELD_OUT = 200  # lines of each corpus, by which the course of the training is judged


def read_corpora(data: Path, seed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the lines to train on, and those to judge by: held out, and of unseen languages where they are there."""
    train, held_out = {}, {}
    for name in (*CORPORA, *UNSEEN):
        path = data / "corpora" / f"{name}.txt.gz"
        if name in CORPORA or path.is_file():
            lines = read_corpus(path).lines
            rest, held_out[name] = split(lines, min(0.1, HELD_OUT / len(lines)), seed)
            train |= {name: rest} if name in CORPORA else {}
    return train, held_out


def sequences(lines: Mapping[str, list[str]], tokenizer: PreTrainedTokenizerFast, length: int, seed: int) -> Tensor:
    """Return (sequences, length) int32: the lines of each corpus in a random order, joined and cut."""
    rows = []
    for name, corpus in lines.items():
        for number in range(CORPORA.get(name, 1)):
            order = np.random.default_rng([seed, number]).permutation(len(corpus))
            pieces = pack([corpus[place] for place in order], tokenizer, length)
            rows += [piece for piece in pieces if len(piece) == length]
    return torch.stack(rows)
