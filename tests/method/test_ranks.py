"""The rank is the one choice that the paper's method adds: each strategy is tested where the answer is known.

The figures for 768 x 768 were worked out once with numpy's own svd, before this code was written.
"""

import functools
import math

import numpy as np
import pytest
import torch

from deftx.core.errors import DeftxError, RecipeError, TrainingError
from deftx.method.ranks import (
    STRATEGIES,
    check_strategy,
    choose_rank,
    marchenko_pastur_median,
    noise_edge,
    optimal_coefficient,
    optimal_threshold,
)
from deftx.method.spectrum import singular_values, touched

SIZE = 768
EDGE = 2 * math.sqrt(SIZE)  # √m + √n: the largest singular value of unit noise


def gaussian(m=SIZE, n=SIZE, seed=0):
    return torch.randn(m, n, generator=torch.Generator().manual_seed(seed))


def signal_in_noise(low, high, rank=40, seed=0):
    """Unit noise and a signal whose singular values go evenly from ``low`` to ``high`` times the noise edge."""
    left, right = (torch.linalg.qr(gaussian(SIZE, rank, seed=seed + i)).Q for i in (100, 200))
    return gaussian(seed=seed) + (left * torch.linspace(low, high, rank) * EDGE) @ right.T


def student_t(seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_t(2.5, (SIZE, SIZE)), dtype=torch.float32)


def embedding(seed=0):
    """4,000 tokens of which 15 % were seen; their rows are noise, the others have not moved."""
    weight = torch.zeros(4000, SIZE)
    seen = torch.randperm(4000, generator=torch.Generator().manual_seed(seed))[:600]
    weight[seen] = gaussian(600, SIZE, seed=seed)
    return weight


MAKERS = {
    "noise": gaussian,
    "signs": lambda seed: gaussian(seed=seed).sign(),
    "weak signal": lambda seed: signal_in_noise(1, 2, seed=seed),
    "strong signal": lambda seed: signal_in_noise(4, 8, seed=seed),
    "heavy tails": student_t,
    "embedding": embedding,
}


@functools.cache
def spectrum_of(kind, seed):
    weight = MAKERS[kind](seed=seed)
    return singular_values(weight), tuple(touched(weight).shape), tuple(weight.shape)


def rank_of(kind, strategy, seed, *, zeros_kept=False):
    values, shape, full_shape = spectrum_of(kind, seed)
    return choose_rank(values, full_shape if zeros_kept else shape, strategy)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("kind", "by_variance", "optimal", "mp"),
    [
        ("noise", (389, 393), (0, 0), (0, 2)),  # "no structure found"
        ("signs", (389, 393), (0, 0), (0, 2)),  # one Adam step
        ("weak signal", (335, 355), (40, 40), (40, 40)),  # variance follows the noise, not the rank
        ("strong signal", (40, 60), (40, 40), (40, 40)),
        ("heavy tails", (330, 390), (1, 20), (10, 40)),  # both are fooled: the values above the edge are no signal
        ("embedding", (340, 346), (0, 0), (0, 2)),
    ],
)
def test_strategies_find_what_is_there(kind, by_variance, optimal, mp, seed):
    for strategy, (low, high) in (("variance:0.9", by_variance), ("optimal", optimal), ("mp", mp)):
        assert low <= rank_of(kind, strategy, seed) <= high, strategy


def test_untouched_tokens_must_be_dropped_before_noise_can_be_told():
    """With the zero rows in the shape the same matrix of noise seems to have a rank of about 187 or 254."""
    assert rank_of("embedding", "variance:0.9", 0, zeros_kept=True) == rank_of("embedding", "variance:0.9", 0)
    assert 180 <= rank_of("embedding", "optimal", 0, zeros_kept=True) <= 195
    assert 245 <= rank_of("embedding", "mp", 0, zeros_kept=True) <= 265


@pytest.mark.parametrize("strategy", ["variance:0.9", "variance:1", "uniform:30", "optimal", "mp", "none"])
def test_zero_rows_and_columns_change_no_rank(strategy):
    weight = gaussian(60, 40) + 3 * gaussian(60, 4, seed=1) @ gaussian(4, 40, seed=2)
    padded = torch.zeros(100, 90)
    padded[::2, ::2][:, :40] = weight[:50]
    padded[1:20:2, ::2][:, :40] = weight[50:]
    assert touched(padded).shape == weight.shape
    assert choose_rank(singular_values(padded), touched(padded).shape, strategy) == choose_rank(
        singular_values(weight), weight.shape, strategy
    )


