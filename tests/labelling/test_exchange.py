"""Judgements as CSV and as Label Studio's JSON: what is written, read and matched, also from damaged files."""

import csv
import json
from dataclasses import replace

import pytest

from deftx.core.errors import DeftxError
from deftx.data.tables import read_table
from deftx.labelling.exchange import COLUMNS, WRITERS, Row, match, read_rows, write_csv, write_label_studio
from deftx.labelling.session import LABEL, NONE, SKIP, Judgement, LabellingError, Sentence, Session

TEXTS = ("Ajengane jaen pisan.", "=1+1 nika aji", 'Kuda, "kuda"\tputih', "Sing demen tiang.")
SESSION = Session("0" * 16, 1.0, "a.txt", "Mood + Balinese", "job:1", "", ("positive", "-negative"), tuple(
    Sentence(text, place % 2 == 0, "positive", 0.6) for place, text in enumerate(TEXTS)))  # fmt: skip
PEOPLE = {
    "Ayu": {2: Judgement(2, LABEL, "positive"), 0: Judgement(0, LABEL, "-negative"), 1: Judgement(1, SKIP)},
    "": {0: Judgement(0, NONE), 1: Judgement(1, LABEL, "-negative")},
}


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_what_is_exported_is_imported_again(tmp_path, ending):
    path = WRITERS[ending](tmp_path / f"judged{ending}", SESSION, PEOPLE)
    found = match(SESSION, read_rows(path), "Ayu")
    assert found.others == 0
    assert {p: sorted(j, key=lambda one: one.place) for p, j in found.judgements.items()} == {
        # Answers without a name are imported as those of the person who imports.
        "Ayu": sorted([*PEOPLE["Ayu"].values(), *PEOPLE[""].values()], key=lambda one: one.place)
    }


def test_names_in_a_file_stay_and_others_are_those_of_the_person(tmp_path):
    path = write_csv(tmp_path / "judged.csv", SESSION, {"Ayu": PEOPLE["Ayu"]})
    assert list(match(SESSION, read_rows(path), "Ketut").judgements) == ["Ayu"]
    path.write_text("text,label\nSing demen tiang.,POSITIVE\n", encoding="utf-8")
    assert match(SESSION, read_rows(path), "Ketut").judgements == {"Ketut": [Judgement(3, LABEL, "positive")]}


def test_a_name_like_a_formula_is_the_same_person_when_it_comes_back(tmp_path):
    path = write_csv(tmp_path / "judged.csv", SESSION, {"@ayu": PEOPLE["Ayu"], "'quoted": PEOPLE[""]})
    assert list(match(SESSION, read_rows(path), "Ketut").judgements) == ["@ayu", "'quoted"]


def test_an_answer_that_was_cleared_in_a_spreadsheet_is_none(tmp_path):
    path = write_csv(tmp_path / "judged.csv", SESSION, {"Ayu": PEOPLE["Ayu"]})
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",positive,label,", ",,label,"), encoding="utf-8")
    assert sorted(one.place for one in match(SESSION, read_rows(path), "Ayu").judgements["Ayu"]) == [0, 1]


def test_the_csv_is_a_labelled_file_with_formulas_disarmed(tmp_path):
    path = write_csv(tmp_path / "judged.csv", SESSION, PEOPLE)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == list(COLUMNS)
    assert lines[1] == ["Ajengane jaen pisan.", "'-negative", "label", "random", "positive", "Ayu"]
    assert lines[3][:4] == ["'=1+1 nika aji", "", "skip", "unsure"]
    assert len(lines) == 6
    assert read_table(path).dropped == {"empty label": 2}


def test_label_studio_gets_every_sentence_with_answers_and_prediction(tmp_path):
    path = write_label_studio(tmp_path / "judged.json", SESSION, PEOPLE)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    assert [task["data"]["text"] for task in tasks] == list(TEXTS)
    assert tasks[0]["data"]["people"] == ["Ayu", ""]
    choice = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["-negative"]}}
    assert tasks[0]["annotations"] == [
        {"result": [choice], "was_cancelled": False}, {"result": [], "was_cancelled": False}
    ]  # fmt: skip
    assert tasks[1]["annotations"][0]["was_cancelled"]
    assert tasks[3]["annotations"] == []
    assert tasks[3]["predictions"][0]["result"][0]["value"] == {"choices": ["positive"]}


