"""``many``: a language vector for each corpus of a folder; it can be interrupted and resumed, and run several times at once."""

import argparse
from pathlib import Path
from typing import Any

from deftx.commands import cluster, options, output
from deftx.commands.training import stop_on_signal
from deftx.core.errors import DeftxError, unknown_name
from deftx.core.files import expanded

SEED = 42  # the first seed; the others follow it


def add_commands(commands: Any) -> None:
    """Add the command."""
    many = commands.add_parser("many", help="a language vector for each corpus of a folder")
    many.add_argument(
        "folder", metavar="FOLDER", type=Path, help="corpora, each named after its language, e.g. ban.txt, min.zip"
    )
    many.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the vectors and the report")
    many.add_argument(
        "--table", metavar="CSV", type=Path, help="settings to compare: a column 'name' and one for each setting"
    )
    many.add_argument("--languages", nargs="+", metavar="CODE", help="only these languages (all)")
    many.add_argument("--seeds", type=int, default=1, metavar="N", help="number of seeds (1), starting with 42")
    many.add_argument("--preset", default="quick", help="quick, standard or paper (quick)")
    options.add_shared_work(many)
    cluster.add_options(many)
    options.add_base(many)
    options.add_json(many)
    many.set_defaults(run=run_many)


def run_many(arguments: argparse.Namespace) -> None:
    """Train the missing vectors, and write the report once all are done; with ``--on``, submit jobs that do so."""
    import torch

    from deftx.evidence.claims import Claims
    from deftx.evidence.many import Many, corpora_in, finished_groups, groups_of, read_table_of_settings, train_many
    from deftx.evidence.many_report import write_report
    from deftx.evidence.shared_work import Reporter, keep_settings, read_shard
    from deftx.models.bases import BUNDLED_BASE

    if arguments.seeds < 1:
        raise DeftxError("--seeds must be 1 or more.")
    shard, devices = read_shard(arguments.shard), options.devices_of(arguments)
    settings = read_table_of_settings(arguments.table, arguments.preset)
    corpora = corpora_in(expanded(arguments.folder), expanded(arguments.out))
    chosen = _chosen(corpora, arguments.languages)
    if cluster.submit_if_asked(arguments):
        return
    many = Many(expanded(arguments.out), arguments.base or BUNDLED_BASE, arguments.preset,
                max(1, torch.get_num_threads() // len(devices)))  # fmt: skip
    base = options.load_base_of(arguments)
    keep_settings(many.out, "vectors", {"base": base.fingerprint, "preset": many.preset, "settings": settings})
    groups = groups_of(corpora, settings, range(SEED, SEED + arguments.seeds))
    with stop_on_signal() as should_stop:
        mine = [group for group in groups if group[0].language in chosen]
        train_many(many, mine, devices, Reporter(output.say, should_stop), shard)
    claims = Claims(many.out / "claims")
    with claims.kept_alive():
        if not claims.take("report"):
            output.say(f"Another command writes the report in {many.out}.")
            return
        found, written = {}, None
        while (finished := finished_groups(many, corpora, settings)) != written:  # other commands may finish meanwhile
            found, written = write_report(many, finished), finished
    output.result(found, arguments.json, (many.out / "report.md").read_text(encoding="utf-8"))


def _chosen(corpora: dict[str, Path], languages: list[str] | None) -> dict[str, Path]:
    for language in languages or ():
        if language not in corpora:
            raise unknown_name("The language", language, corpora)
    return {language: path for language, path in corpora.items() if not languages or language in languages}