@pytest.mark.parametrize(("beta", "omega"), [(1, 2.858), (0.25, 1.837), (514 / 768, 2.393), (0.003, 1.421)])
def test_threshold_coefficient_is_that_of_gavish_and_donoho(beta, omega):
    assert optimal_coefficient(beta) == pytest.approx(omega, abs=6e-4)  # three decimals were published
    cubic = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43  # their fit, good to 0.02
    assert optimal_coefficient(beta) == pytest.approx(cubic, abs=0.02)


@pytest.mark.parametrize("beta", [1.0, 0.99, 0.669, 0.25, 0.01])
def test_marchenko_pastur_median_splits_the_density_in_half(beta):
    """The density is summed in t, as it is usually written; the code sums it in another variable."""
    low, high = (1 - math.sqrt(beta)) ** 2, (1 + math.sqrt(beta)) ** 2
    edges = np.linspace(marchenko_pastur_median(beta), high, 400_001)
    t = (edges[1:] + edges[:-1]) / 2
    density = np.sqrt((high - t) * (t - low)) / (2 * math.pi * beta * t)
    assert density.sum() * (edges[1] - edges[0]) == pytest.approx(0.5, abs=1e-7)


@pytest.mark.parametrize("beta", [1.0, 0.669, 0.25, 0.05, 0.01])
def test_marchenko_pastur_median_is_exact_to_1e_8(beta):
    """The share below t in closed form, with t from a bisection in float64."""
    low, high = (1 - math.sqrt(beta)) ** 2, (1 + math.sqrt(beta)) ** 2
    left, right = low, high
    for _ in range(60):
        middle = (left + right) / 2
        left, right = (middle, right) if share_below(middle, beta, low, high) < 0.5 else (left, middle)
    assert marchenko_pastur_median(beta) == pytest.approx(left, abs=1e-8)


