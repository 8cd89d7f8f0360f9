"""A confusion matrix in words: how many are right, which labels are taken for which, and what guessing would reach."""

from collections.abc import Sequence

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
