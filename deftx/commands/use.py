"""``classify`` and ``evaluate``: using a composed classifier."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deftx.commands import options, output, questions, tokens
from deftx.core.errors import DeftxError


def add_commands(commands: Any) -> None:
    """Add the two commands."""
    classify = commands.add_parser("classify", help="classify texts")
    classify.add_argument(
        "texts", metavar="TEXT", nargs="*", help="texts; for a task on pairs: premise and hypothesis alternately"
    )
    classify.add_argument(
        "--file", metavar="FILE",
        help="file of texts: a text or document, or a table with a column text; for a task on words, also sentences of words",
    )  # fmt: skip
    classify.add_argument(
        "--out", metavar="FILE",
        help="output file: the rows of --file with label and probabilities added, as CSV; for a task on words, marks as .csv or "
        ".jsonl, or tags as .conll or .conllu",
    )  # fmt: skip
    classify.add_argument(
        "--as-is", action="store_true",
        help="write cells unchanged, for programs (default: an apostrophe before cells that a spreadsheet would treat as a formula)",
    )  # fmt: skip
    classify.add_argument(
        "--notes", action="store_true",
        help="also say what speaks against an answer: another language, unreadable or short text, a narrow margin",
    )  # fmt: skip
    classify.add_argument(
        "--sure", type=float, metavar="SHARE",
        help="also say which answers are sure enough that this share of them is right, e.g. 0.9 (for a calibrated task vector)",
    )  # fmt: skip
    classify.set_defaults(run=run_classify)
    evaluate = commands.add_parser("evaluate", help="score a classifier on labelled text")
    evaluate.add_argument("test", metavar="TEST",
                          help="file with columns text,label or premise,hypothesis,label, words with tags, or questions with "
                          "answers")  # fmt: skip
    evaluate.add_argument(
        "--metric",
        help="f1 (macro-F1; of names and answers, their own F1) or accuracy (the metric of the task vector's recipe)",
    )
    options.add_kind(evaluate)
    evaluate.add_argument(
        "--rename", metavar="OLD=NEW", action="append", default=[],
        help="rename a label of the file to that of the task, e.g. pos=positive; OLD= removes its rows; can be repeated",
    )  # fmt: skip
    evaluate.set_defaults(run=run_evaluate)
    for parser in (classify, evaluate):
        options.add_columns(parser)
        options.add_composition(parser)
        options.add_encoding(parser)
        options.add_json(parser)


def run_classify(arguments: argparse.Namespace) -> None:
    """Classify texts from the command line or a file."""
    if bool(arguments.texts) == bool(arguments.file):
        raise DeftxError("Give either texts to classify, or --file.")
    if bool(arguments.file) != bool(arguments.out):
        raise DeftxError("--file and --out must be given together: the rows of --file are written to --out.")
    if arguments.file and arguments.notes:
        raise DeftxError("--notes is for texts given as arguments, not for --file.")
    if arguments.file and Path(arguments.file).resolve() == Path(arguments.out).resolve():
        raise DeftxError(f"--out {arguments.out} would overwrite the input file; choose another name.")
    if arguments.file:
        _classify_file(arguments)
        return
    classifier, task = options.compose_from(arguments)
    if task.tags_words:
        tokens.print_marks(classifier, arguments)
        return
    texts = _paired(arguments.texts) if task.takes_pairs else arguments.texts
    _check_sure(arguments, classifier)
    for note in output.cut_note(classifier, texts):
        output.say(f"warning: {note}")
    answered = classifier.classify(texts)
    probabilities, labels = answered.tolist(), classifier.labels
    found = [
        {"text": text, "label": labels[row.index(max(row))], "probabilities": dict(zip(labels, row, strict=True))}
        for text, row in zip(texts, probabilities, strict=True)
    ]
    if arguments.notes:
        _add_notes(found, classifier, texts, probabilities)
    extra = () if arguments.sure is None else ("sure",)
    for one, sure in zip(found, _sure(arguments, classifier, answered) if extra else [], strict=False):
        one["sure"] = sure
    rows = [(one["label"], *(f"{p:.3f}" for p in one["probabilities"].values()), *("yes" if one[name] else "no" for name in extra), one["text"])
            for one in found]  # fmt: skip
    output.result(found, arguments.json, output.table(("label", *labels, *extra, "text"), rows))


def _add_notes(found: list[dict[str, Any]], classifier: Any, texts: Sequence[Any], probabilities: list) -> None:
    """Add the doubts of each text to its result, and write them to stderr."""
    from deftx.classify.doubts import doubts

    for one, reasons in zip(found, doubts(classifier, texts, probabilities), strict=True):
        one["notes"] = [{"kind": reason.kind, "says": str(reason), **reason.values} for reason in reasons]
        for reason in reasons:
            output.say(f"note: {one['text']!r}: {reason}")


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Score a classifier, with a 95 % bootstrap interval."""
    from deftx.core.calibration import certainty_of
    from deftx.core.evaluation import evaluate_predictions, refuse_unscorable
    from deftx.data.labels import check_kind, rename_labels, with_spellings_of
    from deftx.data.question_rows import QuestionTable
    from deftx.data.table_rows import Table
    from deftx.data.token_rows import TokenTable
    from deftx.data.token_tables import read_labelled
    from deftx.training.recipes import METRICS

    table = read_labelled(arguments.test, columns=options.columns_of(arguments.columns),
                          encoding=arguments.encoding, kind=arguments.kind)  # fmt: skip
    classifier, task = options.compose_from(arguments)
    if not isinstance(table, Table):
        {TokenTable: tokens, QuestionTable: questions}[type(table)].print_scores(classifier, task, table, arguments)
        return
    tokens.refuse_sentences(task, table.name)
    questions.refuse_others(task, "classify texts")
    table = rename_labels(table, _renamed(arguments.rename))
    table = with_spellings_of(table, classifier.labels)
    for note in (*table.notes, *output.cut_note(classifier, table.texts)):
        output.say(f"warning: {note}")
    check_kind(task.name, task.takes_pairs, table.name, table.pairs)
    metric = arguments.metric or task.info.get("recipe", {}).get("metric", "f1")
    refuse_unscorable(metric, table.labels, classifier.labels)
    probabilities = classifier.classify(table.texts)
    predicted = [classifier.labels[place] for place in probabilities.argmax(-1).tolist()]
    found = evaluate_predictions(metric, table.labels, predicted, classifier.labels)
    certainty = certainty_of(probabilities.numpy(), [a == b for a, b in zip(table.labels, predicted, strict=True)])
    name = METRICS[metric]
    confusion = output.table(
        ("gold \\ predicted", *found.labels),
        [(label, *counts) for label, counts in zip(found.labels, found.confusion, strict=True)],
    )
    text = (
        f"{name} {found.score:.4f} (95 % interval {found.low:.4f} to {found.high:.4f}, {found.n:,} rows)\n{confusion}\n"
        f"{_certainty_in_words(certainty)}"
    )
    output.result({**found.to_dict(), **certainty}, arguments.json, text)


