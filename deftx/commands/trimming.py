"""``trim`` and ``lift``: trimming a base's vocabulary, and converting vectors between the trimmed and the full base."""

import argparse
from typing import Any

from deftx.commands import options, output


def add_commands(commands: Any) -> None:
    """Add the two commands."""
    trim = commands.add_parser(
        "trim", help="trim a base's vocabulary to some texts, so that training needs less memory"
    )
    trim.add_argument("base", metavar="BASE", help="base model: a bundled name, a folder or a Hub id")
    trim.add_argument(
        "texts", metavar="TEXT", nargs="+", help="files with text in the languages that the trimmed base must support"
    )
    trim.add_argument("--out", metavar="DIR", required=True, help="empty folder for the trimmed base")
    chosen = trim.add_mutually_exclusive_group()
    chosen.add_argument("--min-count", type=int, default=2, metavar="N",
                        help="keep pieces that occur at least N times in the texts (2)")  # fmt: skip
    chosen.add_argument("--pieces", type=int, metavar="N", help="keep the N most frequent pieces instead")
    options.add_encoding(trim)
    options.add_json(trim)
    trim.set_defaults(run=run_trim)
    lift = commands.add_parser("lift", help="convert a vector from a trimmed base to the full one, or back")
    lift.add_argument("vector", metavar="VECTOR", help="vector: a folder, a Hub id or a bundled name")
    lift.add_argument("--to", metavar="BASE", required=True, help="base to convert it to: the full or the trimmed one")
    lift.add_argument("--trimmed", metavar="DIR", help="the vector's trimmed base, if the vector does not describe it")
    lift.add_argument("--out", metavar="DIR", required=True, help="folder for the vector")
    options.add_json(lift)
    lift.set_defaults(run=run_lift)


def run_trim(arguments: argparse.Namespace) -> None:
    """Trim the base and print its sizes before and after."""
    from deftx.training.trimming import trim

    done = trim(arguments.base, arguments.texts, out=arguments.out, least=arguments.min_count, most=arguments.pieces,
                encoding=arguments.encoding)  # fmt: skip
    rows = [
        (name, f"{size.pieces:,}", f"{size.parameters / 1e6:.1f} M", f"{size.memory / 1e9:.1f} GB",
         f"{size.tokens_per_word:.2f}")
        for name, size in (("before", done.before), ("after", done.after))
    ]  # fmt: skip
    text = output.table(("", "pieces", "parameters", "memory for training", "tokens per word"), rows)
    output.result(done.to_dict(), arguments.json, f"{text}\n{done.folder}: use it as --base {done.folder}")


def run_lift(arguments: argparse.Namespace) -> None:
    """Convert the vector and write it."""
    from deftx.training.finish import work_folder
    from deftx.vectors.lifting import lift

    out, _ = work_folder(arguments.out)
    carried = lift(arguments.vector, arguments.to, trimmed=arguments.trimmed)
    vector = carried.vector
    vector.save(out, values=(vector.info.get("recipe") or {}).get("values", "float32"))
    found = {"vector": str(out), "kind": vector.kind, "base": vector.info["base"]["name"], "lifted": carried.lifted,
             "k": vector.count, "dropped": carried.dropped}  # fmt: skip
    change = "lifted" if carried.lifted else f"lowered, without {carried.dropped:,} entries of removed pieces,"
    output.result(found, arguments.json, f"{out}: {change} to {found['base']}, {vector.count:,} entries.")
