"""Trimming of a base to the vocabulary of some texts (Ushio et al. 2023), which is most of a multilingual base.

A trimmed base is a transformers folder with an additional file ``trimmed.json``, which names the parent base and the kept
rows. With it, vectors can be converted between both bases (``deftx.vectors.lifting``).
"""

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import (
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from deftx.core.errors import BaseModelError, RecipeError
from deftx.core.files import expanded, new_folder, require_empty
from deftx.core.sampling import seeded
from deftx.data.text import read_corpus
from deftx.models.bases import Base, load_base
from deftx.models.families import LANGUAGE_HEAD, empty_language_model
from deftx.models.head_trial import find_head
from deftx.models.pieces import choose_pieces, count_pieces, read_state, trim_pieces
from deftx.models.trim_note import TrimNote, write_note
from deftx.training.data_size import SAMPLE
from deftx.training.model_size import Model
from deftx.training.recipes import recipe_for

LEAST = 2  # occurrences of a piece in the texts, from which it is kept
TOLERANCE = 1e-4  # between the logits of the kept pieces before and after
TRIAL_LINES, TRIAL_TOKENS = 4, 24
NAMES = ("bos_token", "eos_token", "cls_token", "sep_token", "pad_token", "unk_token", "mask_token")


@dataclass(frozen=True)
class BaseSize:
    """The size of a base, and its tokens per word on the texts."""

    pieces: int
    parameters: int
    memory: int  # peak memory of language training (preset standard), in bytes
    tokens_per_word: float

    @classmethod
    def of(cls, model: PreTrainedModel, tokenizer: Tokenizer, lines: Sequence[str]) -> "BaseSize":
        """Return the size of a language model; tokens are counted on about SAMPLE evenly spread lines.

        Args:
            model: The model.
            tokenizer: Its tokenizer.
            lines: The lines of the texts.
        """
        some = lines[:: -(-len(lines) // SAMPLE)]
        words = sum(len(line.split()) for line in some)
        return cls(
            pieces=tokenizer.get_vocab_size(),
            parameters=sum(p.numel() for p in model.parameters()),
            memory=round(Model.of(model).memory(recipe_for("language", "standard"))),
            tokens_per_word=count_pieces(tokenizer, some).total() / words,
        )


@dataclass(frozen=True)
class Trimmed:
    """The folder of a trimmed base, and its sizes before and after."""

    folder: Path
    before: BaseSize
    after: BaseSize

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that can be written as JSON."""
        return {"folder": str(self.folder), "before": asdict(self.before), "after": asdict(self.after)}


def trim(
    base: Base | str | os.PathLike,
    texts: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    out: str | os.PathLike,
    least: int = LEAST,
    most: int | None = None,
    encoding: str | None = None,
) -> Trimmed:
    """Write a base with a smaller vocabulary to the folder ``out``.

    Single characters, bytes and special tokens are always kept. Text that consists of kept pieces is tokenised as before
    and gets the same logits.

    Args:
        base: The base, a bundled name, a folder or a Hub id.
        texts: A file, folder or list of files.
        out: The folder for the trimmed base, which must be empty or new.
        least: Keep pieces that occur at least this often in the texts.
        most: If given, keep this many most frequent pieces instead.
        encoding: The encoding of the text files that are not UTF-8.

    Returns:
        The folder, with the sizes before and after.

    Raises:
        BaseModelError: If the base cannot be loaded or cannot be trimmed exactly.
        CorpusError: If the texts cannot be read.
        RecipeError: If a number is below 1, or ``out`` is not empty.
    """
    out = expanded(out)
    require_empty(out, "trimmed base", error=RecipeError)
    if least < 1 or (most is not None and most < 1):
        raise RecipeError("The smallest count and the number of pieces to keep must be integers, 1 or more.")
    base = base if isinstance(base, Base) else load_base(base)
    lines = read_corpus(texts, encoding=encoding).lines
    small = trimmed_base(base, lines, least=least, most=most)
    with new_folder(out) as fresh:
        small.model.save_pretrained(fresh)
        small.tokenizer.save_pretrained(fresh)
        write_note(fresh, cast(TrimNote, small.trimmed))
    sizes = (BaseSize.of(one.model, _fast_tokenizer(one.tokenizer, one.name), lines) for one in (base, small))
    return Trimmed(out, *sizes)


def trimmed_base(base: Base, lines: Sequence[str], *, least: int = LEAST, most: int | None = None) -> Base:
    """Return a copy of a base with only the pieces that the lines use, on the same device, with its note.

    Args:
        base: The base.
        lines: The lines of the texts.
        least: Keep pieces that occur at least this often in the lines.
        most: If given, keep this many most frequent pieces instead.

    Raises:
        BaseModelError: If the base cannot be trimmed exactly.
    """
    whole = _fast_tokenizer(base.tokenizer, base.name)
    chosen = kept_pieces(whole, base.model.config, lines, least, most)
    small, kept = Tokenizer.from_str(json.dumps(trim_pieces(read_state(whole), chosen))), torch.tensor(chosen)
    model = trim_model(base.model, kept)
    _compare(base, model, small, kept, lines)
    note = _note(base, model, kept)
    model.to(base.device)  # pyright: ignore[reportArgumentType] (a decorator of transformers hides the parameters)
    return Base(base.name, None, model, _wrapped(base.tokenizer, small), list(base.notes), note)


def kept_rows(tokenizer: PreTrainedTokenizerBase, name: str, lines: Sequence[str]) -> int:
    """Return how many pieces a base trimmed to the lines keeps.

    Args:
        tokenizer: The tokenizer of the base.
        name: The name of the base, for messages.
        lines: The lines of the text.

    Raises:
        BaseModelError: If the tokenizer cannot be trimmed.
    """
    whole = _fast_tokenizer(tokenizer, name)
    return len(choose_pieces(read_state(whole), count_pieces(whole, lines), least=LEAST))


def kept_pieces(
    whole: Tokenizer, config: PretrainedConfig, lines: Sequence[str], least: int = LEAST, most: int | None = None
) -> list[int]:
    """Return the ids of the pieces that a base trimmed to the lines keeps, ascending."""
    chosen = choose_pieces(read_state(whole), count_pieces(whole, lines), least=least, most=most)
    return sorted({*chosen, *_token_ids(config).values()} & set(range(whole.get_vocab_size())))


@torch.no_grad()
def trim_model(model: PreTrainedModel, kept: Tensor) -> PreTrainedModel:
    """Return a copy of a language model with only the vocabulary rows ``kept`` (n,) int64."""
    config, new = copy.deepcopy(model.config), {old: place for place, old in enumerate(kept.tolist())}
    config.vocab_size = len(kept)
    config.update({name: new[old] for name, old in _token_ids(model.config).items()})
    for name, ids in _lists_of_ids(config).items():
        setattr(config, name, [new[old] for old in ids if old in new] or None)
    with seeded(0):  # every weight is replaced
        small = empty_language_model(config)
    rows = kept.to(model.device)
    own = small.state_dict()
    for name, value in model.state_dict().items():
        own[name].copy_(value if own[name].shape == value.shape else value.index_select(0, rows))
    setattr(small, LANGUAGE_HEAD, find_head(small.eval(), "trimmed"))
    return small


def _fast_tokenizer(tokenizer: PreTrainedTokenizerBase, name: str) -> Tokenizer:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise BaseModelError(f"The base {name} cannot be trimmed: its tokenizer has no tokenizer.json.")
    whole = Tokenizer.from_str(backend.to_str())
    whole.no_truncation()
    whole.no_padding()
    return whole


@torch.no_grad()
def _compare(base: Base, small: PreTrainedModel, tokenizer: Tokenizer, kept: Tensor, lines: Sequence[str]) -> None:
    """Raise BaseModelError if the trimmed model gives other logits than the base on some lines."""
    for line in lines[:: -(-len(lines) // TRIAL_LINES)]:
        ids = torch.tensor([tokenizer.encode(line).ids[:TRIAL_TOKENS]])
        given, expected = small(input_ids=ids).logits, base.model(input_ids=kept[ids].to(base.device)).logits.cpu()
        if not torch.allclose(given, expected[..., kept], rtol=TOLERANCE, atol=TOLERANCE):
            raise BaseModelError(
                f"The base {base.name} cannot be trimmed: with fewer pieces, the logits of the same text differ "
                f"(by up to {(given - expected[..., kept]).abs().max():.2g}). Use the base without trimming."
            )


def _wrapped(tokenizer: PreTrainedTokenizerBase, small: Tokenizer) -> PreTrainedTokenizerFast:
    special = {name: getattr(tokenizer, name) for name in NAMES if getattr(tokenizer, name) is not None}
    return PreTrainedTokenizerFast(
        tokenizer_object=small, model_max_length=tokenizer.model_max_length, padding_side=tokenizer.padding_side,
        model_input_names=list(tokenizer.model_input_names), **special,
    )  # fmt: skip


def _token_ids(config: PretrainedConfig) -> dict[str, int]:
    """Return the token ids in a configuration that are in the model's vocabulary."""
    named = {name: value for name, value in config.to_dict().items() if name.endswith("_token_id")}
    return {name: value for name, value in named.items() if isinstance(value, int) and 0 <= value < config.vocab_size}


def _lists_of_ids(config: PretrainedConfig) -> dict[str, list[int]]:
    """Return the settings of a configuration that name several tokens, such as two ends of a text."""
    return {name: ids for name, ids in config.to_dict().items() if name.endswith("_token_id") and isinstance(ids, list)}


def _note(base: Base, small: PreTrainedModel, kept: Tensor) -> TrimNote:
    fingerprint = Base("trimmed", None, small, base.tokenizer).fingerprint
    return TrimNote(base.name, base.revision, base.fingerprint, base.model.config.vocab_size, fingerprint, kept)
