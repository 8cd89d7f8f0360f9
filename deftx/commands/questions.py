"""``answer``, and ``evaluate`` with a task vector that answers questions."""

import argparse
from pathlib import Path
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import DeftxError, TableError


def add_commands(commands: Any) -> None:
    """Add the command."""
    answer = commands.add_parser("answer", help="mark the answers to questions in a text (docs/questions.md)")
    answer.add_argument("questions", metavar="QUESTION", nargs="*", help="questions on the text of --context")
    answer.add_argument("--context", metavar="FILE", help="text or document with the answers")
    answer.add_argument("--file", metavar="FILE", help="questions with their texts, in SQuAD's JSON")
    answer.add_argument("--out", metavar="FILE",
                        help="output file: the answer to each question of --file by its id, as SQuAD's script reads it")  # fmt: skip
    options.add_composition(answer)
    options.add_encoding(answer)
    options.add_json(answer)
    answer.set_defaults(run=run_answer)


def run_answer(arguments: argparse.Namespace) -> None:
    """Answer questions from the command line or a file."""
    if bool(arguments.questions) == bool(arguments.file):
        raise DeftxError("Give either questions with --context, or --file.")
    if bool(arguments.questions) != bool(arguments.context) or bool(arguments.file) != bool(arguments.out):
        raise DeftxError("A question needs --context, the file with its text; --file needs --out, where answers go.")
    if arguments.file:
        _answer_file(arguments)
        return
    context = _read_context(arguments.context, arguments.encoding)
    found = _composed(arguments).answer([(question, context) for question in arguments.questions])
    rows = [
        (number, one.text, f"{one.probability:.3f}", one.start, one.end)
        for number, answered in enumerate(found, 1)
        for one in shown_answers(answered)
    ]
    text = output.table(("question", "answer", "probability", "from", "to"), rows)
    output.result([_as_json(one) for one in found], arguments.json, text)


def print_scores(classifier: Any, task: Any, table: Any, arguments: argparse.Namespace) -> None:
    """Score a model on questions with answers, with a 95 % bootstrap interval over texts.

    Raises:
        DeftxError: If the task answers no questions, or an option is for texts.
    """
    from deftx.classify.answerer import answerer
    from deftx.core.answer_evaluation import METRICS, evaluate_answers, metric_for

    answering = answerer(classifier, task.name)
    if arguments.rename:
        raise DeftxError("--rename is for labels of texts, and questions have none.")
    for note in table.notes:
        output.say(f"warning: {note}")
    metric = metric_for(arguments.metric or (task.info.get("recipe") or {}).get("metric", "f1"))
    predicted = [one.text for one in answering.answer([(one.text, one.context) for one in table.questions])]
    found = evaluate_answers(metric, [one.gold for one in table.questions], predicted, table.texts)
    parts = (("all", found), ("with an answer", found.has_answer), ("without one", found.no_answer))
    rows = [(name, f"{part.answer_f1:.4f}", f"{part.exact_match:.4f}", part.n) for name, part in parts if part]
    text = (
        f"{METRICS[metric]} {found.score:.4f} (95 % interval {found.low:.4f} to {found.high:.4f}, {found.n:,} questions on "
        f"{found.paragraphs:,} texts)\n{output.table(('questions', 'F1', 'exact match', 'n'), rows)}"
    )
    output.result(found.to_dict(), arguments.json, text)


def refuse_others(task: Any, does: str) -> None:
    """Raise TableError if a task that answers questions is asked for something else; ``does`` says what it is asked for."""
    from deftx.core.units import QUESTION

    if task.unit == QUESTION:
        raise TableError(f"The task vector {task.name} answers questions: use `answer` with it. It does not {does}.")


def shown_answers(answered: Any) -> list[Any]:
    """Return the possible answers, "no answer" as an empty one at its place by probability."""
    from deftx.classify.answerer import FoundAnswer

    found = list(answered.answers)
    if answered.no_answer is not None:
        found.append(FoundAnswer("", 0, 0, answered.no_answer))
    return sorted(found, key=lambda one: -one.probability)


def _answer_file(arguments: argparse.Namespace) -> None:
    from deftx.data.squad import read_questions, write_answers
    from deftx.data.unlabelled import prepare_output

    if Path(arguments.file).resolve() == Path(arguments.out).resolve():
        raise DeftxError(f"--out {arguments.out} would overwrite the input file; choose another name.")
    prepare_output(arguments.out)
    table = read_questions(arguments.file, encoding=arguments.encoding, need_answers=False)
    if len({one.id for one in table.questions}) < len(table):
        raise TableError(f"{table.name} has several questions with the same id, by which answers are written.")
    for note in table.notes:
        output.say(f"warning: {note}")
    found = _composed(arguments).answer([(one.text, one.context) for one in table.questions])
    write_answers(arguments.out, {one.id: answered.text for one, answered in zip(table.questions, found, strict=True)})
    empty = sum(not answered.text for answered in found)
    text = f"{arguments.out}: answers to {len(found):,} questions, of which {empty:,} are empty: no answer"
    output.result({"out": arguments.out, "n": len(found), "no_answer": empty}, arguments.json, text)


def _composed(arguments: argparse.Namespace) -> Any:
    from deftx.classify.answerer import answerer

    classifier, task = options.compose_from(arguments)
    return answerer(classifier, task.name)


def _read_context(path: str, encoding: str | None) -> str:
    from deftx.data.text import all_lines

    text = "\n".join(all_lines(path, encoding=encoding)).strip()
    if not text:
        raise TableError(f"{path} has no text, so no answer can be found in it.")
    return text


def _as_json(answered: Any) -> dict[str, Any]:
    return {
        "question": answered.question,
        "context": answered.context,  # in which the places of the answers count
        "answer": answered.text,
        "no_answer": answered.no_answer,
        "answers": [vars(one) for one in answered.answers],
    }
