"""TIES and DARE on sparse vectors are what their papers define on dense ones; the sum is what it always was."""

from dataclasses import replace

import pytest
import torch

from deftx.classify.composition import compose
from deftx.core.errors import DeftxError
from deftx.models.parameters import sparse_trainable
from deftx.vectors.apply import apply_changes, apply_vectors
from deftx.vectors.merging import METHODS, check_method, merge
from deftx.vectors.overlay import overlay
from deftx.vectors.vector import SparseVector

SHAPES = {"a.weight": (7, 11), "b.weight": (5, 3), "b.bias": (9,)}


def draw(seed, density=0.4, whole=False):
    """A random sparse vector; with ``whole`` its values are −2…2, so that signs cancel and magnitudes tie."""
    generator = torch.Generator().manual_seed(seed)
    positions, values = {}, {}
    for name, shape in SHAPES.items():
        size = torch.Size(shape).numel()
        found = (torch.rand(size, generator=generator) < density).nonzero().flatten()
        drawn = torch.randn(len(found), generator=generator)
        positions[name], values[name] = found, drawn.mul(1.5).round().clamp(-2, 2) if whole else drawn
    info = {"kind": "language", "name": f"vector {seed}"}
    return SparseVector(positions, values, {}, dict(SHAPES), info)


def flat(vector, strength=1.0):
    """The whole dense vector."""
    return torch.cat([vector.dense(name).flatten() for name in SHAPES]) * strength


def flat_changes(changes):
    dense = {name: torch.zeros(torch.Size(shape).numel()) for name, shape in SHAPES.items()}
    for name, parts in changes.items():
        for positions, values in parts:
            assert not dense[name][positions].any()  # each position once
            dense[name][positions] = values
    return torch.cat([dense[name] for name in SHAPES])


def dense_ties(vectors, keep, scale):
    """Yadav et al. 2023, algorithm 1, on whole flattened vectors; the share is of the entries that are not zero."""
    rows = torch.stack([flat(vector) for vector, _ in vectors])
    trimmed = []
    for row, (_, strength) in zip(rows, vectors, strict=True):
        wanted = max(1, round(keep * int((row != 0).sum())))
        threshold = row.abs().sort(descending=True).values[wanted - 1]
        trimmed.append(torch.where(row.abs() >= threshold, row, torch.zeros(())) * strength)
    trimmed = torch.stack(trimmed).double()
    sign = trimmed.sum(0).sign()
    sign[sign == 0] = sign.sum().sign()
    merged = torch.zeros(rows.shape[1], dtype=torch.float64)
    outvoted = [0] * len(vectors)
    for entry in range(rows.shape[1]):
        column = trimmed[:, entry].tolist()
        agreeing = [v for v in column if (v > 0 if sign[entry] > 0 else v < 0)]
        merged[entry] = sum(agreeing) / len(agreeing) if agreeing else 0.0
        for row, value in enumerate(column):
            outvoted[row] += value != 0 and value not in agreeing
    return (merged * scale).float(), outvoted


@pytest.mark.parametrize("whole", [False, True], ids=["real", "with ties and cancelling values"])
@pytest.mark.parametrize("keep", [1.0, 0.5, 0.2])
@pytest.mark.parametrize("strengths", [(1.0, 1.0), (1.0, 0.5, 2.0), (1.0, 0.0, 1.0)])
def test_ties_is_the_published_algorithm(whole, keep, strengths):
    vectors = [(draw(seed, whole=whole), strength) for seed, strength in enumerate(strengths)]
    changes, report = merge(vectors, "ties", {"keep": keep, "lambda": 0.8})
    expected, outvoted = dense_ties(vectors, keep, 0.8)
    torch.testing.assert_close(flat_changes(changes), expected, atol=1e-7, rtol=1e-6)
    assert [vector.outvoted for vector in report.vectors] == outvoted
    assert report.left == 0
    assert report.resolved == report.conflicts


def test_where_signs_cancel_the_majority_decides():
    """Position 0: +1 and −1. All other positions go up, so there it goes up too."""
    one = replace(draw(0), positions={"b.bias": torch.arange(3)}, values={"b.bias": torch.tensor([1.0, 1.0, 1.0])})
    two = replace(one, values={"b.bias": torch.tensor([-1.0, 2.0, 3.0])})
    changes, report = merge([(one, 1.0), (two, 1.0)], "ties")
    assert changes["b.bias"][0][1].tolist() == [1.0, 1.5, 2.0]
    assert (report.shared, report.conflicts, [v.outvoted for v in report.vectors]) == (3, 1, [0, 1])
    mirrored, _ = merge([(one, -1.0), (two, -1.0)], "ties")
    assert mirrored["b.bias"][0][1].tolist() == [-1.0, -1.5, -2.0]


