"""The values of a column of labels: spellings that are one class, and values that say that a row has no label."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from deftx.data.splitting import fold

# A class is hardly ever called so: corpora of inference write "-" where annotators did not agree.
NO_LABEL = frozenset({"-", "--", "?", "n/a", "nan", "none", "null", "unlabeled", "unlabelled"})
_NUMBER = re.compile(r"[+-]?[0-9]+")


def join_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give labels that differ in case or white space alone the commonest spelling; return them and what was joined.

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
    """List the values that say that a row has no label: "-" beside names, -1 beside the numbers 0, 1, 2 of three classes.

    Where nothing else would be left there is none: the values are the classes.
    """
    values = set(labels)
    missing = {value for value in values if value.casefold() in NO_LABEL}
    numbers = {value for value in values - missing if _NUMBER.fullmatch(value)}
    others = values - missing - {"-1"}
    if "-1" in numbers and others == numbers - {"-1"} and {"0", "1", "2"} <= others:
        missing.add("-1")
    return sorted(missing) if len(values - missing) > 1 else []


def doubtful_labels(labels: Sequence[str]) -> list[str]:
    """Say what may be wrong with the values of a column of labels and cannot be decided here."""
    values = set(labels)
    said = []
    if values == {"-1", "0", "1"}:
        said.append('"-1" is read as a class. If it means "no label", remove these rows from the file.')
    singles = defaultdict(set)
    for value in values:
        singles[value.casefold()].add(value)
    for names in singles.values():
        if len(names) > 1:
            said.append(
                f"{' and '.join(sorted(names))} are read as different classes. If they are one, write them alike."
            )
    return said


def known_spellings(labels: Sequence[str], known: Sequence[str]) -> Mapping[str, str]:
    """Map labels that differ from a known one in case or white space alone to it; labels that are known are left out."""
    by_fold: defaultdict[str, list[str]] = defaultdict(list)
    for name in known:
        by_fold[fold(name)].append(name)
    unknown = {label for label in labels if label not in known and len(label) > 1}
    return {label: by_fold[fold(label)][0] for label in unknown if len(by_fold.get(fold(label), ())) == 1}


def _joined(names: Sequence[str], counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name!r} ({counts[name]:,})" for name in names)
    return f"the labels {listed} are read as one class: {names[0]!r}."
