"""Score the language vectors of every row of a benchmark run with the same task vector.

    python scripts/cross_vectors.py OUT --data DIR [--task sentiment] [--seed 42]

OUT is the folder of ``python -m deftx benchmark nusax``. In that table, rows differ in their language vectors and in their
task vector; here only the language vectors differ. Rows without a language are omitted from tables with this language.
"""

import argparse
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from deftx.classify.composition import compose  # noqa: E402
from deftx.data.table_rows import Table  # noqa: E402
from deftx.data.tables import read_table  # noqa: E402
from deftx.evidence.cells import Scored  # noqa: E402
from deftx.evidence.rows import ROWS, VARIANTS  # noqa: E402
from deftx.evidence.settings import SETTINGS  # noqa: E402
from deftx.evidence.statistics import joint_difference, joint_interval  # noqa: E402
from deftx.models.bases import BUNDLED_BASE, Base, load_base  # noqa: E402
from deftx.vectors.vector import SparseVector  # noqa: E402
from deftx.vectors.vector_files import INFO  # noqa: E402

NONE, BUNDLED, REFERENCE = "none", "bundled", "lt-sft"


def folders(out: Path, language: str, seed: int) -> dict[str, str | None]:
    """Return the existing language vectors of a language by row: none, the bundled one, and those of the benchmark."""
    named = {row: out / "vectors" / f"language-{language}-{row}-{seed}" for row in VARIANTS}
    return {NONE: None, BUNDLED: language, **{r: str(path) for r, path in named.items() if (path / INFO).is_file()}}


def score(base: Base, task: SparseVector, language: str, row: str, vector: str | None, table: Table) -> dict:
    """Classify the test set of a language with one language vector, and read the vector's masked-LM loss."""
    loaded = SparseVector.load(vector) if vector else None
    predicted = compose(base, task=task, language=loaded).predict(list(table.texts))
    loss = ((loaded.info.get("scores") or {}) if loaded else {}).get("masked_lm_loss", {}).get("after")
    return {"cell": Scored(row, language, 0, list(table.labels), predicted), "loss": loss}


def line(row: str, found: list[dict], reference: list[dict], metric: str) -> str:
    """Return a row: title, score of each language, mean and difference with intervals, mean loss."""
    cells, others = ([one["cell"] for one in side] for side in (found, reference))
    mean, change = joint_interval(cells, metric), joint_difference(cells, others, metric)
    losses = [one["loss"] for one in found]
    title = ROWS[row].title if row in ROWS else {NONE: "None", BUNDLED: "Bundled (90 % of the variance)"}[row]
    parts = [title, *(f"{100 * cell.score(metric):.1f}" for cell in cells), points(mean)]
    parts.append("–" if row == REFERENCE else points(change, "+.1f"))
    parts.append("–" if None in losses else f"{sum(losses) / len(losses):.3f}")
    return f"| {' | '.join(parts)} |"


def points(interval: tuple[float, float, float], form: str = ".1f") -> str:
    """Return a mean with its interval in points."""
    mean, low, high = (format(100 * value, form).replace("-", "−") for value in interval)
    return f"{mean} ({low} to {high})"


def tables(found: dict[str, dict[str, dict]], metric: str) -> str:
    """Return a table for each set of languages for which some row is complete, the largest set first."""
    complete = {row: tuple(sorted(by_language)) for row, by_language in found.items()}
    written = []
    for languages in sorted(set(complete.values()), key=len, reverse=True):
        rows = [row for row in found if set(languages) <= set(complete[row])]
        heads = ["language vectors", *languages, "mean", "against LT-SFT", "masked-LM loss"]
        lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
        reference = [found[REFERENCE][language] for language in languages]
        lines += [line(row, [found[row][language] for language in languages], reference, metric) for row in rows]
        written.append("\n".join(lines))
    return "\n\n".join(written)


def main() -> None:
    """Score all vectors and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the benchmark run")
    parser.add_argument("--data", type=Path, required=True, help="folder with the data")
    parser.add_argument("--task", default="sentiment", help="the task vector (sentiment)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the language vectors (42)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    base, task, setting = load_base(BUNDLED_BASE), SparseVector.load(given.task), SETTINGS["nusax"]
    wanted = [(language, row, vector) for language in setting.targets
              for row, vector in folders(given.out, language, given.seed).items()]  # fmt: skip
    found: dict[str, dict[str, dict]] = {}
    for language, group in groupby(wanted, key=lambda one: one[0]):
        table = read_table(setting.test_file(given.data, language))
        for _, row, vector in group:
            print(f"{language} {row}", file=sys.stderr)
            found.setdefault(row, {})[language] = score(base, task, language, row, vector, table)
    print(tables(found, setting.metric))


if __name__ == "__main__":
    main()
