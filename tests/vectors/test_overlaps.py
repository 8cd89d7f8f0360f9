"""The overlap is the Jaccard index of the changed weights: counted here with Python sets."""

import json
from itertools import combinations

import pytest
import torch
from tiny_vectors import SHAPES, make_vector

from deftx.core.errors import VectorError
from deftx.method.parameter_kinds import kind_of
from deftx.vectors.overlaps import as_tables, compare, compare_all, jaccard_matrix, layer_of, overlap
from deftx.vectors.shared_weights import Shared

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


def test_the_matrix_has_the_overlap_of_each_pair():
    vectors = [*map(make_vector, range(4)), only(QUERY, [1, 2, 3], [1.0, 0.0, -2.0]), only(QUERY, [])]
    expected = [[1.0 if a is b else overlap(a, b) for b in vectors] for a in vectors]
    assert jaccard_matrix(iter(vectors)) == expected
    assert jaccard_matrix(iter([])) == []
    other = make_vector(base={"name": "other-base", "revision": None, "fingerprint": "cd" * 32})
    with pytest.raises(VectorError, match="which has other weights"):
        jaccard_matrix(iter([*vectors, other]))


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


def test_a_parameter_without_entries_changes_nothing():
    a, b = only(QUERY, [1, 2, 3]), only(QUERY, [3, 4, 5])
    listed = only(QUERY, [3, 4, 5])
    listed.positions[WORDS], listed.values[WORDS] = torch.tensor([7]), torch.zeros(1)
    assert compare(a, listed) == compare(a, b)


def test_the_overlap_of_each_layer_is_a_jaccard_index_in_reading_order():
    a, b = make_vector(0), make_vector(1)
    groups = {"embeddings": [WORDS], "layer 0": [QUERY, BIAS], "layer 1": [OUTPUT]}
    found = {layer: part.overlap for layer, part in compare(a, b).layers.items()}
    assert list(found) == list(groups)
    assert found == {layer: jaccard(a, b, names) for layer, names in groups.items()}


def test_layers_are_in_the_order_of_their_numbers():
    shapes = {f"encoder.layer.{n}.dense.weight": (3, 3) for n in (10, 2, 0)} | {"embeddings.weight": (3, 3)}
    a = make_vector(0, shapes)
    assert list(compare(a, a).layers) == ["embeddings", "layer 0", "layer 2", "layer 10"]


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


def signs(vector):
    """Whether each changed entry goes up."""
    return {
        (name, position): value > 0
        for name in vector.positions
        for position, value in zip(vector.positions[name].tolist(), vector.values[name].tolist(), strict=True)
    }


def test_signs_agree_where_both_change_in_the_same_direction():
    for seed in range(1, 4):
        a, b = make_vector(0), make_vector(seed)
        both = entries(a) & entries(b)
        up_a, up_b = signs(a), signs(b)
        assert compare(a, b).total.signs == sum(up_a[entry] == up_b[entry] for entry in both) / len(both)
    opposite = make_vector(0)
    for values in opposite.values.values():
        values.neg_()
    assert compare(make_vector(0), opposite).total.signs == 0.0
    assert compare(make_vector(0), make_vector(0)).total.signs == 1.0
    assert compare(only(QUERY, [1]), only(QUERY, [2])).total.signs is None


def test_the_parts_by_layer_and_by_kind_make_up_the_whole():
    a, b = make_vector(0), make_vector(1)
    found = compare(a, b)
    assert list(found.kinds) == ["embeddings", "query", "output", "bias"]
    for parts in (found.layers, found.kinds):
        assert sum(part.both for part in parts.values()) == found.total.both == len(entries(a) & entries(b))
        assert sum(part.weights for part in parts.values()) == sum(torch.Size(s).numel() for s in SHAPES.values())
    for kind, part in found.kinds.items():
        assert part.overlap == jaccard(a, b, [name for name in SHAPES if kind_of(name).name == kind])


