"""Every matrix of every family has a kind, told from the names that transformers gives."""

import pytest
import torch
from tiny_families import SHAPE, TINY
from transformers import AutoConfig, AutoModelForMaskedLM

from deftx.method.matrix_kinds import MATRIX_KINDS, OTHER, matrix_kind, reading_order

WORDS = 130_000  # as many as the families' default token ids need; on the meta device they cost nothing
LAYER = "roberta.encoder.layer.3."


def encoder_parameters(name):
    """Names and shapes of a tiny encoder, without memory for its weights."""
    kind, settings, _ = TINY[name]
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(
            AutoConfig.for_model(kind, **{**SHAPE, "vocab_size": WORDS, **settings})
        )
    return {f"{model.base_model_prefix}.{n}": p.shape for n, p in model.base_model.named_parameters()}


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        (LAYER + "attention.self.query.weight", "query"),
        (LAYER + "attention.self.key.weight", "key"),
        (LAYER + "attention.self.value.weight", "value"),
        (LAYER + "attention.output.dense.weight", "attention output"),
        (LAYER + "intermediate.dense.weight", "intermediate"),
        (LAYER + "output.dense.weight", "output"),
        (LAYER + "output.dense.bias", "bias"),
        (LAYER + "attention.output.LayerNorm.bias", "LayerNorm"),
        ("bert.embeddings.word_embeddings.weight", "embeddings"),
        ("model.layers.2.attn.Wqkv.weight", "query, key, value"),
        ("model.layers.2.mlp.Wo.weight", "output"),
        ("model.layers.2.attn.Wo.weight", "attention output"),
        ("model.something.weight", OTHER),
    ],
)
def test_kind_of_a_parameter(parameter, kind):
    assert matrix_kind(parameter) == kind


@pytest.mark.parametrize("family", TINY)
def test_no_matrix_of_a_layer_is_without_a_kind(family):
    named = {name: matrix_kind(name) for name, shape in encoder_parameters(family).items() if len(shape) == 2}
    assert {name: kind for name, kind in named.items() if kind == OTHER and "layer" in name} == {}
    assert {"embeddings", "attention output", "intermediate", "output"} <= set(named.values())
    assert {"query", "key", "value"} <= set(named.values()) or "query, key, value" in named.values()


def test_every_kind_has_its_place_and_other_is_last():
    names = [kind.name for kind in MATRIX_KINDS] + [OTHER]
    assert sorted(map(reading_order, names)) == list(range(len(names)))
    assert max(names, key=reading_order) == OTHER
