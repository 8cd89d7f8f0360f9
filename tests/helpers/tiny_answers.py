"""A task vector on questions of the tiny base, for the tests that use one."""

from pathlib import Path

import tiny
import tiny_questions

from deftx.models.bases import Base
from deftx.training.task import learn_task
from deftx.vectors.vector import SparseVector

SETTINGS = {"max_steps": 50, "evaluate_every": 25, "batch_size": 16, "learning_rate": 1e-2, "k": 3000}


def learn(base: Base, folder: Path, unanswerable: bool = True, **settings) -> SparseVector:
    """Learn a vector that marks good and bad words, and write it to ``folder``/v."""
    rows = tiny_questions.write_squad(folder / "rows.json", tiny_questions.paragraphs(unanswerable))
    recipe = tiny.task_recipe(**SETTINGS).changed(settings)
    return learn_task(rows, base, recipe, out=folder / "v", language="ind")
