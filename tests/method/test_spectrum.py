"""Singular values decide every rank and every plot: they are compared with float64 ``torch.linalg.svd``."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from deftx.core.errors import DeftxError, TrainingError
from deftx.method import spectrum
from deftx.method.spectrum import decompose, singular_values, touched, touched_values


def random(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def with_zeros(weight, every=3):
    weight[::every] = 0
    weight[:, 1::every] = 0
    return weight


MATRICES = {
    "tall": random(3000, 40),
    "wide": random(40, 3000),
    "square": random(150, 150),
    "tall, rank 5": random(400, 5) @ random(5, 60),
    "wide, rank 5": random(60, 5) @ random(5, 400),
    "graded": torch.diag(torch.logspace(0, -12, 40)) @ random(40, 70),
    "one row": random(1, 768),
    "one column": random(768, 1),
    "one entry": random(1, 1),
    "zero": torch.zeros(20, 30),
    "one entry left": torch.zeros(20, 30).index_put_((torch.tensor(3), torch.tensor(4)), torch.tensor(-2.0)),
    "no rows": torch.zeros(0, 5),
    "no columns": torch.zeros(5, 0),
    "untouched rows and columns": with_zeros(random(50, 80)),
    "few rows touched": torch.cat([torch.zeros(500, 30), random(7, 30), torch.zeros(500, 30)]),
    "minute": random(80, 50) * 1e-25,
    "huge": random(80, 50) * 1e30,
    "not contiguous": random(90, 60).T[::2],
    "bfloat16": random(70, 30).to(torch.bfloat16),
    "float64": random(70, 30, dtype=torch.float64),
}


def assert_exact(weight):
    values = singular_values(weight)
    exact = torch.linalg.svd(weight.double(), full_matrices=False).S
    assert values.shape == exact.shape == (min(weight.shape),)
    assert values.dtype == torch.float64
    assert (values >= 0).all()
    assert (values.diff() <= 0).all(), "not descending"
    if len(exact):
        assert (values - exact).abs().max() <= 1e-5 * exact[0]  # the project's tolerance; 4e-7 is what it reaches


@pytest.mark.parametrize("name", MATRICES)
def test_every_kind_of_matrix_has_the_singular_values_of_float64_svd(name):
    assert_exact(MATRICES[name])


def test_random_shapes_and_ranks_have_the_singular_values_of_float64_svd():
    draw = torch.Generator().manual_seed(7)
    for seed in range(80):
        m, n, r = (int(torch.randint(1, 60, (), generator=draw)) for _ in range(3))
        assert_exact(with_zeros(random(m, r, seed=seed) @ random(r, n, seed=-seed), every=2 + seed % 5))


def test_the_result_does_not_depend_on_how_the_weight_is_cut_into_blocks(monkeypatch):
    monkeypatch.setattr(spectrum, "BLOCK", 100)  # 300 rows of 40 in blocks of 2 rows
    assert_exact(with_zeros(random(300, 40)))
    assert_exact(with_zeros(random(40, 300)))


class LargestDouble(TorchDispatchMode):
    """Notes the size of the largest float64 tensor that is made while it is active."""

    entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        sizes = [t.numel() for t in tree_leaves(result) if isinstance(t, torch.Tensor) and t.dtype == torch.float64]
        self.entries = max(self.entries, *sizes, 0)
        return result


@pytest.mark.parametrize("work", [singular_values, decompose])
def test_an_embedding_is_never_copied_to_float64(monkeypatch, work):
    """A float64 copy of XLM-R's embedding is 1.5 GB: with it a machine of 8 GB would be out of memory."""
    monkeypatch.setattr(spectrum, "BLOCK", 2**12)
    with LargestDouble() as largest:
        work(random(2500, 24))
    assert 0 < largest.entries <= 2**12


def test_touched_leaves_out_only_rows_and_columns_that_are_entirely_zero():
    weight = torch.zeros(5, 4)
    weight[1, 2], weight[3, 2], weight[3, 0] = 5.0, -1.0, 2.0
    assert touched(weight).tolist() == [[0, 5], [2, -1]]
    assert touched(torch.zeros(5, 4)).shape == (0, 0)
    full = random(5, 4)
    assert touched(full) is full, "an embedding whose rows all moved would be copied for nothing"


@pytest.mark.parametrize("shape", [(300, 40), (40, 300), (64, 64), (1, 9)])
def test_the_touched_values_are_those_of_the_decomposition(shape):
    weight = with_zeros(random(*shape), every=4) if min(shape) > 1 else random(*shape)
    parts, (values, sides) = decompose(weight), touched_values(weight)
    assert sides == parts.shape
    torch.testing.assert_close(values, parts.values, atol=1e-6 * float(parts.values[0]), rtol=0)


@pytest.mark.parametrize("shape", [(300, 40), (40, 300), (64, 64), (1, 9)])
def test_decomposition_has_orthonormal_vectors_that_belong_to_the_values(shape):
    weight = with_zeros(random(*shape), every=4) if min(shape) > 1 else random(*shape)
    parts, left = decompose(weight), touched(weight).double()
    assert parts.shape == left.shape
    assert torch.equal(weight[parts.rows][:, parts.columns], touched(weight))
    tall = left if left.shape[0] >= left.shape[1] else left.T
    identity = torch.eye(min(left.shape), dtype=torch.float64)
    assert torch.allclose(parts.vectors.T @ parts.vectors, identity, atol=1e-12)
    assert torch.allclose((tall @ parts.vectors).norm(dim=0), parts.values, atol=1e-6 * float(parts.values[0]))
    padded = singular_values(weight)
    assert torch.allclose(padded[: len(parts.values)], parts.values, atol=1e-6 * float(parts.values[0]))


@pytest.mark.parametrize("work", [singular_values, decompose])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_training_is_named_as_such(work, value):
    weight = random(30, 20)
    weight[4, 5] = value
    with pytest.raises(TrainingError, match="not finite"):
        work(weight)


def test_a_bias_is_refused_in_words():
    with pytest.raises(DeftxError, match=r"Only a matrix has singular values; this tensor has shape \(768,\)"):
        singular_values(random(768))


@pytest.mark.parametrize("function", [singular_values, decompose, touched])
def test_a_complex_matrix_is_refused_instead_of_losing_its_imaginary_part(function):
    with pytest.raises(DeftxError, match="complex64"):
        function(random(6, 4).to(torch.complex64))
