"""Without these, a label could be learned from the wrong column, or a person asked what the file already says."""

import pytest

from deftx.core.errors import CorpusError, TableError
from deftx.data.table_columns import guess_columns, guess_text_column, suggest_columns, table_columns
from deftx.data.tables import read_table


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


def test_a_file_without_labels_needs_the_text_alone(tmp_path):
    assert table_columns(table(tmp_path, "Text,stars\na,b\n"), labelled=False) == (("Text", "stars"), True)
    assert table_columns(table(tmp_path, "review\na\n"), labelled=False) == (("review",), False)
    assert table_columns(table(tmp_path, "a\n", "a.txt"), labelled=False) == (("text",), True)


@pytest.mark.parametrize(
    ("content", "guessed"),
    [
        ("kalimat,sentimen\n" + "kata yang panjang {},baik\nlain sekali {},buruk\n" * 6,
         {"text": "kalimat", "label": "sentimen"}),
        ("No.,kato,catatan\n1,urang awak,x\n2,pai ka pasa,y\n", {"text": "kato"}),
        ("sentence1,sentence2,n\na,b,1\n", {"premise": "sentence1", "hypothesis": "sentence2"}),
        ("isi,label\nkata kata,x\n", {"text": "isi", "label": "label"}),
    ],
)  # fmt: skip
def test_columns_of_other_names_are_guessed_from_what_they_hold(tmp_path, content, guessed):
    path = table(tmp_path, content)
    assert guess_columns(path, table_columns(path)[0]) == guessed


def test_the_column_of_a_text_is_the_one_in_which_most_is_written(tmp_path):
    path = table(tmp_path, "No.,kato,catatan\n1000001,urang awak,x\n1000002,pai ka pasa,y\n")
    assert guess_text_column(path, ("No.", "kato", "catatan"), CorpusError) == "kato"
