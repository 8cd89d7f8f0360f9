"""Options that several commands share."""

import argparse
import os
from typing import Any

from deftx.errors import RecipeError


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add ``--base`` and ``--device``."""
    parser.add_argument("--base", metavar="B", help="base model: a bundled name, a folder or a Hub id (bundled base)")
    parser.add_argument("--device", help="where to compute, e.g. cpu or cuda:0 (a GPU where there is one)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_composition(parser: argparse.ArgumentParser) -> None:
    """Add the vectors of a composition, their strengths and the base."""
    parser.add_argument(
        "--task", metavar="VECTOR", required=True, help="task vector: a folder, a Hub id or a bundled name"
    )
    parser.add_argument("--language", metavar="VECTOR", help="language vector of the texts")
    parser.add_argument("--scale-task", type=float, default=1.0, metavar="S", help="strength of the task vector (1)")
    parser.add_argument("--scale-language", type=float, default=1.0, metavar="S", help="of the language vector (1)")
    add_base(parser)


def load_base_of(arguments: argparse.Namespace) -> Any:
    """Load the base that was asked for, on the device that was asked for or the best there is."""
    import torch

    from deftx.bases import BUNDLED_BASE, load_base

    own = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"  # each of several processes has its own
    device = arguments.device or (own if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"The device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return load_base(arguments.base or BUNDLED_BASE, device=device)


def compose_from(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Compose the classifier that the options describe; return it with its task vector."""
    from deftx.composition import compose
    from deftx.vector import SparseVector

    task = SparseVector.load(arguments.task)
    language = SparseVector.load(arguments.language) if arguments.language else None
    classifier = compose(
        load_base_of(arguments),
        task=task,
        language=language,
        scale_task=arguments.scale_task,
        scale_language=arguments.scale_language,
    )
    return classifier, task
