"""Without these, a classifier could be trained or judged on rows that are wrong, shared or silently missing."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from deftx.core.errors import TableError
from deftx.data.table_rows import Table, hold_out
from deftx.data.tables import check, read_table


def write(tmp_path, content, name="a.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path / name


def table(rows, name="a.csv"):
    texts, labels = zip(*rows, strict=True)
    return Table(list(texts), list(labels), isinstance(texts[0], tuple), name, "")


def refusal(call, *arguments, **settings):
    with pytest.raises(TableError) as caught:
        call(*arguments, **settings)
    return str(caught.value)


def test_single_texts_are_read_with_labels_by_name(tmp_path):
    read = read_table(write(tmp_path, "\ufeffID, Label ,TEXT\r\n1, good ,  satu \r\n2,bad,dua\r\n"))
    assert (read.texts, read.labels, read.pairs, read.name) == (["satu", "dua"], ["good", "bad"], False, "a.csv")


def test_pairs_are_read_as_tuples(tmp_path):
    read = read_table(write(tmp_path, "hypothesis,premise,label\nh,p,entailment\n"))
    assert (read.texts, read.pairs) == ([("p", "h")], True)


def test_numbers_become_the_same_label_in_every_format(tmp_path):
    rows = [("a", 0), ("b", 1)]
    write(tmp_path, "text,label\na,0\nb,1\n", "int.csv")
    write(tmp_path, "text,label\na,0.0\nb,1.0\n", "float.csv")
    write(tmp_path, "\n".join(json.dumps({"text": t, "label": n}) for t, n in rows), "a.jsonl")
    floats = pyarrow.table({"text": ["a", "b"], "label": [0.0, 1.0]})
    pyarrow.parquet.write_table(floats, tmp_path / "a.parquet")
    tables = [read_table(path) for path in sorted(tmp_path.iterdir())]
    assert [read.labels for read in tables] == [["0", "1"]] * 4
    assert len({read.fingerprint for read in tables}) == 1


def test_a_label_that_only_ends_like_a_number_is_left_alone(tmp_path):
    assert read_table(write(tmp_path, "text,label\na,v1.0\nb,1.50\nc,1.0.1\n")).labels == ["v1.0", "1.50", "1.0.1"]


def test_rows_without_text_or_label_are_counted_with_their_lines(tmp_path):
    path = write(tmp_path, "text,label\na,x\n  ,x\nb,\nc,x\n,y\n,\n,x\n,x\n")
    read = read_table(path)
    assert read.texts == ["a", "c"]
    assert read.dropped == {"empty text": 5, "empty label": 1}
    assert read.notes == (
        "a.csv: 5 rows with empty text left out (line 3, 6, 7 …).",
        "a.csv: 1 row with empty label left out (line 4).",
    )


def test_a_missing_column_lists_what_is_there_and_what_is_needed(tmp_path):
    message = refusal(read_table, write(tmp_path, "review,stars\na,5\n"))
    assert "no column 'text' and no column 'label'" in message
    assert "Found: review, stars" in message
    assert "text,label or premise,hypothesis,label" in message


def test_columns_can_be_mapped_by_hand(tmp_path):
    path = write(tmp_path, "review,stars\na,5\n")
    assert read_table(path, columns={"text": "Review", "label": "stars"}).labels == ["5"]
    assert "'opinion'" in refusal(read_table, path, columns={"text": "opinion", "label": "stars"})
    assert "Did you mean 'label'" in refusal(read_table, path, columns={"labels": "stars"})


def test_a_file_without_labels_is_read_when_none_are_asked_for(tmp_path):
    path = write(tmp_path, "text\na\n\nb\n")
    assert "'label'" in refusal(read_table, path)
    assert (read_table(path, labelled=False).texts, read_table(path, labelled=False).labels) == (["a", "b"], [])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "text,label\n", "no usable row"),
        ("a.csv", "text,label\n,x\n", "no usable row. a.csv: 1 row with empty text"),
        ("a.txt", "satu\n", "plain text without columns"),
        ("a.csv", b"text,label\ncaf\xe9,x\n", "line 2"),
    ],
)
def test_a_file_that_cannot_be_learned_from_is_refused(tmp_path, name, content, said):
    assert said in refusal(read_table, write(tmp_path, content, name))


def test_what_was_left_out_of_the_file_is_told_once(tmp_path):
    read = read_table(write(tmp_path, "text,label\n,x\n" + "".join(f"t{n},{n % 2}\n" for n in range(40))))
    train, valid = hold_out(read, 0.1, 1)
    assert check(train, valid).dropped == {"empty text": 1}
    assert sum("empty text" in said for said in check(train, valid).warnings) == 1
    assert valid.name == "a.csv (held out)"


def test_one_class_is_nothing_to_learn():
    assert "there is nothing to learn" in refusal(check, table([("a", "x"), ("b", "x")]))


def test_pairs_and_single_texts_do_not_go_together():
    single, pairs = table([("a", "x"), ("b", "y")]), table([(("a", "b"), "x"), (("c", "d"), "y")], "b.csv")
    assert "a.csv has single texts, but b.csv has pairs" in refusal(check, single, pairs)


def test_everything_that_a_person_should_know_is_counted_and_said():
    train = table([("a", "x"), ("A ", "x"), ("b", "x"), ("B", "y"), ("c", "z")])
    valid = table([("C", "z"), ("b", "x"), ("new", "x"), ("d", "w"), ("e", "v"), ("f", "w")], "v.csv")
    found = check(train, valid)
    assert found.labels == {"x": 3, "y": 1, "z": 1}
    assert found.valid_labels == {"v": 1, "w": 2, "x": 2, "z": 1}
    assert (found.duplicates, found.conflicts, found.shared) == (1, 1, 2)
    assert found.unknown_labels == {"v": 1, "w": 2}
    said = " | ".join(found.warnings)
    assert "v.csv has labels that a.csv lacks (v, w): 3 rows left out." in said
    assert "v.csv: 2 rows whose text is also in a.csv" in said
    assert "1 text occurs with more than one label" in said
    assert "a.csv: 1 row equal to an earlier one" in said
    assert "v.csv has no row of y" in said
    assert "fewer than 10 rows of x, y, z" in said
    assert json.loads(json.dumps(found.to_dict()))["shared"] == 2


def test_clean_tables_say_nothing():
    train = table([(f"t{number}", "ab"[number % 2]) for number in range(40)])
    assert check(train, table([("u", "a"), ("v", "b")], "v.csv")).warnings == []
    assert check(train).valid_labels == {}


def test_a_column_of_identifiers_taken_for_labels_is_said():
    assert "Is the label column the right one?" in check(table([(f"t{n}", str(n)) for n in range(60)])).warnings[0]
