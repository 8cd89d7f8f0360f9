"""Values of a label column: different spellings of one class, and values that mark a missing label."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from deftx.data.splitting import fold

NEVER_A_LABEL = frozenset({"nan", "null", "unlabeled", "unlabelled"})
# No label if they are rare: inference corpora write "-" if annotators did not agree. Otherwise they may be classes.
SELDOM_A_LABEL = frozenset({"-", "--", "?", "n/a", "none"})
RARE = 0.05  # share of the rows; about 2 % of the rows of SNLI have "-", and classes are more frequent
_NUMBER = re.compile(r"[+-]?[0-9]+")


def join_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace labels that differ only in case or white space by the most common spelling; return them and notes on it.

    Labels of one character keep their case: "a" and "A" may be two classes.
    """
    counts = Counter(labels)
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for label, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        spellings[fold(label) if len(label) > 1 else label].append(label)
    several = [names for names in spellings.values() if len(names) > 1]
    best = {name: names[0] for names in several for name in names}
    return [best.get(label, label) for label in labels], [_joined(names, counts) for names in several]


def missing_labels(labels: Sequence[str]) -> list[str]:
    """Return the values that mark a missing label among the labels of all rows: those of ``marks_of_none`` that are rare."""
    counts = Counter(labels)
    return [mark for mark in marks_of_none(counts) if mark not in _seldom(counts) or counts[mark] < RARE * len(labels)]


def marks_of_none(values: Collection[str]) -> list[str]:
    """Return those of the values that can mark a missing label: "-" among names, -1 among the numbers 0, 1, 2 of three classes.

    If fewer than two other values remain, the result is empty: the values are the classes.
    """
    values = set(values)
    missing = {value for value in values if value.casefold() in NEVER_A_LABEL} | _seldom(values)
    numbers = {value for value in values - missing if _NUMBER.fullmatch(value)}
    others = values - missing - {"-1"}
    if "-1" in numbers and others == numbers - {"-1"} and {"0", "1", "2"} <= others:
        missing.add("-1")
    return sorted(missing) if len(values - missing) > 1 else []


def doubtful_labels(labels: Sequence[str]) -> list[str]:
    """Return warnings on label values that only the user can judge."""
    values = set(labels)
    doubtful = ["-1"] if values == {"-1", "0", "1"} else sorted(_seldom(values))
    warnings = [
        f'"{value}" is read as a class. If it means "no label", remove these rows from the file.' for value in doubtful
    ]
    singles = defaultdict(set)
    for value in values:
        singles[value.casefold()].add(value)
    for names in singles.values():
        if len(names) > 1:
            warnings.append(
                f"{' and '.join(sorted(names))} are read as different classes. If they are one, use one spelling."
            )
    return warnings


def known_spellings(labels: Sequence[str], known: Sequence[str]) -> Mapping[str, str]:
    """Map labels that differ from a known one only in case or white space to it; known labels are left out."""
    by_fold: defaultdict[str, list[str]] = defaultdict(list)
    for name in known:
        by_fold[fold(name)].append(name)
    unknown = {label for label in labels if label not in known and len(label) > 1}
    return {label: by_fold[fold(label)][0] for label in unknown if len(by_fold.get(fold(label), ())) == 1}


def _seldom(values: Collection[str]) -> set[str]:
    """Return the values that are classes only seldom; "-" and "--" beside "+" are classes like it."""
    return {value for value in values if value.casefold() in SELDOM_A_LABEL and not ("+" in values and value[0] == "-")}


def _joined(names: Sequence[str], counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name!r} ({counts[name]:,})" for name in names)
    return f"the labels {listed} are read as one class: {names[0]!r}."
