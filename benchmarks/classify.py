"""Benchmark: classify sentences of mixed length, compared with transformers' text-classification pipeline.

    DEFTX_DATA=DATA python benchmarks/classify.py [--shape xlm-r-base|bundled] [--sentences 1000] [--quick]

Real sentences of NusaX; both sides use the tokenizer of the bundled base. The other side uses the best of several batch sizes.
Also: single sentences, compared with tokenising and a forward pass. Probabilities must agree to 1e-5.
"""

import argparse
import csv
import os
import statistics
import sys
from pathlib import Path

import torch
from sides import ROOT, THREADS, config, report, seconds
from torch import Tensor
from transformers import XLMRobertaForMaskedLM, XLMRobertaForSequenceClassification, pipeline

from deftx import BUNDLED_BASE
from deftx.classify.composition import Classifier
from deftx.models.base_files import quiet_transformers
from deftx.models.bases import Base, load_base

LABELS = ["negative", "neutral", "positive"]
BATCH_SIZES = (1, 4, 16, 64)
LANGUAGES = ("min", "ban", "jav", "ace", "sun")


def sentences(given: argparse.Namespace) -> list[str]:
    """Return sentences of several languages; the quick shape uses bundled ones."""
    if given.quick:
        return (ROOT / "assets" / "samples" / "indonesian.txt").read_text(encoding="utf-8").splitlines()[:20]
    if "DEFTX_DATA" not in os.environ:
        sys.exit("DEFTX_DATA must name the folder that holds nusax/")
    texts = []
    for language in LANGUAGES:
        file = Path(os.environ["DEFTX_DATA"]) / "nusax" / language / "test.csv"
        with file.open(encoding="utf-8", newline="") as stream:
            texts += [row["text"] for row in csv.DictReader(stream)]
    return texts[:: max(1, len(texts) // given.sentences)][: given.sentences]


def classifier(given: argparse.Namespace) -> Classifier:
    """Return a classifier with random weights in one of the shapes, on the bundled base's tokenizer."""
    with quiet_transformers():
        bundled = load_base(BUNDLED_BASE)
        torch.manual_seed(0)
        if given.quick or given.shape == "bundled":
            base = bundled
            settings = bundled.model.config
            settings.num_labels = len(LABELS)
        else:
            settings = config(False, num_labels=len(LABELS))
            with torch.device("meta"):
                empty = XLMRobertaForMaskedLM(settings)
            base = Base("random", None, empty, bundled.tokenizer)
        settings.id2label = dict(enumerate(LABELS))
        model = XLMRobertaForSequenceClassification(settings).eval()
    return Classifier(base, model.to(given.device), LABELS, 128)


def theirs(ours: Classifier) -> pipeline:
    """Return the pipeline around the same model."""
    return pipeline("text-classification", model=ours.model, tokenizer=ours.base.tokenizer, device=ours.model.device)


def probabilities(answers: list[list[dict]]) -> Tensor:
    """Return the pipeline's probabilities in the order of the labels."""
    return torch.tensor([[{a["label"]: a["score"] for a in answer}[label] for label in LABELS] for answer in answers])


def many(given: argparse.Namespace, ours: Classifier, texts: list[str]) -> dict[str, float]:
    """Compare on all sentences; return the ratio and the largest difference of probabilities."""
    other = theirs(ours)
    settings = {"truncation": True, "max_length": ours.max_length, "top_k": None}
    part = texts[:: max(1, len(texts) // 100)]
    times = {size: seconds(lambda size=size: other(part, batch_size=size, **settings), 1)[0] for size in BATCH_SIZES}
    best = min(times, key=times.get)
    spent: dict[str, list[float]] = {"ours": [], "other": []}
    for _ in range(given.rounds):
        spent["other"] += seconds(lambda: other(texts, batch_size=best, **settings), 1)
        spent["ours"] += seconds(lambda: ours.classify(texts), 1)
    target = "1.4" if given.shape == "bundled" else "1.25"
    what = f"{len(texts):,} sentences (the pipeline at batch size {best})"
    mine, others = statistics.median(spent["ours"]), statistics.median(spent["other"])
    ratio = report(what, mine, others, "s", target)
    apart = float((ours.classify(texts) - probabilities(other(texts, batch_size=best, **settings))).abs().max())
    return {"seconds": mine, "pipeline_seconds": others, "batch_size": best, "ratio": ratio, "apart": apart}


def single(given: argparse.Namespace, ours: Classifier, texts: list[str]) -> None:
    """Compare on single sentences."""
    tokenizer = ours.base.tokenizer

    @torch.inference_mode()
    def forward(text: str) -> Tensor:
        encoded = tokenizer(text, truncation=True, max_length=ours.max_length, return_tensors="pt").to(
            ours.model.device
        )
        return ours.model(**encoded).logits.softmax(-1)

    spent: dict[str, list[float]] = {"ours": [], "other": []}
    for text in texts[:: max(1, len(texts) // 30)]:
        spent["other"] += seconds(lambda text=text: forward(text), given.rounds)
        spent["ours"] += seconds(lambda text=text: ours.classify([text]), given.rounds)
    one, plain = (statistics.median(spent[side]) * 1000 for side in ("ours", "other"))
    print(
        f"one sentence: ours {one:.2f} ms, tokenise and forward {plain:.2f} ms: {one / plain:.2f} (target 1.2 at most)"
    )


def main() -> None:
    """Measure both sides alternately; the exit status is 1 if their probabilities differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few sentences on the bundled shape")
    parser.add_argument("--shape", choices=("xlm-r-base", "bundled"), default="xlm-r-base")
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    ours, texts = classifier(given), sentences(given)
    apart = many(given, ours, texts)["apart"]
    print(f"probabilities differ by at most {apart:.1e}")
    single(given, ours, texts)
    sys.exit(0 if apart <= 1e-5 else 1)


if __name__ == "__main__":
    main()
