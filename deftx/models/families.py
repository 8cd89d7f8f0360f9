"""Families of bases: the language model of each, and the masked-LM head of encoders, checked when a base is loaded.

An encoder's logits are computed at the masked positions only, so the head must be applied separately from the encoder. The
table lists the head's modules for the families that are tested; for other encoders they are found in a trial run. In both
cases a base is used only if its head, applied to single positions, gives the same logits as the whole model. Decoders are in
``deftx.models.decoders``.
"""

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_QUESTION_ANSWERING_MAPPING,
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from deftx.core.errors import BaseModelError
from deftx.core.sampling import seeded
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.models import xglm  # noqa: F401 (its import makes its classifier known to transformers)
from deftx.models.decoders import predicts_next
from deftx.models.eight_bits import read_packed

HEAD_SEED = 0  # seed of the head's weights that a checkpoint lacks
LANGUAGE_HEAD = "language_head"  # attribute of a loaded model with its ``Head``
FROZEN_OUTPUT = "frozen_output"  # attribute with the frozen output matrix, for heads with ``given_embeddings``


@dataclass(frozen=True)
class Head:
    """A masked-LM head: modules of the model, applied in sequence to hidden states (positions, hidden).

    If ``given_embeddings``, each module also takes the module with the output matrix as an argument. ``settings`` is the
    configuration under which a model has this head, if the family has several. A decoder is used as a whole, because every position predicts: its head has no modules.
    """

    modules: tuple[str, ...]
    reference: str
    given_embeddings: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


ROBERTA = Head(("lm_head",), "Conneau et al. 2020, Liu et al. 2019; transformers modeling_roberta.RobertaLMHead")
BERT = Head(("cls",), "Devlin et al. 2019; transformers modeling_bert.BertOnlyMLMHead")
ELECTRA = Head(("generator_predictions", "generator_lm_head"), "Clark et al. 2020; modeling_electra.ElectraForMaskedLM")
NEXT_TOKEN = Head((), "any decoder")

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


# By whether the base is a decoder: the class that chooses the model of a configuration, and its table.
_LANGUAGE_MODELS: dict[bool, tuple[Any, Any]] = {
    False: (AutoModelForMaskedLM, MODEL_FOR_MASKED_LM_MAPPING),
    True: (AutoModelForCausalLM, MODEL_FOR_CAUSAL_LM_MAPPING),
}


# By what is answered about: the class that chooses the model of a configuration, its table, what it is, and why not a decoder.
_OTHER_UNITS: dict[str, tuple[Any, Any, str, str]] = {
    WORD: (
        AutoModelForTokenClassification, MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING, "classifier of words",
        "the tag of a word would not depend on what follows it",
    ),
    QUESTION: (
        AutoModelForQuestionAnswering, MODEL_FOR_QUESTION_ANSWERING_MAPPING, "model that answers questions",
        "the first word of an answer would not depend on what follows it",
    ),
}  # fmt: skip


def load_language_model(source: str, config: PretrainedConfig) -> tuple[PreTrainedModel, list[str]]:
    """Load a language model in float32, a causal one for a decoder. Return it and the names of parameters that its checkpoint
    lacks.

    These are initialised at random with a fixed seed, so that a base is always the same. If the checkpoint has the weights
    of another head of its family than the configuration says, the model gets that head.
    """
    model, loading = _load(source, config)
    head = _other_head(config, loading["unexpected_keys"]) if loading["missing_keys"] else None
    if head is not None:
        config.update(dict(head.settings))
        model, loading = _load(source, config)
    return model.eval(), sorted(n for n in loading["missing_keys"] if n not in model.all_tied_weights_keys)


def apply_head(model: PreTrainedModel, head: Head, hidden: Tensor) -> Tensor:
    """Return the logits (positions, vocabulary) of hidden states (positions, hidden)."""
    given = (_output_module(model, head),) if head.given_embeddings else ()
    for part in head.modules:
        hidden = getattr(model, part)(hidden, *given)
    return hidden


