"""Algorithm 1, phase by phase, against a small dense training written here with nothing but torch."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
import tiny
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM

from deftx.core.errors import RecipeError, TrainingStopped
from deftx.core.events import Listener, ignore
from deftx.method.denoising import low_rank
from deftx.method.select import select_top_k
from deftx.models.bases import load_base
from deftx.models.parameters import canonical_parameters
from deftx.training import pipeline
from deftx.training.checkpoints import read_tensors
from deftx.training.language import language_learner, masked_lm_loss
from deftx.training.learned import DELTA_FILE
from deftx.training.loop import Objective
from deftx.training.pipeline import learn

QUIET = Listener(ignore, lambda: False)
STEPS, ACCUMULATION, RATE = 6, 2, 5e-4


@dataclass
class Drawn(Objective):
    """Random sentences with random gaps, drawn anew for every micro-batch of either phase."""

    vocabulary: int
    scores: dict = field(default_factory=dict)  # by phase: one score an evaluation; none: nothing to choose by
    higher_is_better: bool = True
    metric: str = "made up"
    weights_seen: list = field(default_factory=list)

    def micro_batches(self, phase, step):
        self.phase = phase
        generator = torch.Generator().manual_seed(1_000 * (phase == "sparse") + step)
        return [self._batch(generator) for _ in range(ACCUMULATION)]

    def _batch(self, generator):
        input_ids = torch.randint(4, self.vocabulary, (3, 12), generator=generator)
        attention_mask = torch.ones_like(input_ids)
        attention_mask[0, 8:], input_ids[0, 8:] = 0, 1
        asked = (torch.rand(input_ids.shape, generator=generator) < 0.3) & attention_mask.bool()
        return {"input_ids": input_ids, "attention_mask": attention_mask,
                "labels": input_ids.masked_fill(~asked, -100)}  # fmt: skip

    def loss(self, model, batch):
        return masked_lm_loss(model, batch)

    def evaluate(self, model):
        self.weights_seen.append({n: p.detach().clone() for n, p in canonical_parameters(model).items()})
        return self.scores[self.phase].pop(0) if self.scores else None


@pytest.fixture(scope="module")
def still_folder(tmp_path_factory):
    """A base without dropout, so that two trainings can be the same."""
    return tiny.make_base(tmp_path_factory.mktemp("still") / "base", seed=3, dropout=0.0)


def recipe(**settings):
    shared = {"max_steps": STEPS, "min_steps": STEPS, "accumulation": ACCUMULATION, "learning_rate": RATE, "k": 700}
    return tiny.language_recipe(**{**shared, "evaluate_every": 2, "l1": 0.0, "method": "lt-sft", **settings})


def run(folder, where, settings=None, listener=QUIET, delta=None, **scores):
    """Run both phases; return the learner after them, what was learned, and δ."""
    base = load_base(folder)
    objective = Drawn(base.model.config.vocab_size, scores)
    learner = language_learner(base, objective, 100, "text")
    learned = learn(learner, recipe(**(settings or {})), where, delta, listener)
    tensors, _ = read_tensors((delta or where / "delta") / DELTA_FILE)
    return learner, learned, {n.removeprefix("delta."): t for n, t in tensors.items() if n.startswith("delta.")}


def dense_training(folder, phase, l1=0.0, masks=None, rate=RATE):
    """Train as the paper says with torch alone: whole gradients, multiplied by the mask, then clipped.

    Returns the parameters before and after, by the names of this untied model.
    """
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, tie_word_embeddings=False)
    words = model.roberta.embeddings.word_embeddings.weight
    model.lm_head.decoder.weight = torch.nn.Parameter(words.detach().clone(), requires_grad=False)
    model.lm_head.decoder.bias = model.lm_head.bias
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name != "lm_head.decoder.weight" and ".LayerNorm." not in name)
    named = dict(model.named_parameters())
    trained = {n: p for n, p in named.items() if p.requires_grad}
    before = {n: p.detach().clone() for n, p in named.items()}
    count = sum(p.numel() for p in named.values())  # N: the frozen output copy and the norms as well
    optimizer = torch.optim.AdamW(trained.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    batches = Drawn(model.config.vocab_size)
    for step in range(STEPS):
        optimizer.zero_grad()
        for batch in batches.micro_batches(phase, step):
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            (
                cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=-100) / ACCUMULATION
            ).backward()
        if l1:
            (l1 * sum((p - before[n]).abs().sum() for n, p in trained.items()) / count).backward()
        for name, mask in (masks or {}).items():
            named[name].grad *= mask
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
    return before, {n: p.detach() for n, p in named.items()}


def assert_close(ours, theirs, l1=0.0):
    assert ours.keys() <= theirs.keys()
    for name, tensor in ours.items():
        # Attention does not depend on key biases: Adam makes steps out of their rounding errors, and with L1 the sign
        # of the first such step decides all later ones.
        if name.endswith("key.bias") and l1:
            continue
        tolerance = 1e-5 if name.endswith("key.bias") else 1e-6
        assert (tensor - theirs[name]).abs().max() <= tolerance, name


@pytest.mark.parametrize(("l1", "sparse_rate"), [(0.0, None), (50.0, None), (0.0, 2e-3)])
def test_both_phases_agree_with_a_dense_training_of_plain_torch(still_folder, tmp_path, l1, sparse_rate):
    learner, learned, delta = run(still_folder, tmp_path, {"l1": l1, "sparse_learning_rate": sparse_rate})
    before, theta1 = dense_training(still_folder, "dense", l1)
    assert_close(delta, {n: theta1[n] - before[n] for n in before}, l1)
    masks = {}
    for name, d in delta.items():
        masks[name] = torch.zeros(d.numel())
        masks[name][learned.positions[name]] = 1
        masks[name] = masks[name].view(d.shape)
    _, theta2 = dense_training(still_folder, "sparse", l1, masks, sparse_rate or RATE)
    ours = {n: p.detach() for n, p in canonical_parameters(learner.model).items()}
    assert ours.keys() == theta2.keys() - {"lm_head.decoder.bias"}
    assert_close(ours, theta2, l1)


def test_the_l1_penalty_acts(still_folder, tmp_path):
    changes = [run(still_folder, tmp_path / str(l1), {"l1": l1})[2] for l1 in (0.0, 5_000.0)]
    sizes = [sum(d.abs().sum() for d in delta.values()) for delta in changes]
    assert sizes[1] < 0.7 * sizes[0]


def test_the_mask_is_the_k_largest_and_nothing_else_moves(still_folder, tmp_path):
    learner, learned, delta = run(still_folder, tmp_path)
    flat = np.concatenate([d.flatten().numpy() for d in delta.values()])
    expected = np.sort(np.argsort(-np.abs(flat), kind="stable")[:700])
    starts = np.cumsum([0, *(d.numel() for d in delta.values())])
    found = np.concatenate([learned.positions[n].numpy() + s for n, s in zip(delta, starts, strict=False)])
    assert found.tolist() == expected.tolist()
    start = canonical_parameters(load_base(still_folder).model)
    for name, parameter in learner.trainable.items():
        same = (parameter == start[name]).flatten()
        same[learned.positions[name]] = True
        assert same.all(), name


def test_norms_and_output_embedding_stay_bit_for_bit(still_folder, tmp_path):
    learner, _, delta = run(still_folder, tmp_path)
    start = canonical_parameters(load_base(still_folder).model)
    end = canonical_parameters(learner.model)
    norms = [name for name in start if name.startswith("roberta.") and "LayerNorm" in name]
    assert norms
    assert all(end[name].equal(start[name]) for name in norms)
    assert not set(norms) & set(delta)
    assert end["lm_head.decoder.weight"].equal(start["roberta.embeddings.word_embeddings.weight"])
    assert not end["lm_head.dense.weight"].equal(start["lm_head.dense.weight"])  # the head is trained in full
    for name, seen in ((n, s) for s in learner.objective.weights_seen for n in s):
        if name in norms:
            assert seen[name].equal(start[name])


def test_the_sparse_phase_starts_from_the_same_weights_and_the_same_head(still_folder, tmp_path, monkeypatch):
    starts = {}

    def noting(model, entries, objective, plan, *rest):
        starts[plan.phase] = {n: p.detach().clone() for n, p in canonical_parameters(model).items()}
        return original(model, entries, objective, plan, *rest)

    original = pipeline.run_phase
    monkeypatch.setattr(pipeline, "run_phase", noting)
    run(still_folder, tmp_path)
    assert all(starts["dense"][name].equal(starts["sparse"][name]) for name in starts["dense"])


def test_delta_and_phi_come_from_the_best_weights_of_their_phase(still_folder, tmp_path):
    learner, learned, delta = run(still_folder, tmp_path, dense=[0.2, 0.9, 0.1], sparse=[0.9, 0.5, 0.6])
    seen, start = learner.objective.weights_seen, canonical_parameters(load_base(still_folder).model)
    assert (learned.history["dense"]["best_step"], learned.history["sparse"]["best_step"]) == (4, 2)
    for name, parameter in learner.trainable.items():
        assert delta[name].equal(seen[1][name] - start[name])
        assert parameter.equal(seen[3][name])
        assert learned.values[name].equal((seen[3][name] - start[name]).flatten()[learned.positions[name]])
    assert all(tensor.equal(seen[3][name]) for name, tensor in learned.head.items())


def test_rank_none_is_lt_sft_exactly(still_folder, tmp_path):
    _, plain, _ = run(still_folder, tmp_path / "plain")
    _, none, _ = run(still_folder, tmp_path / "none", {"method": "deft-x", "rank": "none"})
    for name in plain.positions:
        assert plain.positions[name].equal(none.positions[name])
        assert plain.values[name].equal(none.values[name])
    assert not plain.ranks
    assert len(none.ranks) == len([d for d in plain.positions if d.endswith("weight")])


def denoised_by_hand(delta, rank, keep):
    """Equations 2 to 5 in numpy."""
    u, s, v = np.linalg.svd(delta.numpy().astype(np.float64), full_matrices=False)
    low = (u[:, :rank] * s[:rank]) @ v[:rank]
    rest = np.abs(delta.numpy() - low).flatten()
    kept = np.argsort(-rest, kind="stable")[: round(keep * rest.size)]
    low.flat[kept] = delta.numpy().flat[kept]
    return low


@pytest.mark.parametrize("ablate", [None, "no-residual", "dense-delta", "no-retrain"])
def test_the_ablations_do_what_table_5_says(still_folder, tmp_path, ablate):
    settings = {"method": "deft-x", "rank": "uniform:3", "ablate": ablate, "k": 300}
    learner, learned, delta = run(still_folder, tmp_path, settings)
    keep = 0.0 if ablate == "no-residual" else 0.05
    hat = {n: denoised_by_hand(d, 3, keep) if d.dim() == 2 else d.numpy() for n, d in delta.items()}
    start = canonical_parameters(load_base(still_folder).model)
    if ablate == "dense-delta":
        for name, expected in hat.items():
            phi = np.zeros(expected.size)
            phi[learned.positions[name]] = learned.values[name]
            np.testing.assert_allclose(phi, expected.flatten(), atol=1e-7)
    else:
        flat = np.concatenate([h.flatten() for h in hat.values()])
        least = np.sort(np.abs(flat))[-300]
        chosen = {n: np.abs(hat[n].flatten()[learned.positions[n]]) for n in hat}
        assert sum(map(len, chosen.values())) == 300
        assert min(c.min() for c in chosen.values() if len(c)) >= least - 1e-7
    assert ("sparse" in learned.history) is (ablate not in ("dense-delta", "no-retrain"))
    if ablate == "no-retrain":
        for name, expected in hat.items():
            np.testing.assert_allclose(learned.values[name], expected.flatten()[learned.positions[name]], atol=1e-7)
    if ablate in ("dense-delta", "no-retrain"):  # the model that is scored is the one that the vector makes
        for name, parameter in learner.trainable.items():
            moved = start[name].detach().flatten().clone()
            moved[learned.positions[name]] += learned.values[name]
            assert parameter.flatten().equal(moved)


def test_ranks_and_spectra_of_every_matrix_are_reported(still_folder, tmp_path):
    _, learned, delta = run(still_folder, tmp_path, {"method": "deft-x", "rank": "uniform:5"})
    matrices = {n: d for n, d in delta.items() if d.dim() == 2}
    assert learned.ranks == {n: min(5, *learned.spectrum_shapes[n]) for n in matrices}
    for name, d in matrices.items():
        rows, columns = (int((d != 0).any(axis).sum()) for axis in (1, 0))
        assert tuple(learned.spectrum_shapes[name]) == (rows, columns)
        exact = np.linalg.svd(d.numpy().astype(np.float64), compute_uv=False)[: min(rows, columns)]
        np.testing.assert_allclose(learned.singular_values[name], exact, atol=1e-5 * exact[0])


def test_what_denoising_cannot_supply_is_filled_up_from_delta_and_counted(still_folder, tmp_path, monkeypatch):
    settings = {"method": "deft-x", "rank": "uniform:1", "keep": 0.0}
    _, few, delta = run(still_folder, tmp_path / "few", settings)
    hat = {n: low_rank(d, 1) if d.dim() == 2 else d for n, d in delta.items()}
    supply = sum(int((h != 0).sum()) for h in hat.values())
    assert few.filled == 0
    # Rank 1 leaves zeros only in untouched rows, so make δ̂ poor in another way: every matrix of rank 0.
    monkeypatch.setattr(pipeline, "choose_rank", lambda *_: 0)
    _, many, delta = run(still_folder, tmp_path / "many", {**settings, "k": 900})
    biases = sum(int((d != 0).sum()) for n, d in delta.items() if d.dim() == 1)
    assert supply > 900 > biases
    assert many.filled == 900 - biases
    chosen = select_top_k({n: d for n, d in delta.items() if d.dim() == 2}, 900 - biases)
    assert all(many.positions[n].equal(p) for n, p in chosen.items())
    assert sum(len(p) for p in many.positions.values()) == 900


def test_k_is_a_share_or_a_number(still_folder, tmp_path):
    everything = sum(p.numel() for p in load_base(still_folder).parameters().values())
    _, share, _ = run(still_folder, tmp_path / "share", {"k": 0.01})
    assert sum(len(p) for p in share.positions.values()) == round(0.01 * everything)
    with pytest.raises(RecipeError, match=f"of {everything:,} entries"):
        run(still_folder, tmp_path / "more", {"k": everything + 1})


def test_more_than_delta_has_is_refused_with_the_number_that_changed(still_folder, tmp_path):
    everything = sum(p.numel() for p in load_base(still_folder).parameters().values())
    with pytest.raises(RecipeError, match="changed in the dense phase"):
        run(still_folder, tmp_path, {"k": everything})


@pytest.mark.parametrize("stop", [0, 3, 6, 15, 21, 24])
def test_wherever_it_is_stopped_the_same_call_ends_in_the_same_vector(base_folder, tmp_path, stop):
    settings = {"method": "deft-x", "rank": "variance:0.9"}
    _, whole, _ = run(base_folder, tmp_path / "whole", settings)  # with dropout
    asked = iter(range(1_000))
    with pytest.raises(TrainingStopped, match="run the same command to continue"):
        run(base_folder, tmp_path / "cut", settings, Listener(ignore, lambda: next(asked) == stop))
    _, again, _ = run(base_folder, tmp_path / "cut", settings)
    for name in whole.positions:
        assert again.positions[name].equal(whole.positions[name])
        assert again.values[name].equal(whole.values[name])
    assert all(again.head[name].equal(whole.head[name]) for name in whole.head)


@pytest.mark.slow
def test_a_kept_delta_serves_other_ranks_and_rates_of_the_sparse_phase_and_changes_nothing(still_folder, tmp_path):
    kept, said = tmp_path / "delta", []
    for number, changed in enumerate(({"rank": "uniform:2"}, {"rank": "uniform:4"}, {"sparse_learning_rate": 2e-3})):
        settings = {"method": "deft-x", "rank": "uniform:4", **changed}
        _, alone, _ = run(still_folder, tmp_path / f"alone {number}", settings)
        _, shared, _ = run(still_folder, tmp_path / f"shared {number}", settings, Listener(said.append, bool), kept)
        for name in alone.positions:
            assert alone.positions[name].equal(shared.positions[name])
            assert alone.values[name].equal(shared.values[name])
    assert [e.message for e in said if "dense phase was finished before" in e.message]
    assert not (tmp_path / "shared 2" / "dense").exists()


@pytest.mark.parametrize(
    ("settings", "named"), [({"learning_rate": 1e-3}, "learning_rate: 0.0005 before, 0.001 now"), ({"seed": 7}, "seed")]
)
def test_a_delta_of_other_settings_is_refused(still_folder, tmp_path, settings, named):
    run(still_folder, tmp_path / "first", delta=tmp_path / "delta")
    with pytest.raises(RecipeError, match=named):
        run(still_folder, tmp_path / "second", settings, delta=tmp_path / "delta")


def test_a_delta_of_another_base_is_refused(still_folder, base_folder, tmp_path):
    run(still_folder, tmp_path / "first", delta=tmp_path / "delta")
    with pytest.raises(RecipeError, match=r"base: .* before, .* now"):
        run(base_folder, tmp_path / "second", delta=tmp_path / "delta")


def test_an_unfinished_training_with_other_settings_is_not_gone_on_with(still_folder, tmp_path):
    with pytest.raises(TrainingStopped):
        run(still_folder, tmp_path, listener=Listener(ignore, lambda: True))
    before = json.loads((tmp_path / "settings.json").read_text())
    with pytest.raises(RecipeError, match=r"unfinished training with other settings \(k: 700.* before, 800.* now\)"):
        run(still_folder, tmp_path, {"k": 800})
    assert json.loads((tmp_path / "settings.json").read_text()) == before


def test_how_the_mask_splits_is_said(still_folder, tmp_path):
    said = []
    run(still_folder, tmp_path, listener=Listener(said.append, bool))
    (message,) = [event.message for event in said if event.phase == "select" and event.message]
    assert message.startswith("700 entries selected: ")
    assert "embeddings" in message
    assert "biases" in message
