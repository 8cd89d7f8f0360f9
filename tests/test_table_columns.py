"""Without these, a label could be learned from the wrong column, or a person asked what the file already says."""

import pytest

from deftx.errors import TableError
from deftx.table_columns import suggest_columns, table_columns
from deftx.tables import read_table


def table(tmp_path, content, name="a.csv"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("columns", "suggested"),
    [
        (("id", "Sentence", "Sentiment"), {"text": "Sentence", "label": "Sentiment"}),
        (("sentence1", "sentence2", "gold_label"),
         {"premise": "sentence1", "hypothesis": "sentence2", "label": "gold_label"}),
        (("text", "review", "label"), {"text": "text", "label": "label"}),
        (("sentence1", "other"), {}),
    ],
)  # fmt: skip
def test_usual_names_are_suggested(columns, suggested):
    assert suggest_columns(columns) == suggested


def test_it_is_known_whether_the_columns_are_recognised(tmp_path):
    assert table_columns(table(tmp_path, "Text,LABEL\na,b\n")) == (("Text", "LABEL"), True)
    assert table_columns(table(tmp_path, "review,stars\na,b\n")) == (("review", "stars"), False)
    with pytest.raises(TableError, match="plain text"):
        table_columns(table(tmp_path, "a\n", "a.txt"))


def test_a_text_that_is_named_is_taken_even_beside_a_pair(tmp_path):
    path = table(tmp_path, "premise,hypothesis,note,label\na,b,c,x\n")
    assert read_table(path).pairs
    assert read_table(path, columns={"text": "note"}).texts == ["c"]
