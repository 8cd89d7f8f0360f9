"""Without these, the same text could be learned and used to judge, or a label never be judged at all."""

from collections import Counter

import pytest
from test_tables import refusal, table

from deftx.data.splitting import fold
from deftx.data.table_rows import hold_out, label_names


def test_labels_are_sorted_by_number_only_if_all_are_numbers():
    assert label_names(table([("a", "10"), ("b", "9"), ("c", "10")])) == ["9", "10"]
    assert label_names(table([("a", "10"), ("b", "9"), ("c", "x")])) == ["10", "9", "x"]


def test_the_hold_out_is_stratified_and_follows_the_seed():
    rows = [(f"teks {number}", "abc"[number % 10 // 4]) for number in range(1000)]  # 400, 400, 200
    train, valid = hold_out(table(rows), 0.1, 42)
    assert Counter(valid.labels) == {"a": 40, "b": 40, "c": 20}
    assert sorted(train.texts + valid.texts) == sorted(text for text, _ in rows)
    assert all(dict(rows)[text] == label for text, label in zip(valid.texts, valid.labels, strict=True))
    assert hold_out(table(rows), 0.1, 42) == (train, valid)
    assert hold_out(table(rows), 0.1, 43)[1].texts != valid.texts
    assert train.fingerprint != valid.fingerprint


@pytest.mark.parametrize("seed", range(5))
def test_equal_texts_stay_on_one_side_and_every_label_is_held_out_once(seed):
    rows = [(("P  " if number % 2 else "p ") + str(number // 4), f"h{number // 4}") for number in range(80)]
    rows = [(pair, "ab"[number // 4 % 2]) for number, pair in enumerate(rows)]
    rows += [(("r", "1"), "rare"), (("r", "2"), "rare"), (("s", "1"), "single")]
    train, valid = hold_out(table(rows), 0.1, seed)
    sides = [{(fold(p), fold(h)) for p, h in side.texts} for side in (train, valid)]
    assert not sides[0] & sides[1]
    assert set(valid.labels) == {"a", "b", "rare"}
    assert set(train.labels) == {"a", "b", "rare", "single"}


def test_too_few_rows_to_hold_out_is_refused():
    assert "validation file" in refusal(hold_out, table([("a", "x"), ("b", "y")]), 0.1, 1)
