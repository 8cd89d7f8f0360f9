"""What the environment of MAD-X reads: models as folders of transformers, and batches of token ids as safetensors.

Texts, rows, masks and their order are those of the vectors, because the same objectives make them. So the other environment
needs no tokenizer, and no other version of one can split a text differently.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel

from deftx.core.events import Listener, ignore
from deftx.data.table_rows import Table, label_names
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.evidence.grid import Vector
from deftx.evidence.run import Run
from deftx.models.bases import Base
from deftx.models.batches import encode, pad, pad_id
from deftx.training.language import LanguageObjective, language_objective
from deftx.training.loop import Batch, Objective
from deftx.training.recipes import LanguageRecipe, TaskRecipe
from deftx.training.task_objective import TaskObjective
from deftx.training.text_task import prepare_rows, task_objective

VARIANT = "variance"  # of the vectors whose steps MAD-X has; all variants have the same
PHASES = ("dense", "sparse")
TESTED = 32  # rows of a batch without gradients
LISTENER = Listener(ignore, lambda: False)
PROBE = "The food was good.", "Makanannya enak sekali."  # for the comparison of both environments


def write_model(model: PreTrainedModel, base: Base, folder: Path) -> None:
    """Write a model, unless it is there, with a probe: inputs, and the logits that it gives here."""
    if (probe := folder / "probe.safetensors").is_file():
        return
    inputs = pad(encode(base.tokenizer, PROBE, base.fitting_length(TESTED, LISTENER)), pad_id(base.tokenizer), "cpu")
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    model.save_pretrained(folder)
    save_file({**inputs, "logits": logits.contiguous()}, probe)


def language_of(run: Run, base: Base, language: str, seed: int) -> tuple[LanguageObjective, LanguageRecipe]:
    """Return the objective of a language vector, which has its batches, and its recipe."""
    recipe = run.recipe(Vector("language", language, VARIANT, seed), base.model.config.hidden_size)
    return language_objective(read_corpus(run.setting.corpus(run.data, language)), base, recipe, LISTENER), recipe


def task_of(run: Run, base: Base, seed: int) -> tuple[TaskObjective, TaskRecipe]:
    """Return the objective of the task vector that is learned from the source's rows alone, and its recipe."""
    recipe = run.recipe(Vector("task", run.setting.source, VARIANT, seed, source=True), base.model.config.hidden_size)
    given = read_table(run.data / run.setting.train)
    train, valid, _ = prepare_rows(given, read_table(run.data / run.setting.valid), recipe, LISTENER)
    return task_objective(train, valid, label_names(train), base, recipe, LISTENER), recipe


def write_training(objective: Objective, recipe: LanguageRecipe | TaskRecipe, examples: int, file: Path) -> None:
    """Write the batches of the dense phase, and then those of the sparse phase."""
    steps = ((phase, step) for phase in PHASES for step in range(recipe.steps(examples, phase)))
    write_batches([objective.micro_batches(phase, step) for phase, step in steps], file)


def held_out(objective: LanguageObjective | TaskObjective) -> list[Batch]:
    """Return the batches that choose the best step; those of a task have the labels as indices."""
    if isinstance(objective, LanguageObjective):
        return objective.evaluation
    gold = [objective.labels.index(label) for label in objective.gold]
    return in_order(objective.valid, objective.base, gold)


def test_batches(table: Table, base: Base, recipe: TaskRecipe) -> list[Batch]:
    """Return the rows of a test set, in their order."""
    return in_order(encode(base.tokenizer, table.texts, base.fitting_length(recipe.max_length, LISTENER)), base)


def in_order(encoded: Sequence, base: Base, gold: Sequence[int] = ()) -> list[Batch]:
    """Return texts as batches in their order, with labels if there are some."""
    found = []
    for start in range(0, len(encoded), TESTED):
        batch = pad(encoded[start : start + TESTED], pad_id(base.tokenizer), "cpu")
        found.append({**batch, "labels": torch.tensor(gold[start : start + TESTED])} if gold else batch)
    return found


def write_batches(steps: Iterable[Sequence[Batch]], file: Path) -> None:
    """Write the micro-batches of each step, as "STEP/MICRO-BATCH/NAME"."""
    tensors = {
        f"{step}/{number}/{name}": tensor.to("cpu", torch.int32).contiguous()
        for step, micro_batches in enumerate(steps)
        for number, batch in enumerate(micro_batches)
        for name, tensor in batch.items()
    }
    save_file(tensors, file)
