"""Bases in 8 bits: stored in a quarter of the bytes, loaded to the same bits each time, near what they were."""

import shutil

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from deftx.core.errors import BaseModelError
from deftx.models.bases import load_base
from deftx.models.eight_bits import LARGEST, PACKED, SCALE, WHOLE, pack, pack_folder, unpack


@pytest.fixture
def folders(tmp_path):
    whole = tiny.make_base(tmp_path / "whole", hidden=64)
    shutil.copytree(whole, tmp_path / "packed")
    pack_folder(tmp_path / "packed")
    return whole, tmp_path / "packed"


def test_a_weight_is_the_nearest_multiple_of_its_rows_scale():
    weight = torch.tensor([[1.0, -0.5, 0.004], [0.0, 0.0, 0.0], [1e-6, -3e-6, 2e-6]])
    packed = pack({"matrix": weight, "vector": weight[0]})
    assert packed["matrix"].tolist() == [[127, -64, 1], [0, 0, 0], [42, -127, 85]]
    assert packed["matrix" + SCALE].equal(torch.tensor([1.0, 0.0, 3e-6]) / LARGEST)
    read = unpack(packed)
    assert read["vector"].equal(weight[0])
    assert bool(((read["matrix"] - weight).abs() <= packed["matrix" + SCALE][:, None] * 0.501).all())
    assert read.keys() == {"matrix", "vector"}


def test_a_packed_base_loads_to_the_values_that_are_specified(folders):
    whole, packed = folders
    one, other = load_base(packed), load_base(packed)
    assert not one.notes
    assert one.fingerprint == other.fingerprint != load_base(whole).fingerprint
    stored, state = load_file(packed / PACKED), one.model.state_dict()
    name = "roberta.encoder.layer.0.output.dense.weight"
    assert state[name].equal(stored[name].float() * stored[name + SCALE][:, None])
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    assert one.model.get_input_embeddings().weight is one.model.get_output_embeddings().weight


def test_it_is_small_and_near_what_it_was(folders):
    whole, packed = folders
    assert not (packed / WHOLE).exists()
    assert (packed / PACKED).stat().st_size < 0.36 * (whole / WHOLE).stat().st_size  # rows of 64 are short
    ids = torch.arange(5, 20)[None]
    before, after = (load_base(folder).model(input_ids=ids).logits.detach() for folder in folders)
    assert float((before - after).abs().max()) < 0.05 * float(before.std())


def test_packing_again_changes_nothing(folders, tmp_path):
    _, packed = folders
    base = load_base(packed)
    base.model.save_pretrained(tmp_path / "again")
    base.tokenizer.save_pretrained(tmp_path / "again")
    pack_folder(tmp_path / "again")
    assert load_file(tmp_path / "again" / PACKED)["roberta.embeddings.word_embeddings.weight"].equal(
        load_file(packed / PACKED)["roberta.embeddings.word_embeddings.weight"]
    )


def test_a_damaged_file_is_refused(folders):
    _, packed = folders
    tensors = load_file(packed / PACKED)
    del tensors["roberta.encoder.layer.0.output.dense.weight" + SCALE]
    save_file(tensors, packed / PACKED)
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        load_base(packed)
    (packed / PACKED).write_bytes(b"\0" * 200_000)
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        load_base(packed)
