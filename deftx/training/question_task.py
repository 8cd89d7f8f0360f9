"""Task vectors on questions: preparing the questions of their sources, and their objective."""

from collections.abc import Sequence
from dataclasses import replace

from deftx.core.events import Event, Listener
from deftx.data.question_rows import (
    Question,
    QuestionTable,
    check_questions,
    counted_questions,
    hold_out_paragraphs,
    join_question_tables,
)
from deftx.models.bases import Base
from deftx.models.question_windows import NOWHERE, STRIDE, WINDOW, QuestionWindow, encode_questions
from deftx.training.question_objective import LABELS, QuestionObjective
from deftx.training.recipes import TaskRecipe
from deftx.training.sources import Source, without_rows_of
from deftx.training.task_objective import Part, parts_of_windows


def prepare_question_sources(
    sources: list[Source], valid: QuestionTable | None, recipe: TaskRecipe, listener: Listener
) -> tuple[list[Source], QuestionTable, dict]:
    """Return sources, validation questions and findings. Texts are held out of the first source if no questions are given."""
    if valid is None:
        first, others = sources[0], sources[1:]
        train, valid = hold_out_paragraphs(first.table, recipe.hold_out, recipe.seed)
        message = f"No validation file: {counted_questions(len(valid))} on {valid.paragraphs:,} texts are held out."
        listener.on_event(Event("tokenise", message=message))
        sources = [replace(first, table=train), *without_rows_of(others, valid, listener)]
    # After texts are held out: whether a question may have no answer is learned from the training questions alone.
    findings = check_questions(join_question_tables([source.table for source in sources]), valid)
    for warning in findings["warnings"]:
        listener.on_event(Event("tokenise", message=warning, warning=True))
    return sources, valid, findings


def question_objective(
    train: QuestionTable, valid: QuestionTable, base: Base, recipe: TaskRecipe, listener: Listener, parts: Sequence[Part]
) -> QuestionObjective:  # fmt: skip
    """Tokenise the questions and return the objective; ``parts`` are the sources of the training questions."""
    length = base.fitting_length(recipe.window or WINDOW, listener, "window")
    stride = STRIDE if recipe.stride is None else recipe.stride
    if stride > length // 2:
        message = (
            f"Windows of {length} tokens share at most half of their text with the next one, and not {stride} tokens."
        )
        listener.on_event(Event("tokenise", message=message))
    listener.on_event(Event("tokenise", 0, 2))
    windows = encode_questions(base.tokenizer, _pairs(train.questions), length, stride)
    if more := len(windows) - len(train):
        message = f"{more:,} more windows than questions: some texts have more than {length} tokens. No part is lost."
        listener.on_event(Event("tokenise", message=message))
    listener.on_event(Event("tokenise", 1, 2))
    valid_windows = encode_questions(base.tokenizer, _pairs(valid.questions), length, stride)
    listener.on_event(Event("tokenise", 2, 2))
    targets = [_target(window, train.questions[window.question]) for window in windows]
    _warn_of_lost(train, windows, targets, length, listener)
    return QuestionObjective(
        base, recipe, LABELS, [window.ids for window in windows], targets, [], [],
        parts_of_windows(parts, [window.question for window in windows]),
        windows=valid_windows, asked=valid.questions, may_refuse=train.unanswerable > 0,
    )  # fmt: skip


def _target(window: QuestionWindow, question: Question) -> tuple[int, int]:
    """Return the places of the first answer of a question in one of its windows."""
    answer = next(iter(question.answers), None)
    return window.target(answer.start, answer.start + len(answer.text)) if answer else NOWHERE


def _warn_of_lost(
    train: QuestionTable, windows: Sequence[QuestionWindow], targets: Sequence[tuple[int, int]], length: int,
    listener: Listener,
) -> None:  # fmt: skip
    """Send a warning if answers are in no window as a whole, so that nothing is learned from them."""
    found = {window.question for window, target in zip(windows, targets, strict=True) if target != NOWHERE}
    if lost := len(train) - train.unanswerable - len(found):
        message = f"{counted_questions(lost)} with an answer that no window of {length} tokens holds: learned as if it had none."
        listener.on_event(Event("tokenise", message=message, warning=True))


def _pairs(questions: Sequence[Question]) -> list[tuple[str, str]]:
    return [(question.text, question.context) for question in questions]
