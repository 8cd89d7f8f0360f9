"""The HTML of scores: a table of combinations, and the confusions, labels and hardest mistakes of one of them."""

from collections.abc import Sequence
from html import escape
from typing import Any

from deftx.core.evaluation import Evaluation
from deftx.evidence.comparison import LabelScore, Line, Mistake, Predictions, hardest_mistakes, per_label
from deftx.evidence.statistics import Interval
from deftx.models.batches import Text
from deftx.publish.score_words import scores_in_words
from ui import strings
from ui.classify.file_views import language_notes, text
from ui.classify.scoring import TASK_ALONE, Combination, Scores
from ui.shared import views

MISTAKES_SHOWN = 20
CHANGES_SHOWN = 10  # sentences that became right, and as many that became wrong
METRICS = ("f1", "accuracy")


def title(one: Combination) -> str:
    """Return the name of a combination: the vectors added to the base."""
    return strings.SCORED_COMBINATIONS[one.kind].format(language=one.language_label)


def about(found: Scores) -> str:
    """Describe what was scored on which file, and what a reader must know."""
    said = strings.SCORED_ON.format(
        task=found.task, name=found.wanted.table, count=len(found.table), labels=", ".join(_labels(found))
    )
    notes = views.notes(strings.NOTE, _notes(found))
    return f"<h3>{escape(found.wanted.table)}</h3>{words(found, found.wanted.first.id)}{views.paragraph(said, 'quiet')}{notes}"


def words(found: Scores, id_: str) -> str:
    """Show the score of one combination in words."""
    score = next(line for line in found.lines if line.name == id_).scores["accuracy"]
    return views.in_words(scores_in_words(score.labels, score.confusion, strings.language()))


def table(found: Scores) -> str:
    """Show all combinations in one table: scores, intervals, and differences to the task vector alone."""
    heads = [
        strings.SCORED_COMBINATION,
        *(head for m in METRICS for head in (strings.METRIC_NAMES[m], strings.SCORE_DIFFERENCE, strings.SCORE_READS)),
    ]
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    rows = zip(found.wanted.combinations, found.lines, strict=True)
    body = "".join(
        f'<tr><th scope="row">{escape(title(one))}</th>{"".join(_cells(line, m) for m in METRICS)}</tr>'
        for one, line in rows
    )
    said = views.paragraph(strings.SCORES_INTERVALS, "quiet")
    return f'{said}<div class="scroll"><table class="numbers"><thead><tr>{head}</tr></thead>{body}</table></div>'


def details(found: Scores, id_: str) -> str:
    """Show what stands beside the plot of one combination: the score in words, confusions, labels, hardest mistakes."""
    predictions = next(one for one in found.predictions if one.name == id_)
    line = next(line for line in found.lines if line.name == id_)
    gold = found.table.labels
    mistakes = hardest_mistakes(predictions, found.table.texts, gold, MISTAKES_SHOWN)
    return (
        f"{words(found, id_)}{_changed(found, predictions)}"
        f"<details><summary>{escape(strings.CONFUSION_TABLE)}</summary>{_confusion(line.scores['f1'])}</details>"
        f"{_per_label(per_label(gold, predictions.predicted, predictions.labels))}{_mistakes(mistakes)}"
    )


def _changed(found: Scores, predictions: Predictions) -> str:
    """Say how many answers became right or wrong by the language vectors, and list their sentences; empty for the task vector alone."""
    alone = next(one for one in found.predictions if one.name == TASK_ALONE)
    if predictions.name == TASK_ALONE:
        return ""
    rows = list(zip(found.table.texts, found.table.labels, alone.predicted, predictions.predicted, strict=True))
    right = [row for row in rows if row[2] != row[1] == row[3]]
    wrong = [row for row in rows if row[2] == row[1] != row[3]]
    said = views.paragraph(strings.CHANGED_ANSWERS.format(right=len(right), wrong=len(wrong)), "said")
    heads = (strings.ANSWER_TEXT, strings.GOLD_LABEL, strings.CHANGED_BEFORE, strings.PREDICTED_LABEL)
    shown = [(_plain(sentence), *labels) for sentence, *labels in (*right[:CHANGES_SHOWN], *wrong[:CHANGES_SHOWN])]
    listed = f"<details><summary>{escape(strings.CHANGED_SENTENCES)}</summary>{views.table(heads, shown)}</details>"
    return said + (listed if shown else "")