def random_vector(sizes, seed):
    """Entries drawn at random: so many of each of two matrices."""
    draw = torch.Generator().manual_seed(seed)
    vector = make_vector()
    for name, (rows, count) in sizes.items():
        vector.shapes[name] = (rows, 100)
        vector.positions[name] = torch.randperm(rows * 100, generator=draw)[:count].sort().values
        vector.values[name] = torch.randn(count, generator=draw)
    for part in (vector.positions, vector.values):
        for name in set(part) - set(sizes):
            del part[name]
    return vector


def test_chance_is_what_random_masks_of_these_sizes_share():
    even = {QUERY: (200, 2_000), OUTPUT: (200, 2_000)}
    pairs = [compare(random_vector(even, 2 * n), random_vector(even, 2 * n + 1)).total for n in range(20)]
    mean = sum(pair.overlap for pair in pairs) / len(pairs)
    assert mean == pytest.approx(pairs[0].chance, rel=0.03)
    assert pairs[0].chance == pairs[0].chance_by_matrix == pytest.approx(0.1 / (2 - 0.1))
    assert sum(pair.signs for pair in pairs) / len(pairs) == pytest.approx(0.5, abs=0.02)


def test_chance_by_matrix_allows_for_both_preferring_the_same_matrices():
    lopsided = {QUERY: (100, 5_000), OUTPUT: (300, 300)}
    pairs = [compare(random_vector(lopsided, 2 * n), random_vector(lopsided, 2 * n + 1)).total for n in range(20)]
    mean = sum(pair.overlap for pair in pairs) / len(pairs)
    assert mean == pytest.approx(pairs[0].chance_by_matrix, rel=0.03)
    assert mean > 3 * pairs[0].chance


@pytest.mark.parametrize(
    ("both", "reading"), [(0, "below"), (50, "below"), (100, "chance"), (200, "above"), (500, "far above")]
)
def test_an_overlap_is_read_against_chance(both, reading):
    assert Shared(both, 0, 1_000, 1_000, 10_000, 0.0).reading() == reading  # by chance 100 of 10,000 in both


def test_few_entries_in_both_are_read_as_chance():
    assert Shared(0, 0, 1_000, 1_000, 47_000_000, 0.02).reading() == "chance"  # chance gives 0.02 entries
    assert Shared(3, 0, 1_000, 1_000, 47_000_000, 0.02).reading() == "far above"


def test_pairs_of_different_sizes_that_share_what_chance_gives_are_read_as_chance():
    weights, sizes = 47_000_000, [50_000] * 4 + [2_400_000] * 2
    pairs = [Shared(round(a * b / weights), 0, a, b, weights, 0.0) for a, b in combinations(sizes, 2)]
    pooled = Shared.pooled(pairs)
    assert pooled.overlap == pytest.approx(pooled.chance, rel=1e-4)
    assert pooled.reading() == "chance"
    assert (pooled.both, pooled.weights) == (sum(pair.both for pair in pairs), 15 * weights)
    assert Shared.pooled(pairs[:1]).chance == pairs[0].chance
    assert Shared.pooled([]).chance == 0.0


def test_the_tables_hold_every_pair_once_and_json_can_hold_them():
    vectors = [make_vector(seed) for seed in range(3)]
    found = as_tables(["a", "b", "c"], compare_all(vectors))
    assert json.loads(json.dumps(found)) == found
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["overlap"] == [[overlap(a, b) for b in vectors] for a in vectors]
    layers = compare(vectors[0], vectors[2]).layers
    assert found["layers"]["a – c"] == {layer: part.overlap for layer, part in layers.items()}
    assert found["signs"][1][2] == found["signs"][2][1] == compare(vectors[1], vectors[2]).total.signs
    assert found["chance"][0][0] is None


def test_vectors_of_different_bases_are_refused():
    other = make_vector(base={"name": "other-base", "revision": None, "fingerprint": "cd" * 32})
    for refuse in (overlap, compare):
        with pytest.raises(VectorError, match=r"tiny-base.*other-base|other-base.*tiny-base"):
            refuse(make_vector(), other)