def language_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Return the logits (positions, vocabulary) of the masked-language model of a base, at single positions."""
    return apply_head(model, language_head(model), hidden)


def language_head(model: PreTrainedModel) -> Head:
    """Return the head that ``load_base`` found, also of a copy of the model. A classifier has none."""
    return getattr(model, LANGUAGE_HEAD)


def output_matrix(model: PreTrainedModel, head: Head) -> nn.Parameter:
    """Return the output embedding (vocabulary, width); this is the word embedding itself if they are tied."""
    return _matrix(_output_module(model, head))


def word_embeddings(model: PreTrainedModel) -> nn.Parameter:
    """Return the word embeddings (vocabulary, width)."""
    return _matrix(model.get_input_embeddings())


def freeze_output(model: PreTrainedModel, matrix: Tensor) -> None:
    """Make the head use ``matrix``, frozen and untied from the word embeddings. The memory is shared."""
    head = language_head(model)
    if head.given_embeddings:
        setattr(model, FROZEN_OUTPUT, nn.Embedding.from_pretrained(matrix, freeze=True))
    else:
        _output_module(model, head).weight = nn.Parameter(matrix, requires_grad=False)


def empty_language_model(config: PretrainedConfig) -> PreTrainedModel:
    """Return a language model of this configuration in float32, with random weights."""
    automatic, _ = _LANGUAGE_MODELS[predicts_next(config)]
    return automatic.from_config(config, dtype=torch.float32)


def new_classifier(config: PretrainedConfig, unit: str) -> PreTrainedModel:
    """Return a classifier of texts or words or a model for questions, as the ``unit`` says, with random weights.

    Raises:
        BaseModelError: If the family has no such model, or is a decoder and ``unit`` is not a text.
    """
    if unit == TEXT:
        return AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    automatic, table, does, reason = _OTHER_UNITS[unit]
    if predicts_next(config):
        raise BaseModelError(
            f"A decoder ({config.model_type}) reads from left to right: {reason}. "
            "Choose an encoder as the base, such as xlm-roberta-base."
        )
    if type(config) not in table:
        raise BaseModelError(
            f"transformers has no {does} for bases of the type {config.model_type}. Choose another base, such "
            "as xlm-roberta-base."
        )
    return automatic.from_config(config, dtype=torch.float32)


def bare_classifier(config: PretrainedConfig) -> PreTrainedModel:
    """Return a classifier on the meta device, to compare names and shapes of its parameters."""
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(copy.deepcopy(config))


def reads_token_types(model: PreTrainedModel) -> bool:
    """Return whether the model uses token types for pairs of texts (BERT does, RoBERTa does not)."""
    accepted = "token_type_ids" in inspect.signature(model.forward).parameters
    return accepted and getattr(model.config, "type_vocab_size", 0) > 1


def longest_input(model: PreTrainedModel) -> int | None:
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


def _load(source: str, config: PretrainedConfig) -> tuple[PreTrainedModel, dict[str, Any]]:
    automatic, table = _LANGUAGE_MODELS[predicts_next(config)]
    with seeded(HEAD_SEED):
        if (weights := read_packed(source)) is not None:
            return table[type(config)].from_pretrained(
                None, config=config, state_dict=weights, dtype=torch.float32, output_loading_info=True
            )
        return automatic.from_pretrained(
            source, config=config, dtype=torch.float32, output_loading_info=True, trust_remote_code=False
        )


def _other_head(config: PretrainedConfig, unused: Iterable[str]) -> Head | None:
    for head in FAMILIES.get(config.model_type, ()):
        if head.settings and any(name.startswith(f"{head.modules[0]}.") for name in unused):
            return head
    return None


def _output_module(model: PreTrainedModel, head: Head) -> nn.Module:
    if head.given_embeddings:
        return getattr(model, FROZEN_OUTPUT, model.get_input_embeddings())
    embeddings = model.get_output_embeddings()
    if not isinstance(embeddings, nn.Module):
        raise TypeError("it has no output embedding.")
    return embeddings


def _matrix(embeddings: nn.Module) -> nn.Parameter:
    if not isinstance(embeddings.weight, nn.Parameter):
        raise TypeError(f"its embedding is a {type(embeddings.weight).__name__} instead of a parameter.")
    return embeddings.weight
