"""``report``: a report on a classifier as one HTML file."""

import argparse
from pathlib import Path
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import DeftxError


def add_commands(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="write a report on a classifier as one HTML file")
    parser.add_argument(
        "--task", metavar="VECTOR", required=True, help="task vector: a folder, a Hub id or a bundled name"
    )
    parser.add_argument("--language", metavar="VECTOR", action="append", default=[],
                        help="language vector of the texts; can be repeated")  # fmt: skip
    parser.add_argument("--strength-task", type=float, default=1.0, metavar="S", help="strength of the task vector (1)")
    parser.add_argument("--strength-language", type=float, action="append", default=[], metavar="S",
                        help="strength of the language vector (1); one for all of them, or one for each in order")  # fmt: skip
    parser.add_argument("--test", metavar="FILE", help="labelled file to score the classifier on")
    parser.add_argument("--out", metavar="HTML", required=True, help="output file")
    parser.add_argument("--in", dest="in_language", metavar="LANGUAGE", default="en",
                        help="language of the report: en, id or es (en)")  # fmt: skip
    options.add_columns(parser, file="--test")
    options.add_encoding(parser)
    options.add_base(parser)
    options.add_json(parser)
    parser.set_defaults(run=run_report)


def run_report(arguments: argparse.Namespace) -> None:
    """Write the report."""
    from deftx.data.tables import read_table
    from deftx.publish.report import report
    from deftx.publish.spoken import texts_in

    texts_in(arguments.in_language)
    if arguments.test and Path(arguments.test).resolve() == Path(arguments.out).resolve():
        raise DeftxError(f"--out {arguments.out} would overwrite the input file; choose another name.")
    table = None
    if arguments.test:
        table = read_table(arguments.test, columns=options.columns_of(arguments.columns), encoding=arguments.encoding)
    for note in table.notes if table else ():
        output.say(f"warning: {note}")
    languages = options.with_strengths(arguments.language, arguments.strength_language)
    out = report(
        arguments.out, options.load_base_of(arguments), task=arguments.task, languages=languages,
        strength_task=arguments.strength_task, test=table, in_language=arguments.in_language,
    )  # fmt: skip
    output.result({"out": str(out)}, arguments.json, f"{out}: {out.stat().st_size:,} bytes")
