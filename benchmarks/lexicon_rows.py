"""What a word list adds to a task vector: the vector trained further on rows of Indonesian that are translated word by word.

    python benchmarks/lexicon_rows.py DATA [--languages sun eng] [--share 1.0] [--smsa 700] [--epochs 1]

The rows are the 500 of DATA/nusax/ind/train.csv and so many of DATA/smsa/train.csv, drawn at random; DATA/lexicons/ind-LANGUAGE.csv is
the word list, and --share 0 leaves all words as they are. Macro-F1 is that on DATA/nusax/LANGUAGE/test.csv. A bundled language vector
of the language is on. The share was chosen on Sundanese and English.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import sides  # noqa: F401 (it makes the project importable)
from few_rows import drawn, f1, f1_after

import deftx
from deftx.data.lexicon import read_lexicon
from deftx.data.table_rows import join_tables
from deftx.data.tables import read_table
from deftx.models.bases import Base
from deftx.vectors.vector_files import BUNDLED_VECTORS
from ui.labelling.sessions import FURTHER


def gain(base: Base, language: str, options: argparse.Namespace) -> float:
    """Return the gain of a word list in points, and print it."""
    data, own = options.data, language if (BUNDLED_VECTORS / language).is_dir() else None
    smsa = drawn(read_table(data / "smsa" / "train.csv"), options.smsa, 0)
    rows = join_tables([read_table(data / "nusax" / "ind" / "train.csv"), smsa])
    lexicon, generator = read_lexicon(data / "lexicons" / f"ind-{language}.csv"), np.random.default_rng(0)
    rows = replace(rows, texts=[lexicon.translate(text, options.share, generator) for text in rows.texts])
    test = read_table(data / "nusax" / language / "test.csv")
    recipe = deftx.recipe_for("task", "quick").changed(
        {**FURTHER, "batch_size": 16, "epochs": options.epochs, "seed": 0}
    )
    before = f1(base, options.task, own, test)
    after = f1_after(
        base, own, test, train=rows, recipe=recipe, valid=rows.keep(range(20)), source=own, start=options.task
    )
    print(f"| {language} | {before:.1f} | {after:.1f} | {after - before:+.1f} |", flush=True)
    return after - before


def main() -> None:
    """Print a row for each language, and the mean gain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--languages", nargs="+", default=["sun", "eng"])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--smsa", type=int, default=700, metavar="ROWS")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--task", default="sentiment")
    options = parser.parse_args()
    base = deftx.load_base(deftx.BUNDLED_BASE)
    print("| language | bundled | trained further | gain |\n|---|---:|---:|---:|")
    print(f"mean: {mean(gain(base, language, options) for language in options.languages):+.1f}")


if __name__ == "__main__":
    main()
