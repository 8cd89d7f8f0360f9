"""A random XLM-R of a few thousand weights with text to match, for every test that really trains."""

import csv
from pathlib import Path

import torch
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaTokenizer

from deftx.training.recipes import LanguageRecipe, TaskRecipe

GOOD, BAD = ("good", "fine", "sweet"), ("bad", "awful", "bitter")
NOUNS = ("day", "night", "food", "house", "road", "river", "song", "book")
WORDS = (*GOOD, *BAD, *NOUNS, "the", "is", "was", "very", "not", "this", *(f"word{n}" for n in range(60)))
LONGEST = 32  # tokens that the base can read


def make_base(folder: Path, *, seed: int = 0, dropout: float = 0.1, layers: int = 2, hidden: int = 32) -> Path:
    """Write a random base with a vocabulary of whole words and return its folder."""
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary = [*special, *((f"▁{word}", -1.0) for word in WORDS), ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary, model_max_length=LONGEST).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=2 * hidden, max_position_embeddings=LONGEST + 2, pad_token_id=1, type_vocab_size=1,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def sentences(count: int, seed: int = 1) -> list[str]:
    """Draw sentences of eight words, the first words of the list more often: there is something to learn."""
    draw = torch.Generator().manual_seed(seed)
    often = 1 / torch.arange(1.0, len(WORDS) + 1)
    return [" ".join(WORDS[i] for i in torch.multinomial(often, 8, generator=draw)) for _ in range(count)]


def labelled_rows(nouns: tuple[str, ...] = NOUNS) -> list[tuple[str, str]]:
    """Make rows whose label is that of one word."""
    return [
        (f"the {noun} {verb} {word}", label)
        for noun in nouns for verb in ("is", "was")
        for words, label in ((GOOD, "positive"), (BAD, "negative"))
        for word in words
    ]  # fmt: skip


def write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


# Float32 on every machine: with bfloat16 products "the same" would depend on what the processor can do.
SHARED = {"batch_size": 4, "max_length": 16, "learning_rate": 2e-3, "precision": "float32", "k": 60}


def language_recipe(**settings) -> LanguageRecipe:
    """Six steps a phase, two evaluations."""
    recipe = LanguageRecipe(min_steps=0, max_steps=6, epochs=100, evaluate_every=3, **SHARED)
    return recipe.changed(settings)


def task_recipe(**settings) -> TaskRecipe:
    """Six steps a phase, two evaluations."""
    return TaskRecipe(min_steps=0, max_steps=6, epochs=100, evaluate_every=3, **SHARED).changed(settings)
