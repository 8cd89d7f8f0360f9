"""Count the pieces of the known languages with the bundled base's tokenizer, and measure how well relatives are found.

    python scripts/piece_profiles.py --data DIR [--out assets/pieces.json.gz]

DIR contains corpora/CODE.txt.gz. Pieces are counted in the lines from which the language profiles were learned
(scripts/language_profiles.py); the table uses the same held-out lines as there. The output contains counts and no text.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from language_profiles import CLEARED, NAMES, read_lines  # noqa: E402 (the project's root is put in the path above)

from deftx.data.languages import LINES_COUNTED, LINES_WEIGHED, draw, load_languages  # noqa: E402
from deftx.data.nearest import PIECES, Near, count_pieces, nearest, save  # noqa: E402
from deftx.data.text import split  # noqa: E402
from deftx.models.bases import BUNDLED_BASE  # noqa: E402
from deftx.training.base_facts import read_base_facts  # noqa: E402

# Language families with two or more known languages (Glottolog).
FAMILIES = {
    "Malayic": ("abs", "bew", "bjn", "ind", "min", "mui"),
    "Austronesian": ("abs", "ace", "ban", "bew", "bhp", "bjn", "ind", "jav", "mad", "mak", "min", "mui", "rej", "sun"),
    "Uto-Aztecan": ("hch", "nah", "tar"),
}
SIZES = (20, 100, 300)  # numbers of held-out lines


def main() -> None:
    """Count pieces, write the profiles, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=PIECES)
    arguments = parser.parse_args()
    tokenizer = read_base_facts(BUNDLED_BASE).tokenizer
    profiles, tested = {}, {}
    for code in NAMES:
        train, tested[code] = split_lines(arguments.data, code)
        profiles[code] = count_pieces(train, tokenizer)
    save(profiles, tokenizer, arguments.out)
    print(f"{arguments.out.name}: {arguments.out.stat().st_size:,} bytes\n")
    if arguments.out == PIECES:
        report(tested, tokenizer)


def split_lines(data: Path, code: str) -> tuple[list[str], list[str]]:
    """Return the training and test lines of a language, the same as for the language profiles."""
    train, held = split(read_lines(data / "corpora" / f"{CLEARED.get(code, code)}.txt.gz"), 0.1, 0)
    return draw(train, LINES_COUNTED), draw(held[1::2], LINES_WEIGHED)


def report(tested: dict[str, list[str]], tokenizer: object) -> None:
    """Print how often a text's own language is nearest, and without it, a language of its family."""
    languages = load_languages()
    columns = " | ".join(f"{family}, by {what}" for family in FAMILIES for what in ("letters", "pieces"))
    print(f"| held-out lines | itself, by letters | itself, by pieces | {columns} |\n|---:|{'---:|' * 8}")
    for size in SIZES:
        found = {code: nearest(lines[:size], languages, tokenizer) for code, lines in tested.items()}
        own = [sum(_first(near, what) == code for code, near in found.items()) for what in ("letters", "pieces")]
        relatives = [
            _relatives(found, members, what) for members in FAMILIES.values() for what in ("letters", "pieces")
        ]
        print(f"| {size} | {' | '.join(f'{count} of {len(found)}' for count in own)} | {' | '.join(relatives)} |")
    near = [one for one in found["min"] if one.code != "min"][:3]
    print(
        "\nMinangkabau without its own profile: "
        + ", ".join(f"{n.name} {n.letters:.1%} / {n.pieces:.1%}" for n in near)
    )


def _first(near: Sequence[Near], what: str, without: str = "") -> str:
    return max((one for one in near if one.code != without), key=lambda one: getattr(one, what)).code


def _relatives(found: dict[str, tuple[Near, ...]], members: tuple[str, ...], what: str) -> str:
    return f"{sum(_first(found[code], what, without=code) in members for code in members)} of {len(members)}"


if __name__ == "__main__":
    main()
