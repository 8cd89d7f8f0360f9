"""``advise``: which base, which relative, how much text."""

import argparse
from typing import TYPE_CHECKING, Any

from deftx.commands import options, output

if TYPE_CHECKING:
    from deftx.analysis.base_choice import BaseChoice
    from deftx.analysis.choices import Choices

SHOWN = 8  # languages
UNKNOWN = "–"


def add_commands(commands: Any) -> None:
    """Add the command."""
    advise = commands.add_parser("advise", help="which base, which relative, how much text (docs/advice.md)")
    advise.add_argument("text", metavar="TEXT", nargs="+", help=options.CORPUS)
    advise.add_argument("--base", metavar="B", action="append",
                        help="base to compare beside the bundled one; can be repeated (those in the Hub's cache)")  # fmt: skip
    advise.add_argument(
        "--preset", default="quick", metavar="P", help="settings of the training: quick, standard or paper (quick)"
    )
    advise.add_argument("--device", help="device of the training, e.g. cpu or cuda:0 (a GPU if there is one)")
    options.add_column(advise)
    options.add_encoding(advise)
    options.add_json(advise)
    advise.set_defaults(run=run_advise)


def run_advise(arguments: argparse.Namespace) -> None:
    """Print the bases, the nearest languages and what to expect of the text."""
    from deftx.analysis.choices import advise
    from deftx.data.text import read_corpus

    corpus = read_corpus(arguments.text, column=arguments.column, encoding=arguments.encoding)
    found = advise(corpus, arguments.base, preset=arguments.preset, device=arguments.device)
    output.result(found.to_dict(), arguments.json, as_text(found, arguments.preset))


def as_text(found: "Choices", preset: str) -> str:
    """Return the answers as tables and sentences."""
    header = ("base", "here", "parameters", "pieces", "languages", "licence", "tokens per word", "unknown", "single letters",
              "memory", "time")  # fmt: skip
    near = [
        (one.code, one.name, f"{one.letters:.1%}", _share(one.pieces), _number(one.states))
        for one in found.relatives[:SHOWN]
    ]
    by_states = ", ".join(f"{one.name} ({one.code}, {_number(one.states)})" for one in found.nearest_by_states())
    return "\n\n".join((
        output.table(header, [_row(base) for base in found.bases]),
        _said_of_bases(found),
        output.table(("code", "language", "letters shared", "pieces shared", "states"), near),
        *([f"Nearest by hidden states: {by_states}."] if by_states else []),
        _said_of_text(found, preset),
    ))  # fmt: skip


def _row(base: "BaseChoice") -> tuple[str, ...]:
    from deftx.core.sizes import read_size

    tokens = UNKNOWN if base.tokens_per_word is None else f"{'≤ ' * base.estimated}{base.tokens_per_word:.2f}"
    return (
        base.name, "yes" if base.here else "no", f"{base.parameters / 1e6:.0f} M", f"{base.pieces:,}",
        f"{base.languages:,}" if base.languages else UNKNOWN, base.licence or UNKNOWN, tokens, _share(base.unknown_share),
        _share(base.spelled_share), read_size(base.memory) + ("" if base.fits else " (too much)"), _time(base),
    )  # fmt: skip


def _time(base: "BaseChoice") -> str:
    from deftx.core.events import read_duration

    return UNKNOWN if base.seconds is None else " to ".join(map(read_duration, base.seconds))


def _said_of_bases(found: "Choices") -> str:
    best = next((base for base in found.bases if base.name == found.best), None)
    if best is None:
        return "No base on this machine reads this text, or its training needs too much memory: choose one that covers its script."
    usable = sum(base.usable for base in found.bases)
    among = (
        f"of the {usable} bases here that read it and fit into memory, the one with the fewest tokens"
        if usable > 1
        else "the only base here that reads it and fits into memory"
    )
    return (
        f"Best on this machine: {best.name}, {among}. Fewer tokens a word say that a base has seen more of such words, not that its "
        "answers are better; only the bundled base was measured (docs/results.md)."
    )


def _said_of_text(found: "Choices", preset: str) -> str:
    amount = found.amount
    mean, low, high = amount.gain
    times = f"{amount.passes:.1f} times" if amount.passes >= 1 else f"to {amount.passes:.0%}"
    said = (
        f"The text has {amount.lines:,} lines, about {amount.tokens:,} tokens; {preset} reads it {times} in each phase. With texts of "
        f"{amount.measured:,} tokens or more, the language vectors of five languages gained {mean:+.1f} points of macro-F1 (95 % interval of the "
        f"mean {low:+.1f} to {high:+.1f})."
    )
    return f"{said} A text as short as this one was not measured." if amount.shorter else said


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
