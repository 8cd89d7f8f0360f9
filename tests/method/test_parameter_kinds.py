"""Every parameter of every family has a kind, and with it a part of the model, told from the names that transformers gives."""

import pytest
import torch
from tiny_families import SHAPE, TINY
from transformers import AutoConfig, AutoModelForMaskedLM

from deftx.method.parameter_kinds import KINDS, OTHER, PARTS, count_by_part, kind_of, reading_order

WORDS = 130_000  # as many as the families' default token ids need; on the meta device they cost nothing
LAYER = "roberta.encoder.layer.3."
KNOWN = {kind.name for kind in KINDS} - {"attention", "feed-forward", "other"}


@pytest.fixture(scope="module", params=TINY)
def encoder(request):
    """A tiny encoder without memory for its weights; its parameters have the names that a base gives them."""
    kind, settings, _ = TINY[request.param]
    with torch.device("meta"):
        return AutoModelForMaskedLM.from_config(
            AutoConfig.for_model(kind, **{**SHAPE, "vocab_size": WORDS, **settings})
        )


def named(encoder):
    return {f"{encoder.base_model_prefix}.{name}": p for name, p in encoder.base_model.named_parameters()}


def norms(encoder):
    modules = {
        name: type(module).__name__
        for name, module in encoder.named_modules()
        if name.startswith(encoder.base_model_prefix)
    }
    return {name for name in named(encoder) if "Norm" in modules[name.rpartition(".")[0]]}


@pytest.mark.parametrize(
    ("parameter", "name", "part"),
    [
        (LAYER + "attention.self.query.weight", "query", "attention"),
        (LAYER + "attention.self.key.weight", "key", "attention"),
        (LAYER + "attention.self.key.bias", "bias", "biases"),
        (LAYER + "attention.self.value.weight", "value", "attention"),
        (LAYER + "attention.output.dense.weight", "attention output", "attention"),
        (LAYER + "attention.output.LayerNorm.bias", "LayerNorm", "other"),
        (LAYER + "intermediate.dense.weight", "intermediate", "feed-forward"),
        (LAYER + "output.dense.weight", "output", "feed-forward"),
        (LAYER + "output.dense.bias", "bias", "biases"),
        ("bert.embeddings.word_embeddings.weight", "embeddings", "embeddings"),
        ("bert.pooler.dense.weight", "other", "other"),
        ("deberta.encoder.rel_embeddings.weight", "embeddings", "embeddings"),
        ("deberta.encoder.conv.conv.weight", "other", "other"),
        ("deberta.encoder.layer.0.attention.self.query_proj.weight", "query", "attention"),
        ("deberta.encoder.layer.0.attention.self.pos_key_proj.weight", "key", "attention"),
        ("deberta.encoder.layer.0.attention.self.pos_query_proj.weight", "query", "attention"),
        ("model.embeddings.tok_embeddings.weight", "embeddings", "embeddings"),
        ("model.layers.2.attn.Wqkv.weight", "query, key, value", "attention"),
        ("model.layers.2.attn.Wo.weight", "attention output", "attention"),
        ("model.layers.2.mlp.Wi.weight", "intermediate", "feed-forward"),
        ("model.layers.2.mlp.Wo.weight", "output", "feed-forward"),
        ("model.embed_tokens.weight", "embeddings", "embeddings"),
        ("model.layers.0.self_attn.o_proj.weight", "attention output", "attention"),
        ("model.layers.0.mlp.gate_proj.weight", "intermediate", "feed-forward"),
        ("distilbert.transformer.layer.1.ffn.lin2.weight", "output", "feed-forward"),
        ("electra.embeddings_project.weight", "embeddings", "embeddings"),
        ("electra.embeddings_project.bias", "bias", "biases"),
        ("albert.encoder.embedding_hidden_mapping_in.weight", "embeddings", "embeddings"),
        ("albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight", "intermediate", "feed-forward"),
        ("albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output.weight", "output", "feed-forward"),
        ("mpnet.encoder.layer.0.attention.attn.q.weight", "attention", "attention"),
        ("roberta.layers.0.mlp.fc1.weight", "feed-forward", "feed-forward"),
        ("model.something.weight", "other", "other"),
    ],
)
def test_kind_and_part_of_a_parameter(parameter, name, part):
    assert (kind_of(parameter).name, kind_of(parameter).part) == (name, part)


def test_every_weight_of_a_known_family_is_told_but_for_poolers_and_convolutions(encoder):
    kinds = {name: kind_of(name).name for name in named(encoder)}
    assert {
        name for name, kind in kinds.items() if kind not in KNOWN and "pooler" not in name and "conv" not in name
    } == set()
    assert {"embeddings", "attention output", "intermediate", "output"} <= set(kinds.values())
    assert {"query", "key", "value"} <= set(kinds.values()) or "query, key, value" in kinds.values()


def test_norms_and_biases_are_told_in_every_family(encoder):
    parameters, normalising = named(encoder), norms(encoder)
    assert {name for name in parameters if kind_of(name).name == "LayerNorm"} == normalising
    one_row = {name for name, parameter in parameters.items() if parameter.dim() == 1} - normalising
    assert {name for name in parameters if kind_of(name).part == "biases"} == one_row


def test_the_split_of_a_mask_lists_every_part_and_adds_up(encoder):
    positions = {name: torch.arange(place) for place, name in enumerate(named(encoder), start=1)}
    counts = count_by_part(positions)
    assert tuple(counts) == PARTS
    assert sum(counts.values()) == sum(len(chosen) for chosen in positions.values())
    assert min(counts["embeddings"], counts["attention"], counts["feed-forward"]) > 0


def test_every_kind_belongs_to_a_part_and_has_its_place_and_other_is_last():
    names = [kind.name for kind in KINDS]
    assert {kind.part for kind in KINDS} == set(PARTS)
    assert sorted(map(reading_order, names)) == list(range(len(names)))
    assert max(names, key=reading_order) == OTHER.name
