"""``push``: push a vector or a composed classifier to the Hugging Face Hub, after printing what will be uploaded."""

import argparse
import getpass
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import DeftxError, HubError

YES = ("y", "yes")


def add_commands(commands: Any) -> None:
    """Add the command."""
    push = commands.add_parser("push", help="push a vector, or a composed classifier, to the Hugging Face Hub")
    push.add_argument("vector", metavar="VECTOR", nargs="?", help="vector to push; for a classifier use --task")
    push.add_argument("--to", metavar="OWNER/NAME", required=True, help="repository; created if it does not exist")
    push.add_argument("--license", metavar="ID", help="license for the card, as the Hub writes it, e.g. cc-by-4.0")
    push.add_argument(
        "--dataset", metavar="OWNER/NAME", action="append", default=[],
        help="data set on the Hub that the vector was learned from, for its card; can be repeated",
    )  # fmt: skip
    push.add_argument(
        "--result", metavar="DATASET=FILE", action="append", default=[],
        help="score of the classifier on a data set of the Hub, for its card and .eval_results: OWNER/DATASET=FILE, where FILE "
        "is the output of evaluate --json; can be repeated",
    )  # fmt: skip
    push.add_argument("--space", action="store_true", help="push the classifier as a Space with a page to try it")
    add_consent(push)
    options.add_composition(push, required=False)
    options.add_json(push)
    push.set_defaults(run=run_push)


def run_push(arguments: argparse.Namespace) -> None:
    """Check write access, prepare and print the files, ask, and push."""
    if bool(arguments.vector) == bool(arguments.task):
        raise HubError("Give what to push: a VECTOR, or --task (with --language) for a composed classifier.")
    if arguments.space and arguments.vector:
        raise HubError("A vector alone cannot be a Space: use --space with --task (and --language).")
    if arguments.vector and (given := options.composition_given(arguments)):
        raise HubError(
            f"{given[0]} is for a composed classifier: give the task vector with --task, or omit {given[0]}."
        )
    if arguments.dataset and arguments.task:
        raise HubError("--dataset is for the card of a vector: use it with a VECTOR, without --task.")
    if arguments.result and (arguments.vector or arguments.space):
        raise HubError("--result is the score of a composed classifier: use it with --task, without --space.")
    with tempfile.TemporaryDirectory(prefix="deftx-push-") as folder:
        push_with_consent(arguments, lambda api: _prepared(api, arguments, Path(folder)))


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add what ``push_with_consent`` reads, besides ``--json``."""
    parser.add_argument("--private", action="store_true", help="make the repository private (public)")
    parser.add_argument(
        "--ask-token", action="store_true", help="enter a token (default: that of hf auth login, or HF_TOKEN)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check write access and print what would be uploaded, without uploading"
    )
    parser.add_argument("--yes", action="store_true", help="upload without asking")


def push_with_consent(arguments: argparse.Namespace, prepare: Callable[[Any], Any]) -> None:
    """Print what ``prepare`` has prepared with a client of the Hub, ask, push it, and print the result."""
    from deftx.hub.client import hub
    from deftx.hub.uploads import describe, push

    api = hub(getpass.getpass("Token of the Hugging Face Hub: ") if arguments.ask_token else None)
    upload = prepare(api)
    for line in describe(upload):
        output.say(line)
    found = {"repository": upload.target.repository, "private": upload.private, "files": dict(upload.files)}
    if arguments.dry_run:
        output.result(found, arguments.json, "Nothing was uploaded (--dry-run).")
        return
    if not (arguments.yes or _agreed()):
        raise HubError("Nothing was uploaded.")
    pushed = push(api, upload)
    text = f"{pushed.url} (commit {pushed.commit[:12]})"
    output.result({**found, "url": pushed.url, "commit": pushed.commit}, arguments.json, text)


def push_trained(api: Any, folder: str, repository: str, private: bool) -> str:
    """Push a newly trained vector and return a message. Raise HubError, with how to push it later, if that fails."""
    from deftx.hub.uploads import describe, push
    from deftx.publish.pushing import prepare_vector

    try:
        with tempfile.TemporaryDirectory(prefix="deftx-push-") as beside:
            upload = prepare_vector(api, folder, repository, Path(beside), private=private)
            for line in describe(upload):
                output.say(line)
            pushed = push(api, upload)
    except (DeftxError, OSError) as error:  # of the Hub or of this machine, such as a full disk
        again = f"python -m deftx push {shlex.quote(folder)} --to {repository}{' --private' if private else ''}"
        reason = str(error).rstrip(".")
        raise HubError(
            f"The vector is complete in {folder}, but could not be pushed: {reason}. To push it later: {again}"
        ) from error
    return f"Pushed to {pushed.url} (commit {pushed.commit[:12]})."


def _prepared(api: Any, arguments: argparse.Namespace, folder: Path) -> Any:
    from deftx.publish.measured import read_measured
    from deftx.publish.pushing import prepare_classifier, prepare_space, prepare_vector
    from deftx.vectors.vector import SparseVector

    if arguments.vector:
        return prepare_vector(
            api, arguments.vector, arguments.to, folder,
            private=arguments.private, license_id=arguments.license, datasets=arguments.dataset,
        )  # fmt: skip
    languages = [
        (SparseVector.load(name), strength)
        for name, strength in options.with_strengths(arguments.language, arguments.strength_language)
    ]
    task, results = SparseVector.load(arguments.task), [read_measured(text) for text in arguments.result]

    def compose() -> Any:
        return options.compose_from(arguments)[0]

    if arguments.space:
        return prepare_space(
            api, compose, task, languages, arguments.to, folder, private=arguments.private, license_id=arguments.license
        )
    return prepare_classifier(
        api, compose, task, arguments.strength_task, languages, arguments.to, folder,
        private=arguments.private, license_id=arguments.license, method=arguments.merge, results=results,
    )  # fmt: skip


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise HubError("There is no terminal to ask before uploading: use --yes, or --dry-run to upload nothing.")
    return input("Upload this? [y/N] ").strip().lower() in YES