def _certainty_in_words(certainty: dict[str, Any]) -> str:
    said = [
        f"The highest probability is {certainty['calibration_error']:.1%} away from the share of right answers, on average."
    ]
    said += [f"Of the surest {row['coverage']:.0%}, {100 * row['accuracy']:.0f} of 100 are right (a lead of {row['margin']:.2f} or more)."
             for row in certainty["risk_coverage"]]  # fmt: skip
    return "\n".join(said)


def _classify_file(arguments: argparse.Namespace) -> None:
    from deftx.data.labels import check_kind
    from deftx.data.unlabelled import answer_columns, prepare_output, read_texts, write_rows
    from deftx.vectors.vector import SparseVector

    prepare_output(arguments.out)
    task = SparseVector.load(arguments.task)
    questions.refuse_others(task, "classify texts")
    if task.tags_words:
        tokens.write_marks(arguments, task)
        return
    rows = read_texts(arguments.file, columns=options.columns_of(arguments.columns), encoding=arguments.encoding)
    classifier, task = options.compose_from(arguments, task)
    check_kind(task.name, task.takes_pairs, arguments.file, rows.pairs)
    _check_sure(arguments, classifier)
    for note in (*rows.notes, *output.cut_note(classifier, rows.texts)):
        output.say(f"warning: {note}")
    probabilities = classifier.classify(rows.texts)
    answers = answer_columns(classifier.labels, probabilities)
    if arguments.sure is not None:
        answers["sure"] = ["yes" if sure else "no" for sure in _sure(arguments, classifier, probabilities)]
    write_rows(arguments.out, rows, answers, as_they_are=arguments.as_is)
    predicted = answers["label"]
    counts = {label: predicted.count(label) for label in classifier.labels}
    text = f"{arguments.out}: {len(predicted):,} texts, " + ", ".join(f"{n:,} {label}" for label, n in counts.items())
    output.result({"out": arguments.out, "n": len(predicted), "labels": counts}, arguments.json, text)


def _check_sure(arguments: argparse.Namespace, classifier: Any) -> None:
    """Refuse a share that is none, and a task vector without a calibration, before texts are classified."""
    from deftx.classify.estimating import check_sure

    if arguments.sure is not None:
        check_sure(classifier, arguments.sure)


def _sure(arguments: argparse.Namespace, classifier: Any, probabilities: Any) -> list[bool]:
    from deftx.classify.estimating import sure_answers

    return sure_answers(classifier, probabilities, arguments.sure)


def _renamed(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise DeftxError(
                f"--rename {pair!r} has no '=': write it as LABEL_OF_FILE=LABEL_OF_TASK, e.g. pos=positive."
            )
    return dict(pair.split("=", 1) for pair in pairs)


def _paired(texts: list[str]) -> list[tuple[str, str]]:
    if len(texts) % 2:
        raise DeftxError(
            "This task classifies pairs: give premise and hypothesis alternately, an even number of texts."
        )
    return list(zip(texts[::2], texts[1::2], strict=True))
