"""Make the bundled language profiles, choose the threshold for "unknown", and measure the accuracy.

    python scripts/language_profiles.py --data DIR [--out assets/languages.json.gz]

DIR contains corpora/CODE.txt.gz and, for a test on other text, nusax/CODE/test.csv. A tenth of each corpus is held out: one
half of it is used for the threshold, the other for the table. The profiles contain counts and no text.
"""

import argparse
import gzip
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deftx.data.languages import (  # noqa: E402
    BUNDLED,
    LINES_COUNTED,
    LINES_WEIGHED,
    UNKNOWN,
    Languages,
    Profile,
    draw,
    learn_profile,
    ngrams,
    save,
)
from deftx.data.splitting import fold  # noqa: E402 (the project's root is put in the path above)
from deftx.data.tables import read_table  # noqa: E402
from deftx.data.text import split  # noqa: E402

REFUSED = 0.05  # share of lines in known languages that may be classified as "unknown"
NAMES = {
    "abs": "Ambonese Malay", "ace": "Acehnese", "aym": "Aymara", "ban": "Balinese", "bew": "Betawi", "bhp": "Bima",
    "bjn": "Banjarese", "bzd": "Bribri", "cni": "Asháninka", "eng": "English", "gn": "Guarani", "hch": "Wixarika",
    "ind": "Indonesian", "jav": "Javanese", "mad": "Madurese", "mak": "Makassarese", "min": "Minangkabau",
    "mui": "Musi (Palembang)", "nah": "Nahuatl", "oto": "Otomí", "quy": "Southern Quechua", "rej": "Rejang",
    "shp": "Shipibo-Konibo", "spa": "Spanish", "sun": "Sundanese", "tar": "Rarámuri",
}  # fmt: skip
CLEARED = {"eng": "eng_clear"}  # the part of a corpus with only licensed sources


def main() -> None:
    """Make the profiles, write them, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUNDLED)
    arguments = parser.parse_args()
    profiles, weighed, tested = [], {}, {}
    for code, name in NAMES.items():
        train, held = split(read_lines(arguments.data / "corpora" / f"{CLEARED.get(code, code)}.txt.gz"), 0.1, 0)
        weighed[code], tested[code] = draw(held[::2], LINES_WEIGHED), draw(held[1::2], LINES_WEIGHED)
        profiles.append(learn_profile(code, name, draw(train, LINES_COUNTED), weighed[code]))
    languages = Languages(tuple(profiles), threshold=float("-inf"), noise=_noise(profiles, weighed))
    languages = Languages(tuple(profiles), _threshold(languages, weighed), languages.noise)
    save(languages, arguments.out)
    print(f"{arguments.out.name}: {arguments.out.stat().st_size:,} bytes, threshold {languages.threshold:.3f}\n")
    _report_held_out(languages, tested)
    if (arguments.data / "nusax").is_dir():
        _report_nusax(languages, arguments.data / "nusax")


def read_lines(path: Path) -> list[str]:
    """Return the distinct lines of a corpus."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list({fold(line): line.strip() for line in file}.values())


def _noise(profiles: Sequence[Profile], lines: dict[str, list[str]]) -> float:
    """Fit the variance of a score as a + noise / n, where n is the number of n-grams of the line; return the noise."""
    inverse, squares = [], []
    for profile in profiles:
        floor = profile.floor
        for found in filter(None, map(ngrams, lines[profile.code])):
            score = np.mean(
                np.log([profile.counts.get(ngram, floor * profile.total) / profile.total for ngram in found])
            )
            inverse.append(1 / len(found))
            squares.append((score - profile.mean) ** 2)
    (_, noise), *_ = np.linalg.lstsq(np.stack([np.ones(len(inverse)), inverse], axis=1), np.array(squares), rcond=None)
    return float(noise)


def _threshold(languages: Languages, lines: dict[str, list[str]]) -> float:
    """Return the confidence that all correctly classified lines reach, except a share of ``REFUSED``."""
    answers = [(code, *languages.weigh(line)) for code, own in lines.items() for line in own]
    return float(np.quantile([confidence for code, found, confidence in answers if found == code], REFUSED))


def _report_held_out(languages: Languages, tested: dict[str, list[str]]) -> None:
    print("| language | held-out lines | right | unknown | taken for another | most often | left out: unknown |")
    print("|---|---:|---:|---:|---:|---|---:|")
    rows = []
    for profile in languages.profiles:
        lines = tested[profile.code]
        right, unknown, wrong, most = _judge(languages, lines, profile.code)
        rest = languages.without(profile.code)
        strange = np.mean([rest.identify(line) == UNKNOWN for line in lines])
        rows.append((right, unknown, wrong, strange))
        print(f"| {profile.name} ({profile.code}) | {len(lines):,} | {right:.1%} | {unknown:.1%} | {wrong:.1%} | {most} "
              f"| {strange:.1%} |")  # fmt: skip
    means = " | ".join(f"{share:.1%}" for share in np.mean(rows, axis=0)[:3])
    print(f"| mean | {sum(map(len, tested.values())):,} | {means} | | {np.mean(rows, axis=0)[3]:.1%} |\n")


def _report_nusax(languages: Languages, folder: Path) -> None:
    print(
        "| NusaX test set | sentences | right | unknown | taken for another | most often |\n|---|---:|---:|---:|---:|---|"
    )
    for code in sorted(path.parent.name for path in folder.glob("*/test.csv")):
        texts = read_table(folder / code / "test.csv").texts
        right, unknown, wrong, most = _judge(languages, texts, code)
        print(
            f"| {languages.names()[code]} ({code}) | {len(texts):,} | {right:.1%} | {unknown:.1%} | {wrong:.1%} | {most} |"
        )


def _judge(languages: Languages, lines: Sequence[str], code: str) -> tuple[float, float, float, str]:
    found = Counter(map(languages.identify, lines))
    right, unknown = found.pop(code, 0), found.pop(UNKNOWN, 0)
    most = ", ".join(f"{other} {count}" for other, count in found.most_common(2)) or "–"
    return right / len(lines), unknown / len(lines), sum(found.values()) / len(lines), most


if __name__ == "__main__":
    main()
