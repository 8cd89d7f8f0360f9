"""What a weight does in the encoder, told by the name of its parameter: one table for all families."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

PARTS = ("embeddings", "attention", "feed-forward", "biases", "other")  # of the model, as cards list them


@dataclass(frozen=True)
class Kind:
    """A kind of weight, the part of the model that it belongs to, and what the names of its parameters hold."""

    name: str
    part: str  # one of PARTS
    pattern: re.Pattern[str]
    reference: str


def _kind(name: str, part: str, pattern: str, reference: str) -> Kind:
    return Kind(name, part, re.compile(pattern), reference)


OTHER = _kind("other", "other", "", "poolers, DeBERTa's convolution, and whatever no other pattern fits")

# The first kind that fits is the one. Normalisation and biases come first, because their names also fit other kinds.
KINDS = (
    _kind("LayerNorm", "other", r"(?i)norm|\.ln\.", "any family; no part of M"),
    _kind("bias", "biases", r"bias$", "any family"),
    _kind("embeddings", "embeddings", r"embed", "any family; also the projection of ELECTRA, ALBERT, RemBERT to the encoder's width"),
    _kind(
        "query", "attention", r"\.(query|query_proj|pos_query_proj|q_proj|q_lin)\.",
        "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT",
    ),
    _kind(
        "key", "attention", r"\.(key|key_proj|pos_key_proj|k_proj|k_lin)\.",
        "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT",
    ),
    _kind("value", "attention", r"\.(value|value_proj|v_proj|v_lin)\.", "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT"),
    _kind("query, key, value", "attention", r"\.Wqkv\.", "ModernBERT: one matrix for the three"),
    _kind(
        "attention output", "attention", r"attention\.(output\.)?dense\.|attn\.Wo\.|\.(o_proj|out_lin)\.",
        "BERT, XLM-R, ALBERT; ModernBERT; EuroBERT; DistilBERT",
    ),
    _kind("attention", "attention", r"\.(attention|attn|self_attn)\.", "families whose names are not known here"),
    _kind(
        "intermediate", "feed-forward",
        r"\.intermediate\.dense\.|\.mlp\.Wi\.|\.(gate_proj|up_proj|lin1|ffn)\.(weight|bias)",
        "BERT, XLM-R; ModernBERT; EuroBERT; DistilBERT; ALBERT",
    ),
    _kind(
        "output", "feed-forward", r"\.output\.dense\.|\.mlp\.Wo\.|\.(down_proj|lin2|ffn_output)\.",
        "BERT, XLM-R; ModernBERT; EuroBERT; DistilBERT; ALBERT",
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
    """Count the selected entries of each part of the model, parts without any included."""
    counts: dict[str, int] = dict.fromkeys(PARTS, 0)
    for name, selected in positions.items():
        counts[kind_of(name).part] += selected.numel()
    return counts


def reading_order(name: str) -> int:
    """Say where a kind of this name stands in a list: from the input to the output, then biases, normalisation and the rest."""
    return _ORDER.index(name)
