"""Trimming a base to the pieces that some text uses (Ushio et al. 2023): most of a multilingual base is its vocabulary.

A trimmed base is a transformers folder like any other, with ``trimmed.json`` beside it: which base it is a part of, and
which rows of it. By that a vector is carried from one to the other (``deftx.vectors.lifting``).
"""

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, PretrainedConfig, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from deftx.core.errors import BaseModelError, RecipeError
from deftx.core.files import new_folder, require_empty
from deftx.data.text import read_corpus
from deftx.models.bases import Base, load_base
from deftx.models.families import find_head
from deftx.models.pieces import choose_pieces, count_pieces, read_state, trim_pieces
from deftx.models.trim_note import TrimNote, write_note
from deftx.training.estimates import SAMPLE, Model
from deftx.training.recipes import recipe_for

TOLERANCE = 1e-4  # between the logits of the kept pieces before and after
TRIAL_LINES, TRIAL_TOKENS = 4, 24
NAMES = ("bos_token", "eos_token", "cls_token", "sep_token", "pad_token", "unk_token", "mask_token")


@dataclass(frozen=True)
class BaseSize:
    """How large a base is, and how finely it cuts the text that it was trimmed to."""

    pieces: int
    parameters: int
    memory: int  # bytes of a language training at its fullest (preset standard)
    tokens_per_word: float

    @classmethod
    def of(cls, model: nn.Module, tokenizer: Tokenizer, lines: Sequence[str]) -> "BaseSize":
        """Measure a masked-language model; the tokens are counted on at most SAMPLE lines, spread evenly."""
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
    """A base that was trimmed, and its sizes."""

    folder: Path
    before: BaseSize
    after: BaseSize

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain types, for JSON."""
        return {"folder": str(self.folder), "before": asdict(self.before), "after": asdict(self.after)}


def trim(
    base: Base | str | os.PathLike,
    texts: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    out: str | os.PathLike,
    least: int = 2,
    most: int | None = None,
) -> Trimmed:
    """Write to the folder ``out`` the base with the pieces that stand ``least`` times in the texts, or the ``most`` frequent.

    Single characters, bytes and special tokens are kept as well, so the result may have more than ``most`` pieces. Text
    made of kept pieces is cut as before and gets the same logits.

    Raises:
        BaseModelError: the base cannot be loaded, or not be trimmed exactly.
        CorpusError: the texts cannot be read.
        RecipeError: a number is below 1, or ``out`` is not an empty folder.
    """
    out = Path(out).expanduser()
    require_empty(out, "trimmed base", error=RecipeError)
    if least < 1 or (most is not None and most < 1):
        raise RecipeError("The least count and the number of pieces to keep are whole numbers from 1 on.")
    base = base if isinstance(base, Base) else load_base(base)
    lines, whole = read_corpus(texts).lines, _fast_tokenizer(base)
    state = read_state(whole)
    chosen = choose_pieces(state, count_pieces(whole, lines), least=least, most=most)
    chosen = sorted({*chosen, *_token_ids(base.model.config).values()} & set(range(len(base.tokenizer))))
    small, kept = Tokenizer.from_str(json.dumps(trim_pieces(state, chosen))), torch.tensor(chosen)
    model = trim_model(base.model, kept)
    _compare(base, model, small, kept, lines)
    with new_folder(out) as fresh:
        model.save_pretrained(fresh)
        _save_tokenizer(fresh, base.tokenizer, small)
        write_note(fresh, _note(base, model, kept))
    return Trimmed(out, BaseSize.of(base.model, whole, lines), BaseSize.of(model, small, lines))


@torch.no_grad()
def trim_model(model: nn.Module, kept: Tensor) -> nn.Module:
    """Return a copy of a masked-language model that has the rows ``kept`` (n,) int64 alone wherever it has one a word."""
    config, new = copy.deepcopy(model.config), {old: place for place, old in enumerate(kept.tolist())}
    config.vocab_size = len(kept)
    config.update({name: new[old] for name, old in _token_ids(model.config).items()})
    with torch.random.fork_rng():
        small = AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
    rows = kept.to(model.device)
    own = small.state_dict()
    for name, value in model.state_dict().items():
        own[name].copy_(value if own[name].shape == value.shape else value.index_select(0, rows))
    small.language_head = find_head(small.eval(), "trimmed")
    return small


def _fast_tokenizer(base: Base) -> Tokenizer:
    backend = getattr(base.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise BaseModelError(f"The base {base.name} cannot be trimmed: its tokenizer has no tokenizer.json.")
    whole = Tokenizer.from_str(backend.to_str())
    whole.no_truncation()
    whole.no_padding()
    return whole


@torch.no_grad()
def _compare(base: Base, small: nn.Module, tokenizer: Tokenizer, kept: Tensor, lines: Sequence[str]) -> None:
    """Refuse a trimmed model that gives other logits than the base for some lines' kept pieces."""
    for line in lines[:: -(-len(lines) // TRIAL_LINES)]:
        ids = torch.tensor([tokenizer.encode(line).ids[:TRIAL_TOKENS]])
        given, expected = small(input_ids=ids).logits, base.model(input_ids=kept[ids].to(base.device)).logits.cpu()
        if not torch.allclose(given, expected[..., kept], rtol=TOLERANCE, atol=TOLERANCE):
            raise BaseModelError(
                f"The base {base.name} cannot be trimmed: with fewer pieces it gives other logits for the same text "
                f"({(given - expected[..., kept]).abs().max():.2g} apart). Use it as it is."
            )


def _save_tokenizer(folder: Path, tokenizer: PreTrainedTokenizerBase, small: Tokenizer) -> None:
    special = {name: getattr(tokenizer, name) for name in NAMES if getattr(tokenizer, name) is not None}
    PreTrainedTokenizerFast(
        tokenizer_object=small, model_max_length=tokenizer.model_max_length, padding_side=tokenizer.padding_side,
        model_input_names=list(tokenizer.model_input_names), **special,
    ).save_pretrained(folder)  # fmt: skip


def _token_ids(config: PretrainedConfig) -> dict[str, int]:
    """Return the tokens that a configuration names, as far as the model has them."""
    named = {name: value for name, value in config.to_dict().items() if name.endswith("_token_id")}
    return {name: value for name, value in named.items() if isinstance(value, int) and 0 <= value < config.vocab_size}


def _note(base: Base, small: nn.Module, kept: Tensor) -> TrimNote:
    fingerprint = Base("trimmed", None, small, base.tokenizer).fingerprint
    return TrimNote(base.name, base.revision, base.fingerprint, base.model.config.vocab_size, fingerprint, kept)
