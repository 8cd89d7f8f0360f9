"""What a few labelled rows of a language add to a task vector: zero-shot against the vector trained further on them.

    python benchmarks/few_rows.py DATA [--languages jav sun] [--rows 50] [--draws 3] [--beside 200] [--set sparse_learning_rate=1e-3 …]

Rows are drawn from DATA/nusax/LANGUAGE/train.csv, and macro-F1 is that on test.csv. A bundled language vector of the language is
on; Javanese and Sundanese have none. The settings are those of "Improve the classifier with these" on the page, which were
chosen on these two languages. With --beside N, N rows of Indonesian (DATA/nusax/ind/train.csv), drawn anew in each draw, are learned in
one pass beside four passes over the rows of the language (--passes).
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import sides  # noqa: F401 (it makes the project importable)

import deftx
from deftx.core.evaluation import score
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.models.bases import Base
from deftx.training.setting_text import parse_setting
from deftx.vectors.vector_files import BUNDLED_VECTORS
from ui.labelling.sessions import FURTHER


def drawn(table: Table, rows: int, draw: int) -> Table:
    """Return so many rows of a table, chosen by the number of the draw."""
    return table.keep(sorted(np.random.default_rng((draw, rows)).permutation(len(table))[:rows].tolist()))


def f1(base: Base, task: object, language: str | None, test: Table) -> float:
    """Return macro-F1 on the test rows in points."""
    classifier = deftx.compose(base, task=task, language=language)
    return 100 * score("f1", test.labels, classifier.predict(test.texts), classifier.labels)


def f1_after(base: Base, language: str | None, test: Table, **training: Any) -> float:
    """Return macro-F1 of a task vector that ``learn_task`` makes of these arguments.

    No checkpoint is chosen by the validation rows, so they only have to be few.
    """
    with tempfile.TemporaryDirectory() as folder:
        return f1(base, deftx.learn_task(base=base, out=Path(folder) / "out", **training), language, test)


def gains(base: Base, task: str, data: Path, language: str, options: argparse.Namespace) -> Iterator[float]:
    """Yield the gain of each draw in points, and print it."""
    train, test = (read_table(data / "nusax" / language / f"{part}.csv") for part in ("train", "test"))
    own = language if (BUNDLED_VECTORS / language).is_dir() else None
    before = f1(base, task, own, test)
    recipe = deftx.recipe_for("task", "quick")
    passes = {"epochs": 1.0} if options.beside else {}
    recipe = recipe.changed({**FURTHER, **passes, **dict(parse_setting(recipe, text) for text in options.set)})
    for draw in range(options.draws):
        rows = drawn(train, options.rows, draw)
        files: dict[str, Any] = {"train": rows, "source": own}
        if options.beside:
            other = drawn(read_table(data / "nusax" / "ind" / "train.csv"), options.beside, draw)
            files = {"train": [rows, other], "source": [own, "ind" if own else None], "repeat": [options.passes, 1]}
        after = f1_after(base, own, test, **files, recipe=replace(recipe, seed=draw), valid=rows, start=task)
        print(f"| {language} | {draw} | {before:.1f} | {after:.1f} | {after - before:+.1f} |", flush=True)
        yield after - before


def main() -> None:
    """Print a row for each language and draw, and the mean gain of each language and of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--languages", nargs="+", default=["jav", "sun"])
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--task", default="sentiment")
    parser.add_argument("--beside", type=int, default=0, metavar="N", help="rows of Indonesian beside them")
    parser.add_argument("--passes", type=int, default=4, help="passes over the rows of the language, with --beside")
    parser.add_argument("--set", nargs="+", default=[], metavar="key=value")
    options = parser.parse_args()
    base = deftx.load_base(deftx.BUNDLED_BASE)
    print("| language | draw | zero-shot | trained further | gain |\n|---|---|---:|---:|---:|")
    found = {one: list(gains(base, options.task, options.data, one, options)) for one in options.languages}
    for language, each in found.items():
        print(f"{language}: {mean(each):+.1f} on average, {min(each):+.1f} at worst")
    print(f"all: {mean(mean(each) for each in found.values()):+.1f}")


if __name__ == "__main__":
    main()
