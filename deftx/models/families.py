"""Families of encoders: the masked-LM head of each, checked when a base is loaded.

Logits are computed at the masked positions only, so the head must be applied separately from the encoder. The table lists
the head's modules for the families that are tested; for other encoders they are found in a trial run. In both cases a base
is used only if its head, applied to single positions, gives the same logits as the whole model.
"""

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PretrainedConfig,
)

from deftx.core.errors import BaseModelError, one_of
from deftx.models.eight_bits import read_packed

TOLERANCE = 1e-4  # between logits at single positions and those of the whole model, which round differently in float32
TRIAL_TOKENS = 6
HEAD_SEED = 0  # seed of the head's weights that a checkpoint lacks
FROZEN_OUTPUT = "frozen_output"  # attribute with the frozen output matrix, for heads with ``given_embeddings``


@dataclass(frozen=True)
class Head:
    """A masked-LM head: modules of the model, applied in sequence to hidden states (positions, hidden).

    If ``given_embeddings``, each module also takes the module with the output matrix as an argument. ``settings`` is the
    configuration under which a model has this head, if the family has several.
    """

    modules: tuple[str, ...]
    reference: str
    given_embeddings: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


ROBERTA = Head(("lm_head",), "Conneau et al. 2020, Liu et al. 2019; transformers modeling_roberta.RobertaLMHead")
BERT = Head(("cls",), "Devlin et al. 2019; transformers modeling_bert.BertOnlyMLMHead")
ELECTRA = Head(("generator_predictions", "generator_lm_head"), "Clark et al. 2020; modeling_electra.ElectraForMaskedLM")

