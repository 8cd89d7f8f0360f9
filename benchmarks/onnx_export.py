"""Measure what an export to ONNX changes, in 32 and in 8 bits: macro-F1 and answers on test rows of NusaX, and sizes.

    DEFTX_DATA=DATA python benchmarks/onnx_export.py [--languages ban min] [--rows 400]

The bundled base and vectors; the rows are the first of each test set.
"""

import argparse
import os
import tempfile
from pathlib import Path

import sides  # noqa: F401 (it makes deftx importable)

from deftx import BUNDLED_BASE, compose, load_base, read_table
from deftx.core.evaluation import score
from deftx.publish.onnx_folder import GRAPH, QUANTISED, onnx_probabilities, write_onnx


def measure(language: str, count: int) -> None:
    """Print the scores of a language."""
    table = read_table(Path(os.environ["DEFTX_DATA"]) / "nusax" / language / "test.csv")
    texts, gold = list(table.texts)[:count], list(table.labels)[:count]
    classifier = compose(load_base(BUNDLED_BASE), task="sentiment", language=language)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / language
        parts = write_onnx(classifier, folder, int8=True)
        found = {"deftx": classifier.classify(texts)}
        found |= {name: onnx_probabilities(folder / name, classifier, texts) for name in (GRAPH, QUANTISED)}
    answers = {name: [classifier.labels[place] for place in rows.argmax(-1).tolist()] for name, rows in found.items()}
    print(f"{language}, {len(texts)} rows")
    for name, predicted in answers.items():
        other = sum(one != own for one, own in zip(predicted, answers["deftx"], strict=True))
        far = float((found[name] - found["deftx"]).abs().max())
        size = f", {parts.sizes[name] / 1e6:.1f} MB" if name in parts.sizes else ""
        f1 = 100 * score("f1", gold, predicted, classifier.labels)
        print(f"  {name}: macro-F1 {f1:.1f}, {other} other answers, largest difference {far:.1e}{size}", flush=True)


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["ban", "min"])
    parser.add_argument("--rows", type=int, default=400)
    options = parser.parse_args()
    for language in options.languages:
        measure(language, options.rows)


if __name__ == "__main__":
    main()
