"""What a few labelled rows of a language add if only the classification head learns from them, the encoder stays as it is.

    python benchmarks/head_rows.py DATA [--languages sun eng] [--rows 25 50 100 500] [--draws 3] [--penalty 3]

The head's weights W are changed by ΔW: cross-entropy on the rows plus penalty / 2 · mean(|x|²) · |ΔW|², where x are the states that
the head reads. Rows are drawn from DATA/nusax/LANGUAGE/train.csv as in few_rows.py, and macro-F1 is that on test.csv. The penalty
was chosen on Sundanese and English. Where all 500 rows gain little, it is the states that do not tell the labels apart.
"""

import argparse
from pathlib import Path
from statistics import mean

import numpy as np
import sides  # noqa: F401 (it makes the project importable)
import torch
from torch import Tensor, nn

import deftx
from deftx.classify.classifier import Classifier
from deftx.core.evaluation import score
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.vectors.vector_files import BUNDLED_VECTORS


def states(classifier: Classifier, texts: list[str]) -> Tensor:
    """Return what the head reads (texts, width), one text at a time so that the order stays."""
    found: list[Tensor] = []
    hook = head_of(classifier).register_forward_pre_hook(lambda _, given: found.append(given[0].detach().float()))
    for text in texts:
        classifier.classify([text])
    hook.remove()
    return torch.cat(found)


def head_of(classifier: Classifier) -> nn.Linear:
    """Return the classification head of an encoder of the BERT family."""
    return classifier.model.get_submodule("classifier")  # type: ignore[return-value]


def fitted(x: Tensor, gold: Tensor, head: tuple[Tensor, Tensor], penalty: float) -> tuple[Tensor, Tensor]:
    """Return the weights and biases that fit the rows, near to those of the head."""
    change = [torch.zeros_like(part, requires_grad=True) for part in head]
    size = float(x.square().sum(1).mean())
    optimiser = torch.optim.LBFGS(change, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = x @ (head[0] + change[0]).T + head[1] + change[1]
        away = size * change[0].square().sum() + change[1].square().sum()
        found = nn.functional.cross_entropy(logits, gold, reduction="sum") + penalty / 2 * away
        found.backward()
        return found

    optimiser.step(loss)  # type: ignore[arg-type]
    return (head[0] + change[0]).detach(), (head[1] + change[1]).detach()


def gains(language: str, data: Path, options: argparse.Namespace) -> dict[int, list[float]]:
    """Return the gains in points of each draw, by the number of rows, and print them."""
    base, own = deftx.load_base(deftx.BUNDLED_BASE), language if (BUNDLED_VECTORS / language).is_dir() else None
    classifier = deftx.compose(base, task=options.task, language=own)
    train, test = (read_table(data / "nusax" / language / f"{part}.csv") for part in ("train", "test"))
    x, tested = states(classifier, train.texts), states(classifier, test.texts)
    gold = torch.tensor([classifier.labels.index(label) for label in train.labels])
    head = head_of(classifier)
    weights = head.weight.detach().float(), head.bias.detach().float()
    before = f1(tested, test, weights, classifier.labels)
    found: dict[int, list[float]] = {}
    for rows in options.rows:
        for draw in range(options.draws if rows < len(train) else 1):
            chosen = np.random.default_rng((draw, rows)).permutation(len(train))[:rows]
            after = f1(tested, test, fitted(x[chosen], gold[chosen], weights, options.penalty), classifier.labels)
            found.setdefault(rows, []).append(after - before)
    cells = " | ".join(", ".join(f"{gain:+.1f}" for gain in each) for each in found.values())
    print(f"| {language} | {before:.1f} | {cells} |", flush=True)
    return found


def f1(x: Tensor, test: Table, head: tuple[Tensor, Tensor], labels: list[str]) -> float:
    """Return macro-F1 of a head in points."""
    answers = [labels[place] for place in (x @ head[0].T + head[1]).argmax(1).tolist()]
    return 100 * score("f1", test.labels, answers, labels)


def main() -> None:
    """Print a row for each language, and the mean of the languages for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--languages", nargs="+", default=["sun", "eng"])
    parser.add_argument("--rows", nargs="+", type=int, default=[25, 50, 100, 500])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--penalty", type=float, default=3.0)
    parser.add_argument("--task", default="sentiment")
    options = parser.parse_args()
    print("| language | zero-shot | " + " | ".join(f"{rows} rows" for rows in options.rows) + " |")
    print("|---|---:|" + "---:|" * len(options.rows))
    found = [gains(language, options.data, options) for language in options.languages]
    print("| mean | | " + " | ".join(f"{mean(mean(one[rows]) for one in found):+.1f}" for rows in options.rows) + " |")


if __name__ == "__main__":
    main()
