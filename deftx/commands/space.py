"""``space``: the whole studio as a Space of the Hugging Face Hub."""

import argparse
from typing import Any

from deftx.commands import options, output

KINDS = ("zero-gpu",)


def add_commands(commands: Any) -> None:
    """Add the command."""
    space = commands.add_parser("space", help="write the whole studio as a folder for a Hugging Face Space")
    space.add_argument("--kind", choices=KINDS, default=KINDS[0],
                       help="zero-gpu (default): a GPU that is lent for short calls, which free accounts can use")  # fmt: skip
    space.add_argument("--out", metavar="DIR", required=True, help="new or empty folder")
    options.add_json(space)
    space.set_defaults(run=run_space)


def run_space(arguments: argparse.Namespace) -> None:
    """Write the folder."""
    from deftx.publish.studio_space import write_studio_space

    folder = write_studio_space(arguments.out)
    text = f"{folder}: put it on the Hub with hf upload NAME/SPACE {folder} --type space (docs/deploy.md)"
    output.result({"out": str(folder), "kind": arguments.kind}, arguments.json, text)
