"""Options of ``task`` for several labelled files: a language vector, a number of passes, and word lists for each."""

import argparse
import os
from typing import Any

from deftx.commands.options import columns_of
from deftx.core.errors import RecipeError
from deftx.training.labelled_files import LabelledFile, by_name, short_names

MORE = "more_train"  # where SourceValues puts labelled files


class SourceValues(argparse.Action):
    """Collects the values of ``--source A=VECTOR B=VECTOR``.

    With one file, ``--source VECTOR TRAIN`` has always been allowed: a later value is a labelled file if it has no "=", or if
    there is such a file.
    """

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        """Add the values to ``source``, and the labelled files to ``more_train``."""
        first, *rest = values
        files = [value for value in rest if "=" not in value or os.path.isfile(value)]
        sources = [first, *(value for value in rest if value not in files)]
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), *sources])
        setattr(namespace, MORE, [*getattr(namespace, MORE, []), *files])


def add_options(task: argparse.ArgumentParser) -> None:
    """Add the labelled files and the options for them."""
    task.add_argument("train", metavar="TRAIN", nargs="*",
                      help="file with columns text,label or premise,hypothesis,label, words with tags "
                      "(docs/tokens.md) or questions (docs/questions.md); several are learned together")  # fmt: skip
    task.add_argument("--source", metavar="VECTOR", nargs="+", action=SourceValues,
                      help="language vector of TRAIN's language, to start from; of several files: A=VECTOR B=VECTOR, "
                      "where A is the name of the file A.csv")  # fmt: skip
    task.add_argument("--repeat", metavar="A=N", nargs="+", action="extend", default=[],
                      help="pass N times over the rows of A.csv in an epoch, e.g. for a file of few rows (1)")  # fmt: skip
    task.add_argument("--lexicon", metavar="FILE", action="append", default=[],
                      help="word list with the columns word,translation: some words of the training rows are replaced "
                      "(lexicon_share below); of several files: A=FILE; can be repeated")  # fmt: skip
    task.add_argument("--start", metavar="VECTOR",
                      help="task vector to train further, e.g. on a few rows: its entries and its head are trained, and no "
                      "others are selected")  # fmt: skip
    task.set_defaults(parser=task)


def given_in(arguments: argparse.Namespace) -> list[LabelledFile]:
    """Return the labelled files with their options.

    Raises:
        RecipeError: If an option does not fit the files.
        TableError: If columns are not written as NAME=COLUMN.
    """
    files = [*arguments.train, *getattr(arguments, MORE, [])]
    if not files:
        arguments.parser.error("the following arguments are required: TRAIN")
    names = short_names(files)
    # With one file, the last --source applies, as before there were several.
    vectors = {name: values[-1] for name, values in by_name("--source", arguments.source or [], names).items()}
    repeats = {name: values[-1] for name, values in by_name("--repeat", arguments.repeat, names).items()}
    lexicons = by_name("--lexicon", arguments.lexicon, names)
    columns = _columns_by_name(arguments.columns, names)
    return [
        LabelledFile(file=file, columns=columns[name], source=vectors.get(name, ""),
                     repeat=_number(repeats.get(name, "1")), lexicon=tuple(lexicons.get(name, ())))
        for file, name in zip(files, names, strict=True)
    ]  # fmt: skip


def _columns_by_name(values: list[str], names: list[str]) -> dict[str, dict[str, str]]:
    """Return the columns of each file: A=NAME=COLUMN is a column of one, NAME=COLUMN one of all."""
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for value in values:
        named = [name for name in names if value.startswith(f"{name}=") and "=" in value.removeprefix(f"{name}=")]
        own = max(named, key=len) if named and len(names) > 1 else None
        for name in [own] if own else names:
            found[name] |= columns_of([value.removeprefix(f"{own}=") if own else value])
    return found


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RecipeError(f"--repeat {text!r} is not a number; write it like A=10 for the file A.csv.") from None
