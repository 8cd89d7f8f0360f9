"""A confusion matrix in words: how many are right, which labels are taken for which, and what guessing would reach."""

from collections.abc import Mapping, Sequence
from typing import Any

from deftx.publish.spoken import texts_in

NAMED = 3  # confusions that are named, the most frequent first


def scores_in_words(labels: Sequence[str], confusion: Sequence[Sequence[int]], language: str = "en") -> tuple[str, ...]:
    """Return sentences such as "73 of 100 are right." and "49 of 153 “complaint” are taken for “praise”.".

    Args:
        labels: The names of the labels.
        confusion: ``confusion[i][j]`` counts rows of label i predicted as label j, as ``Evaluation.confusion`` does.
        language: One of ``deftx.publish.spoken.SPOKEN``.

    Raises:
        RecipeError: If the language is unknown.
    """
    texts = texts_in(language)
    totals = [sum(row) for row in confusion]
    right = sum(row[place] for place, row in enumerate(confusion))
    wrong = [(count, i, j) for i, row in enumerate(confusion) for j, count in enumerate(row) if i != j and count]
    named = sorted(wrong, key=lambda cell: -cell[0])[:NAMED]  # of equal counts, the first labels first
    commonest = max(range(len(labels)), key=totals.__getitem__)
    return (
        texts["RIGHT"].format(right=right, total=sum(totals)),
        *(texts["TAKEN_FOR"].format(count=count, total=totals[i], label=labels[i], other=labels[j])
          for count, i, j in named),
        texts["GUESSING"].format(label=labels[commonest], count=totals[commonest], total=sum(totals)),
    )  # fmt: skip


def validation_in_words(info: Mapping[str, Any], language: str = "en") -> tuple[str, ...]:
    """Return the scores of a task vector on its validation rows in sentences; none if vector.json does not have them.

    Args:
        info: The content of vector.json. One of an earlier version has no confusion matrix, and gets one sentence.
        language: One of ``deftx.publish.spoken.SPOKEN``.

    Raises:
        RecipeError: If the language is unknown.
    """
    labels, scores = info.get("labels") or [], info.get("scores") or {}
    confusion: Any = scores.get("confusion")
    if labels and _is_confusion(confusion, len(labels)):
        return scores_in_words(labels, confusion, language)
    accuracy: Any = scores.get("accuracy")
    total: Any = scores.get("examples")
    share = accuracy.get("after") if isinstance(accuracy, Mapping) else None
    if not _is_count(total) or not isinstance(share, int | float) or not 0 <= share <= 1:
        return ()
    return (texts_in(language)["RIGHT"].format(right=round(share * total), total=total),)


def _is_confusion(found: Any, size: int) -> bool:
    """Return whether a value of vector.json, which anybody may have written, is a confusion matrix of ``size`` labels."""
    rows = found if isinstance(found, list) else []
    return len(rows) == size and all(
        isinstance(row, list) and len(row) == size and all(map(_is_count, row)) for row in rows
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