def test_ties_gives_the_values_of_mergekit():
    """Written down from mergekit 0.1.5: its ``get_mask`` and the lines after it, for these three rows and weights of 1."""
    rows = ([0.5, -1.0, 0.0, 2.0, -0.25, 0.75, 0.0, -3.0], [0.25, 0.5, 0.0, -1.0, -0.75, 0.0, 1.5, 1.0],
            [-0.5, 0.25, 0.0, -0.5, 0.5, 0.125, -2.0, -1.0])  # fmt: skip
    vectors = []
    for row in map(torch.tensor, rows):
        positions = row.nonzero().flatten()
        vectors.append((replace(draw(0), positions={"b.bias": positions}, values={"b.bias": row[positions]}), 1.0))
    found = flat_changes(merge(vectors, "ties")[0])[-9:-1]
    assert found.tolist() == [0.375, -1.0, 0.0, 2.0, -0.5, 0.4375, -2.0, -2.0]


def test_ties_without_trimming_is_the_sum_wherever_vectors_do_not_meet():
    one, two = draw(1), draw(2)
    summed, merged = (flat_changes(merge([(one, 1.0), (two, 1.0)], method)[0]) for method in ("sum", "ties"))
    apart = (flat(one) == 0) | (flat(two) == 0)
    assert merged[apart].equal(summed[apart])
    assert not merged[~apart].equal(summed[~apart])


def test_dare_drops_by_chance_and_rescales():
    vectors = [(draw(1, density=0.9), 1.0), (draw(2, density=0.9), 0.5)]
    alone = [flat_changes(merge([v if i == place else (v[0], 0.0) for i, v in enumerate(vectors)], "dare")[0])
             for place in (0, 1)]  # fmt: skip
    for dense, (vector, strength) in zip(alone, vectors, strict=True):
        kept = dense != 0
        assert dense[kept].equal((flat(vector) * 2 * strength)[kept])
    changes, report = merge(vectors, "dare")
    torch.testing.assert_close(flat_changes(changes), alone[0] + alone[1], atol=1e-7, rtol=0)
    for vector, dense, (original, _) in zip(report.vectors, alone, vectors, strict=True):
        assert vector.entries == int((flat(original) != 0).sum())
        assert vector.in_effect == int((dense != 0).sum()) == vector.entries - vector.dropped
        assert 0.3 < vector.dropped / vector.entries < 0.7
    assert report.left == int((alone[0] * alone[1] < 0).sum())
    assert report.conflicts == int((flat(vectors[0][0]) * flat(vectors[1][0]) < 0).sum())
    assert report.resolved > 0


def test_dare_keeps_the_sum_on_average():
    vector = replace(draw(0), positions={"a.weight": torch.arange(77)}, values={"a.weight": torch.ones(77)})
    drawn = torch.stack([
        flat_changes(merge([(vector, 1.0)], "dare", {"drop": 0.75, "seed": seed})[0])[:77] for seed in range(400)
    ])  # fmt: skip
    assert set(drawn.unique().tolist()) == {0.0, 4.0}
    assert float(drawn.mean()) == pytest.approx(1, abs=0.05)  # its deviation is √3 / √(400·77) = 0.01


def test_a_draw_is_the_seeds_and_does_not_hang_on_strength_or_on_the_order_in_a_file():
    vector = draw(3)
    turned = replace(vector, positions=dict(reversed(vector.positions.items())))
    turned = replace(turned, values={name: vector.values[name] for name in turned.positions})
    one, same, other = (
        flat_changes(merge([(v, 1.0)], "dare", {"seed": s})[0]) for v, s in ((vector, 1), (turned, 1), (vector, 2))
    )
    assert one.equal(same)
    assert not one.equal(other)
    doubled = flat_changes(merge([(vector, 2.0)], "dare", {"seed": 1})[0])
    assert doubled.equal(one * 2)


