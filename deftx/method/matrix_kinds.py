"""The kind of a weight in the encoder (query, key, embeddings, …), from the name of its parameter."""

import re
from dataclasses import dataclass

OTHER = "other"


@dataclass(frozen=True)
class Kind:
    """A kind of weight and the pattern of its parameters' names; the first kind that matches applies."""

    name: str
    pattern: re.Pattern[str]
    reference: str


def _kind(name: str, pattern: str, reference: str) -> Kind:
    return Kind(name, re.compile(pattern), reference)


# Normalisation and biases come first, because their names can also match the pattern of another kind.
MATRIX_KINDS = (
    _kind("LayerNorm", r"(?i)norm", "any family; no part of M"),
    _kind("bias", r"bias$", "any family"),
    _kind("embeddings", r"embed", "any family"),
    _kind("query", r"\.(query|query_proj|q_proj|q_lin)\.", "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT"),
    _kind("key", r"\.(key|key_proj|k_proj|k_lin)\.", "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT"),
    _kind("value", r"\.(value|value_proj|v_proj|v_lin)\.", "BERT, XLM-R; DeBERTa; EuroBERT; DistilBERT"),
    _kind("query, key, value", r"\.Wqkv\.", "ModernBERT: one matrix for the three"),
    _kind(
        "attention output", r"attention\.(output\.)?dense\.|attn\.Wo\.|\.(o_proj|out_lin)\.",
        "BERT, XLM-R, ALBERT; ModernBERT; EuroBERT; DistilBERT",
    ),
    _kind(
        "intermediate", r"\.intermediate\.dense\.|\.mlp\.Wi\.|\.(gate_proj|up_proj|lin1|ffn)\.(weight|bias)",
        "BERT, XLM-R; ModernBERT; EuroBERT; DistilBERT; ALBERT",
    ),
    _kind(
        "output", r"\.output\.dense\.|\.mlp\.Wo\.|\.(down_proj|lin2|ffn_output)\.",
        "BERT, XLM-R; ModernBERT; EuroBERT; DistilBERT; ALBERT",
    ),
)  # fmt: skip


def matrix_kind(parameter: str) -> str:
    """Return the kind of a parameter, or "other" if no pattern matches."""
    return next((kind.name for kind in MATRIX_KINDS if kind.pattern.search(parameter)), OTHER)


def reading_order(kind: str) -> int:
    """Return the position of a kind in lists: from input to output, then biases, normalisation and the rest."""
    return _ORDER.index(kind)


_MATRICES = [kind.name for kind in MATRIX_KINDS if kind.name not in ("LayerNorm", "bias")]
_ORDER = [*_MATRICES, "bias", "LayerNorm", OTHER]
