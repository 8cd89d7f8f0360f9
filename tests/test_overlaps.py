"""The overlap is the Jaccard index of the changed weights: counted here with Python sets."""

import pytest
import torch
from tiny_vectors import SHAPES, make_vector

from deftx.errors import VectorError
from deftx.overlaps import layer_of, overlap, overlap_by_layer, overlap_matrix

QUERY = "roberta.encoder.layer.0.attention.self.query.weight"
BIAS = "roberta.encoder.layer.0.attention.self.query.bias"
WORDS = "roberta.embeddings.word_embeddings.weight"
OUTPUT = "roberta.encoder.layer.1.output.dense.weight"


def entries(vector, names=SHAPES):
    """The set of (parameter, position) pairs of one vector whose value is not zero."""
    return {
        (name, position)
        for name in names
        for position, value in zip(vector.positions[name].tolist(), vector.values[name].tolist(), strict=True)
        if value != 0
    }


def jaccard(a, b, names=SHAPES):
    a, b = entries(a, names), entries(b, names)
    return len(a & b) / len(a | b)


def only(name, positions, values=None):
    vector = make_vector()
    for part in (vector.positions, vector.values):
        part.clear()
    vector.positions[name] = torch.tensor(positions, dtype=torch.int64)
    vector.values[name] = torch.ones(len(positions)) if values is None else torch.tensor(values)
    return vector


def test_overlap_is_the_jaccard_index():
    for seed in range(1, 6):
        a, b = make_vector(0), make_vector(seed)
        assert overlap(a, b) == jaccard(a, b)
        assert overlap(a, b) == overlap(b, a)


def test_overlap_with_itself_and_with_nothing():
    vector, empty = make_vector(), only(QUERY, [])
    assert overlap(vector, vector) == 1.0
    assert overlap(vector, empty) == overlap(empty, vector) == 0.0
    assert overlap(empty, empty) == 0.0


def test_same_positions_in_different_parameters_do_not_overlap():
    assert overlap(only(QUERY, [1, 2]), only(OUTPUT, [1, 2])) == 0.0


def test_entries_of_value_zero_do_not_count():
    a, b = only(QUERY, [1, 2, 3, 4], [1.0, 0.0, -0.0, 2.0]), only(QUERY, [1, 2, 3, 5])
    assert overlap(a, b) == 1 / 5  # {1, 4} and {1, 2, 3, 5}


def test_overlap_by_layer_is_the_jaccard_index_of_each_group_in_reading_order():
    a, b = make_vector(0), make_vector(1)
    by_layer = overlap_by_layer(a, b)
    assert list(by_layer) == ["embeddings", "layer 0", "layer 1"]
    assert by_layer["embeddings"] == jaccard(a, b, [WORDS])
    assert by_layer["layer 0"] == jaccard(a, b, [QUERY, BIAS])
    assert by_layer["layer 1"] == jaccard(a, b, [OUTPUT])


def test_layers_are_in_the_order_of_their_numbers():
    shapes = {f"encoder.layer.{n}.dense.weight": (3, 3) for n in (10, 2, 0)} | {"embeddings.weight": (3, 3)}
    a = make_vector(0, shapes)
    assert list(overlap_by_layer(a, a)) == ["embeddings", "layer 0", "layer 2", "layer 10"]


@pytest.mark.parametrize(
    ("parameter", "group"),
    [
        (WORDS, "embeddings"),
        (BIAS, "layer 0"),
        ("model.layers.21.mlp.Wo.weight", "layer 21"),
        ("model.embeddings.tok_embeddings.weight", "embeddings"),
        ("deberta.encoder.rel_embeddings.weight", "embeddings"),
        ("encoder.conv.weight", "other"),
        ("model.embed_tokens.weight", "embeddings"),
        ("model.layers.3.self_attn.q_proj.weight", "layer 3"),
    ],
)
def test_group_of_a_parameter(parameter, group):
    assert layer_of(parameter) == group


def test_overlap_matrix_holds_every_pair():
    vectors = [make_vector(seed) for seed in range(3)]
    assert overlap_matrix(vectors) == [[overlap(a, b) for b in vectors] for a in vectors]
    assert overlap_matrix([]) == []


def test_vectors_of_different_bases_are_refused():
    other = make_vector(base={"name": "other-base", "revision": None, "fingerprint": "cd" * 32})
    for compare in (overlap, overlap_by_layer, lambda a, b: overlap_matrix([a, b])):
        with pytest.raises(VectorError, match=r"tiny-base.*other-base|other-base.*tiny-base"):
            compare(make_vector(), other)
