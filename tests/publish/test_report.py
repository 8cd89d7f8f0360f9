"""Reports: one well-formed page without anything active, in which hostile text is text and the figures are those of evaluate."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import tiny

from deftx.classify.classifier import Classifier
from deftx.classify.composition import compose
from deftx.cli import main
from deftx.core.errors import DeftxError, TableError
from deftx.data.tables import read_table
from deftx.publish.report import report, write_report
from deftx.publish.report_scores import MISTAKES, score_on
from deftx.publish.spoken import SPOKEN, texts_in
from deftx.vectors.vector import SparseVector

HOSTILE = "the night <script>alert(1)</script> & \"good\" \u202e <img src='http://x.test/a.png' onerror=x>"


@pytest.fixture(scope="module")
def vectors(task_vector, language_vector):
    return [(SparseVector.load(task_vector), 1.0), (SparseVector.load(language_vector), 0.5)]


@pytest.fixture(scope="module")
def classifier(base, vectors):
    return compose(base, task=vectors[0][0], languages=vectors[1:])


def parsed(html):
    """Parse a page as XML, which a lost bracket or quote would prevent; return it and its whole text."""
    page = ET.fromstring(html.removeprefix("<!DOCTYPE html>\n"))
    return page, " ".join(" ".join(page.itertext()).split())


def tags(page):
    return {element.tag for element in page.iter()}


def table_of(folder, rows):
    return read_table(tiny.write_csv(folder / "test <b>.csv", ("text", "label"), rows))


def test_the_figures_are_those_of_evaluate(
    base_folder, vectors, task_vector, language_vector, table_file, tmp_path, capsys
):
    given = ["--task", str(task_vector), "--language", str(language_vector), "--base", str(base_folder)]
    assert main(["evaluate", *given, str(table_file), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert main(["report", *given, "--test", str(table_file), "--out", str(tmp_path / "r.html"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"out": str(tmp_path / "r.html")}
    page, text = parsed((tmp_path / "r.html").read_text(encoding="utf-8"))
    right = sum(row[place] for place, row in enumerate(expected["confusion"]))
    assert f"{right} of {expected['n']} are right." in text
    interval = "{score:.3f} (95 % interval {low:.3f} to {high:.3f}".format(**expected)
    assert f"Macro-F1: {interval}" in text
    confusion = next(table for table in page.iter("table") if "True label" in "".join(table.itertext()))
    cells = [[cell.text for cell in row] for row in confusion][1:]
    assert cells == [
        [label, *map(str, row)] for label, row in zip(expected["labels"], expected["confusion"], strict=True)
    ]


def test_hostile_text_is_text(classifier, vectors, tmp_path):
    with_label = {label: [(HOSTILE, label)] * 6 for label in classifier.labels}
    found = score_on(
        classifier, vectors[0][0], table_of(tmp_path, [row for rows in with_label.values() for row in rows])
    )
    assert len(found.mistakes) == 6  # one of the two labels is wrong
    named = replace(vectors[0][0], info={**vectors[0][0].info, "name": "<script>x</script>", "license": "<b>&"})
    html = write_report(classifier, [(named, 1.0), vectors[1]], found)
    page, text = parsed(html)
    assert not tags(page) & {"script", "img", "b", "link", "iframe", "object"}
    assert "<script>alert(1)</script>" in text
    assert "<script>x</script>" in text
    assert "\u202e" not in html
    assert "test <b>.csv" in text


def test_nothing_is_loaded_and_nothing_is_active(classifier, vectors):
    html = write_report(classifier, vectors, None)
    page, _ = parsed(html)
    assert not tags(page) & {"script", "img", "link", "iframe", "object", "form"}
    names = {name for element in page.iter() for name in element.attrib}
    assert names <= {"lang", "charset", "name", "content", "class", "open"}
    assert not re.search(r"url\(|@import|https?://", html)


@pytest.mark.parametrize("language", SPOKEN)
def test_without_a_table_the_scores_are_those_of_the_cards(classifier, vectors, language):
    page, text = parsed(write_report(classifier, vectors, None, language))
    says = texts_in(language)
    assert page.get("lang") == language
    assert says["NOT_SCORED"] in text
    assert f"{vectors[0][0].info['scores']['f1']['after']:.3f}" in text
    assert f"{vectors[0][0].count:,}" in text
    for title in ("SCORES", "LIMITS", "PARTS", "DATA", "HOW", "VERSIONS", "CITE"):
        assert says[title] in {heading.text for heading in page.iter("h2")}
    assert says["MISTAKES"] not in {heading.text for heading in page.iter("h2")}
    assert not re.search(r"\{\w*\}", text.partition(says["CITE"])[0])


def test_rows_of_the_test_file_that_were_left_out_are_told(base_folder, task_vector, tmp_path, capsys):
    rows = tiny.write_csv(tmp_path / "test.csv", ("text", "label"), [("the food is good", "positive"), ("bad", "")])
    given = ["--task", str(task_vector), "--base", str(base_folder), "--test", str(rows)]
    assert main(["report", *given, "--out", str(tmp_path / "r.html")]) == 0
    assert "warning: test.csv" in capsys.readouterr().err


@pytest.mark.parametrize(("language", "named"), [("en", "Balinese"), ("id", "Bali"), ("es", "balinés")])
def test_a_language_is_named_in_the_language_of_the_report(classifier, vectors, language, named):
    of_bali = replace(vectors[1][0], info={**vectors[1][0].info, "language": "ban"})
    _, text = parsed(write_report(classifier, [vectors[0], (of_bali, 1.0)], None, language))
    assert f"{named} (ban)" in text


def test_the_worst_mistakes_come_first_and_few_rows_are_a_limit(classifier, vectors, table_file, tmp_path):
    with table_file.open(newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    other = dict(zip(classifier.labels, reversed(classifier.labels), strict=True))
    found = score_on(classifier, vectors[0][0], table_of(tmp_path, [(text, other[label]) for text, label in rows]))
    shares = [mistake.probability for mistake in found.mistakes]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == MISTAKES
    _, text = parsed(write_report(classifier, vectors, found))
    assert f"Only {len(rows)} rows were tested" in text
    assert "It is not known whether the task vector was trained on some of the tested texts." in text


def test_a_vector_of_unknown_origin_is_reported_without_steps(classifier, vectors):
    bare = replace(
        vectors[0][0], info={**vectors[0][0].info, "recipe": None, "corpus": None, "method": None, "scores": None}
    )
    _, text = parsed(write_report(classifier, [(bare, 1.0)], None))
    assert "the amount of data is not stated" in text
    assert "Method: not stated." in text


def test_what_cannot_be_reported_is_refused(base, task_vector, table_file, tmp_path, monkeypatch):
    with pytest.raises(DeftxError, match="Did you mean 'es'"):
        report(tmp_path / "r.html", base, task=task_vector, in_language="esp")
    monkeypatch.setattr(Classifier, "classify", None)  # all of it is refused before anything is computed
    wrong = tiny.write_csv(tmp_path / "wrong.csv", ("text", "label"), [("the day", "bad")] * 3)
    with pytest.raises(TableError, match="bad"):
        report(tmp_path / "r.html", base, task=task_vector, test=wrong)
    assert not (tmp_path / "r.html").exists()
    assert main(["report", "--task", str(task_vector), "--test", str(table_file), "--out", str(table_file)]) == 2


def test_where_a_report_cannot_be_written_is_said_before_anything_is_scored(
    base_folder, base, task_vector, table_file, tmp_path, monkeypatch, capsys
):
    assert report(tmp_path / "new" / "folder" / "r.html", base, task=task_vector).is_file()
    monkeypatch.setattr(Classifier, "classify", None)
    given = ["--task", str(task_vector), "--base", str(base_folder), "--test", str(table_file)]
    assert main(["report", *given, "--out", str(tmp_path / "new")]) == 2
    assert f"{tmp_path / 'new'} cannot be written: Is a directory. Nothing was computed." in capsys.readouterr().err
