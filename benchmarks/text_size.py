"""What a language vector gains by the size of its text: the preset quick on random lines of each corpus.

    DEFTX_DATA=DATA python benchmarks/text_size.py --out OUT [--languages ace ban bjn mad min] [--tokens 5000 20000 80000]

The vectors have as many entries as the bundled ones. Macro-F1 is that of the bundled sentiment vector on the NusaX test rows, with
and without the language vector; no choice is made by it. OUT keeps the vectors and the scores, so a stopped run continues.
docs/advice.md has the table.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
from sides import ROOT  # noqa: F401 (puts the project's root in the path)

import deftx
from deftx.core.evaluation import score
from deftx.core.files import write_json, write_text
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.models.bases import Base
from deftx.vectors.vector import SparseVector

TASK = "sentiment"
SETTINGS = {"k": 250_000, "values": "float16"}  # those of the bundled language vectors


def write_part(lines: list[str], base: Base, tokens: int, file: Path) -> int:
    """Write random lines of at least so many tokens together; return their number. A larger part contains the smaller ones."""
    found, length = [], 0
    for place in np.random.default_rng(0).permutation(len(lines)):
        if length >= tokens:
            break
        found.append(lines[place])
        length += len(base.tokenizer.tokenize(found[-1]))
    write_text(file, "\n".join(found) + "\n")
    return len(found)


def f1(base: Base, language: SparseVector | None, file: Path) -> float:
    """Return macro-F1 on labelled rows, in points."""
    classifier, test = deftx.compose(base, task=TASK, language=language), read_table(file)
    return 100 * score("f1", test.labels, classifier.predict(test.texts), classifier.labels)


def measured(base: Base, data: Path, out: Path, language: str, tokens: int) -> dict:
    """Learn a vector from so many tokens, score it, and return the numbers; those of an earlier run if they are there."""
    folder = out / f"{language}-{tokens}"
    kept = out / f"{language}-{tokens}.json"
    if not kept.exists():
        out.mkdir(parents=True, exist_ok=True)
        part = out / f"{language}-{tokens}.txt"
        lines = write_part(read_corpus(data / "corpora" / f"{language}.txt.gz").lines, base, tokens, part)
        recipe = deftx.recipe_for("language", "quick").changed(SETTINGS)
        vector = deftx.learn_language(part, base, recipe, language=language, out=folder)
        test = data / "nusax" / language / "test.csv"
        loss = vector.info["scores"]["masked_lm_loss"]
        write_json(kept, {"lines": lines, "loss_before": loss["before"], "loss_after": loss["after"],
                          "without": f1(base, None, test), "with": f1(base, vector, test)})  # fmt: skip
    return json.loads(kept.read_text(encoding="utf-8"))


def main() -> None:
    """Print a row for each size and language, and the mean gain of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=["ace", "ban", "bjn", "mad", "min"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[5_000, 20_000, 80_000])
    options = parser.parse_args()
    base, data = deftx.load_base(deftx.BUNDLED_BASE), Path(os.environ["DEFTX_DATA"])
    print("| tokens | language | lines | held-out loss | without | with | gain |\n|---:|---|---:|---|---:|---:|---:|")
    for tokens in options.tokens:
        gains = []
        for language in options.languages:
            row = measured(base, data, options.out, language, tokens)
            gains.append(row["with"] - row["without"])
            print(f"| {tokens:,} | {language} | {row['lines']:,} | {row['loss_before']:.3f} → {row['loss_after']:.3f} | "
                  f"{row['without']:.1f} | {row['with']:.1f} | {gains[-1]:+.1f} |", flush=True)  # fmt: skip
        print(f"| {tokens:,} | mean | | | | | {np.mean(gains):+.1f} |", flush=True)


if __name__ == "__main__":
    main()
