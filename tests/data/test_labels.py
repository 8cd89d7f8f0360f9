"""Labels of a test file as a task calls them."""

import pytest
from test_tables import refusal, table

from deftx.data.labels import check_kind, drop_unknown_labels, rename_labels, suggest_labels


def test_labels_are_renamed_and_rows_left_out():
    found = table([("a", "pos"), ("b", "mixed"), ("c", "negative")])
    renamed = rename_labels(found, {"pos": "positive", "mixed": ""})
    assert (renamed.texts, renamed.labels) == (["a", "c"], ["positive", "negative"])
    assert renamed.dropped == {"label not wanted": 1}
    assert renamed.fingerprint != found.fingerprint
    assert rename_labels(found, {}).labels == found.labels
    assert "no rows to score" in refusal(rename_labels, found, {"pos": "", "mixed": "", "negative": ""})


def test_rows_with_unknown_labels_are_left_out_and_said():
    valid = table([("a", "x"), ("b", "w"), ("c", "y")], "v.csv")
    kept = drop_unknown_labels(valid, ["x", "y"])
    assert (kept.texts, kept.labels, kept.dropped) == (["a", "c"], ["x", "y"], {"unknown label": 1})
    assert kept.notes == ("v.csv: 1 row with a label other than x or y left out.",)
    assert drop_unknown_labels(kept, ["x", "y"]) is kept
    assert "it has w, x, y; known are 0, 1" in refusal(drop_unknown_labels, valid, ["0", "1"])


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("Positive", "positive"),
        ("pos", "positive"),
        ("NEUT", "neutral"),
        ("neutrral", "neutral"),
        ("ne", ""),
        ("3", ""),
    ],
)
def test_a_label_is_guessed_by_its_letters_and_not_where_two_would_do(label, meant):
    assert suggest_labels([label], ["negative", "neutral", "positive"]) == {label: meant}


def test_pairs_and_single_texts_are_not_mixed_up():
    assert check_kind("sentiment", False, "a.csv", False) is None  # it raises where they differ
    assert "sentiment classifies single texts, but a.csv has pairs" in refusal(
        check_kind, "sentiment", False, "a.csv", True
    )
    assert "classifies pairs, but a.csv has single texts" in refusal(check_kind, "nli", True, "a.csv", False)
