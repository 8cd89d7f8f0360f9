"""``language`` and ``task``: learning vectors. A stopped run keeps its checkpoint."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from deftx.commands import options, output, remote, sources
from deftx.commands.hub import push_trained
from deftx.core.errors import HubError, RecipeError
from deftx.core.events import OnEvent
from deftx.core.files import expanded
from deftx.training.request import TrainingRequest
from deftx.training.setting_descriptions import MEANINGS

_received: list[int] = []  # received stop signals


def add_commands(commands: Any) -> None:
    """Add the two commands and their common options."""
    language = commands.add_parser("language", help="learn a language vector from raw text")
    language.add_argument("corpus", metavar="CORPUS", nargs="+", help=options.CORPUS)
    language.add_argument("--language", metavar="CODE", help="code of the language, e.g. min, stored in the vector")
    options.add_column(language)
    language.add_argument("--lexicon", metavar="FILE", action="append", default=[],
                          help="word list with the columns word,translation: CORPUS is in a related language, and the "
                          "vector is learned from its word-by-word translation; can be repeated")  # fmt: skip
    language.set_defaults(run=run_language)
    task = commands.add_parser("task", help="learn a task vector from labelled text in a larger, related language")
    sources.add_options(task)
    task.add_argument(
        "--valid", metavar="FILE", help="validation file (default: a part of the first TRAIN is held out)"
    )
    task.add_argument("--language", metavar="CODE", help="code of TRAIN's language, stored in the vector")
    options.add_columns(task, file="TRAIN")
    options.add_columns(task, "--valid-columns", "the validation file")
    options.add_kind(task)
    task.set_defaults(run=run_task)
    width = max(map(len, MEANINGS)) + 2
    for parser in (language, task):
        _add_shared(parser)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = "settings:\n" + "\n".join(f"  {name:{width}}{meaning}" for name, meaning in MEANINGS.items())


def run_language(arguments: argparse.Namespace) -> None:
    """Learn a language vector and print its scores."""
    from deftx.data.text import read_corpus
    from deftx.training.language import learn_language
    from deftx.training.word_lists import lexicons_of

    request = from_arguments("language", arguments)
    recipe: Any = request.full_recipe()  # a LanguageRecipe, as the kind says
    api = _check_push(arguments)
    corpus = request.corpus
    if arguments.encoding or request.column:
        corpus = read_corpus(corpus, column=request.column or None, encoding=arguments.encoding)
    with stop_on_signal() as should_stop, _reported(request, _out(arguments)) as on_event:
        vector = remote.learn(request, _out(arguments), on_event, should_stop) if request.flavor else learn_language(
            corpus, options.load_base_of(arguments), recipe, out=arguments.out,
            language=request.language or None, lexicon=lexicons_of(request.lexicon, arguments.encoding),
            delta=request.delta or None,
            on_event=on_event, should_stop=should_stop,
        )  # fmt: skip
    _report(vector, arguments)
    _push(api, arguments)


def run_task(arguments: argparse.Namespace) -> None:
    """Learn a task vector and print its scores."""
    from deftx.data.table_rows import Table
    from deftx.data.token_tables import read_labelled
    from deftx.training.task import learn_task
    from deftx.training.word_lists import lexicons_of

    encoding = arguments.encoding
    request = from_arguments("task", arguments)
    kind = {"encoding": encoding, "kind": arguments.kind}
    train = [read_labelled(one.file, columns=one.columns, **kind) for one in request.labelled]
    valid = read_labelled(request.valid, columns=request.valid_columns, **kind) if request.valid else None
    pairs = isinstance(train[0], Table) and train[0].pairs
    recipe: Any = request.full_recipe(pairs)  # a TaskRecipe
    if request.flavor and arguments.kind:
        raise RecipeError("--kind applies only to this machine, as the other one looks at the file itself; omit it.")
    api = _check_push(arguments)
    with stop_on_signal() as should_stop, _reported(request, _out(arguments)) as on_event:
        vector = remote.learn(request, _out(arguments), on_event, should_stop, pairs) if request.flavor else learn_task(
            train, options.load_base_of(arguments), recipe, out=arguments.out, valid=valid,
            source=[one.source or None for one in request.labelled],
            repeat=[one.repeat for one in request.labelled],
            lexicon=[lexicons_of(one.lexicon, encoding) for one in request.labelled],
            start=request.start or None, language=request.language or None, delta=request.delta or None,
            on_event=on_event, should_stop=should_stop,
        )  # fmt: skip
    _report(vector, arguments)
    _push(api, arguments)


def from_arguments(kind: str, arguments: argparse.Namespace) -> TrainingRequest:
    """Return the request in the options. Raise DeftxError if an option is invalid, or options cannot be combined."""
    remote.check_options(arguments)
    names = (
        "language",
        "base",
        "device",
        "preset",
        "delta",
        "flavor",
        "hours",
        "push_to",
        "report_to",
        "valid",
        "start",
        "column",
    )
    given: dict[str, Any] = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    if arguments.push_to:
        given["push_private"] = arguments.private
    if kind == "task":
        first, *further = sources.given_in(arguments)
        given |= {"train": first.file, "columns": first.columns, "source": first.source, "repeat": first.repeat,
                  "lexicon": first.lexicon, "further": tuple(further),
                  "valid_columns": options.columns_of(arguments.valid_columns)}  # fmt: skip
    else:
        given["lexicon"] = tuple(arguments.lexicon)
    corpus = tuple(getattr(arguments, "corpus", ()))
    return TrainingRequest(kind=kind, corpus=corpus, recipe=_settings(kind, arguments), **given)


@contextmanager
def stop_on_signal() -> Iterator[Any]:
    """Make Ctrl-C and SIGTERM stop training at its next step; a second signal interrupts immediately."""

    def note(number: int, _: object) -> None:
        if _received:
            raise KeyboardInterrupt
        _received.append(number)  # without output, because the signal may interrupt another line

    printed = False

    def should_stop() -> bool:
        nonlocal printed
        if _received and not printed:
            printed = True
            output.say("Stopping: the checkpoint is being saved …")
        return bool(_received)

    _received.clear()
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield should_stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def terminated() -> bool:
    """Return whether the stop was requested by SIGTERM."""
    return signal.SIGTERM in _received


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="DIR", required=True, help="folder for the vector")
    parser.add_argument("--preset", default="quick", help="quick (minutes on a CPU), standard, paper (quick)")
    parser.add_argument("--method", help="deft-x; lt-sft: the same without denoising; random: a random mask (deft-x)")
    parser.add_argument(
        "--rank",
        metavar="R",
        help="rank strategy, such as uniform:100 or optimal; a wrong name lists all (variance:0.9)",
    )
    parser.add_argument("--keep", type=float, help="share of residual entries to keep in each matrix (0.05)")
    parser.add_argument("--ablate", help="no-residual, dense-delta or no-retrain: table 5 of the paper")
    parser.add_argument("--k", metavar="N", help="entries to select: a number, or a share up to 1 (the paper's share)")
    parser.add_argument("--seed", type=int, help="random seed (42)")
    parser.add_argument("--set", metavar="key=value", nargs="+", action="extend", default=[],
                        help="any other setting; see the list below")  # fmt: skip
    parser.add_argument(
        "--delta", metavar="DIR", help="keep the change after the dense phase in this folder, for further runs"
    )
    parser.add_argument("--push-to", metavar="OWNER/NAME",
                        help="push the vector to the Hugging Face Hub at the end; write access is checked at the start")  # fmt: skip
    parser.add_argument("--private", action="store_true", help="with --push-to: make the repository private (public)")
    parser.add_argument("--report-to", metavar="TRACKER",
                        help="report the progress to tensorboard, trackio or wandb (docs/trackers.md)")  # fmt: skip
    options.add_encoding(parser)
    options.add_base(parser)
    remote.add_options(parser)
    options.add_json(parser)


def _settings(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    from deftx.training.recipes import recipe_for
    from deftx.training.setting_text import parse_setting

    recipe = recipe_for(kind, arguments.preset)
    named = {name: getattr(arguments, name) for name in ("method", "rank", "keep", "ablate", "seed")}
    settings = {name: value for name, value in named.items() if value is not None}
    typed = [*([f"k={arguments.k}"] if arguments.k is not None else []), *arguments.set]
    return settings | dict(parse_setting(recipe, text) for text in typed)


def _reported(request: TrainingRequest, out: Path) -> AbstractContextManager[OnEvent]:
    from deftx.training import trackers

    tracked = trackers.tracked_run(request, trackers.folder_beside(out), out.resolve().name)
    return trackers.reporting(request.report_to, tracked, output.ProgressLine())


def _out(arguments: argparse.Namespace) -> Path:
    return expanded(arguments.out)


def _check_push(arguments: argparse.Namespace) -> Any:
    """Check write access to the Hub before training; return its client, or None without ``--push-to``."""
    from deftx.training import distributed

    if arguments.private and not arguments.push_to:
        raise HubError("--private applies to the repository of --push-to; give both.")
    if not arguments.push_to or not distributed.is_main():
        return None
    from deftx.hub.client import hub
    from deftx.hub.uploads import check_target

    api = hub()
    target = check_target(api, arguments.push_to, arguments.private)
    output.say(f"At the end, the vector will be pushed to {target.repository} as {target.account}.")
    return api


def _push(api: Any, arguments: argparse.Namespace) -> None:
    if api is not None:
        output.say(push_trained(api, arguments.out, arguments.push_to, arguments.private))


def _report(vector: Any, arguments: argparse.Namespace) -> None:
    from deftx.training import distributed

    if not distributed.is_main():
        return
    info = vector.info
    keys = ("kind", "language", "labels", "method", "ablate", "rank", "k", "filled", "mask", "seed", "scores")
    compared = {metric: pair for metric, pair in info["scores"].items() if isinstance(pair, dict) and "after" in pair}
    lines = [f"{arguments.out}: a {info['kind']} vector of {info['k']:,} entries."]
    lines += [
        f"  {m}: {pair['before']:.4f} before, {pair['after']:.4f} with the vector" for m, pair in compared.items()
    ]
    lines += [f"  {kind}: {count / info['k']:.1%} of the entries" for kind, count in info["mask"].items() if count]
    output.result({"vector": str(arguments.out), **{key: info[key] for key in keys}}, arguments.json, "\n".join(lines))
