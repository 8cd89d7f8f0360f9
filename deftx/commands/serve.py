"""``serve``: a classifier of many languages over HTTP."""

import argparse
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import RecipeError

PORT = 8000


def add_commands(commands: Any) -> None:
    """Add the command."""
    serve = commands.add_parser("serve", help="serve a classifier of several languages over HTTP (docs/serving.md)")
    serve.add_argument(
        "--task", metavar="VECTOR", required=True, help="task vector: a folder, a Hub id or a bundled name"
    )
    serve.add_argument(
        "--languages", metavar="VECTOR", nargs="*", default=[], help="language vectors, one of each language"
    )
    serve.add_argument("--otherwise", metavar="CODE",
                       help="language of texts whose language is not found or has no vector (the task vector alone)")  # fmt: skip
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1: this machine alone)")
    serve.add_argument("--port", type=int, default=PORT, help=f"port to listen at ({PORT})")
    serve.add_argument(
        "--waiting", type=int, metavar="N", help="texts that may wait; more are refused with 503 (10,000)"
    )
    options.add_base(serve)
    serve.set_defaults(run=run_serve)


def run_serve(arguments: argparse.Namespace) -> None:
    """Load the vectors, and serve until it is interrupted."""
    from deftx.data.languages import load_languages
    from deftx.jobs.home import registered_languages
    from deftx.serving.batching import MOST_WAITING
    from deftx.serving.http import LOOPBACK, make_app, run
    from deftx.serving.service import Service
    from deftx.serving.switching import Switcher, by_code
    from deftx.vectors.vector import SparseVector

    if arguments.waiting is not None and arguments.waiting < 1:
        raise RecipeError("--waiting must be 1 or more.")
    if not 0 < arguments.port < 2**16:
        raise RecipeError("--port must be from 1 to 65535.")
    task = SparseVector.load(arguments.task)
    languages = by_code([(name, SparseVector.load(name)) for name in arguments.languages])
    switcher, known = Switcher(options.load_base_of(arguments), task, languages), load_languages(registered_languages())
    service = Service(
        switcher, known, pairs=task.takes_pairs, otherwise=arguments.otherwise,
        waiting=arguments.waiting or MOST_WAITING,
    )  # fmt: skip
    app = make_app(service, hosts=LOOPBACK if arguments.host in LOOPBACK else None)
    if unknown := [code for code in languages if code not in known.names()]:
        output.say(f"warning: No profile is known of {', '.join(unknown)}: such a vector is used only for texts whose request names "
                   "the language. To register a language, see docs/languages.md.")  # fmt: skip
    output.say(f"http://{arguments.host}:{arguments.port}/ serves {', '.join(task.labels)} in "
               f"{', '.join(languages) or 'the language of the task'}; its description is at /openapi.json. Ctrl-C ends it.")  # fmt: skip
    run(app, arguments.host, arguments.port)
