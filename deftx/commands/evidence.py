"""``benchmark``: the paper's tables; it can be interrupted and resumed at any time."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deftx.commands import cluster, options, output
from deftx.commands.training import stop_on_signal
from deftx.core.errors import DeftxError, unknown_name
from deftx.core.files import expanded

SEED = 42  # the first seed; the others follow it


def add_commands(commands: Any) -> None:
    """Add the command."""
    bench = commands.add_parser(
        "benchmark", help="the paper's tables: DeFT-X compared with LT-SFT and others, on real data"
    )
    add_table(bench)
    bench.add_argument(
        "--methods", nargs="+", metavar="ROW", help="rows of the table (those of the paper); see docs/evidence.md"
    )
    bench.add_argument(
        "--source", metavar="VECTOR", help="language vector from which task training starts (default: a trained one)"
    )
    options.add_shared_work(bench)
    cluster.add_options(bench)
    bench.add_argument(
        "--plan", action="store_true", help="print the estimated time and memory, without starting anything"
    )
    options.add_json(bench)
    bench.set_defaults(run=run_benchmark)


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which table is made, on which base, and with which settings."""
    parser.add_argument("setting", metavar="nusax|americasnli|xnli", help="which experiment")
    parser.add_argument("--data", metavar="DIR", required=True, type=Path, help="folder with the data")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("evidence"), help="folder for the results (evidence)"
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="number of seeds (3), starting with 42")
    parser.add_argument("--languages", nargs="+", metavar="CODE", help="target languages (all)")
    parser.add_argument("--preset", default="quick", help="quick, standard or paper (quick)")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of all vectors")
    parser.add_argument(
        "--set-language", nargs="+", default=[], metavar="KEY=VALUE", help="settings of language vectors"
    )
    parser.add_argument("--set-task", nargs="+", default=[], metavar="KEY=VALUE", help="settings of task vectors")
    options.add_base(parser)


def run_benchmark(arguments: argparse.Namespace) -> None:
    """Train missing vectors, score every cell and write the tables; with ``--plan`` print an estimate, with ``--on`` submit jobs."""
    from deftx.evidence import results
    from deftx.evidence.claims import Claims
    from deftx.evidence.other_programs import read_predictions
    from deftx.evidence.plan import plan
    from deftx.evidence.run import claim, score_all, train_all
    from deftx.evidence.shared_work import Reporter, read_shard

    run = describe(arguments)
    if cluster.submit_if_asked(arguments):
        return
    base = options.load_base_of(arguments)
    if arguments.plan:
        found = plan(run, base)
        output.result(asdict(found), arguments.json, output.table(("what", "how much"), found.lines()))
        return
    claim(run, base)
    with stop_on_signal() as should_stop:
        reporter = Reporter(output.say, should_stop)
        train_all(run, reporter, read_shard(arguments.shard))
        claims = Claims(run.out / "claims")
        with claims.kept_alive():
            if not claims.take("tables"):
                output.say(f"Another command scores the vectors and writes the tables in {run.out}.")
                return
            found = results.write(
                run, [*results.score_baselines(run), *read_predictions(run), *score_all(run, base, reporter)]
            )
    output.result(found, arguments.json, (run.out / "results.md").read_text(encoding="utf-8"))


def describe(arguments: argparse.Namespace) -> Any:
    """Return the run that the options describe.

    Raises:
        DeftxError: If the experiment, a row, a language, a setting or a label of a test set is unknown, or a file is missing.
    """
    import torch

    from deftx.evidence.labelled import read_tests
    from deftx.evidence.rows import choose_rows
    from deftx.evidence.run import Run
    from deftx.evidence.settings import SETTINGS
    from deftx.models.bases import BUNDLED_BASE

    if arguments.setting not in SETTINGS:
        raise unknown_name("The benchmark", arguments.setting, SETTINGS)
    if arguments.seeds < 1:
        raise DeftxError("--seeds must be 1 or more.")
    setting = SETTINGS[arguments.setting]
    data, devices = expanded(arguments.data), options.devices_of(arguments)
    languages = setting.languages(arguments.languages)
    rows = tuple(choose_rows(arguments.methods))
    setting.check(data, languages, {row.data for row in rows if row.data})
    languages = (*languages, *([setting.reference] if setting.reference else []))
    read_tests(setting, data, languages)  # before anything is trained: it refuses unknown labels
    return Run(
        setting=setting,
        rows=rows,
        languages=languages,
        seeds=tuple(range(SEED, SEED + arguments.seeds)),
        data=data,
        out=expanded(arguments.out),
        base=arguments.base or BUNDLED_BASE,
        devices=devices,
        preset=arguments.preset,
        changes={kind: _changes(kind, arguments) for kind in ("language", "task")},
        source=arguments.source,
        threads=max(1, torch.get_num_threads() // len(devices)),
    )


def _changes(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    from deftx.evidence.shared_work import refuse_seed
    from deftx.training.recipes import recipe_for
    from deftx.training.setting_text import parse_setting

    recipe = recipe_for(kind, arguments.preset)
    found = dict(parse_setting(recipe, text) for text in (*arguments.set, *getattr(arguments, f"set_{kind}")))
    refuse_seed(found)
    return found
