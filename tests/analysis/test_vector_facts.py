"""A vector in a few numbers."""

import pytest
import torch
from tiny_vectors import SHAPES, make_vector

from deftx.analysis.vector_facts import changed_by_layer, changed_of, sizes_by_layer, spectral


def test_changed_weights_are_counted_by_layer_in_reading_order():
    vector = make_vector()
    found = changed_of(changed_by_layer(vector), sizes_by_layer(SHAPES))
    assert list(found) == ["embeddings", "layer 0", "layer 1"]
    assert (found["embeddings"].count, found["embeddings"].of) == (120, 360)
    assert found["layer 0"].of == 8 * 6 + 8
    assert sum(one.count for one in found.values()) == vector.count
    assert found["layer 1"].share == pytest.approx(1 / 3)


def test_an_entry_that_is_kept_at_zero_is_no_change():
    vector = make_vector()
    name = list(SHAPES)[-1]
    vector.values[name] = torch.zeros_like(vector.values[name])
    assert changed_by_layer(vector)["layer 1"] == 0


def test_a_share_is_of_all_weights_and_not_of_those_in_parameters_that_change():
    found = changed_of({"layer 0": 3}, sizes_by_layer({**SHAPES, "roberta.encoder.layer.0.more.weight": (100, 10)}))
    assert (found["layer 0"].count, found["layer 0"].of) == (3, 8 * 6 + 8 + 1000)
    assert found["layer 1"].count == 0


def test_spectra_are_summed_up_where_there_are_some():
    info = {
        "rank": {"ranks": {"a": 1, "b": 2, "c": 0}},
        "singular_values": {"a": [2.0, 1.0], "b": [1.0, 1.0], "c": [0.0]},
    }
    found = spectral(info)
    assert (found.matrices, found.rank, found.full_rank) == (3, 1, 2)
    assert found.energy == pytest.approx(0.8)
    assert spectral({}) is None
    assert spectral({"rank": None, "singular_values": None}) is None
