"""The HTML of scores on words with tags: a table of combinations, and the scores of each type of one of them."""

from html import escape

from deftx.core.tag_evaluation import TagEvaluation
from ui import strings
from ui.classify.file_views import language_notes
from ui.classify.score_views import ends, points, title, two_lines
from ui.classify.word_scoring import WordScores
from ui.shared import views


def about(found: WordScores) -> str:
    """Describe what was scored on which file, and what a reader must know."""
    said = strings.WORDS_SCORED_ON.format(
        task=found.task, words=sum(map(len, found.table.sentences)), sentences=len(found.table)
    )
    return (
        f"<h3>{escape(found.wanted.table)}</h3>{_in_words(found, found.wanted.first.id)}{views.paragraph(said, 'quiet')}"
        f"{views.notes(strings.NOTE, _notes(found))}"
    )


def table(found: WordScores) -> str:
    """Show all combinations in one table, with their scores and intervals."""
    heads = [strings.SCORED_COMBINATION, *(strings.METRIC_NAMES[metric] for metric in found.scores[0])]
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(title(one))}</th>{"".join(map(_cell, scores.values()))}</tr>'
        for one, scores in zip(found.wanted.combinations, found.scores, strict=True)
    )
    said = views.paragraph(strings.WORD_SCORES_INTERVALS, "quiet")
    return f'{said}<div class="scroll"><table class="numbers"><thead><tr>{head}</tr></thead>{body}</table></div>'


def details(found: WordScores, id_: str) -> str:
    """Show the scores of each type of name, or of each tag, of one combination."""
    score = next(iter(_scores(found, id_).values()))
    heads = (strings.ANSWER_LABEL, strings.LABEL_PRECISION, strings.LABEL_RECALL, strings.LABEL_F1, strings.IN_THE_FILE)
    rows = [
        (line.label, points(line.precision), points(line.recall), points(line.f1), f"{line.gold:,}")
        for line in score.lines
    ]
    lines = views.table(heads, rows, caption=strings.EACH_TAG_HINT)
    return f"{_in_words(found, id_)}<h4>{escape(strings.EACH_LABEL)}</h4>{lines}"


def _in_words(found: WordScores, id_: str) -> str:
    """Show the scores of one combination, that of the task's metric first."""
    return views.in_words([
        f"{strings.METRIC_NAMES[metric]}: {points(score.score)} ({ends(score)})"
        for metric, score in _scores(found, id_).items()
    ])  # fmt: skip


def _scores(found: WordScores, id_: str) -> dict[str, TagEvaluation]:
    return found.scores[[one.id for one in found.wanted.combinations].index(id_)]


def _cell(score: TagEvaluation) -> str:
    return f"<td>{two_lines(points(score.score), ends(score))}</td>"


def _notes(found: WordScores) -> list[str]:
    notes = [*language_notes(found.other), *found.table.notes]
    notes += [strings.TAGS_LACKING.format(tags=", ".join(found.lacking))] if found.lacking else []
    if found.shared:
        notes.append(strings.SEEN_IN_TRAINING.format(count=found.shared, all=len(found.table)))
    return [*notes, *([strings.TRAINING_UNKNOWN] if found.shared is None else [])]
