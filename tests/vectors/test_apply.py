"""Vectors are put on a model once and taken off without a trace."""

from itertools import permutations

import numpy as np
import pytest
import torch
from tiny_vectors import SHAPES, make_vector

from deftx.vectors.apply import apply_vectors, restore, sum_vectors


@pytest.fixture
def parameters():
    draw = torch.Generator().manual_seed(9)
    return {name: torch.nn.Parameter(torch.randn(shape, generator=draw)) for name, shape in SHAPES.items()}


def test_the_sum_is_added_once(parameters):
    a, b = make_vector(1), make_vector(2)
    start = {name: p.detach().clone() for name, p in parameters.items()}
    apply_vectors(parameters, [(a, 0.5), (b, 2.0)])
    for name, parameter in parameters.items():
        summed = (0.5 * a.dense(name) + 2.0 * b.dense(name)).numpy()  # s_T·φ_T + s_L·φ_L
        expected = start[name].numpy() + summed
        assert np.array_equal(parameter.detach().numpy(), expected), name


def test_the_order_leaves_no_trace(parameters):
    vectors = [(make_vector(n), scale) for n, scale in ((1, 1.0), (2, 0.3), (3, -1.7))]
    results = []
    for order in permutations(vectors):
        saved = apply_vectors(parameters, order)
        results.append({name: p.detach().clone() for name, p in parameters.items()})
        restore(parameters, saved)
    assert all(result[name].equal(results[0][name]) for result in results for name in result)


def test_taking_off_is_bit_for_bit_however_often(parameters):
    start = {name: p.detach().clone() for name, p in parameters.items()}
    huge = make_vector(1)
    huge.values[next(iter(huge.values))].mul_(1e8)  # subtracting would lose every digit
    for _ in range(5):
        restore(parameters, apply_vectors(parameters, [(huge, 1.0), (make_vector(2), 0.7)]))
    assert all(parameters[name].equal(start[name]) for name in start)


def test_one_vector_is_scaled_and_the_vector_itself_is_left_alone():
    vector = make_vector(1)
    before = {name: v.clone() for name, v in vector.values.items()}
    summed = sum_vectors([(vector, 3.0)])
    for name, [(positions, values)] in summed.items():
        assert positions.equal(vector.positions[name])
        assert values.equal(3 * before[name])
        assert vector.values[name].equal(before[name])
    sum_vectors([(vector, 1.0), (vector, 1.0), (vector, 1.0)])  # at strength 1, too
    assert all(vector.values[name].equal(before[name]) for name in before)


def test_a_position_of_several_vectors_is_changed_once():
    vectors = [(make_vector(n), 1.0) for n in range(4)]
    for name, parts in sum_vectors(vectors).items():
        positions = torch.cat([p for p, _ in parts])
        everywhere = torch.cat([v.positions[name] for v, _ in vectors])
        assert positions.sort().values.equal(everywhere.unique()), name
        summed = torch.zeros(SHAPES[name], dtype=torch.float64).view(-1)
        for part, values in parts:
            summed[part] = values.double()
        expected = sum(v.dense(name).double() for v, _ in vectors).view(-1)
        torch.testing.assert_close(summed, expected, atol=1e-6, rtol=0)
