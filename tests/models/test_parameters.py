"""Parameters have the names that vectors use, and exactly those of the paper are trained."""

import json

import torch
from safetensors.torch import load_file

from deftx.models.bases import load_base
from deftx.models.parameters import canonical_parameters, encoder_parameters, sparse_trainable

EMBEDDINGS = "roberta.embeddings.word_embeddings.weight"


def test_the_sparse_trainable_parameters_are_those_of_the_published_code(lt_sft_traces):
    base = load_base(lt_sft_traces / "base")
    maskable = json.loads((lt_sft_traces / "plain" / "settings.json").read_text())["maskable"]
    assert list(base.parameters()) == maskable
    assert sum(p.numel() for p in base.parameters().values()) == 22_176


def test_word_embeddings_are_in_m_under_their_published_name_and_norms_are_not(base):
    for model in (base.model, base.language_model(), base.classifier(["a", "b"], seed=0)):
        names = sparse_trainable(model)
        assert EMBEDDINGS in names
        assert names[EMBEDDINGS] is model.get_input_embeddings().weight
        assert not [name for name in names if "LayerNorm" in name or "lm_head" in name or "classifier" in name]


def test_every_parameter_has_the_name_that_save_pretrained_writes(base, base_folder, tmp_path):
    written = load_file(base_folder / "model.safetensors")
    assert canonical_parameters(base.model).keys() == written.keys()
    model = base.classifier(["a", "b"], seed=0)
    model.save_pretrained(tmp_path)
    assert canonical_parameters(model).keys() == load_file(tmp_path / "model.safetensors").keys()


def test_only_the_encoders_norms_are_frozen(base):
    model = base.language_model()
    frozen = {n for n, p in canonical_parameters(model).items() if not p.requires_grad} - {"lm_head.decoder.weight"}
    assert frozen == {n for n in canonical_parameters(model) if n.startswith("roberta.") and ".LayerNorm." in n}


def test_norms_are_told_by_their_type_whatever_they_are_called(base):
    model = base.language_model()
    layer = model.roberta.encoder.layer[0].output
    layer.add_module("rescaling", torch.nn.RMSNorm(4))
    assert not [name for name in sparse_trainable(model) if "rescaling" in name]
    assert [name for name in encoder_parameters(model) if "rescaling" in name]
