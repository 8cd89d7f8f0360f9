"""The loop that both phases share: its schedule, its choice of the best weights, its stops and its failures."""

import math
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.core.events import Listener, ignore
from deftx.core.sampling import batch_order, cut, seed_for
from deftx.training.checkpoints import PhaseFolder, read_tensors
from deftx.training.loop import Objective, run_phase
from deftx.training.schedule import Plan
from deftx.training.trainable import Entries

QUIET = Listener(ignore, lambda: False)


@dataclass
class Slope(Objective):
    """Pulls every weight down with a constant force; its scores are read off a list, one an evaluation."""

    scores: list = field(default_factory=list)
    losses: tuple = (0.25,)  # one a micro-batch
    higher_is_better: bool = True
    metric: str = "made up"

    def micro_batches(self, phase, step):
        return [{"loss": torch.tensor(loss)} for loss in self.losses]

    def loss(self, model, batch):
        weight = model.weight.sum()
        return batch["loss"] + 0.25 * (weight - weight.detach())

    def evaluate(self, model):
        assert not model.training
        return self.scores.pop(0) if self.scores else None


def one_weight(start=1.0):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, start)
    return model, Entries.of({"weight": model.weight})


def plan(**settings):
    shared = {"phase": "dense", "steps": 8, "learning_rate": 0.01, "evaluate_every": 2, "clip": 1.0, "l1": 0.0}
    return Plan(**{**shared, "seed": 1, "precision": "float32", **settings})


def test_the_learning_rate_falls_linearly_to_zero(tmp_path):
    model, entries = one_weight()
    run_phase(model, entries, Slope(), plan(), tmp_path, QUIET)
    # Under a constant force Adam moves by the learning rate: Σ 0.01·(1 − t/8) for t = 0 … 7.
    assert model.weight.item() == pytest.approx(1 - 0.01 * (8 + 1) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("higher", "scores", "best"),
    [(True, [0.1, 0.7, 0.7, 0.2], 4), (False, [0.9, 0.3, 0.2, 0.5], 6), (True, [0.1, 0.2, 0.3, 0.4], 8)],
)
def test_the_best_weights_are_kept_and_the_first_of_equals(tmp_path, higher, scores, best):
    model, entries = one_weight()
    progress = run_phase(model, entries, Slope(list(scores), higher_is_better=higher), plan(), tmp_path, QUIET)
    assert (progress.best_step, progress.best_score) == (best, (max if higher else min)(scores))
    assert [score for _, score in progress.evaluations] == scores
    expected = 1 - sum(0.01 * (1 - t / 8) for t in range(best))
    assert model.weight.item() == pytest.approx(expected, abs=1e-6)


def test_the_last_step_is_evaluated_even_off_the_beat(tmp_path):
    model, entries = one_weight()
    progress = run_phase(model, entries, Slope([0.5, 0.9]), plan(steps=5, evaluate_every=4), tmp_path, QUIET)
    assert progress.evaluations == [(4, 0.5), (5, 0.9)]


def test_a_steps_loss_is_the_mean_over_its_micro_batches(tmp_path):
    events = []
    model, entries = one_weight()
    progress = run_phase(model, entries, Slope(losses=(0.1, 0.5)), plan(), tmp_path, Listener(events.append, bool))
    assert [loss for _, loss in progress.losses] == pytest.approx([0.3] * 8)
    assert [event.step for event in events] == [2, 4, 6, 8]
    assert all(event.total == 8 and event.loss == pytest.approx(0.3) for event in events)
    assert events[-1].seconds_left == pytest.approx(0.0, abs=1e-9)


def test_time_left_counts_the_phases_to_come(tmp_path):
    events = []
    model, entries = one_weight()
    run_phase(model, entries, Slope(), plan(steps_after=8), tmp_path, Listener(events.append, bool))
    assert events[-1].seconds_left > 0


@pytest.mark.parametrize("stop", [0, 1, 3, 7])
def test_a_stopped_phase_goes_on_as_if_nothing_had_happened(tmp_path, stop):
    scores = [0.2, 0.9, 0.4, 0.3]
    model, entries = one_weight()
    whole = run_phase(model, entries, Slope(list(scores)), plan(), tmp_path / "whole", QUIET)

    objective, asked = Slope(list(scores)), iter(range(100))
    with pytest.raises(TrainingStopped, match=f"step {stop} of 8 in the dense phase"):
        run_phase(*one_weight(), objective, plan(), tmp_path / "cut", Listener(ignore, lambda: next(asked) == stop))
    again, resumed = one_weight()
    progress = run_phase(again, resumed, objective, plan(), tmp_path / "cut", QUIET)
    assert again.weight.equal(model.weight)
    assert (progress.step, progress.best_step, progress.best_score) == (8, whole.best_step, whole.best_score)
    assert [list(e) for e in progress.losses] == [list(e) for e in whole.losses]


@pytest.mark.parametrize(("stop", "step"), [(1, 0), (2, 0), (5, 1), (23, 7)])
def test_a_stop_between_micro_batches_begins_the_step_anew(tmp_path, stop, step):
    model, entries = one_weight()
    run_phase(model, entries, Slope(losses=(0.2, 0.4, 0.1)), plan(), tmp_path / "whole", QUIET)

    asked = iter(range(100))  # three times a step
    listener = Listener(ignore, lambda: next(asked) == stop)
    with pytest.raises(TrainingStopped, match=f"step {step} of 8"):
        run_phase(*one_weight(), Slope(losses=(0.2, 0.4, 0.1)), plan(), tmp_path / "cut", listener)
    again, resumed = one_weight()
    run_phase(again, resumed, Slope(losses=(0.2, 0.4, 0.1)), plan(), tmp_path / "cut", QUIET)
    assert again.weight.equal(model.weight)


