"""A report on a classifier as one HTML file: its parts, data, method, scores in words, mistakes, limits, and how to cite it."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import deftx
from deftx.classify.classifier import Classifier, refuse_unless_texts
from deftx.classify.composition import VectorLike, compose, load_for
from deftx.core.files import expanded, write_text
from deftx.core.names import base_name
from deftx.data.language_names import titled
from deftx.data.tables import Table, read_table
from deftx.data.unlabelled import prepare_output
from deftx.models.bases import Base
from deftx.publish.html_page import listing, page, paragraph, safe, section, table
from deftx.publish.report_scores import MISTAKES, Tested, score_on
from deftx.publish.score_words import scores_in_words
from deftx.publish.spoken import texts_in
from deftx.vectors.card_markup import CITATION
from deftx.vectors.vector import SparseVector

FEW_ROWS = 200  # fewer tested rows give an interval of more than about ten points
PROGRAMS = ("torch", "transformers")
Parts = Sequence[tuple[SparseVector, float]]  # the task vector first, with strengths


def report(
    out: str | os.PathLike,
    base: Base,
    *,
    task: VectorLike,
    languages: Sequence[tuple[VectorLike, float]] = (),
    strength_task: float = 1.0,
    test: str | os.PathLike | Table | None = None,
    in_language: str = "en",
) -> Path:
    """Write a report on a composed classifier as one HTML file without scripts, which can be printed.

    Args:
        out: The file, which is replaced if it exists.
        base: The base model.
        task: The task vector.
        languages: The language vectors with their strengths.
        strength_task: The strength of the task vector.
        test: A labelled file or table to score the classifier on; without it, only the scores on the vectors' cards are given.
        in_language: The language of the report: "en", "id" or "es".

    Returns:
        The file.

    Raises:
        VectorError: If a vector is damaged, of the wrong kind, or made for another base.
        TableError: If the table cannot be read or has other labels than the task, or the file cannot be written.
        RecipeError: If the language of the report is unknown.
    """
    texts_in(in_language)  # before anything is computed
    prepare_output(expanded(out))
    parts = [(load_for(base, task, "task"), strength_task)]
    parts += [(load_for(base, vector, "language"), strength) for vector, strength in languages]
    classifier = compose(base, task=parts[0][0], strength_task=strength_task, languages=parts[1:])
    refuse_unless_texts(classifier, "a report")
    rows = read_table(test) if test is not None and not isinstance(test, Table) else test
    tested = score_on(classifier, parts[0][0], rows) if rows is not None else None
    write_text(expanded(out), write_report(classifier, parts, tested, in_language))
    return expanded(out)


def write_report(classifier: Classifier, parts: Parts, tested: Tested | None, in_language: str = "en") -> str:
    """Return the HTML of a report. ``parts`` are the vectors with their strengths, the task vector first."""
    refuse_unless_texts(classifier, "a report")
    says = texts_in(in_language)
    title = " + ".join(_of_language(vector, in_language) or vector.name for vector, _ in parts[1:]) or parts[0][0].name
    first = _first(says, tested, in_language)
    return page(
        says["LANGUAGE_CODE"],
        f"{says['REPORT']}: {title}",
        paragraph(says["ABOUT"]),
        section(says["SCORES"], *first, *_scores(says, parts, tested)),
        section(says["MISTAKES"], *_mistakes(says, tested)) if tested else "",
        section(says["LIMITS"], listing(_limits(says, classifier, tested))),
        section(says["PARTS"], *_parts(says, classifier, parts, in_language)),
        section(says["DATA"], listing(line for vector, _ in parts for line in _data(says, vector))),
        section(says["HOW"], *_how(says, parts)),
        section(says["VERSIONS"], _versions(says)),
        section(says["CITE"], paragraph(says["CITE_ABOUT"]), f"<pre>{_citation()}</pre>"),
    )


def _first(says: Mapping[str, str], tested: Tested | None, in_language: str) -> list[str]:
    if tested is None:
        return [paragraph(says["NOT_SCORED"])]
    score = tested.scores[0]
    right, *others = scores_in_words(score.labels, score.confusion, in_language)
    return [paragraph(right, "first"), listing(others)]


def _scores(says: Mapping[str, str], parts: Parts, tested: Tested | None) -> list[str]:
    if tested is None:
        return [listing(line for vector, _ in parts for line in _card_scores(says, vector))]
    first = tested.scores[0]
    lines = [
        says["SCORE_IS"].format(
            metric=says[f"METRIC_{found.metric}"], score=found.score, low=found.low, high=found.high
        )
        for found in tested.scores
    ]
    header = [says["TRUE_LABEL"], *(says["ANSWERED"].format(label=label) for label in first.labels)]
    rows = [(label, *(f"{n:,}" for n in row)) for label, row in zip(first.labels, first.confusion, strict=True)]
    return [
        paragraph(says["SCORED_ON"].format(n=first.n, file=tested.file)),
        listing(lines),
        f"<h3>{safe(says['CONFUSION'])}</h3>",
        table(header, rows, numbers=range(1, len(header))),
    ]


def _card_scores(says: Mapping[str, str], vector: SparseVector) -> list[str]:
    """Return the scores in vector.json that have a name here."""
    lines = []
    for metric, values in (vector.info.get("scores") or {}).items():
        if f"METRIC_{metric}" in says and isinstance(values, dict):
            before, after = (_number(values.get(when)) for when in ("before", "after"))
            lines.append(
                says["CARD_SCORE"].format(name=vector.name, metric=says[f"METRIC_{metric}"], before=before, after=after)
            )
    return lines


def _mistakes(says: Mapping[str, str], tested: Tested) -> list[str]:
    if not tested.mistakes:
        return [paragraph(says["MISTAKES_NONE"])]
    header = (says["SENTENCE"], says["TRUE_LABEL"], says["ANSWER"], says["PROBABILITY"])
    rows = [(one.text, one.label, one.answer, f"{one.probability:.0%}") for one in tested.mistakes]
    return [paragraph(says["MISTAKES_ABOUT"].format(count=MISTAKES)), table(header, rows, numbers=(3,))]


def _limits(says: Mapping[str, str], classifier: Classifier, tested: Tested | None) -> list[str]:
    lines = [says["LIMIT_SINGLE"], says["LIMIT_LABELS"], says["LIMIT_LENGTH"].format(tokens=classifier.max_length)]
    if tested is not None:
        lines.append(says["LIMIT_KIND"])
        lines += [says["LIMIT_TRAINING_UNKNOWN"]] if tested.seen is None else []
        lines += [says["LIMIT_SEEN"].format(count=tested.seen)] if tested.seen else []
        lines += [says["LIMIT_LEFT_OUT"].format(count=tested.left_out)] if tested.left_out else []
        lines += [says["LIMIT_CUT"].format(count=tested.cut)] if tested.cut else []
        lines += [says["LIMIT_FEW"].format(n=tested.scores[0].n)] if tested.scores[0].n < FEW_ROWS else []
    return lines


def _parts(says: Mapping[str, str], classifier: Classifier, parts: Parts, in_language: str) -> list[str]:
    header = [says[name] for name in ("VECTOR", "KIND", "OF_LANGUAGE", "STRENGTH", "CHANGED")]
    rows = [
        (vector.name, says[f"KIND_{vector.kind.upper()}"], _of_language(vector, in_language) or says["NOT_STATED"],
         f"{strength:g}", f"{vector.count:,}")
        for vector, strength in parts
    ]  # fmt: skip
    base = f"{says['BASE']}: {base_name(classifier.base.name)} ({classifier.base.fingerprint[:12]})"
    labels = f"{says['LABELS']}: {', '.join(classifier.labels)}"
    merged = f"{says['MERGE_METHOD']}: {classifier.report.method}" if classifier.report else ""
    return [table(header, rows, numbers=(3, 4)), listing(filter(None, (base, labels, merged)))]


def _data(says: Mapping[str, str], vector: SparseVector) -> list[str]:
    corpus = vector.info.get("corpus") or {}
    lines, tokens, rows, labels = (corpus.get(name) for name in ("lines", "tokens", "rows", "labels"))
    said = says["DATA_UNKNOWN"].format(name=vector.name)
    if isinstance(lines, int) and isinstance(tokens, int):
        said = says["TEXT_OF"].format(name=vector.name, lines=lines, tokens=tokens)
    elif isinstance(rows, int):
        counts = labels.items() if isinstance(labels, dict) else ()
        said = says["ROWS_OF"].format(name=vector.name, rows=rows, labels=", ".join(f"{k} {v}" for k, v in counts))
    return [said, says["LICENSE"].format(name=vector.name, license=vector.info.get("license") or says["NOT_STATED"])]


def _how(says: Mapping[str, str], parts: Parts) -> list[str]:
    found = []
    for vector, _ in parts:
        recipe = {name: value for name, value in (vector.info.get("recipe") or {}).items() if value is not None}
        found.append(
            paragraph(
                f"{vector.name}. " + says["METHOD_IS"].format(method=vector.info.get("method") or says["NOT_STATED"])
            )
        )
        found.append(listing(_steps(says, vector, recipe), ordered=True))
        if recipe:
            settings = ", ".join(f"{name} {value}" for name, value in recipe.items())
            heading = safe(says["SETTINGS_OF"].format(name=vector.name))
            found.append(f'<details open="open"><summary>{heading}</summary>{paragraph(settings)}</details>')
    return [*found, paragraph(says["STEP_ADD"])]


def _steps(says: Mapping[str, str], vector: SparseVector, recipe: Mapping[str, Any]) -> list[str]:
    """Return the steps of Algorithm 1 that made a vector; none if its settings are not known."""
    if not recipe:
        return []
    lines = [says["STEP_DENSE"]]
    rank, keep, k = recipe.get("rank"), recipe.get("keep"), vector.info.get("k")
    if vector.info.get("method") == "deft-x" and rank and isinstance(keep, int | float):
        lines.append(says["STEP_DENOISE"].format(rank=rank, keep=keep))
    lines += [says["STEP_SELECT"].format(k=k)] if isinstance(k, int) else []
    lines.append(says["STEP_SPARSE"])
    if isinstance(source := (vector.info.get("corpus") or {}).get("source"), str):
        lines.append(says["STEP_SOURCE"].format(name=source))
    if ablated := vector.info.get("ablate"):
        lines.append(says["STEP_ABLATED"].format(what=ablated))
    return lines


def _versions(says: Mapping[str, str]) -> str:
    rows = [("deftx", deftx.__version__), *((name, version(name)) for name in PROGRAMS)]
    return table((says["PROGRAM"], says["VERSION"]), [*rows, ("Python", platform.python_version())])


def _citation() -> str:
    lines = [line for line in CITATION.splitlines() if not line.startswith("```")]
    return "\n".join(map(safe, lines))


def _of_language(vector: SparseVector, in_language: str) -> str:
    return titled(vector.language, in_language) if vector.language else ""


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) and not isinstance(value, bool) else "–"
