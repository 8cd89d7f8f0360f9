"""Score combinations of vectors on the test sets of a benchmark, with joint intervals of the means and of the differences.

    python scripts/compare_vectors.py nusax --data DIR [--languages mad bjn sun]
        --rows "DeFT-X=sentiment,{}" "LT-SFT=sentiment,OUT/{}-lt" "none=sentiment"

A row is ``TITLE=TASK`` or ``TITLE=TASK,LANGUAGE``: names or folders of vectors, where {} stands for the code of the language. The last
columns are the difference to the first row, and the mean masked-LM loss of the language vectors on held-out text. Languages
that are no targets of the benchmark, such as jav and sun, do not count in the means. Bundled vectors are of the bundled base.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from deftx.classify.composition import compose  # noqa: E402
from deftx.data.table_rows import Table  # noqa: E402
from deftx.data.tables import read_table  # noqa: E402
from deftx.evidence.cells import Scored  # noqa: E402
from deftx.evidence.settings import SETTINGS, Setting  # noqa: E402
from deftx.evidence.statistics import Interval, joint_difference, joint_interval  # noqa: E402
from deftx.models.bases import BUNDLED_BASE, Base, load_base  # noqa: E402
from deftx.vectors.vector import SparseVector  # noqa: E402


def scored(base: Base, row: str, language: str, table: Table) -> tuple[Scored, float | None]:
    """Classify a test set with the vectors of a row; return it with the masked-LM loss of the language vector, if there is one."""
    title, _, vectors = row.partition("=")
    task, _, own = vectors.partition(",")
    vector = SparseVector.load(own.replace("{}", language)) if own else None
    predicted = compose(base, task=task.replace("{}", language), language=vector).predict(list(table.texts))
    scores = ((vector.info.get("scores") or {}) if vector else {}).get("masked_lm_loss", {})
    return Scored(title, language, 0, list(table.labels), predicted), scores.get("after")


def line(setting: Setting, found: list[tuple[Scored, float | None]], first: list[tuple[Scored, float | None]]) -> str:
    """Return a row in Markdown: title, score of each language, mean, difference to the first row, mean loss."""
    targets = [[cell for cell, _ in side if cell.language in setting.targets] for side in (found, first)]
    mean = joint_interval(targets[0], setting.metric, parallel=setting.parallel)
    change = joint_difference(*targets, setting.metric, parallel=setting.parallel)
    losses = [loss for cell, loss in found if cell.language in setting.targets]
    parts = [found[0][0].row, *(f"{100 * cell.score(setting.metric):.1f}" for cell, _ in found), points(mean)]
    parts.append("–" if found is first else points(change, "+.1f"))
    parts.append("–" if None in losses else f"{sum(losses) / len(losses):.3f}")  # type: ignore[arg-type]
    return f"| {' | '.join(parts)} |"


def points(interval: Interval, form: str = ".1f") -> str:
    """Return a mean with its interval in points."""
    mean, low, high = (format(100 * value, form).replace("-", "−") for value in interval)
    return f"{mean} ({low} to {high})"


def main() -> None:
    """Print a line of the table as soon as it is complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark", choices=SETTINGS)
    parser.add_argument("--rows", nargs="+", required=True, metavar="TITLE=TASK[,LANGUAGE]")
    parser.add_argument("--data", type=Path, required=True, help="folder with the data (docs/evidence.md)")
    parser.add_argument("--languages", nargs="+", help="languages, at least one of them a target (all targets)")
    parser.add_argument("--base", default=BUNDLED_BASE, help="base model of the vectors (the bundled one)")
    given = parser.parse_args()
    setting, base = SETTINGS[given.benchmark], load_base(given.base)
    languages = given.languages or setting.targets
    tables = {language: read_table(setting.test_file(given.data, language)) for language in languages}
    print(f"| vectors | {' | '.join(languages)} | mean | against the first | masked-LM loss |")
    print(f"|---|{'---:|' * (len(languages) + 3)}", flush=True)
    first: list[tuple[Scored, float | None]] = []
    with torch.inference_mode():
        for row in given.rows:
            found = [scored(base, row, language, tables[language]) for language in languages]
            first = first or found
            print(line(setting, found, first), flush=True)


if __name__ == "__main__":
    main()