def test_an_export_of_label_studio_itself_is_read(tmp_path):
    """With what it adds: ids, times, and who annotated; the form is that of its documentation."""
    path = tmp_path / "export.json"
    result = [{"id": "Dx", "from_name": "sentiment", "to_name": "text", "type": "choices", "origin": "manual",
               "value": {"choices": ["positive"]}}]  # fmt: skip
    annotation = {"id": 1, "completed_by": 7, "result": result, "was_cancelled": False, "lead_time": 4.2}
    tasks = [
        {"id": 9, "data": {"text": TEXTS[0]}, "annotations": [annotation], "predictions": []},
        {"id": 10, "data": {"text": TEXTS[1]},
         "annotations": [{**annotation, "completed_by": {"id": 8, "email": "ayu@example.org"}}]},
        {"id": 11, "data": {"text": "another sentence"}, "annotations": [{"result": [], "was_cancelled": True}]},
    ]  # fmt: skip
    path.write_text(json.dumps(tasks), encoding="utf-8")
    assert read_rows(path)[2] == Row("another sentence", SKIP, "", "")
    found = match(SESSION, read_rows(path), "me")
    assert found.judgements == {
        "7": [Judgement(0, LABEL, "positive")],
        "ayu@example.org": [Judgement(1, LABEL, "positive")],
    }
    assert found.others == 1


def test_an_annotation_that_is_added_in_label_studio_is_of_one_person_more(tmp_path):
    path = write_label_studio(tmp_path / "judged.json", SESSION, {"Ayu": PEOPLE["Ayu"]})
    tasks = json.loads(path.read_text(encoding="utf-8"))
    tasks[0]["annotations"][0]["completed_by"] = 1  # the user who imported it there
    tasks[0]["annotations"].append({"completed_by": 2, "result": [], "was_cancelled": True})
    path.write_text(json.dumps(tasks), encoding="utf-8")
    found = match(SESSION, read_rows(path), "me").judgements
    assert found["Ayu"][0] == PEOPLE["Ayu"][0]
    assert found["2"] == [Judgement(0, SKIP)]
    assert found.keys() == {"Ayu", "2"}
    tasks[0]["annotations"] = tasks[0]["annotations"][1:]
    tasks[0]["data"]["people"] = ["Ayu", "Made"]  # one of three was deleted, or two
    path.write_text(json.dumps(tasks), encoding="utf-8")
    assert match(SESSION, read_rows(path), "me").judgements["2"] == [Judgement(0, SKIP)]


def test_labels_that_differ_in_case_alone_stay_two():
    session = replace(SESSION, labels=("A", "a", "-Other"))
    rows = [Row(TEXTS[place], LABEL, label, "") for place, label in enumerate(("a", "A", "'-other"))]
    found = match(session, rows, "me").judgements["me"]
    assert [one.label for one in found] == ["a", "A", "-Other"]
    with pytest.raises(LabellingError, match="The label 'GOOD'"):
        match(replace(SESSION, labels=("Good", "good")), [Row(TEXTS[0], LABEL, "GOOD", "")], "me")


def test_a_label_of_another_set_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(LabellingError, match="Did you mean 'positive'"):
        match(SESSION, [Row(TEXTS[0], LABEL, "positiv", "")], "")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", '{"a": 1}', '[{"data": {"text": "a"}, "annotations": [{}]}]', "[" * 100_000,
     '[{"data": {"text": "a"}, "annotations": [{"result": [{"type": "choices", "value": {}}]}]}]', "\udcff"],
)  # fmt: skip
def test_json_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "export.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(LabellingError, match="not what Label Studio exports"):
        read_rows(path)


def test_a_table_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "judged.csv"
    path.write_text("sentence,mood\na,b\n")
    with pytest.raises(LabellingError, match=r"no columns text and label\. Found: sentence, mood"):
        read_rows(path)
    with pytest.raises(DeftxError, match="does not exist"):
        read_rows(tmp_path / "none.csv")
