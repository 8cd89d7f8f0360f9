"""The command line: ``python -m deftx COMMAND …``.

Results go to stdout (``--json``: as JSON), progress and what is worth saying to stderr. Exit status: 0 done, 2 bad
input (one clear line), 143 ended by SIGTERM with a checkpoint, 1 anything else.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from deftx import __version__
from deftx.commands import convert, evidence, hub, inspection, output, people, training, trimming, use
from deftx.core.advice import explain  # not only when it is needed: there may be no memory left to import it
from deftx.core.errors import DeftxError, TrainingError, TrainingStopped

EXIT_OK, EXIT_OTHER, EXIT_BAD_INPUT, EXIT_TERMINATED = 0, 1, 2, 143


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one line."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong and where to look, and exit."""
        self.exit(EXIT_BAD_INPUT, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Put together the commands; each module of ``deftx.commands`` adds its own."""
    parser = Parser(
        prog="deftx",
        description="Make a text classifier for a language that has little text and no labels (DeFT-X).",
        epilog="Start with: deftx audit CORPUS, then deftx language CORPUS --out DIR.",
    )
    parser.add_argument("--version", action="version", version=f"deftx {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (inspection, training, use, convert, trimming, hub, evidence, people):
        module.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    output.replace_what_cannot_be_shown()
    parsed = build_parser().parse_args(arguments)
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
    except BrokenPipeError:  # the reader of our output is gone (``| head``): nothing to say, and nobody to say it to
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
