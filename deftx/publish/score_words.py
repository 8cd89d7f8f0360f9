"""Scores in words: how many answers are right, which labels are taken for which, what guessing would reach, and where it was measured."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deftx.classify.self_check import accuracy
from deftx.data.language_names import titled
from deftx.publish.spoken import texts_in
from deftx.vectors.card_data import LANGUAGE_CODE
from deftx.vectors.card_markup import code

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
    if confusion := _confusion_of(info):
        return scores_in_words(info["labels"], confusion, language)
    counted = _right_of(info)
    return (texts_in(language)["RIGHT"].format(right=counted[0], total=counted[1]),) if counted else ()


def known_score(info: Mapping[str, Any], language: str = "en") -> tuple[str, ...]:
    """Return how many of 100 answers of a task vector are right, with the interval, and on what this was measured.

    Args:
        info: The content of vector.json. What people wrote in it is escaped for Markdown.
        language: One of ``deftx.publish.spoken.SPOKEN``.

    Returns:
        Two sentences; none if vector.json has no counts.

    Raises:
        RecipeError: If the language is unknown.
    """
    texts, (right, total) = texts_in(language), _right_of(info) or (0, 0)
    found = accuracy(right, total)
    if found is None:
        return ()
    corpus = info.get("corpus")
    sources: Any = corpus.get("trained_on") if isinstance(corpus, Mapping) else None
    listed = sources if isinstance(sources, list) else []  # anybody may have written it
    files = [one.get("file") for one in listed if isinstance(one, Mapping)]
    where = [
        *(code(file) for file in dict.fromkeys(file for file in files if isinstance(file, str) and file)),
        *languages_in_words([info.get("language")], language),
    ]
    shares = {
        name: round(100 * value) for name, value in (("share", found.share), ("low", found.low), ("high", found.high))
    }
    return (
        texts["RIGHT_OF_100"].format(right=right, total=total, **shares),
        texts["SCORED_ALONE"].format(where=", ".join(where) or texts["NOT_STATED"]),
    )


def languages_in_words(codes: Iterable[str | None], language: str = "en") -> list[str]:
    """Return languages as "Balinese (ban)", for Markdown; unknown ones are left out, and what is no code is escaped."""
    given = (str(one) for one in codes if one)
    return [titled(one, language) if LANGUAGE_CODE.fullmatch(one) else code(one) for one in given]


def _right_of(info: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return how many validation rows a task vector answered right, and of how many; None if it is not known."""
    if confusion := _confusion_of(info):
        return sum(row[place] for place, row in enumerate(confusion)), sum(map(sum, confusion))
    scores: Any = info.get("scores") or {}
    measured, total = scores.get("accuracy"), scores.get("examples")
    share = measured.get("after") if isinstance(measured, Mapping) else None
    if not _is_count(total) or not isinstance(share, int | float) or not 0 <= share <= 1:
        return None
    return round(share * total), total


def _confusion_of(info: Mapping[str, Any]) -> list[list[int]]:
    """Return the confusion matrix of a task vector; empty if vector.json has none."""
    labels, scores = info.get("labels") or [], info.get("scores") or {}
    confusion: Any = scores.get("confusion")
    return confusion if labels and _is_confusion(confusion, len(labels)) else []


def _is_confusion(found: Any, size: int) -> bool:
    """Return whether a value of vector.json, which anybody may have written, is a confusion matrix of ``size`` labels."""
    rows = found if isinstance(found, list) else []
    return len(rows) == size and all(
        isinstance(row, list) and len(row) == size and all(map(_is_count, row)) for row in rows
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
