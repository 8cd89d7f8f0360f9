"""``classify`` and ``evaluate`` with a task vector that tags words."""

import argparse
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import DeftxError, TableError


def print_marks(classifier: Any, arguments: argparse.Namespace) -> None:
    """Tag the texts of the command line and print what is marked in them."""
    from deftx.data.characters import as_seen

    _refuse_options(arguments)
    tagged = classifier.tag([as_seen(text) for text in arguments.texts])  # as the text of a file is read
    found = [{"text": one.text, "marks": [vars(mark) for mark in one.marks]} for one in tagged]
    rows = [
        (number, mark.label, f"{mark.probability:.3f}", mark.start, mark.end, mark.text)
        for number, one in enumerate(tagged, 1)
        for mark in one.marks
    ]
    text = output.table(("text", "label", "probability", "from", "to", "words"), rows)
    output.result(found, arguments.json, text if rows else "No name was found.")


def write_marks(arguments: argparse.Namespace, task: Any) -> None:
    """Tag the texts or words of a file, write the marks to --out and print how many there are of each label."""
    from deftx.classify.tag_files import check_format, tag_file, write_tagged
    from deftx.core.tags import marks_entities
    from deftx.data.words_to_tag import read_to_tag

    _refuse_options(arguments)
    check_format(arguments.out, marks_entities(task.labels))
    file = read_to_tag(arguments.file, columns=options.columns_of(arguments.columns), encoding=arguments.encoding)
    classifier, _ = options.compose_from(arguments, task)
    for note in file.rows.notes:
        output.say(f"warning: {note}")
    found = tag_file(classifier, file)
    write_tagged(arguments.out, found, as_they_are=arguments.as_is)
    counts = found.counts
    said = "".join(f", {count:,} {label}" for label, count in counts.items())
    text = f"{arguments.out}: {len(found.tagged):,} texts, {sum(counts.values()):,} marks{said}"
    result = {"out": arguments.out, "n": len(found.tagged), "marks": sum(counts.values()), "labels": counts}
    output.result(result, arguments.json, text)


def _refuse_options(arguments: argparse.Namespace) -> None:
    """Raise DeftxError for an option of ``classify`` that tags of words do not have."""
    for option, given in (("--notes", arguments.notes), ("--sure", arguments.sure is not None)):
        if given:
            raise DeftxError(f"{option} is for tasks that classify texts; this task vector tags words.")


def print_scores(classifier: Any, task: Any, table: Any, arguments: argparse.Namespace) -> None:
    """Score a tagger on tagged words, with a 95 % bootstrap interval over sentences.

    Raises:
        DeftxError: If the task classifies texts, the tags are of another kind, or an option is for texts.
    """
    from deftx.classify.tag_scores import tags_lacking
    from deftx.classify.tagger import tagger
    from deftx.core.tag_evaluation import METRICS, evaluate_tags, metric_for

    tags = tagger(classifier, task.name)
    if arguments.rename:
        raise DeftxError("--rename is for labels of texts, not for tags of words.")
    unknown = tags_lacking(task.name, tags.labels, table)
    for note in table.notes:
        output.say(f"warning: {note}")
    if unknown:
        output.say(f"warning: {table.name} has tags that the task lacks: {', '.join(unknown)}. They count as wrong.")
    metric = metric_for(arguments.metric or task.info.get("recipe", {}).get("metric", "f1"), tags.labels)
    found = evaluate_tags(metric, table.tags, tags.tag_words(table.sentences))
    rows = [
        (line.label, f"{line.precision:.3f}", f"{line.recall:.3f}", f"{line.f1:.3f}", line.gold) for line in found.lines
    ]
    text = (
        f"{METRICS[metric]} {found.score:.4f} (95 % interval {found.low:.4f} to {found.high:.4f}, {found.n:,} words in "
        f"{found.sentences:,} sentences)\n{output.table(('label', 'precision', 'recall', 'F1', 'gold'), rows)}"
    )
    output.result(found.to_dict(), arguments.json, text)


def refuse_sentences(task: Any, file: str) -> None:
    """Raise TableError if a task that tags words is asked about a file of texts."""
    if task.tags_words:
        raise TableError(
            f"The task vector {task.name} tags words; {file} has texts. Choose a task that classifies texts."
        )
