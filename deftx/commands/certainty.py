"""``calibrate`` and ``estimate``: how far probabilities can be believed, with labels and without."""

import argparse
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import VectorError
from deftx.core.files import expanded


def add_commands(commands: Any) -> None:
    """Add the two commands."""
    calibrate = commands.add_parser("calibrate", help="fit a task vector's temperature on labelled text")
    calibrate.add_argument("valid", metavar="VALID", help="labelled file that the task vector was not trained on, in the "
                           "language of its training or of --language")  # fmt: skip
    calibrate.add_argument(
        "--task", metavar="FOLDER", required=True, help="folder of the task vector, which is changed"
    )
    calibrate.add_argument("--out", metavar="DIR", help="write the changed vector there and leave --task as it is")
    calibrate.add_argument("--language", metavar="VECTOR", action="append", default=[],
                           help="language vector of VALID; can be repeated")  # fmt: skip
    calibrate.set_defaults(run=run_calibrate)
    estimate = commands.add_parser("estimate", help="estimate a classifier's accuracy on text without labels")
    estimate.add_argument(
        "file", metavar="TEXTS", help="file of texts: a text or document, or a table with a column text"
    )
    options.add_composition(estimate)
    estimate.set_defaults(run=run_estimate)
    options.add_base(calibrate)
    for parser in (calibrate, estimate):
        options.add_columns(parser)
        options.add_encoding(parser)
        options.add_json(parser)


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Fit the temperature and keep it in the vector."""
    from deftx.classify.calibrating import calibrate_on, keep_calibration, usable_rows
    from deftx.classify.composition import compose
    from deftx.core.files import require_empty
    from deftx.data.labels import check_kind
    from deftx.data.tables import read_table
    from deftx.vectors.vector import SparseVector

    if not arguments.out and not expanded(arguments.task).is_dir():
        raise VectorError(f"--task {arguments.task} is no folder that could be changed; give a new folder with --out.")
    table = read_table(arguments.valid, columns=options.columns_of(arguments.columns), encoding=arguments.encoding)
    task = SparseVector.load(arguments.task)
    check_kind(task.name, task.takes_pairs, table.name, table.pairs)
    if arguments.out:
        require_empty(expanded(arguments.out), "vector")
    languages = options.with_strengths(arguments.language, [])
    classifier = compose(options.load_base_of(arguments), task=task, languages=languages)
    for note in usable_rows(classifier, table).notes:
        output.say(f"warning: {note}")
    found = calibrate_on(classifier, table)
    folder = expanded(arguments.out or arguments.task)
    keep_calibration(folder, found, task if arguments.out else None)
    text = (
        f"{folder}: temperature {found.temperature:.4f} from {found.examples:,} rows. The highest probability was "
        f"{found.error[0]:.1%} away from the share of right answers, and is now {found.error[1]:.1%} away."
    )
    output.result({"vector": str(folder), **found.to_dict()}, arguments.json, text)


def run_estimate(arguments: argparse.Namespace) -> None:
    """Estimate the accuracy on texts without labels."""
    from deftx.classify.estimating import ESTIMATE_ERROR, check_estimate, estimate_accuracy
    from deftx.data.labels import check_kind
    from deftx.data.unlabelled import read_texts

    rows = read_texts(arguments.file, columns=options.columns_of(arguments.columns), encoding=arguments.encoding)
    classifier, task = options.compose_from(arguments)
    check_kind(task.name, task.takes_pairs, arguments.file, rows.pairs)
    check_estimate(classifier, len(rows.texts))
    for note in (*rows.notes, *output.cut_note(classifier, rows.texts)):
        output.say(f"warning: {note}")
    accuracy = estimate_accuracy(classifier, classifier.classify(rows.texts))
    text = (
        f"About {100 * accuracy:.0f} of 100 answers are right, estimated without labels from {len(rows.texts):,} texts.\n"
        f"In {ESTIMATE_ERROR.languages} languages this was off by {ESTIMATE_ERROR.mean} points on average, at most {ESTIMATE_ERROR.most}: "
        "judge a sample of the answers to be sure."
    )
    result = {"accuracy": accuracy, "n": len(rows.texts), "measured": vars(ESTIMATE_ERROR)}
    output.result(result, arguments.json, text)
