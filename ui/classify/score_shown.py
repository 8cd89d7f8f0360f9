"""What the page shows of scores, of sentences or of words: after their end, and of one combination."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from ui.classify import score_figures, score_views, word_score_views, word_scoring
from ui.classify.compose_form import is_for_words
from ui.classify.scoring import Scores, Wanted
from ui.classify.word_scoring import WordScores
from ui.current import current_workspace
from ui.shared import plot
from ui.shared.background import OnShare

AnyScores = Scores | WordScores


def work_for(wanted: Wanted) -> Callable[[OnShare], AnyScores]:
    """Return the work that scores sentences or words. Raise DeftxError if the task cannot be scored on the file."""
    workspace = current_workspace()
    if is_for_words(wanted.task):
        word_scoring.read_words(workspace, wanted)
        return partial(word_scoring.score, workspace, wanted)
    workspace.scoring.read(wanted)
    return partial(workspace.scoring.score, wanted)


def about(found: AnyScores) -> str:
    """Describe what was scored on which file."""
    return word_score_views.about(found) if isinstance(found, WordScores) else score_views.about(found)


def result(found: AnyScores) -> Sequence[Any]:
    """Show scores: the plot of the intervals, the tables, the choice of a combination and the details of the first."""
    named = [(score_views.title(one), one.id) for one in found.wanted.combinations]
    chosen = found.wanted.first.id
    if isinstance(found, WordScores):  # the plot is that of macro-F1
        intervals, table = "", word_score_views.table(found)
    else:
        intervals = plot.as_value(score_figures.intervals_figure([name for name, _ in named], found.lines))
        table = score_views.table(found)
    choice = gr.Dropdown(choices=named, value=chosen)
    return intervals, gr.Column(visible=True), table, choice, *details(found, chosen)


def details(found: AnyScores, combination: str) -> tuple[str, str]:
    """Show the mistakes of one combination: the plot, which words do not have, and its tables."""
    if isinstance(found, WordScores):
        return "", word_score_views.details(found, combination)
    line = next(line for line in found.lines if line.name == combination)
    return plot.as_value(score_figures.confusion_figure(line.scores["f1"])), score_views.details(found, combination)


def has(found: Any, combination: str | None) -> bool:
    """Return whether a result is scores that have this combination."""
    return isinstance(found, Scores | WordScores) and combination in [one.id for one in found.wanted.combinations]
