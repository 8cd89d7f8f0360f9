"""The kind of a weight in the encoder (query, key, embeddings, …), from the name of its parameter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

PARTS = ("embeddings", "attention", "feed-forward", "biases", "other")  # of the model, as cards list them


@dataclass(frozen=True)
class Kind:
    """A kind of weight, its part of the model, and the pattern of its parameters' names."""

    name: str
    part: str  # one of PARTS
    pattern: re.Pattern[str]
    reference: str


def _kind(name: str, part: str, pattern: str, reference: str) -> Kind:
    return Kind(name, part, re.compile(pattern), reference)


OTHER = _kind("other", "other", "", "poolers, DeBERTa's convolution, and all names that match no other pattern")

# The first kind that matches applies. Normalisation and biases come first, because their names can also match other kinds.
KINDS = (
    _kind("LayerNorm", "other", r"(?i)norm|\.ln(_\w+)?\.", "any family; no part of M"),
    _kind("bias", "biases", r"bias$", "any family"),
    _kind("embeddings", "embeddings", r"embed|\.(wte|wpe)\.", "any family; GPT-2; also the projection of ELECTRA, ALBERT, RemBERT to the encoder's width"),
    _kind(
        "query", "attention", r"\.(query|query_proj|pos_query_proj|q_proj|q_lin)\.",
        "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT",
    ),
    _kind(
        "key", "attention", r"\.(key|key_proj|pos_key_proj|k_proj|k_lin)\.",
        "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT",
    ),
    _kind("value", "attention", r"\.(value|value_proj|v_proj|v_lin)\.", "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT"),
    _kind("query, key, value", "attention", r"\.(Wqkv|c_attn|query_key_value)\.", "ModernBERT, GPT-2, BLOOM: one matrix for the three"),
    _kind(
        "attention output", "attention", r"attention\.(output\.)?dense\.|attn\.(Wo|c_proj)\.|\.(o_proj|out_proj|out_lin)\.",
        "BERT, XLM-R, ALBERT, BLOOM; ModernBERT; GPT-2; EuroBERT, Llama; XGLM; DistilBERT",
    ),
    _kind("attention", "attention", r"\.(attention|attn|self_attn|self_attention)\.", "families whose names are not known here"),
    _kind(
        "intermediate", "feed-forward",
        r"\.intermediate\.dense\.|\.mlp\.Wi\.|\.(gate_proj|up_proj|c_fc|dense_h_to_4h|lin1|ffn)\.(weight|bias)|\d\.fc1\.",
        "BERT, XLM-R; ModernBERT; EuroBERT, Llama; GPT-2; BLOOM; XGLM; DistilBERT; ALBERT",
    ),
    _kind(
        "output", "feed-forward", r"\.output\.dense\.|\.mlp\.(Wo|c_proj)\.|\.(down_proj|dense_4h_to_h|lin2|ffn_output)\.|\d\.fc2\.",
        "BERT, XLM-R; ModernBERT; GPT-2; EuroBERT, Llama; BLOOM; XGLM; DistilBERT; ALBERT",
    ),
    _kind("feed-forward", "feed-forward", r"\.(mlp|ffn|intermediate)\.", "families whose names are not known here"),
    OTHER,
)  # fmt: skip

_LAST = ("bias", "LayerNorm", OTHER.name)
_ORDER = [*(kind.name for kind in KINDS if kind.name not in _LAST), *_LAST]


def kind_of(parameter: str) -> Kind:
    """Return the kind of the parameter of this name."""
    return next(kind for kind in KINDS if kind.pattern.search(parameter))


def count_by_part(positions: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the number of selected entries in each part of the model, 0 included."""
    counts: dict[str, int] = dict.fromkeys(PARTS, 0)
    for name, selected in positions.items():
        counts[kind_of(name).part] += selected.numel()
    return counts


def reading_order(name: str) -> int:
    """Return the position of a kind in lists: from input to output, then biases, normalisation and the rest."""
    return _ORDER.index(name)
