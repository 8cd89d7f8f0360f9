"""What is not a base model is named, with what to do, and never read as one."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from deftx.core.errors import BaseModelError
from deftx.models.bases import load_base
from deftx.models.other_kinds import OTHER_KINDS, other_repository, refuse_other_folder
from deftx.training.base_facts import read_base_facts


@pytest.fixture
def folder(base_folder, tmp_path):
    return shutil.copytree(base_folder, tmp_path / "base")


def refusal(folder):
    with pytest.raises(BaseModelError) as caught:
        load_base(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({"peft_type": "LORA", "base_model_name_or_path": "owner/model"}, "It was made for owner/model."),
        ({"model_name": "xlm-roberta-base", "config": {}}, "It was made for xlm-roberta-base."),
        ([], "an adapter"),
    ],
)
def test_an_adapter_is_named_with_its_model_alone_and_beside_a_model(folder, tmp_path, settings, model):
    alone = tmp_path / "alone"
    alone.mkdir()
    for place in (alone, folder):
        (place / "adapter_config.json").write_text(json.dumps(settings))
        said = refusal(place)
        assert "is an adapter" in said
        assert model in said
        assert "merge_and_unload" in said


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq"])
def test_a_quantised_configuration_is_refused(folder, method):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "quantization_config": {"quant_method": method, "bits": 4}})
    )
    for load in (load_base, read_base_facts):
        with pytest.raises(BaseModelError, match=rf"is quantised \({method}\)\. .*Use the model that it was made from"):
            load(str(folder))


def test_weights_in_eight_bits_are_not_read_as_numbers(folder):
    weights = load_file(folder / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.dim() == 2)
    save_file({**weights, name: weights[name].to(torch.int8)}, folder / "model.safetensors", metadata={"format": "pt"})
    assert f"its {name} is stored as I8" in refusal(folder)


@pytest.mark.parametrize("kind", OTHER_KINDS, ids=lambda kind: kind.files[0])
def test_another_format_is_named_with_advice_and_files_beside_a_model_do_no_harm(kind, folder, tmp_path):
    for pattern in kind.files[:1]:
        name = pattern.replace("*", "x")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / name).write_bytes(b"")
        said = refusal(tmp_path / "other")
        assert f"is not a base model: it is {kind.what}." in said
        assert kind.advice in said
        if kind is not OTHER_KINDS[0]:
            (folder / name).write_bytes(b"")
            refuse_other_folder(folder)


def test_a_model_in_a_folder_of_the_folder_is_found(folder):
    assert f"Its folder base has a model: give {folder}." in refusal(folder.parent)


def test_a_file_in_place_of_its_folder_is_told(folder):
    assert "is a file. A base is a folder" in refusal(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], "an adapter"),
        (["README.md", "model-q4_0.gguf"], "llama.cpp"),
        (["config.json", "onnx/model_quantized.onnx"], "for inference only"),
        (["config.json", "model.safetensors", "onnx/model.onnx", "tf_model.h5"], None),
    ],
)
def test_a_repository_is_told_by_its_list_of_files(monkeypatch, files, words):
    from deftx.models import other_kinds

    class Hub:
        def list_repo_files(self, source):
            return files

    monkeypatch.setattr(other_kinds, "hub", Hub)
    said = other_repository("owner/name")
    assert words in said if words else said is None