def _plain(sentence: Text) -> str:
    return sentence if isinstance(sentence, str) else " / ".join(sentence)


def _labels(found: Scores) -> list[str]:
    return found.predictions[0].labels


def _cells(line: Line, metric: str) -> str:
    found, change = line.scores[metric], line.differences.get(metric)
    score = f"<td>{two_lines(points(found.score), ends(found))}</td>"
    if change is None:
        return f"{score}<td>–</td><td>{escape(strings.SCORE_REFERENCE)}</td>"
    reads = strings.DIFFERENCE_READS[_reads(change)]
    return f"{score}<td>{two_lines(points(change.mean, '+'), ends(change, '+'))}</td><td>{escape(reads)}</td>"


def points(value: float, sign: str = "") -> str:
    """Return a score from 0 to 1, or a difference with the ``sign`` "+", in points of 100."""
    return f"{100 * value:{sign}.1f}"


def ends(found: Any, sign: str = "") -> str:
    """Return the interval of a score or a difference in points of 100."""
    return strings.INTERVAL_ENDS.format(low=points(found.low, sign), high=points(found.high, sign))


def two_lines(above: str, below: str) -> str:
    """Show two texts, the lower one small."""
    return f"{escape(above)}<br><small>{escape(below)}</small>"


def _reads(change: Interval) -> str:
    return "better" if change.low > 0 else "worse" if change.high < 0 else "open"


def _notes(found: Scores) -> list[str]:
    notes = language_notes(found.other)
    notes += [strings.NO_GPU_FOR_TEXTS.format(message=found.refusal)] if found.refusal else []
    notes += found.table.notes
    notes += [strings.TEXTS_CUT.format(count=found.cut, most=found.max_length)] if found.cut else []
    lost = found.table.dropped.get("label not wanted", 0)
    notes += [strings.ROWS_LEFT_OUT.format(count=lost)] if lost else []
    unseen = [label for label in _labels(found) if label not in found.table.labels]
    notes += [strings.LABELS_ABSENT.format(labels=", ".join(unseen))] if unseen else []
    if found.shared:
        notes.append(strings.SEEN_IN_TRAINING.format(count=found.shared, all=len(found.table)))
    if found.shared is None:
        notes.append(strings.TRAINING_UNKNOWN)
    return notes


def _confusion(found: Evaluation) -> str:
    heads = (strings.CONFUSION_CORNER, *found.labels)
    return views.table(
        heads, [(label, *(f"{n:,}" for n in row)) for label, row in zip(found.labels, found.confusion, strict=True)]
    )


def _per_label(found: Sequence[LabelScore]) -> str:
    heads = (strings.ANSWER_LABEL, strings.LABEL_PRECISION, strings.LABEL_RECALL, strings.LABEL_F1, strings.ROWS)
    rows = [(s.label, points(s.precision), points(s.recall), points(s.f1), f"{s.rows:,}") for s in found]
    return f"<h4>{escape(strings.EACH_LABEL)}</h4>{views.table(heads, rows, caption=strings.EACH_LABEL_HINT)}"


def _mistakes(found: Sequence[Mistake]) -> str:
    heading = f"<h4>{escape(strings.HARDEST)}</h4>"
    if not found:
        return heading + views.paragraph(strings.NO_MISTAKES, "quiet")
    heads = (strings.ANSWER_TEXT, strings.GOLD_LABEL, strings.PREDICTED_LABEL, strings.ANSWER_PROBABILITY)
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{text(m.text)}</th><td>{escape(m.gold)}</td><td><b>{escape(m.predicted)}</b></td>'
        f"<td>{m.probability:.1%}</td></tr>"
        for m in found
    )
    table = f'<div class="scroll"><table class="numbers texts"><thead><tr>{head}</tr></thead>{body}</table></div>'
    return f"{heading}{views.paragraph(strings.HARDEST_HINT.format(count=len(found)), 'quiet')}{table}"
