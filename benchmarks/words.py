"""Benchmark: do the words that attribution marks as supporting really carry the answer, and how long does it take?

    DEFTX_DATA=DATA python benchmarks/words.py [--languages min ban] [--sentences 200] [--quick]

The bundled base and vectors on sentences of the NusaX test sets. For each method of attribution, the three most supporting words
of a sentence are taken out together, and the fall of the probability is compared with that of three random words: of one draw,
and of the mean of ten draws. Also: sentences in which every word has a weight against the answer, sentences that no word alone
carries, what the full stop at the end does, and the time for sentences of 20 words.
"""

import argparse
import csv
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sides import ROOT, THREADS

from deftx import BUNDLED_BASE
from deftx.classify.attribution import METHODS, NOTICEABLE, Attribution, attribute
from deftx.classify.composition import Classifier, compose
from deftx.classify.leave_one_out import without_words
from deftx.classify.words import read_text
from deftx.models.bases import load_base

TAKEN, DRAWS, TIMED_WORDS = 3, 10, 20
FEWEST_WORDS = 2 * TAKEN  # in shorter sentences, the random words are mostly the supporting ones


def sentences(given: argparse.Namespace, language: str) -> list[str]:
    """Return sentences spread evenly over a NusaX test set; the quick shape uses bundled ones."""
    if given.quick:
        texts = (ROOT / "assets" / "samples" / "indonesian.txt").read_text(encoding="utf-8").splitlines()[:5]
    elif "DEFTX_DATA" not in os.environ:
        sys.exit("DEFTX_DATA must name the folder that holds nusax/")
    else:
        file = Path(os.environ["DEFTX_DATA"]) / "nusax" / language / "test.csv"
        with file.open(encoding="utf-8", newline="") as stream:
            texts = [row["text"] for row in csv.DictReader(stream)]
    texts = [text for text in texts if len(text.split()) >= FEWEST_WORDS]
    return texts[:: max(1, len(texts) // given.sentences)][: given.sentences]


def falls(classifier: Classifier, text: str, found: Attribution, random: np.random.Generator) -> list[float]:
    """Return the fall of the probability without the most supporting words, then without random words of each draw."""
    read = read_text(classifier, text)
    words = read.read_words()
    chosen = [sorted(words, key=lambda word: -(found.words[word].weight or 0.0))[:TAKEN]]
    chosen += [random.choice(words, TAKEN, replace=False).tolist() for _ in range(DRAWS)]
    label = classifier.labels.index(found.label)
    shares = classifier.classify([without_words(read, some) for some in chosen])[:, label].tolist()
    return [(found.probability or 0.0) - share for share in shares]


def judge(classifier: Classifier, texts: list[str], method: str) -> str:
    """Return a row of the table for one method."""
    random = np.random.default_rng(0)
    found = [attribute(classifier, text, method=method) for text in texts]
    fallen = [falls(classifier, text, one, random) for text, one in zip(texts, found, strict=True)]
    one_draw = np.mean([top > first for top, first, *_ in fallen])
    all_draws = np.mean([top > statistics.mean(others) for top, *others in fallen])
    against = sum(all((word.weight or 0.0) <= 0 for word in one.words) for one in found)
    unsupported = sum(not one.supporting for one in found)
    marked_against = sum(all(w.weight < 0 for w in one.marked) for one in found if one.marked)
    return (
        f"{method}: {one_draw:.1%} (mean of {DRAWS} draws {all_draws:.1%}); mean fall {np.mean([f[0] for f in fallen]):.3f}, "
        f"random {np.mean([f[1:] for f in fallen]):.3f}; every word against: {against}; no word alone: {unsupported}; "
        f"marks all against: {marked_against}"
    )


def full_stops(classifier: Classifier, texts: list[str]) -> list[float]:
    """Return how far the probability moves when only the full stop at the end of a sentence is left out."""
    stopped = [text.rstrip() for text in texts if text.rstrip().endswith(".")]
    if not stopped:
        return []
    with_it, without = classifier.classify(stopped), classifier.classify([text[:-1] for text in stopped])
    label = with_it.argmax(-1, keepdim=True)
    return (with_it.gather(1, label) - without.gather(1, label)).abs()[:, 0].tolist()


def milliseconds(classifier: Classifier, texts: list[str], method: str, rounds: int) -> tuple[float, float]:
    """Return the median time of a sentence of 20 words, and the median processor time, which other load changes less."""
    long = [" ".join(words[:TIMED_WORDS]) for text in texts if len(words := text.split()) >= TIMED_WORDS][:rounds]
    long = long or [" ".join((" ".join(texts)).split()[:TIMED_WORDS])]
    attribute(classifier, long[0], method=method)
    spent = []
    for text in long:
        start, busy = time.perf_counter(), time.process_time()
        attribute(classifier, text, method=method)
        spent.append((1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy)))
    wall, processor = (statistics.median(column) for column in zip(*spent, strict=True))
    return wall, processor


def main() -> None:
    """Print a line for each language and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few bundled sentences: only check that it runs")
    parser.add_argument("--languages", nargs="+", default=["min", "ban"])
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--threads", type=int, default=THREADS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    base = load_base(BUNDLED_BASE)
    for language in given.languages[: 1 if given.quick else None]:
        classifier = compose(base, task="sentiment", language=language)
        texts = sentences(given, language)
        print(f"{language}, {len(texts)} sentences", flush=True)
        for method in METHODS:
            wall, processor = milliseconds(classifier, texts, method, rounds=20)
            timed = f"{TIMED_WORDS} words in {wall:.0f} ms, processor time {processor:.0f} ms"
            print(f"  {judge(classifier, texts, method)}; {timed}", flush=True)
        if moved := full_stops(classifier, texts):
            middle, most = np.quantile(moved, [0.5, 0.95])
            many = np.mean([move >= NOTICEABLE for move in moved])
            print(f"  without the full stop alone: median {middle:.3f}, 95 % below {most:.3f}, {many:.1%} noticeable "
                  f"({len(moved)} sentences)")  # fmt: skip


if __name__ == "__main__":
    main()
