"""Without these, "better than LT-SFT" could be an accident of the sentences that happened to be tested on."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import wilcoxon
from sklearn.metrics import accuracy_score, f1_score

from deftx.core.evaluation import resampled_scores
from deftx.evidence import statistics
from deftx.evidence.cells import Scored
from deftx.evidence.statistics import joint_difference, joint_interval, paired_differences, wilcoxon_against

LABELS = ["negative", "neutral", "positive"]


def gold_of(n=12, seed=0):
    return np.random.default_rng(seed).choice(LABELS, n, p=[0.5, 0.2, 0.3]).tolist()


def cell(language="min", seed=1, right=0.6, row="a", gold=None, draw=0):
    gold = gold_of() if gold is None else gold
    generator = np.random.default_rng([seed, draw, *language.encode()])
    predicted = np.where(generator.random(len(gold)) < right, gold, generator.choice(LABELS, len(gold)))
    return Scored(row, language, seed, gold, predicted.tolist())


def grid(**settings):
    return [cell(language, seed, **settings) for language in ("ace", "ban", "min") for seed in (1, 2)]


def sklearn_score(metric, gold, predicted):
    return accuracy_score(gold, predicted) if metric == "accuracy" else f1_score(gold, predicted, average="macro")


def slow_score(metric, cell, counts):
    """Score the rows of one draw, written out one by one."""
    rows = [row for row, times in enumerate(counts) for _ in range(times)]
    return sklearn_score(metric, [cell.gold[r] for r in rows], [cell.predicted[r] for r in rows])


def slow_means(metric, cells, draws):
    """The mean over cells under each draw, by a plain loop; ``draws`` maps languages to (resamples, n)."""
    resamples = len(next(iter(draws.values())))
    return [np.mean([slow_score(metric, c, draws[c.language][i]) for c in cells]) for i in range(resamples)]


def multinomial(generator, n, resamples):
    return generator.multinomial(n, [1 / n] * n, size=resamples)


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_the_joint_interval_is_that_of_a_plain_loop_over_the_same_draws(metric):
    cells = grid()
    draws = multinomial(np.random.default_rng(3), 12, 15)
    slow = slow_means(metric, cells, dict.fromkeys(("ace", "ban", "min"), draws))
    found = joint_interval(cells, metric, resamples=15, seed=3)
    assert found.mean == pytest.approx(np.mean([sklearn_score(metric, c.gold, c.predicted) for c in cells]), abs=1e-12)
    assert found[1:] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=1e-12)


def test_languages_that_are_not_parallel_have_draws_of_their_own_which_their_seeds_share():
    gold = {"ace": gold_of(9, 1), "min": gold_of(14, 2)}
    cells = [cell(language, seed, gold=gold[language]) for language in ("min", "ace") for seed in (1, 2)]
    generator = np.random.default_rng(3)
    draws = {language: multinomial(generator, n, 15) for language, n in (("ace", 9), ("min", 14))}
    found = joint_interval(cells, "f1", resamples=15, seed=3, parallel=False)
    assert found[1:] == pytest.approx(np.quantile(slow_means("f1", cells, draws), [0.025, 0.975]), abs=1e-12)


def test_the_interval_of_a_difference_is_that_of_a_plain_loop_over_the_same_draws():
    a, b = grid(right=0.8), grid(right=0.4, row="b", draw=1)
    draws = dict.fromkeys(("ace", "ban", "min"), multinomial(np.random.default_rng(3), 12, 15))
    slow = np.subtract(slow_means("f1", a, draws), slow_means("f1", b, draws))
    found = joint_difference(a, b[::-1], "f1", resamples=15, seed=3)
    assert found.mean == pytest.approx(joint_interval(a, "f1").mean - joint_interval(b, "f1").mean, abs=1e-12)
    assert found[1:] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=1e-12)


@pytest.mark.parametrize("parallel", [True, False])
def test_samples_in_blocks_are_those_of_one_block(monkeypatch, parallel):
    a, b = grid(right=0.8), grid(right=0.4, row="b", draw=1)
    whole = joint_difference(a, b, "f1", resamples=25, seed=3, parallel=parallel)
    monkeypatch.setattr(statistics, "BLOCK", 4 * 12)
    assert joint_difference(a, b, "f1", resamples=25, seed=3, parallel=parallel) == whole


def test_samples_of_a_long_test_set_are_not_all_in_memory(monkeypatch):
    monkeypatch.setattr(statistics, "BLOCK", 100_000)
    gold = gold_of(10_000)
    tracemalloc.start()
    joint_interval([cell(gold=gold)], "f1", resamples=100)  # 8 MB of counts
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_more_languages_with_the_same_predictions_are_no_more_evidence():
    one = cell("min", gold=gold_of(50))
    same = [Scored("a", language, 1, one.gold, one.predicted) for language in ("ace", "ban", "mad", "min")]
    assert joint_interval(same, "f1") == pytest.approx(joint_interval([one], "f1"), abs=1e-12)
    # Were they other sentences, four languages would halve the width.
    widths = [high - low for _, low, high in (joint_interval(same, "f1", parallel=p) for p in (True, False))]
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.2)


def test_a_row_does_not_differ_from_itself_and_swapped_rows_differ_the_other_way():
    a, b = grid(right=0.8), grid(right=0.5, draw=1)
    assert joint_difference(a, a, "f1") == (0.0, 0.0, 0.0)
    mean, low, high = joint_difference(a, b, "f1")
    assert joint_difference(b, a, "f1") == pytest.approx((-mean, -high, -low), abs=1e-12)


def test_labels_that_a_draw_lacks_do_not_count_in_it():
    gold, predicted = ["negative", "positive", "neutral"], ["negative", "positive", "positive"]
    counts = np.array([[2, 1, 0], [0, 0, 3]])
    # Without the third sentence there is no neutral: both others are right. With it alone: neutral 0, positive 0.
    assert resampled_scores("f1", gold, predicted, LABELS, counts).tolist() == [1.0, 0.0]


def test_wilcoxon_is_scipys_over_pairs_of_language_and_seed_in_any_order():
    a, b = grid(gold=gold_of(60), right=0.8), grid(gold=gold_of(60), right=0.6, draw=1)
    scores = [[f1_score(c.gold, c.predicted, average="macro") for c in row] for row in (a, b)]
    expected = wilcoxon(*scores, alternative="two-sided").pvalue
    assert wilcoxon_against(a[::-1], b, "f1") == pytest.approx(expected, abs=1e-12)
    assert wilcoxon_against(a[::-1], b, "f1") < 0.25


def test_six_of_six_better_has_the_p_value_of_two_in_sixty_four():
    right = [Scored("a", language, seed, LABELS * 9, LABELS * 9) for language in ("ace", "min") for seed in (1, 2, 3)]
    wrong = []
    for mistakes, found in enumerate(right, start=1):
        predicted = ["neutral"] * mistakes * 2 + found.gold[mistakes * 2 :]
        wrong.append(Scored("b", found.language, found.seed, found.gold, predicted))
    assert wilcoxon_against(right, wrong, "accuracy") == pytest.approx(2 / 64, abs=1e-12)


def test_there_is_no_p_value_without_a_difference_or_with_one_pair():
    assert wilcoxon_against(grid(), grid(), "f1") is None
    assert wilcoxon_against([cell(right=1.0)], [cell(right=0.0)], "f1") is None


def test_rows_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="'min', 2"):
        joint_difference(grid(), grid()[:-1], "f1")
    with pytest.raises(ValueError, match="not tested on the same sentences of ace"):
        wilcoxon_against(grid(), grid(gold=gold_of(12, 5)), "f1")
    with pytest.raises(ValueError, match=r"\[12, 13\] rows"):
        joint_interval([cell("ace"), cell("min", gold=gold_of(13))], "f1")
    with pytest.raises(ValueError, match="2 cells of 1 languages"):
        joint_interval([cell(), cell()], "f1")
    with pytest.raises(ValueError, match="0 cells"):
        joint_interval([], "f1")


def test_a_cell_is_what_was_written_and_scores_as_scikit_learn_does():
    written = cell()
    assert Scored.from_dict(written.to_dict()) == written
    assert written.score("f1") == pytest.approx(f1_score(written.gold, written.predicted, average="macro"), abs=1e-12)


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_drawing_equal_rows_together_gives_the_interval_of_drawing_each_row(metric):
    gold = gold_of(2_000)
    a, b = (cell(gold=gold, right=right, draw=draw) for right, draw in ((0.7, 1), (0.6, 2)))
    found = paired_differences(gold, a.predicted, b.predicted, LABELS)[metric]
    one_by_one = joint_difference([a], [b], metric)
    assert found.mean == pytest.approx(one_by_one.mean, abs=1e-12)
    assert found == pytest.approx(one_by_one, abs=0.004)  # two samples of 1,000 draws; the interval is 0.05 wide
    assert found.low < found.mean < found.high


def test_many_rows_are_not_drawn_one_by_one():
    gold = gold_of(12) * 100_000
    other = gold[1:] + gold[:1]
    tracemalloc.start()
    paired_differences(gold, gold, other, LABELS)
    assert tracemalloc.get_traced_memory()[1] < 200e6  # 1,000 draws of 1.2 million rows take 9.6 GB
    tracemalloc.stop()
