"""What the command line says about how far probabilities can be believed."""

import csv
import json

import openpyxl
import pytest
import tiny
from test_cli import deftx, learned  # noqa: F401 (fixtures)

from deftx.classify.classifier import Classifier
from deftx.classify.composition import compose
from deftx.core.calibration import calibration_error, margins
from deftx.vectors.vector import SparseVector

ROWS = [(text, label if n % 7 else "positive") for n, (text, label) in enumerate(tiny.labelled_rows() * 3)]


@pytest.fixture
def valid(tmp_path):
    return tiny.write_csv(tmp_path / "valid.csv", ("text", "label"), ROWS)


def test_a_temperature_is_kept_in_a_copy_or_in_the_vector_itself(deftx, learned, valid, tmp_path):  # noqa: F811
    task, copy = learned[1], tmp_path / "copy"
    status, out, err = deftx("calibrate", valid, "--task", task, "--language", learned[3], "--out", copy, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert (found["vector"], found["examples"]) == (str(copy), len(ROWS))
    assert "calibration" not in SparseVector.load(task).info
    vector = SparseVector.load(copy)
    assert vector.info["calibration"]["temperature"] == found["temperature"]
    assert vector.digest() == SparseVector.load(task).digest()
    said = deftx("calibrate", valid, "--task", copy)[1]  # without the language vector, in place
    other = SparseVector.load(copy).info["calibration"]["temperature"]
    assert f"temperature {other:.4f} from {len(ROWS)} rows" in said
    assert other != found["temperature"]


def test_accuracy_is_estimated_without_labels(deftx, base, learned, valid, tmp_path, monkeypatch):  # noqa: F811
    copy = tmp_path / "copy"
    deftx("calibrate", valid, "--task", learned[1], "--language", learned[3], "--out", copy)
    texts = tiny.write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text, _ in ROWS])
    status, out, err = deftx("estimate", texts, "--task", copy, "--language", learned[3], "--json")
    assert status == 0, err
    # On the rows of the fit, the share above the threshold is the accuracy, but for rows of the same margin.
    assert json.loads(out)["accuracy"] == pytest.approx(
        SparseVector.load(copy).info["calibration"]["accuracy"], abs=0.02
    )
    assert "estimated without labels" in deftx("estimate", texts, "--task", copy, "--language", learned[3])[1]
    book = openpyxl.Workbook()
    book.create_sheet("Notes").sheet_state = "hidden"
    for text in ("text", *(text for text, _ in ROWS), "the day is good " * 200):
        book.active.append([text])
    book.save(tmp_path / "book.xlsx")
    said = deftx("estimate", tmp_path / "book.xlsx", "--task", copy, "--language", learned[3])[2]
    assert "warning: book.xlsx: the hidden sheet Notes is left out." in said
    assert f"warning: 1 of {len(ROWS) + 1} texts have more than" in said
    monkeypatch.setattr(Classifier, "classify", None)  # what follows is refused before a text is classified
    refused = deftx("estimate", texts, *learned)
    assert refused[0] == 2
    assert "deftx calibrate" in refused[2]
    one = tiny.write_csv(tmp_path / "one.csv", ("text",), [("the day is good",)])
    refused = deftx("estimate", one, "--task", copy, "--language", learned[3])
    assert refused[0] == 2
    assert "at least 20 texts; given: 1." in refused[2]


def test_calibrate_says_which_rows_and_labels_it_lacks(deftx, learned, tmp_path):  # noqa: F811
    rows = tiny.write_csv(tmp_path / "some.csv", ("text", "label"), [*ROWS, ("the day is blue", "Neutral")])
    said = deftx("calibrate", rows, "--task", learned[1], "--out", tmp_path / "copy")[2]
    assert "some.csv: 1 row with a label other than negative or positive left out." in said
    one = [(text, "positive") for text, _ in ROWS]
    status, _, err = deftx(
        "calibrate", tiny.write_csv(tmp_path / "one.csv", ("text", "label"), one), "--task", learned[1]
    )
    assert status == 2
    assert "one.csv has no row of negative" in err
    assert "with two labels" in err


def test_sure_answers_are_those_of_which_a_wanted_share_is_right(deftx, base, learned, valid, tmp_path, monkeypatch):  # noqa: F811
    copy, texts = tmp_path / "copy", [text for text, _ in ROWS]
    deftx("calibrate", valid, "--task", learned[1], "--language", learned[3], "--out", copy)
    classifier, given = compose(base, task=copy, language=learned[3]), ("--task", copy, "--language", learned[3])
    threshold = classifier.calibration.sure_from(0.7)
    expected = (margins(classifier.classify(texts).numpy()) >= threshold).tolist()
    assert 0 < sum(expected) < len(texts)
    file = tiny.write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text in texts])
    assert deftx("classify", *given, "--file", file, "--out", tmp_path / "out.csv", "--sure", "0.7")[0] == 0
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["sure"] == "yes" for row in csv.DictReader(stream)] == expected
    assert json.loads(deftx("classify", *given, texts[0], "--sure", "0.7", "--json")[1])[0]["sure"] == expected[0]
    assert ("yes" if expected[0] else "no") in deftx("classify", *given, texts[0], "--sure", "0.7")[1]
    monkeypatch.setattr(Classifier, "classify", None)  # what follows is refused before a text is classified
    for what in ((texts[0],), ("--file", file, "--out", tmp_path / "out.csv")):
        assert "between 0 and 1" in deftx("classify", *given, *what, "--sure", "90")[2]
        assert "deftx calibrate" in deftx("classify", *learned, *what, "--sure", "0.7")[2]


@pytest.mark.parametrize("wrong", ["few", "language", "bundled"])
def test_what_cannot_be_calibrated_is_refused_in_one_line(deftx, learned, valid, tmp_path, wrong):  # noqa: F811
    few = tiny.write_csv(tmp_path / "few.csv", ("text", "label"), ROWS[:20])
    file, task, says = {
        "few": (few, learned[1], "at least 100"),
        "language": (valid, learned[3], "a task vector is needed"),
        "bundled": (valid, "sentiment", "--out"),
    }[wrong]
    status, _, err = deftx("calibrate", file, "--task", task)
    assert status == 2
    assert says in err
    assert err.count("\n") == 1


def test_evaluate_says_how_far_probabilities_are_off_and_what_the_surest_answers_reach(deftx, base, learned, valid):  # noqa: F811
    found = json.loads(deftx("evaluate", *learned, valid, "--json")[1])
    probabilities = compose(base, task=learned[1], language=learned[3]).classify([text for text, _ in ROWS]).numpy()
    right = [
        ["negative", "positive"][place] == label
        for place, (_, label) in zip(probabilities.argmax(1), ROWS, strict=True)
    ]
    assert found["calibration_error"] == pytest.approx(calibration_error(probabilities.max(1), right), abs=1e-6)
    whole, *_, surest = found["risk_coverage"]
    assert whole["accuracy"] == pytest.approx(sum(right) / len(right))
    assert whole["margin"] == pytest.approx(margins(probabilities).min(), abs=1e-6)
    assert (surest["coverage"], surest["margin"] > whole["margin"]) == (0.4, True)
    assert "Of the surest 60%, " in deftx("evaluate", *learned, valid)[1]
