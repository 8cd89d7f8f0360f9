"""Decoders as bases: which models are decoders, and what their tokenizers need.

A decoder predicts the next token from those before it. Its tokenizer often has no padding token, and puts nothing around a
text or between the two texts of a pair.
"""

from typing import Any

from tokenizers import processors
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    PretrainedConfig,
    PreTrainedTokenizerBase,
)

# Model types (as in config.json) of the tested families. Others may work: what is needed is checked when a base is loaded.
DECODERS = {
    "bloom": "Le Scao et al. 2022; transformers modeling_bloom",
    "gemma2": "Gemma Team 2024; transformers modeling_gemma2",
    "gpt2": "Radford et al. 2019; transformers modeling_gpt2",
    "llama": "Touvron et al. 2023; transformers modeling_llama",
    "qwen3": "Qwen Team 2025; transformers modeling_qwen3",
    "xglm": "Lin et al. 2022; transformers modeling_xglm, with the classifier of deftx.models.xglm",
}


def predicts_next(config: PretrainedConfig) -> bool:
    """Return whether a model of this configuration is a decoder: its language model predicts the next token only."""
    causal = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and type(config) not in MODEL_FOR_MASKED_LM_MAPPING
    return causal and not config.is_encoder_decoder


def adapt_tokenizer(tokenizer: PreTrainedTokenizerBase) -> None:
    """Make the tokenizer of a decoder pad on the right, and put its end token between the texts of a pair.

    Without a padding token, it pads with its end token. Classifiers of transformers read the last token that is not padding.
    """
    if tokenizer.pad_token is None and tokenizer.eos_token is not None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = tokenizer.init_kwargs["padding_side"] = "right"
    if tokenizer.is_fast and tokenizer.eos_token is not None:
        _separate_pairs(tokenizer)


def line_end(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the token to put after each line of a text: the end token, or None if every line has special tokens already."""
    made = tokenizer("a", return_special_tokens_mask=True)
    end = tokenizer.eos_token_id
    return None if any(made["special_tokens_mask"]) or not isinstance(end, int) else end


def _separate_pairs(tokenizer: Any) -> None:
    backend, end = tokenizer.backend_tokenizer, tokenizer.eos_token
    own = backend.post_processor
    # Others are templates, which have special tokens of their own, and cannot be combined with a second template.
    if own is not None and not isinstance(own, processors.ByteLevel):
        return
    between = processors.TemplateProcessing(
        single="$A", pair=["$A", end, "$B:1"], special_tokens=[(end, tokenizer.eos_token_id)]
    )
    backend.post_processor = between if own is None else processors.Sequence([own, between])