def test_a_finished_phase_is_not_trained_again(tmp_path):
    model, entries = one_weight()
    run_phase(model, entries, Slope([0.1, 0.9, 0.2, 0.3]), plan(), tmp_path, QUIET)
    again, resumed = one_weight()
    run_phase(again, resumed, Slope([], losses=()), plan(), tmp_path, QUIET)
    assert again.weight.equal(model.weight)


def test_a_loss_that_is_no_number_ends_the_training_and_keeps_what_was_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.training.schedule.CHECKPOINT_SECONDS", 0.0)
    objective = Slope([0.5, 0.6])
    objective.micro_batches = lambda phase, step: [{"loss": torch.tensor(0.25 if step < 5 else math.nan)}]
    with pytest.raises(TrainingError, match=r"step 6 of 8 in the dense phase.*learning rate \(it was 0\.01\)"):
        run_phase(*one_weight(), objective, plan(), tmp_path, QUIET)
    _, about = read_tensors(PhaseFolder(tmp_path).checkpoint)
    values, best = read_tensors(PhaseFolder(tmp_path).best)
    assert about["step"] == 5
    assert best == {"step": 4, "score": 0.6}
    assert values["weight"].isfinite().all()


def test_a_diverging_training_that_is_asked_to_stop_does_not_save_the_wreck(tmp_path):
    objective = Slope(losses=(math.nan,))
    asked = iter(range(100))
    with pytest.raises(TrainingError):
        run_phase(*one_weight(), objective, plan(), tmp_path, Listener(ignore, lambda: next(asked) == 1))
    assert not PhaseFolder(tmp_path).checkpoint.exists()


def test_weights_that_overflow_in_the_last_step_are_no_result(tmp_path):
    model, entries = one_weight(start=-3.3e38)
    with pytest.raises(TrainingError, match="a weight is not finite at step 1 of 1"):
        run_phase(model, entries, Slope([0.5]), plan(steps=1, learning_rate=3e37), tmp_path, QUIET)
    assert not PhaseFolder(tmp_path).best.exists()


def test_trainings_of_one_process_may_differ_in_precision_and_weights_stay_float32(tmp_path):
    for precision in ("float32", "bfloat16", "auto", "float32"):
        model, entries = one_weight()
        run_phase(
            model, entries, Slope(), plan(precision=precision), tmp_path / str(len(list(tmp_path.iterdir()))), QUIET
        )
        assert model.weight.dtype == torch.float32


def test_every_draw_has_a_seed_of_its_own():
    seeds = {
        seed_for(seed, phase, what, step)
        for seed in (1, 2) for phase in ("dense", "sparse") for what in ("order", "mask") for step in range(50)
    }  # fmt: skip
    assert len(seeds) == 400
    assert seed_for(1, "dense", 3) == seed_for(1, "dense", 3)
    torch.Generator().manual_seed(max(seeds))  # torch takes it


def epoch(order, number, steps=3):
    return [order(step) for step in range(number * steps, (number + 1) * steps)]


@pytest.mark.parametrize("lengths", [None, [5, 1, 9, 2, 7, 3, 8, 4]])
def test_each_pass_is_another_permutation_of_all(lengths):
    order = batch_order(8, 3, 42, "dense", lengths)
    passes = [epoch(order, n) for n in range(3)]
    assert all(sorted(i for batch in one for i in batch) == list(range(8)) for one in passes)
    assert passes[0] != passes[1]
    assert epoch(batch_order(8, 3, 42, "dense", lengths), 1) == passes[1]  # whichever step is asked for first
    assert epoch(batch_order(8, 3, 43, "dense", lengths), 0) != passes[0]
    assert epoch(batch_order(8, 3, 42, "sparse", lengths), 0) != passes[0]


def test_grouping_puts_rows_of_similar_length_together():
    lengths = [n % 10 for n in range(100)]
    order = batch_order(100, 10, 42, "dense", lengths)
    assert all(len({lengths[i] for i in order(step)}) == 1 for step in range(10))


def test_fewer_examples_than_a_batch_are_one_batch():
    order = batch_order(3, 8, 42, "dense")
    assert sorted(order(0)) == sorted(order(1)) == [0, 1, 2]


def test_a_batch_is_cut_into_equal_parts_and_none_is_empty():
    assert [len(part) for part in cut(list(range(8)), 4)] == [2, 2, 2, 2]
    assert list(cut([1, 2, 3], 2)) == [[1, 2], [3]]
    assert list(cut([1], 4)) == [[1]]


def test_a_stop_between_batches_of_an_evaluation_keeps_the_step_and_resumes_with_the_evaluation(tmp_path):
    class Reads(Slope):
        def evaluate(self, model):
            model(torch.ones(1, 1))
            return super().evaluate(model)

    whole, entries = one_weight()
    run_phase(whole, entries, Reads([0.1, 0.2, 0.3, 0.4]), plan(), tmp_path / "whole", QUIET)
    model, entries = one_weight()
    evaluating = Listener(ignore, lambda: not model.training)
    with pytest.raises(TrainingStopped, match="step 2 of 8"):
        run_phase(model, entries, Reads([0.1]), plan(), tmp_path / "cut", evaluating)
    again, entries = one_weight()
    progress = run_phase(again, entries, Reads([0.1, 0.2, 0.3, 0.4]), plan(), tmp_path / "cut", QUIET)
    assert [list(e) for e in progress.evaluations] == [[2, 0.1], [4, 0.2], [6, 0.3], [8, 0.4]]
    assert again.weight.equal(whole.weight)
