"""Options that several commands share."""

import argparse
from typing import Any

from deftx.commands import output
from deftx.core.errors import RecipeError, TableError

CORPUS = "text, documents, tables or zips of them (docs/files.md), or a folder"


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add ``--base`` and ``--device``."""
    parser.add_argument("--base", metavar="B", help="base model: a bundled name, a folder or a Hub id (bundled base)")
    parser.add_argument("--device", help="device, e.g. cpu or cuda:0 (a GPU if there is one)")


def add_shared_work(parser: argparse.ArgumentParser) -> None:
    """Add ``--jobs`` and ``--shard``, for commands that train many vectors."""
    parser.add_argument("--jobs", type=int, metavar="N",
                        help="training runs in parallel, in turn on each GPU (one for each GPU, or 1)")  # fmt: skip
    parser.add_argument("--shard", metavar="I/N", help="begin with part I of N, beside other commands on the same --out "
                        "(in a Slurm array: the task's part)")  # fmt: skip


def devices_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the device of each of ``--jobs`` processes: the given one, or the machine's GPUs in turn, or the CPU.

    Raises:
        RecipeError: If ``--jobs`` is less than 1.
    """
    import torch

    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    devices = [arguments.device] if arguments.device else gpus or ["cpu"]
    jobs = len(devices) if arguments.jobs is None else arguments.jobs
    if jobs < 1:
        raise RecipeError("--jobs must be 1 or more.")
    return tuple(devices[index % len(devices)] for index in range(jobs))


def add_encoding(parser: argparse.ArgumentParser) -> None:
    """Add ``--encoding``."""
    parser.add_argument("--encoding", metavar="E", help="encoding of the text files that are not UTF-8, e.g. cp1252")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_composition(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add the options for vectors, their strengths, the merge method and the base."""
    parser.add_argument(
        "--task", metavar="VECTOR", required=required, help="task vector: a folder, a Hub id or a bundled name"
    )
    parser.add_argument("--language", metavar="VECTOR", action="append", default=[],
                        help="language vector of the texts; can be repeated")  # fmt: skip
    parser.add_argument("--strength-task", type=float, default=1.0, metavar="S",
                        help="strength of the task vector (1, as in the paper)")  # fmt: skip
    parser.add_argument("--strength-language", type=float, action="append", default=[], metavar="S",
                        help="strength of the language vector (1); one for all of them, or one for each in order")  # fmt: skip
    parser.add_argument("--merge", metavar="METHOD", default="sum",
                        help="merge method: sum (the paper), ties or dare (sum)")  # fmt: skip
    # One value per option, because nargs="+" would also take the texts to classify.
    parser.add_argument("--merge-set", metavar="key=value", action="append", default=[],
                        help="parameter of the method: keep or lambda of ties, drop or seed of dare")  # fmt: skip
    add_base(parser)


def composition_given(arguments: argparse.Namespace) -> list[str]:
    """Return the options of ``add_composition`` whose values are not the defaults."""
    parser = argparse.ArgumentParser()
    add_composition(parser, required=False)
    defaults = vars(parser.parse_args([]))
    return [f"--{name.replace('_', '-')}" for name, value in defaults.items() if getattr(arguments, name) != value]


def add_columns(parser: argparse.ArgumentParser, option: str = "--columns", file: str = "the file") -> None:
    """Add an option that maps "text", "label", "tokens" and the like to the column names of a table."""
    parser.add_argument(
        option,
        metavar="NAME=COLUMN",
        nargs="+",
        action="extend",
        default=[],
        help=f"column names of {file}, e.g. text=review",
    )


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Add ``--kind``, of a labelled file."""
    parser.add_argument(
        "--kind",
        metavar="K",
        help="sentences (with labels), tokens (words with tags) or questions (what the file looks like)",
    )


def add_column(parser: argparse.ArgumentParser) -> None:
    """Add ``--column``, for a corpus in a table."""
    parser.add_argument("--column", metavar="NAME", help="text column, if CORPUS is a table (text)")


def columns_of(texts: list[str]) -> dict[str, str]:
    """Parse the values of ``--columns``, e.g. text=review. Raise TableError if "=" is missing."""
    for text in texts:
        if "=" not in text:
            raise TableError(f"Columns must be written as NAME=COLUMN, e.g. text=review; {text!r} has no '='.")
    return dict(text.split("=", 1) for text in texts)


def load_base_of(arguments: argparse.Namespace) -> Any:
    """Load the base on the given device, or the best available one."""
    import torch

    from deftx.models.bases import BUNDLED_BASE, load_base
    from deftx.training.distributed import own_device

    device = own_device(arguments.device)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"The device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return load_base(arguments.base or BUNDLED_BASE, device=device)


def compose_from(arguments: argparse.Namespace, task: Any = None) -> tuple[Any, Any]:
    """Compose the classifier of the options; return it and its task vector, which is loaded unless it is given."""
    from deftx.classify.composition import compose
    from deftx.vectors.vector import SparseVector

    languages = with_strengths(arguments.language, arguments.strength_language)
    parameters = merge_parameters(arguments)
    task = SparseVector.load(arguments.task) if task is None else task
    classifier = compose(
        load_base_of(arguments),
        task=task,
        strength_task=arguments.strength_task,
        languages=languages,
        method=arguments.merge,
        parameters=parameters,
    )
    if arguments.merge != "sum":
        _print_report(classifier.report)
    return classifier, task


def vectors_of(arguments: argparse.Namespace) -> list[tuple[Any, float]]:
    """Load the vectors of the options with their strengths, the task vector first."""
    from deftx.vectors.vector import SparseVector

    return [(SparseVector.load(arguments.task), arguments.strength_task), *languages_of(arguments)]


def languages_of(arguments: argparse.Namespace) -> list[tuple[Any, float]]:
    """Load the language vectors of the options with their strengths."""
    from deftx.vectors.vector import SparseVector

    named = with_strengths(arguments.language, arguments.strength_language)
    return [(SparseVector.load(name), strength) for name, strength in named]


def merge_parameters(arguments: argparse.Namespace) -> dict[str, float]:
    """Return the parameters of the merge method. Raise DeftxError if the method or a parameter is unknown."""
    from deftx.vectors.merging import check_method

    parameters = dict(map(_parameter, arguments.merge_set))
    check_method(arguments.merge, parameters)  # before the base is loaded
    return parameters


def with_strengths(languages: list[str], strengths: list[float]) -> list[tuple[str, float]]:
    """Return language vectors with their strengths, given one strength for all or one for each."""
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
        raise RecipeError(f"{text!r} is not a parameter of a merge method; write it like keep=0.5.") from None


def _print_report(report: Any) -> None:
    output.say(f"{report.method}: {report.shared:,} of {report.entries:,} entries are changed by several vectors, "
               f"{report.conflicts:,} in opposite directions; {report.resolved:,} of these conflicts are resolved.")  # fmt: skip
    for vector in report.vectors:
        output.say(f"  {vector.name} × {vector.strength:g}: {vector.entries:,} entries, {vector.dropped:,} dropped, "
                   f"{vector.outvoted:,} outvoted, {vector.in_effect:,} in effect")  # fmt: skip