def share_below(t, beta, low, high):
    """Integrate the density from the lower edge to t by Gauss-Legendre, in t = low + (high − low)·sin²(u)."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    end = math.asin(math.sqrt((t - low) / (high - low)))
    u = (nodes + 1) / 2 * end
    place = low + (high - low) * np.sin(u) ** 2
    # √((t₊ − t)(t − t₋)) dt = 2·(t₊ − t₋)²·sin²(u)·cos²(u) du
    density = 2 * (high - low) ** 2 * (np.sin(u) * np.cos(u)) ** 2 / (2 * math.pi * beta * np.maximum(place, 1e-300))
    return float((density * weights).sum() * end / 2)


def test_median_agrees_with_drawn_noise():
    eigenvalues = spectrum_of("noise", 0)[0].square() / SIZE
    assert float(eigenvalues.median()) == pytest.approx(marchenko_pastur_median(1.0), rel=0.02)


def test_noise_edge_and_threshold_lie_where_the_plots_draw_them():
    values, shape, _ = spectrum_of("noise", 0)
    assert noise_edge(values, shape) == pytest.approx(EDGE, rel=0.01)
    assert optimal_threshold(values, shape) == pytest.approx(2.858 * float(values.quantile(0.5)), rel=1e-3)
    assert noise_edge(values[:7], (7, 768)) is None
    assert optimal_threshold(values[:7], (7, 768)) is None


def test_variance_is_the_least_rank_against_plain_numpy():
    draw = np.random.default_rng(3)
    for _ in range(200):
        sigma = np.sort(draw.random(int(draw.integers(1, 50))))[::-1].copy()
        share = float(draw.uniform(0.01, 0.999))
        expected = next(r for r in range(1, len(sigma) + 1) if (sigma[:r] ** 2).sum() >= share * (sigma**2).sum())
        shape = (len(sigma), len(sigma) + 5)
        assert choose_rank(torch.from_numpy(sigma), shape, f"variance:{share!r}") == expected


def test_variance_is_taken_of_squares_and_reaches_an_exact_share():
    assert choose_rank(torch.ones(10), (10, 10), "variance:0.9") == 9
    assert choose_rank(torch.tensor([3.0, 1.0]), (2, 2), "variance:0.9") == 1  # 9 of 10; of the sum only 3 of 4
    assert choose_rank(torch.tensor([3.0, 1.0]), (2, 2), "variance:0.91") == 2


def test_all_of_the_variance_is_the_numerical_rank():
    weight = gaussian(90, 5) @ gaussian(5, 70, seed=1)
    assert choose_rank(singular_values(weight), weight.shape, "variance:1") == 5
    assert choose_rank(torch.ones(6), (6, 9), "variance:1") == 6


def test_rank_deficient_matrices_keep_what_is_not_zero_under_the_noise_rules():
    """The median is zero there, so every value that is not rounding is signal."""
    weight = (gaussian(90, 5) @ gaussian(5, 70, seed=1)).double()
    for values in (singular_values(weight), torch.linalg.svdvals(weight)):
        assert choose_rank(values, weight.shape, "optimal") == 5
        assert choose_rank(values, weight.shape, "mp") == 5


@pytest.mark.parametrize("strategy", [s.example for s in STRATEGIES.values()])
def test_edge_cases_stay_in_range(strategy):
    assert choose_rank(torch.zeros(20), (20, 30), strategy) == 0
    assert choose_rank(torch.zeros(20), (0, 0), strategy) == 0
    assert choose_rank(torch.zeros(0), (0, 30), strategy) == 0
    assert choose_rank(torch.tensor([2.0]), (1, 768), strategy) == 1  # the token-type embedding: L = W


@pytest.mark.parametrize(("strategy", "rank"), [("optimal", 7), ("mp", 7), ("none", 7), ("uniform:3", 3)])
def test_fewer_than_eight_rows_are_not_denoised_by_noise_rules(strategy, rank):
    assert choose_rank(singular_values(gaussian(7, 768)), (7, 768), strategy) == rank


@pytest.mark.parametrize("strategy", ["optimal", "mp"])
def test_eight_rows_are_enough_for_noise_rules(strategy):
    assert choose_rank(singular_values(gaussian(8, 768)), (8, 768), strategy) == 0


def test_uniform_is_clipped_and_may_be_zero():
    values = torch.linspace(5, 1, 50)
    assert choose_rank(values, (50, 80), "uniform:100") == 50
    assert choose_rank(values, (50, 80), "uniform:0") == 0
    assert choose_rank(values, (50, 80), "none") == 50


@pytest.mark.parametrize("text", ["variance:0.9", "variance:1", " uniform:100 ", "optimal", "mp", "none"])
def test_strategies_as_people_write_them_are_accepted(text):
    assert check_strategy(text) is None  # it raises for what it does not accept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variance", "for example 'variance:0.9'"),
        ("uniform:", "for example 'uniform:100'"),
        ("variance:0", "'0' cannot be used .* above 0, up to 1"),
        ("variance:90", "'90' cannot be used .* above 0, up to 1"),
        ("variance:nan", "above 0, up to 1"),
        ("variance:most", "'most' cannot be used"),
        ("uniform:-1", "'-1' cannot be used .* an integer, 0 or more"),
        ("uniform:2.5", "an integer, 0 or more"),
        ("optimal:3", "takes no parameter; write 'optimal'"),
        ("varianse:0.9", "Did you mean 'variance:0.9'"),
        ("", f"Known: {', '.join(sorted(strategy.example for strategy in STRATEGIES.values()))}"),
    ],
)
def test_strategies_that_cannot_be_used_are_answered_with_what_can(text, message):
    with pytest.raises(RecipeError, match=message):
        check_strategy(text)
    with pytest.raises(RecipeError, match=message):
        choose_rank(torch.ones(10), (10, 10), text)


def test_a_cut_off_list_of_singular_values_is_refused():
    """The median of the largest hundred is not the median of all: the noise level would be far too high."""
    with pytest.raises(DeftxError, match="has 768 singular values, zeros included; 100 were given"):
        choose_rank(torch.ones(100), (768, 768), "optimal")


@pytest.mark.parametrize("strategy", [s.example for s in STRATEGIES.values()])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", [0, 5, 19])
def test_singular_values_that_are_not_finite_are_refused(strategy, value, place):
    values = torch.linspace(5, 1, 20)
    values[place] = value
    with pytest.raises(TrainingError, match="not finite"):
        choose_rank(values, (20, 30), strategy)


def test_complex_singular_values_are_refused():
    with pytest.raises(DeftxError, match="complex64"):
        choose_rank(torch.ones(10, dtype=torch.complex64), (10, 10), "variance:0.9")


def test_every_strategy_names_its_source():
    for name, strategy in STRATEGIES.items():
        assert strategy.name == name
        assert strategy.reference
        check_strategy(strategy.example)
