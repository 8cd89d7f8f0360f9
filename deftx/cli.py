"""The command line: ``python -m deftx COMMAND …``.

Results are written to stdout (with ``--json`` as JSON), progress and messages to stderr. The exit status is 0 for success,
2 for invalid input (with a one-line message), 143 after SIGTERM (with a checkpoint), and 1 for any other error.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from deftx import __version__
from deftx.commands import (
    advising,
    certainty,
    convert,
    evidence,
    hub,
    inspection,
    many,
    output,
    people,
    questions,
    reporting,
    serve,
    space,
    training,
    trimming,
    use,
)
from deftx.core.advice import explain  # imported here, because memory may be exhausted when it is needed
from deftx.core.errors import DeftxError, TrainingError, TrainingStopped

EXIT_OK, EXIT_OTHER, EXIT_BAD_INPUT, EXIT_TERMINATED = 0, 1, 2, 143


class Parser(argparse.ArgumentParser):
    """An argument parser with one-line error messages."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to get help, and exit."""
        self.exit(EXIT_BAD_INPUT, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; each module of ``deftx.commands`` adds its commands."""
    parser = Parser(
        prog="deftx",
        description="Make a text classifier for a language that has little text and no labels (DeFT-X).",
        epilog="Start with: deftx audit CORPUS, then deftx language CORPUS --out DIR.",
    )
    parser.add_argument("--version", action="version", version=f"deftx {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (
        inspection,
        advising,
        training,
        use,
        questions,
        certainty,
        reporting,
        convert,
        trimming,
        hub,
        space,
        serve,
        evidence,
        many,
        people,
    ):
        module.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    output.replace_unencodable()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = build_parser().parse_args(words, argparse.Namespace(words=words))
    try:
        parsed.run(parsed)
        sys.stdout.flush()
    except TrainingStopped as stop:
        output.say(str(stop))
        return EXIT_TERMINATED if training.terminated() else EXIT_OTHER
    except TrainingError as error:
        return _fail(str(error), EXIT_OTHER)
    except DeftxError as error:
        return _fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("Interrupted.", EXIT_OTHER)
    except BrokenPipeError:  # the reader of stdout has ended, e.g. ``| head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OTHER
    except (MemoryError, OSError, RuntimeError) as error:
        if (advice := explain(error)) is None:
            raise
        return _fail(advice, EXIT_OTHER)
    return EXIT_OK


def _fail(message: str, status: int) -> int:
    output.say(f"error: {' '.join(message.split())}")
    return status
