"""Learn adapters in the environment of ``requirements.txt``: one job, which ``run.py`` has described in a folder.

    python train.py language|task|predict FOLDER

FOLDER has ``job.json`` and the batches that it names. What the job has found is in ``done.json``, which is written last.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import adapters
import numpy as np
import torch
from adapters.composition import Stack
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

LANGUAGE, TASK = "language", "task"  # the names of the adapters
TOLERANCE = 1e-5  # between the logits of both environments, as a share of the largest one
CLIP = 1.0

Batch = dict[str, Tensor]
Job = dict[str, Any]


def learn_language(job: Job, folder: Path) -> dict[str, Any]:
    """Train an invertible language adapter, and the masked-LM head with it, on masked text."""
    model = load(AutoModelForMaskedLM, Path(job["model"]), job["device"])
    torch.manual_seed(job["seed"])
    add_adapter(model, LANGUAGE, adapters.SeqBnInvConfig, job)
    held_out = read_batches(folder / "held-out.safetensors", job["device"])
    asked = sum(int((batch["labels"] != -100).sum()) for step in held_out for batch in step)

    def loss(batch: Batch, reduction: str = "mean") -> Tensor:
        return masked_lm_loss(model, batch, job["head_modules"], reduction)

    def evaluate() -> float:
        return sum(float(loss(batch, "sum")) for step in held_out for batch in step) / asked

    model.set_active_adapters(None)
    before = evaluate_with(model, evaluate)
    print(f"{folder.name}: the held-out loss of the base is {before:.4f} nats", flush=True)
    model.set_active_adapters(LANGUAGE)
    found = train(model, LANGUAGE, job, folder, loss, evaluate, higher=False)
    model.save_adapter(str(folder / "adapter"), LANGUAGE, with_head=False, use_safetensors=True)
    return {**found, "before": before}


def masked_lm_loss(model: nn.Module, batch: Batch, head: list[str], reduction: str) -> Tensor:
    """Return the cross-entropy in nats at the masked positions; only their logits are computed."""
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    asked = batch["labels"] != -100
    # adapters splits the last of three dimensions, before the output embedding too.
    hidden = model.base_model(**inputs).last_hidden_state[asked][None]
    for part in head:
        hidden = getattr(model, part)(hidden)
    return cross_entropy(hidden[0], batch["labels"][asked], reduction=reduction)


def learn_task(job: Job, folder: Path) -> dict[str, Any]:
    """Train a task adapter and the head on labelled rows, above the adapter of the source language."""
    model = stacked(job)
    held_out = [batch for step in read_batches(folder / "held-out.safetensors", job["device"]) for batch in step]
    gold = torch.cat([batch.pop("labels") for batch in held_out]).tolist()

    def loss(batch: Batch) -> Tensor:
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        return cross_entropy(model(**inputs).logits, batch["labels"])

    def evaluate() -> float:
        return METRICS[job["metric"]](np.array(gold), np.array(predicted(model, held_out)))

    return train(model, TASK, job, folder, loss, evaluate, higher=True)


def predict(job: Job, folder: Path) -> dict[str, Any]:
    """Predict the label of each test row, with the adapter of its language below that of the task."""
    model = stacked(job)
    model.load_state_dict(load_file(Path(job["trained"])), strict=False)
    model.eval()
    found = {}
    for target, adapter in job["targets"].items():
        stack(model, target, adapter)
        rows = read_batches(folder / f"{target}.safetensors", job["device"])
        found[target] = predicted(model, [batch for step in rows for batch in step])
    return {"predicted": found}


def stacked(job: Job) -> nn.Module:
    """Return the classifier with the adapter of the source language and a new one for the task above it."""
    model = load(AutoModelForSequenceClassification, Path(job["model"]), job["device"])
    torch.manual_seed(job["seed"])
    add_adapter(model, TASK, adapters.SeqBnConfig, job)
    stack(model, "source", job["source"])
    return model


def stack(model: nn.Module, name: str, folder: str) -> None:
    """Load the adapter of a language, and put that of the task above it."""
    model.load_adapter(folder, load_as=f"{LANGUAGE}-{name}", with_head=False, use_safetensors=True)
    model.set_active_adapters(Stack(f"{LANGUAGE}-{name}", TASK))


def load(kind: Any, folder: Path, device: str) -> nn.Module:
    """Load a model, and compare its logits with those that the other environment has written beside it."""
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    probe = load_file(folder / "probe.safetensors")
    expected = probe.pop("logits")
    with torch.no_grad():
        found = model(**probe).logits
    difference = float((found - expected).abs().max() / expected.abs().max())
    print(f"{folder}: the logits of both environments differ by {difference:.1e} of the largest one", flush=True)
    if not difference <= TOLERANCE:
        sys.exit(f"They may differ by {TOLERANCE:.0e}.")
    adapters.init(model)
    return model.to(device)


def add_adapter(model: nn.Module, name: str, config: Any, job: Job) -> None:
    """Add an adapter in every layer but the last (MAD-X 2.0)."""
    last = model.config.num_hidden_layers - 1
    model.add_adapter(name, config=config(reduction_factor=job["reduction"], leave_out=[last]))


def train(
    model: nn.Module, name: str, job: Job, folder: Path, loss: Callable[[Batch], Tensor], evaluate: Callable[[], float],
    higher: bool,
) -> dict[str, Any]:  # fmt: skip
    """Train an adapter and the head; leave the model with its best evaluation, and write what was trained."""
    trained = {n: p for n, p in model.named_parameters(remove_duplicate=False) if f".{name}." in n or n in job["head"]}
    if missing := set(job["head"]) - trained.keys():
        sys.exit(f"The model of this environment lacks the parameters {', '.join(sorted(missing))} of the head.")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in trained.values():
        parameter.requires_grad_(True)
    count = sum(p.numel() for n, p in trained.items() if n not in job["head"])
    print(f"{folder.name}: {count:,} parameters of the adapter; the vector has k = {job['k']:,}", flush=True)
    optimizer = torch.optim.AdamW(list(trained.values()), lr=job["learning_rate"], weight_decay=0.0)
    steps = read_batches(folder / "steps.safetensors", job["device"])
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(steps))
    best, kept, history = None, {}, []
    for step, micro_batches in enumerate(steps, start=1):
        model.train()
        for batch in micro_batches:
            (loss(batch) / len(micro_batches)).backward()
        nn.utils.clip_grad_norm_(list(trained.values()), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        decay.step()
        if step % job["evaluate_every"] == 0 or step == len(steps):
            score = evaluate_with(model, evaluate)
            history.append((step, score))
            print(f"{folder.name}: step {step} of {len(steps)}, {score:.4f}", flush=True)
            if best is None or (score > best if higher else score < best):
                best, kept = score, {n: p.detach().clone() for n, p in trained.items()}
    model.load_state_dict(kept, strict=False)
    save_file({n: tensor.contiguous() for n, tensor in kept.items()}, folder / "trained.safetensors")
    return {"parameters": count, "k": job["k"], "steps": len(steps), "best": best, "history": history}


def evaluate_with(model: nn.Module, evaluate: Callable[[], float]) -> float:
    """Return the evaluation of a model without dropout or gradients."""
    model.eval()
    with torch.no_grad():
        return evaluate()


def predicted(model: nn.Module, batches: list[Batch]) -> list[int]:
    """Return the index of the most probable label of each row, in order."""
    with torch.no_grad():
        return [place for batch in batches for place in model(**batch).logits.argmax(-1).tolist()]


def macro_f1(gold: np.ndarray, said: np.ndarray) -> float:
    """Return the mean F1 of the labels that occur, as the table of the benchmark counts it."""
    labels = np.union1d(gold, said)
    return float(
        np.mean([2 * np.sum((gold == i) & (said == i)) / (np.sum(gold == i) + np.sum(said == i)) for i in labels])
    )


def accuracy(gold: np.ndarray, said: np.ndarray) -> float:
    """Return the share of the rows with the right label."""
    return float(np.mean(gold == said))


METRICS = {"f1": macro_f1, "accuracy": accuracy}
JOBS = {"language": learn_language, "task": learn_task, "predict": predict}


def read_batches(file: Path, device: str) -> list[list[Batch]]:
    """Return the micro-batches of each step."""
    steps: dict[int, dict[int, Batch]] = {}
    for key, tensor in load_file(file).items():
        step, number, name = key.split("/")
        steps.setdefault(int(step), {}).setdefault(int(number), {})[name] = tensor.long().to(device)
    return [[micro for _, micro in sorted(found.items())] for _, found in sorted(steps.items())]


def main() -> None:
    """Do the job of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=JOBS)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    began = time.monotonic()
    found = JOBS[given.what](json.loads((given.folder / "job.json").read_text(encoding="utf-8")), given.folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    done = {**found, "seconds": round(time.monotonic() - began, 1), "peak_gb": round(peak, 2)}
    (given.folder / "done.json").write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
