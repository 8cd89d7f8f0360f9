"""Options that several commands share."""

import argparse
import os
from typing import Any

from deftx.commands import output
from deftx.core.errors import RecipeError, TableError

CORPUS = "text, documents, tables or zips of them (docs/files.md), or a folder"


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add ``--base`` and ``--device``."""
    parser.add_argument("--base", metavar="B", help="base model: a bundled name, a folder or a Hub id (bundled base)")
    parser.add_argument("--device", help="where to compute, e.g. cpu or cuda:0 (a GPU where there is one)")


def add_encoding(parser: argparse.ArgumentParser) -> None:
    """Add ``--encoding``."""
    parser.add_argument("--encoding", metavar="E", help="encoding of the text files that are not UTF-8, e.g. cp1252")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_composition(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add the vectors of a composition, their strengths and the base."""
    parser.add_argument(
        "--task", metavar="VECTOR", required=required, help="task vector: a folder, a Hub id or a bundled name"
    )
    parser.add_argument("--language", metavar="VECTOR", action="append", default=[],
                        help="language vector of the texts; may be given several times")  # fmt: skip
    parser.add_argument("--strength-task", type=float, default=1.0, metavar="S",
                        help="strength of the task vector (1, as in the paper)")  # fmt: skip
    parser.add_argument("--strength-language", type=float, action="append", default=[], metavar="S",
                        help="of the language vector (1); one for all of them, or one for each in turn")  # fmt: skip
    parser.add_argument("--merge", metavar="METHOD", default="sum",
                        help="how the vectors are merged: sum (the paper), ties or dare (sum)")  # fmt: skip
    # One value each: a list of values would swallow the texts to classify.
    parser.add_argument("--merge-set", metavar="key=value", action="append", default=[],
                        help="a parameter of the method: keep or lambda of ties, drop or seed of dare")  # fmt: skip
    add_base(parser)


def add_columns(parser: argparse.ArgumentParser, option: str = "--columns", file: str = "the file") -> None:
    """Add an option for what a table calls the columns of texts and labels."""
    parser.add_argument(option, metavar="NAME=COLUMN", nargs="+", default=[], help=f"what {file} calls text or label")


def add_column(parser: argparse.ArgumentParser) -> None:
    """Add ``--column``, for tables that hold a corpus."""
    parser.add_argument("--column", metavar="NAME", help="column that holds the text, where CORPUS is a table (text)")


def columns_of(texts: list[str]) -> dict[str, str]:
    """Read what ``--columns`` was given, as in text=review; TableError where there is no "="."""
    for text in texts:
        if "=" not in text:
            raise TableError(f"Columns are written NAME=COLUMN, as in text=review; {text!r} has no '='.")
    return dict(text.split("=", 1) for text in texts)


def load_base_of(arguments: argparse.Namespace) -> Any:
    """Load the base that was asked for, on the device that was asked for or the best there is."""
    import torch

    from deftx.models.bases import BUNDLED_BASE, load_base
    from deftx.training.distributed import own_device

    own = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"  # each of several processes has its own
    device = own_device(arguments.device) or (own if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"The device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return load_base(arguments.base or BUNDLED_BASE, device=device)


def compose_from(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Compose the classifier that the options describe; return it with its task vector."""
    from deftx.classify.composition import compose
    from deftx.vectors.merging import check_method
    from deftx.vectors.vector import SparseVector

    languages = with_strengths(arguments.language, arguments.strength_language)
    parameters = dict(map(_parameter, arguments.merge_set))
    check_method(arguments.merge, parameters)  # before anything large is loaded
    task = SparseVector.load(arguments.task)
    classifier = compose(
        load_base_of(arguments),
        task=task,
        strength_task=arguments.strength_task,
        languages=languages,
        method=arguments.merge,
        parameters=parameters,
    )
    if arguments.merge != "sum":
        _say_what_merging_did(classifier.report)
    return classifier, task


def with_strengths(languages: list[str], strengths: list[float]) -> list[tuple[str, float]]:
    """Pair language vectors with their strengths: one for all of them, or one for each."""
    if len(strengths) > 1 and len(strengths) != len(languages):
        raise RecipeError(
            f"{len(strengths)} strengths are given for {len(languages)} language vectors; give one for each."
        )
    each = strengths if len(strengths) > 1 else (strengths or [1.0]) * len(languages)
    return list(zip(languages, each, strict=True))


def _parameter(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise RecipeError(f"{text!r} is no parameter of a merge method; write it as in keep=0.5.") from None


def _say_what_merging_did(report: Any) -> None:
    output.say(f"{report.method}: {report.shared:,} of {report.entries:,} entries are changed by several vectors, "
               f"{report.conflicts:,} in opposite directions; {report.resolved:,} of these conflicts are resolved.")  # fmt: skip
    for vector in report.vectors:
        output.say(f"  {vector.name} × {vector.strength:g}: {vector.entries:,} entries, {vector.dropped:,} dropped, "
                   f"{vector.outvoted:,} outvoted, {vector.in_effect:,} in effect")  # fmt: skip