def test_the_sum_is_bit_for_bit_the_papers_and_says_what_met(base, task_vector, language_vector):
    vectors = [(SparseVector.load(task_vector), 0.7), (SparseVector.load(language_vector), 1.3)]
    first, second = (sparse_trainable(base.classifier(["a", "b"], seed=0)) for _ in range(2))
    apply_vectors(first, vectors)
    changes, report = merge(vectors)
    apply_changes(second, changes, {})
    assert all(first[name].equal(second[name]) for name in first)
    task, language = (
        torch.cat([
            v.dense(n).flatten() if n in v.shapes else torch.zeros(p.numel()) for n, p in base.parameters().items()
        ])
        for v, _ in vectors
    )  # fmt: skip
    assert report.conflicts == report.left == int((task * language < 0).sum())
    assert report.shared == int(((task != 0) & (language != 0)).sum()) > 0
    assert report.entries == int(((task != 0) | (language != 0)).sum())
    assert report.resolved == 0


def test_composing_takes_several_languages_and_a_method(base, task_vector, language_vector):
    language = SparseVector.load(language_vector)
    halves = compose(base, task=task_vector, languages=[(language, 0.25), (language, 0.75)])
    whole = compose(base, task=task_vector, language=language)
    texts = ["the day is good", "the night was awful"]
    torch.testing.assert_close(halves.classify(texts), whole.classify(texts), atol=1e-6, rtol=0)
    merged = compose(base, task=task_vector, language=language, method="ties", parameters={"keep": 0.3})
    assert merged.report.method == "ties"
    assert [vector.name for vector in merged.report.vectors] == ["ind task vector", "min language vector"]
    assert all(vector.dropped > 0 for vector in merged.report.vectors)
    assert merged.report.to_dict()["vectors"][0]["in_effect"] == merged.report.vectors[0].in_effect
    assert not merged.classify(texts).equal(whole.classify(texts))


def test_vectors_of_strength_zero_take_no_part():
    one, two = draw(1), draw(2)
    for method in METHODS:
        with_it, report = merge([(one, 1.0), (two, 0.0)], method)
        assert flat_changes(with_it).equal(flat_changes(merge([(one, 1.0)], method)[0]))
        assert report.vectors[1].entries == report.shared == 0
    assert overlay([(one, 0.0)], "a.weight") == []


def test_the_bundled_vectors_merge_as_the_dense_definition_has_it():
    task, language = SparseVector.load("sentiment"), SparseVector.load("min")
    changes, report = merge([(task, 1.0), (language, 1.0)], "ties")
    name = max(set(task.positions) & set(language.positions), key=lambda n: len(language.positions[n]))
    rows = torch.stack([task.dense(name).flatten(), language.dense(name).flatten()]).double()
    sign = rows.sum(0).sign()
    agrees = torch.where(sign > 0, rows > 0, rows < 0)
    expected = ((rows * agrees).sum(0) / agrees.sum(0).clamp(min=1)).float()
    found = torch.zeros(rows.shape[1])
    for positions, values in changes[name]:
        found[positions] = values
    assert found.equal(expected)
    assert 0 < report.conflicts < report.shared < report.entries


@pytest.mark.parametrize(
    ("method", "parameters", "reason"),
    [
        ("tise", {}, "Did you mean 'ties'"),
        ("ties", {"kep": 1.0}, "it has keep, lambda"),
        ("sum", {"keep": 1.0}, "it has none"),
        ("ties", {"keep": 0.0}, "takes 0.01 to 1"),
        ("ties", {"keep": float("nan")}, "takes 0.01 to 1"),
        ("dare", {"drop": 1.0}, "takes 0 to 0.99"),
        ("dare", {"drop": "half"}, "'half' is not allowed"),
        ("dare", {"seed": 1.5}, "takes an integer"),
    ],
)
def test_what_cannot_be_used_is_named(method, parameters, reason):
    with pytest.raises(DeftxError, match=reason):
        check_method(method, parameters)


def test_defaults_are_filled_in_and_inside_their_ranges():
    assert check_method("dare", {"seed": 7}) == {"drop": 0.5, "seed": 7}
    for method in METHODS.values():
        assert all(p.low <= p.default <= p.high and p.meaning for p in method.parameters.values())
        assert method.reference


@pytest.mark.parametrize("method", METHODS)
def test_strengths_that_leave_float32_are_refused(method):
    with pytest.raises(DeftxError, match="not finite numbers"):
        merge([(draw(1), 1e300)], method)
