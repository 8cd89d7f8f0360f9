"""A copy of the base on which combinations are tried gives what composing anew gives, to the bit, whoever else tries."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from deftx.classify import workbench
from deftx.classify.composition import compose
from deftx.classify.workbench import Workbench
from deftx.core.errors import DeftxError, VectorError
from deftx.models.bases import load_base
from deftx.vectors.apply import apply_changes
from deftx.vectors.vector import SparseVector

TEXTS = ["the day is good", "the night was awful", "this road is not very sweet"]


@pytest.fixture(scope="module")
def task(task_vector):
    return SparseVector.load(task_vector)


@pytest.fixture(scope="module")
def language(language_vector):
    return SparseVector.load(language_vector)


def anew(base, task, language, strengths, method="sum", parameters=None):
    return compose(base, task=task, language=language, strength_task=strengths[0], strength_language=strengths[1],
                   method=method, parameters=parameters)  # fmt: skip


def test_every_combination_is_the_one_composed_anew_to_the_bit(base, task, language):
    bench = Workbench(base, task)
    tried = [((1.0, 1.0), "sum", {}), ((0.3, 2.0), "sum", {}), ((1.0, 1.0), "ties", {"keep": 0.4}),
             ((1.0, 1.0), "dare", {"seed": 3}), ((0.0, 0.0), "sum", {}), ((1.0, 1.0), "sum", {})]  # fmt: skip
    for strengths, method, parameters in tried:
        expected = anew(base, task, language, strengths, method, parameters)
        with bench.holding([(task, strengths[0]), (language, strengths[1])], method, parameters) as found:
            held, wanted = found.model.state_dict(), expected.model.state_dict()
            assert [name for name in wanted if not held[name].equal(wanted[name])] == []
            assert found.report == expected.report
            assert found.classify(TEXTS).equal(expected.classify(TEXTS))


def test_two_people_never_see_each_others_combination(base, task, language):
    bench = Workbench(base, task)
    strengths = [(round(0.2 * i, 1), round(2 - 0.2 * i, 1)) for i in range(8)]
    expected = {s: anew(base, task, language, s).classify(TEXTS) for s in strengths}
    assert len({tuple(p.flatten().tolist()) for p in expected.values()}) == len(strengths)
    together = threading.Barrier(4)

    def person(number):
        together.wait()
        answers = []
        for turn in range(12):
            one = strengths[(3 * number + turn) % len(strengths)]
            with bench.holding([(task, one[0]), (language, one[1])]) as classifier:
                answers.append((one, classifier.classify(TEXTS)))
        return answers

    with ThreadPoolExecutor(4) as people:
        for answers in people.map(person, range(4)):
            assert all(found.equal(expected[one]) for one, found in answers)


def test_a_combination_is_merged_once_also_where_others_come_between(base, task, language, monkeypatch):
    bench, merged = Workbench(base, task), []
    real = workbench.merge
    monkeypatch.setattr(workbench, "merge", lambda *given: merged.append(given) or real(*given))
    for strength in (1.0, 1.0, 0.5, 0.5, 1.0):
        with bench.holding([(task, 1.0), (language, strength)]):
            pass
    assert len(merged) == 2


def test_a_change_that_breaks_off_half_way_leaves_no_trace(base, task, language, monkeypatch):
    bench = Workbench(base, task)
    both = [(task, 1.0), (language, 1.0)]

    def break_off(parameters, changes, saved):
        names = list(changes)
        apply_changes(parameters, {name: changes[name] for name in names[: len(names) // 2]}, saved)
        raise MemoryError

    monkeypatch.setattr(workbench, "apply_changes", break_off)
    with pytest.raises(MemoryError), bench.holding(both):
        pass
    monkeypatch.undo()
    with bench.holding(both) as found:
        assert found.classify(TEXTS).equal(anew(base, task, language, (1.0, 1.0)).classify(TEXTS))


def test_a_refusal_leaves_what_was_on(base, task, language):
    bench = Workbench(base, task)
    with pytest.raises(DeftxError, match="strength"), bench.holding([(task, float("nan"))]):
        pass
    with bench.holding([(task, 1.0)]) as found:
        assert found.classify(TEXTS).equal(compose(base, task=task).classify(TEXTS))


def test_a_vector_of_another_base_is_refused(other_folder, base, task, language):
    other = load_base(other_folder)
    with pytest.raises(VectorError, match="made for the base"):
        Workbench(other, task)
    with pytest.raises(VectorError, match="made for the base"), Workbench(base, task).holding(
        [(task, 1.0), (SparseVector(language.positions, language.values, {}, language.shapes,
                                    {**language.info, "base": {"name": "x", "fingerprint": "0" * 64}}), 1.0)]
    ):  # fmt: skip
        pass


def test_the_base_is_untouched(base, task, language):
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    with Workbench(base, task).holding([(task, 2.0), (language, 2.0)]):
        pass
    assert all(torch.equal(before[name], tensor) for name, tensor in base.model.state_dict().items())
