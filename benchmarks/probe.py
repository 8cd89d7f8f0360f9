"""Benchmark: what a base knows without any training of its weights.

    python benchmarks/probe.py --data DIR BASE...

For each base: macro-F1 of a logistic regression on its sentence embeddings (means of the last hidden states), learned from 2,000
rows of SMSA (Indonesian) and tested on NusaX in Indonesian, Javanese and Sundanese; and its masked-LM loss in nats on held-out
lines. It shows in a minute what pretraining has done to the transfer between languages (docs/base.md). Target languages have
no part in it, except for the loss on raw text.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402 (the project's folders are put in the path above)
import pretrain  # noqa: E402
import torch  # noqa: E402
from pretraining import text  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from deftx.core.events import Listener, ignore  # noqa: E402
from deftx.data.tables import read_table  # noqa: E402
from deftx.models.bases import Base, load_base  # noqa: E402
from deftx.models.batches import by_length  # noqa: E402

LANGUAGES = ("ind", "jav", "sun")  # the source, and the development languages
JUDGED = ("ind", "jav", "sun", "min", "ban", "mad")
ROWS, SEED, LONGEST = 2_000, 0, 96
PENALTY = 0.05  # C of the regression, not tuned


@torch.no_grad()
def embeddings(base: Base, texts: list[str]) -> np.ndarray:
    """Return the mean hidden state of each text, (texts, hidden) float32."""
    found = np.empty((len(texts), base.model.config.hidden_size), np.float32)
    ids = [torch.tensor(one) for one in base.tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]]
    for batch in by_length(ids):
        tokens = base.tokenizer.pad({"input_ids": [ids[i].tolist() for i in batch]}, return_tensors="pt")
        hidden = base.model.base_model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][:, :, None]
        found[batch] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    return found


def transfer(base: Base, data: Path) -> dict[str, float]:
    """Return the macro-F1 of the regression by language."""
    train = read_table(data / "smsa" / "train.csv")
    drawn = np.random.default_rng(SEED).permutation(len(train.texts))[:ROWS]
    regression = LogisticRegression(C=PENALTY, max_iter=2_000, class_weight="balanced")
    model = make_pipeline(StandardScaler(), regression)
    model.fit(embeddings(base, [train.texts[i] for i in drawn]), [train.labels[i] for i in drawn])
    found = {}
    for language in LANGUAGES:
        test = read_table(data / "nusax" / language / "test.csv")
        found[language] = 100 * f1_score(test.labels, model.predict(embeddings(base, test.texts)), average="macro")
    return found


def losses(base: Base, held_out: dict[str, list[str]]) -> dict[str, float]:
    """Return the masked-LM loss by language, on the lines and masks of scripts/pretrain.py."""
    settings = pretrain.Settings(base=base.name)
    settings = replace(settings, length=base.fitting_length(settings.length, Listener(ignore, lambda: False)))
    return pretrain.evaluate(base.model, pretrain.evaluation_batches(held_out, base.tokenizer, settings), "cpu")


def main() -> None:
    """Print a line for each base."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bases", metavar="BASE", nargs="+", help="folders or names of bases")
    parser.add_argument("--data", type=Path, required=True, help="folder with corpora/, smsa/ and nusax/")
    given = parser.parse_args()
    _, held_out = text.read_corpora(given.data, 42)
    held_out = {name: held_out[name] for name in JUDGED if name in held_out}
    for name in given.bases:
        base = load_base(name)
        base.model.eval()
        scores = " ".join(f"{language} {score:.1f}" for language, score in transfer(base, given.data).items())
        nats = " ".join(f"{language} {loss:.2f}" for language, loss in losses(base, held_out).items())
        print(f"{name}: macro-F1 {scores}; loss {nats}", flush=True)


if __name__ == "__main__":
    main()