# Model type (as in config.json) -> the heads that a model of this type may have.
FAMILIES: dict[str, tuple[Head, ...]] = {
    "xlm-roberta": (ROBERTA,),
    "xlm-roberta-xl": (ROBERTA,),
    "roberta": (ROBERTA,),
    "camembert": (ROBERTA,),
    "bert": (BERT,),
    "deberta-v2": (
        Head(("cls",), "modeling_deberta_v2.LegacyDebertaV2OnlyMLMHead", settings={"legacy": True}),
        Head(
            ("lm_predictions",), "He et al. 2021; modeling_deberta_v2.DebertaV2OnlyMLMHead", given_embeddings=True,
            settings={"legacy": False},
        ),
    ),
    "modernbert": (Head(("head", "decoder"), "Warner et al. 2024, mmBERT: Marone et al. 2025; modeling_modernbert"),),
    "eurobert": (Head(("lm_head",), "Boizard et al. 2025; modeling_eurobert.EuroBertForMaskedLM"),),
    "distilbert": (
        Head(
            ("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
            "Sanh et al. 2019; modeling_distilbert.DistilBertForMaskedLM",
        ),
    ),
    "electra": (ELECTRA,),
}  # fmt: skip


def load_language_model(source: str, config: PretrainedConfig) -> tuple[nn.Module, list[str]]:
    """Load a masked-language model in float32. Return it and the names of parameters that its checkpoint lacks.

    These are initialised at random with a fixed seed, so that a base is always the same. If the checkpoint has the weights
    of another head of its family than the configuration says, the model gets that head.
    """
    model, loading = _load(source, config)
    head = _other_head(config, loading["unexpected_keys"]) if loading["missing_keys"] else None
    if head is not None:
        config.update(dict(head.settings))
        model, loading = _load(source, config)
    return model.eval(), sorted(n for n in loading["missing_keys"] if n not in model.all_tied_weights_keys)


@torch.no_grad()
def find_head(model: nn.Module, name: str) -> Head:
    """Return the head of a masked-language model in evaluation mode, checked in a trial run on a few tokens.

    Raises:
        BaseModelError: If the head cannot be separated from the encoder, or gives other logits at single positions.
    """
    kind = model.config.model_type
    known = [head for head in FAMILIES.get(kind, ()) if all(hasattr(model, part) for part in head.modules)]
    try:
        return _try(model, known[0]) if known else _observe(model)
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise BaseModelError(
            f"The base {name} ({kind}) cannot be used: a trial run failed: {error} Supported families: {one_of(FAMILIES)}."
        ) from error


def apply_head(model: nn.Module, head: Head, hidden: Tensor) -> Tensor:
    """Return the logits (positions, vocabulary) of hidden states (positions, hidden)."""
    given = (_output_module(model, head),) if head.given_embeddings else ()
    for part in head.modules:
        hidden = getattr(model, part)(hidden, *given)
    return hidden


def language_logits(model: nn.Module, hidden: Tensor) -> Tensor:
    """Return the logits (positions, vocabulary) of the masked-language model of a base, at single positions."""
    return apply_head(model, model.language_head, hidden)


def output_matrix(model: nn.Module, head: Head) -> nn.Parameter:
    """Return the output embedding (vocabulary, width); this is the word embedding itself if they are tied."""
    return _output_module(model, head).weight


def freeze_output(model: nn.Module, matrix: Tensor) -> None:
    """Make the head use ``matrix``, frozen and untied from the word embeddings. The memory is shared."""
    if model.language_head.given_embeddings:
        setattr(model, FROZEN_OUTPUT, nn.Embedding.from_pretrained(matrix, freeze=True))
    else:
        model.get_output_embeddings().weight = nn.Parameter(matrix, requires_grad=False)


def bare_classifier(config: PretrainedConfig) -> nn.Module:
    """Return a classifier on the meta device, to compare names and shapes of its parameters."""
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(copy.deepcopy(config))


def reads_token_types(model: nn.Module) -> bool:
    """Return whether the model uses token types for pairs of texts (BERT does, RoBERTa does not)."""
    accepted = "token_type_ids" in inspect.signature(model.forward).parameters
    return accepted and getattr(model.config, "type_vocab_size", 0) > 1


def longest_input(model: nn.Module) -> int | None:
    """Return the largest number of tokens that the model has positions for, or None if there is no limit.

    RoBERTa's positions start after the padding index; those of BERT start at 0.
    """
    places = getattr(model.config, "max_position_embeddings", None)
    learned = [m for n, m in model.named_modules() if n.endswith("position_embeddings") and isinstance(m, nn.Embedding)]
    if learned and learned[0].padding_idx is not None:
        return learned[0].num_embeddings - learned[0].padding_idx - 1
    return places if places and places > 0 else None


def norm_parameters(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the parameters of the normalisation layers, found by module type because their names differ by family."""
    for part in module.modules():
        if isinstance(part, (nn.LayerNorm, nn.RMSNorm)) or type(part).__name__.endswith("Norm"):
            yield from part.parameters(recurse=False)


def _load(source: str, config: PretrainedConfig) -> tuple[nn.Module, dict[str, Any]]:
    with torch.random.fork_rng():
        torch.manual_seed(HEAD_SEED)
        if (weights := read_packed(source)) is not None:
            family = MODEL_FOR_MASKED_LM_MAPPING[type(config)]
            return family.from_pretrained(
                None, config=config, state_dict=weights, dtype=torch.float32, output_loading_info=True
            )
        return AutoModelForMaskedLM.from_pretrained(
            source, config=config, dtype=torch.float32, output_loading_info=True, trust_remote_code=False
        )


def _other_head(config: PretrainedConfig, unused: Iterable[str]) -> Head | None:
    for head in FAMILIES.get(config.model_type, ()):
        if head.settings and any(name.startswith(f"{head.modules[0]}.") for name in unused):
            return head
    return None


def _try(model: nn.Module, head: Head | None) -> Head:
    """Return the head, or the one found if None, after checking that it gives the model's logits at single positions."""
    inputs = _trial_tokens(model, TRIAL_TOKENS)
    with _calls(model) as called:
        expected = model(**inputs).logits
    hidden = called.pop(model.base_model_prefix).last_hidden_state
    head = head or Head(tuple(called), "observed in a trial run")
    places = torch.tensor([1, 3, TRIAL_TOKENS - 1], device=model.device)
    logits = apply_head(model, head, hidden[0, places])
    if not isinstance(logits, Tensor):
        raise TypeError(f"its head {', '.join(head.modules)} returns a {type(logits).__name__} instead of logits.")
    if not torch.allclose(logits, expected[0, places], rtol=TOLERANCE, atol=TOLERANCE):
        raise ValueError("its head gives other logits at single positions than the whole model.")
    rows = output_matrix(model, head).shape[0]
    if rows != model.config.vocab_size:
        raise ValueError(f"its output embedding has {rows:,} rows for {model.config.vocab_size:,} words.")
    return head


def _observe(model: nn.Module) -> Head:
    """Return the head of an architecture that is not in the table. Check that its encoder ignores padding."""
    head = _try(model, None)
    short, padded = _trial_tokens(model, TRIAL_TOKENS - 2), _trial_tokens(model, TRIAL_TOKENS)
    padded["attention_mask"][:, -2:] = 0
    alone, beside = (model.base_model(**inputs).last_hidden_state[0, : TRIAL_TOKENS - 2] for inputs in (short, padded))
    if not torch.allclose(alone, beside, rtol=TOLERANCE, atol=TOLERANCE):
        raise ValueError("its encoder does not ignore padding, so predictions would depend on the batch.")
    return head


def _trial_tokens(model: nn.Module, count: int) -> dict[str, Tensor]:
    tokens = torch.arange(3, 3 + count, device=model.device)[None] % model.config.vocab_size
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}


def _output_module(model: nn.Module, head: Head) -> nn.Module:
    if head.given_embeddings:
        return getattr(model, FROZEN_OUTPUT, model.get_input_embeddings())
    return model.get_output_embeddings()


@contextmanager
def _calls(model: nn.Module) -> Iterator[dict[str, Any]]:
    """Record the children of a model that are called within the context, in order, with their outputs."""
    called: dict[str, Any] = {}
    hooks = [
        part.register_forward_hook(lambda _, __, made, name=name: called.update({name: made}))
        for name, part in model.named_children()
    ]
    try:
        yield called
    finally:
        for hook in hooks:
            hook.remove()
