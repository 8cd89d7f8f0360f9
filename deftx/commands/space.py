"""``space``: the whole studio as a Space of the Hugging Face Hub, written to a folder, pushed, or both."""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from deftx.commands import hub, options, output
from deftx.core.errors import DeftxError
from deftx.core.files import expanded, new_folder, require_empty

KINDS = ("zero-gpu",)


def add_commands(commands: Any) -> None:
    """Add the command."""
    space = commands.add_parser("space", help="write or push the whole studio as a Space of the Hugging Face Hub")
    space.add_argument("--kind", choices=KINDS, default=KINDS[0],
                       help="zero-gpu (default): a GPU that is lent for short calls, which free accounts can use")  # fmt: skip
    space.add_argument("--out", metavar="DIR", help="new or empty folder to write the Space to")
    space.add_argument("--push", metavar="OWNER/NAME", help="Space to push to; created if it does not exist")
    hub.add_consent(space)
    options.add_json(space)
    space.set_defaults(run=run_space)


def run_space(arguments: argparse.Namespace) -> None:
    """Write the folder; if a Space is named, push it first, so that the command can be repeated."""
    from deftx.publish.pushing import prepare_studio
    from deftx.publish.studio_space import write_studio_space

    if not (arguments.out or arguments.push):
        raise DeftxError("Say where the Space goes: --out DIR for a folder, --push OWNER/NAME for the Hub, or both.")
    if not arguments.push and (arguments.private or arguments.ask_token or arguments.dry_run or arguments.yes):
        raise DeftxError("--private, --ask-token, --dry-run and --yes apply only to --push OWNER/NAME.")
    if arguments.push:
        if arguments.out:
            require_empty(expanded(arguments.out), "Space")
        with tempfile.TemporaryDirectory(prefix="deftx-push-") as beside:
            hub.push_with_consent(
                arguments, lambda api: prepare_studio(api, arguments.push, Path(beside), private=arguments.private)
            )
            if arguments.out and not arguments.dry_run:
                with new_folder(expanded(arguments.out)) as fresh:
                    shutil.copytree(beside, fresh, dirs_exist_ok=True)
        return
    folder = write_studio_space(arguments.out)
    text = f"{folder}: put it on the Hub with python -m deftx space --push OWNER/NAME (docs/deploy.md)"
    output.result({"out": str(folder), "kind": arguments.kind}, arguments.json, text)
