"""Measurement: how often each doubt is stated about text in the right language, and about text in another one.

    DEFTX_DATA=DATA python benchmarks/doubts.py

Up to 300 held-out lines of each corpus (those of the table in docs/languages.md) and the NusaX test sets, on the bundled base and
vectors. Also: a few words cut out of the NusaX sentences, and the share of right answers by the margin between the two highest
probabilities.
"""

import argparse
import csv
import itertools
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from sides import ROOT, THREADS

sys.path.insert(0, str(ROOT / "scripts"))

from language_profiles import CLEARED, LINES_WEIGHED, read_lines

from deftx import BUNDLED_BASE
from deftx.classify.composition import Classifier, compose
from deftx.classify.doubts import doubts
from deftx.data.languages import draw
from deftx.data.text import split
from deftx.models.bases import load_base

OWN = ("ace", "ban", "bjn", "ind", "mad", "min")
OTHERS = ("eng", "spa", "jav", "sun")
MARGINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.01)
KINDS = ("language", "unread", "short")


def held_out(data: Path, code: str) -> list[str]:
    """Return the held-out lines on which docs/languages.md measures."""
    _, held = split(read_lines(data / "corpora" / f"{CLEARED.get(code, code)}.txt.gz"), 0.1, 0)
    return draw(held[1::2], LINES_WEIGHED)


def nusax(data: Path, code: str) -> list[tuple[str, str]]:
    """Return the sentences of a NusaX test set with their labels; none if there is no such set."""
    file = data / "nusax" / code / "test.csv"
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [(row["text"], row["label"]) for row in csv.DictReader(stream)]


def windows(texts: Sequence[str], size: int) -> list[str]:
    """Return a few consecutive words of each text, from varying places."""
    words = [text.split() for text in texts]
    starts = [(7 * place) % max(1, len(own) - size + 1) for place, own in enumerate(words)]
    return [" ".join(own[start : start + size]) for own, start in zip(words, starts, strict=True)]


def shares(classifier: Classifier, texts: Sequence[str]) -> str:
    """Return the share of texts for which each kind of doubt is stated, as cells of a table."""
    certain = [[1.0] + [0.0] * (len(classifier.labels) - 1)] * len(texts)
    said = [{reason.kind for reason in reasons} for reasons in doubts(classifier, texts, certain)]
    return " | ".join(f"{np.mean([kind in kinds for kinds in said]):.1%}" for kind in KINDS)


def by_margin(classifiers: dict[str, Classifier], sets: dict[str, list[tuple[str, str]]]) -> Iterable[str]:
    """Yield the share of right answers in each interval of the margin, over the languages other than the source."""
    margins, right = [], []
    for code, classifier in classifiers.items():
        if code == "ind":
            continue
        rows = classifier.classify([text for text, _ in sets[code]]).numpy()
        best = np.sort(rows, axis=1)
        margins += (best[:, -1] - best[:, -2]).tolist()
        right += [classifier.labels[i] == label for i, (_, label) in zip(rows.argmax(1), sets[code], strict=True)]
    for low, high in itertools.pairwise(MARGINS):
        inside = [ok for margin, ok in zip(margins, right, strict=True) if low <= margin < high]
        yield f"| {low:.1f} to {min(high, 1):.1f} | {len(inside):,} | {np.mean(inside):.1%} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=THREADS)
    torch.set_num_threads(parser.parse_args().threads)
    data = Path(
        os.environ.get("DEFTX_DATA") or sys.exit("DEFTX_DATA must name the folder that holds nusax/ and corpora/")
    )
    base = load_base(BUNDLED_BASE)
    classifiers = {code: compose(base, task="sentiment", language=code) for code in OWN}
    lines = {code: held_out(data, code) for code in (*OWN, *OTHERS)}
    sets = {code: nusax(data, code) for code in (*OWN, *OTHERS)}
    print("| text | with the vector | lines | language | unread | short |\n|---|---|---:|---:|---:|---:|")
    for code in OWN:
        texts = [text for text, _ in sets[code]]
        print(f"| {code}, held-out lines | {code} | {len(lines[code])} | {shares(classifiers[code], lines[code])} |")
        print(f"| {code}, NusaX | {code} | {len(texts)} | {shares(classifiers[code], texts)} |", flush=True)
    for size in (3, 4, 5, 8):
        for code in OWN:
            few = windows([text for text, _ in sets[code]], size)
            print(
                f"| {code}, NusaX, {size} words | {code} | {len(few)} | {shares(classifiers[code], few)} |", flush=True
            )
    for code in (*OTHERS, "ind"):
        texts = [text for text, _ in sets[code]] or lines[code]
        others = [classifiers[own] for own in ("ban", "min") if own != code]
        for classifier in others:
            print(f"| {code} | {classifier.languages[0]} | {len(texts)} | {shares(classifier, texts)} |", flush=True)
    print("\n| margin | answers | right |\n|---|---:|---:|")
    print("\n".join(by_margin(classifiers, sets)))


if __name__ == "__main__":
    main()
