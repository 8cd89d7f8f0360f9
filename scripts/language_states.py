"""Make the table of mean hidden states of the known languages, and measure how well relatives are found by them.

    python scripts/language_states.py --data DIR [--out assets/language_states.safetensors]

DIR contains corpora/CODE.txt.gz, divided as for the language profiles (scripts/language_profiles.py), and americasnli/CODE/dev.csv:
the same sentences in several American languages, of which none is in the corpora. The table holds a mean vector for each language and
no text. The Bantu corpora and Hausa, whose licence is CC BY-NC, are measured and not in the table.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402 (the project's folders are put in the path above)
from language_profiles import NAMES  # noqa: E402
from piece_profiles import FAMILIES, split_lines  # noqa: E402

from deftx.analysis.language_states import FILE, LINES, compare, save_states, states_of  # noqa: E402
from deftx.data.languages import load_languages  # noqa: E402
from deftx.data.nearest import nearest as compare_writing  # noqa: E402
from deftx.data.nearest import spread  # noqa: E402
from deftx.data.tables import read_table  # noqa: E402
from deftx.models.bases import BUNDLED_BASE, Base, load_base  # noqa: E402

AFRICAN = ("hau", "kin", "lug", "nya", "sna", "swa", "zul")
UTO_AZTECAN = FAMILIES["Uto-Aztecan"]
OTHERS = {"Austronesian": FAMILIES["Austronesian"], "Bantu": AFRICAN[1:]}
LAYER = 6  # the middle one, fixed before anything was measured: the other families cannot choose (docs/advice.md)
HELD_OUT = 60  # held-out lines, or translated sentences, of a language
SHRINKAGE = 0.1  # of the covariance within the languages
States = Mapping[str, np.ndarray]  # by language: states of lines (lines, width), or their mean (width,)


def main() -> None:
    """Read the languages, print the tables, and write the one of the known languages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    base = load_base(BUNDLED_BASE)
    known, held_out = {}, {}
    for code in (*NAMES, *AFRICAN):
        train, held = split_lines(given.data, code)
        known[code], held_out[code] = states_of(base, spread(train, LINES)), states_of(base, held[:HELD_OUT])
        print(f"{code}: {len(known[code])} and {len(held_out[code])} lines", file=sys.stderr, flush=True)
    translated = {code: states_of(base, sentences(given.data, code)) for code in UTO_AZTECAN}
    report(known, held_out, translated)
    report_writing(base, given.data)
    save_states({code: known[code][:, LAYER].mean(0) for code in NAMES}, base.fingerprint, LAYER, given.out)
    print(f"\n{given.out.name}: {given.out.stat().st_size:,} bytes, layer {LAYER}")


def sentences(data: Path, code: str) -> list[str]:
    """Return premises of AmericasNLI in a language."""
    texts = read_table(data / "americasnli" / code / "dev.csv").texts[:HELD_OUT]
    return [text if isinstance(text, str) else text[0] for text in texts]


def centred(lines: States) -> np.ndarray:
    """Return the identity: the means are only centred."""
    return np.eye(lines["spa"].shape[1], dtype=np.float32)


def standardised(lines: States) -> np.ndarray:
    """Divide every dimension by its standard deviation over the languages, so that none prevails."""
    return np.diag(1 / (np.std([states.mean(0) for states in lines.values()], axis=0) + 1e-6))


def without_spanish(lines: States) -> np.ndarray:
    """Project out the direction from the mean of the languages to Spanish, from which many loan words come."""
    direction = lines["spa"].mean(0) - np.mean([states.mean(0) for states in lines.values()], axis=0)
    return np.eye(len(direction)) - np.outer(direction, direction) / (direction @ direction)


def whitened(lines: States) -> np.ndarray:
    """Whiten by the covariance within the languages: directions in which lines of one language differ, such as topics, count less."""
    rest = np.concatenate([states - states.mean(0) for states in lines.values()])
    covariance = rest.T @ rest / len(rest)
    flat = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * flat)
    return vectors / np.sqrt(values)


WAYS: dict[str, Callable[[States], np.ndarray]] = {
    "centred": centred,
    "standardised": standardised,
    "without Spanish": without_spanish,
    "whitened": whitened,
}


def report(known: States, held_out: States, translated: States) -> None:
    """Print for each way and layer how often the nearest other language is a relative, and which it is."""
    heads = (
        "way",
        "layer",
        "itself",
        *OTHERS,
        "precision",
        "hch, nah, tar",
        "precision",
        "hch, nah, tar translated",
        "precision",
    )
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for way, transform in WAYS.items():
        for layer in range(known["spa"].shape[1]):
            matrix = transform({code: states[:, layer] for code, states in known.items()})
            asked, other, means = (
                {code: states[:, layer].mean(0) @ matrix for code, states in of.items()}
                for of in (held_out, translated, known)
            )
            if way == "without Spanish":
                means.pop("spa")  # nothing is left of it
            row = measured(means, asked, other)
            print(f"| {way} | {layer} | {' | '.join(row)} |")


def report_writing(base: Base, data: Path) -> None:
    """Print the nearest other languages of the translated sentences by letters and by pieces."""
    for what in ("letters", "pieces"):
        near = {}
        for code in UTO_AZTECAN:
            found = compare_writing(sentences(data, code), load_languages(), base.tokenizer)
            near[code] = {one.code: getattr(one, what) for one in found if one.code != code}
        mean = np.mean([precision(one, UTO_AZTECAN) for one in near.values()])
        print(f"{what}, translated: {', '.join(map(nearest, near.values()))}, precision {mean:.2f}")


def measured(known: States, asked: States, translated: States) -> list[str]:
    """Return a row of the table: for the languages with held-out lines, and for the translated sentences.

    The American languages are compared with those of the table alone, as on the page.
    """
    table = {code: state for code, state in known.items() if code in NAMES}
    itself = sum(nearest(compare(state, known)) == code for code, state in asked.items())
    found = [f"{sum(nearest(others(known, asked, code)) in members for code in members)} of {len(members)}"
             for members in OTHERS.values()]  # fmt: skip
    precise = [precision(others(known, asked, code), members) for members in OTHERS.values() for code in members]
    row = [f"{itself} of {len(asked)}", *found, f"{np.mean(precise):.2f}"]
    for states in (asked, translated):
        near = {code: others(table, states, code) for code in UTO_AZTECAN}
        row += [
            ", ".join(map(nearest, near.values())),
            f"{np.mean([precision(one, UTO_AZTECAN) for one in near.values()]):.2f}",
        ]
    return row


def others(known: States, asked: States, code: str) -> dict[str, float]:
    """Compare a language with the known ones without itself."""
    return compare(asked[code], {other: state for other, state in known.items() if other != code})


def nearest(found: Mapping[str, float]) -> str:
    """Return the language with the largest similarity."""
    return max(found, key=found.__getitem__)


def precision(found: Mapping[str, float], members: Iterable[str]) -> float:
    """Return the average precision of the members of a family in a ranking, from 0 to 1."""
    order = sorted(found, key=found.__getitem__, reverse=True)
    places = [place for place, other in enumerate(order, 1) if other in members]
    return float(np.mean([count / place for count, place in enumerate(places, 1)]))


if __name__ == "__main__":
    main()
