"""Without these, a table could be read with its cells shifted, cut or merged, and nobody would notice."""

import csv
import gzip
import io
import json
from datetime import date, time
from decimal import Decimal

import pyarrow
import pyarrow.parquet
import pytest

from deftx.core.errors import TableError
from deftx.data.open_table import as_text, find_column
from deftx.data.reading import find_file
from deftx.data.table_formats import open_records

ROWS = [
    ("satu, dua", "positive"),
    ('dia kata "ya"', "negative"),
    ("baris\nkedua", "neutral"),
    ("नमस्ते दुनिया", "positive"),
    ("مرحبا بالعالم", "negative"),
]


def write(path, content):
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def as_bytes(kind, rows=ROWS):
    if kind in (".csv", ".tsv"):
        stream = io.StringIO()
        csv.writer(stream, delimiter="," if kind == ".csv" else "\t").writerows([("text", "label"), *rows])
        return stream.getvalue().encode()
    objects = [{"text": text, "label": label} for text, label in rows]
    if kind == ".jsonl":
        return "\n".join(map(json.dumps, objects)).encode()
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(objects), stream)
    return stream.getvalue()


def read(path, columns=("text", "label")):
    records = open_records(find_file(path, TableError), TableError)
    return [cells for _, cells in records.texts(columns, TableError)]


def refusal(path, content):
    with pytest.raises(TableError) as caught:
        read(write(path, content))
    return str(caught.value)


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_cells(tmp_path, kind, gz):
    path = write(tmp_path / f"a{kind}{gz}", as_bytes(kind))
    assert read(path) == [[text.replace("\n", " "), label] for text, label in ROWS]


def test_row_numbers_are_those_of_the_lines_where_rows_begin(tmp_path):
    path = write(tmp_path / "a.csv", '\ufefftext,label\r\n"a\r\nb",x\r\n\r\nc,y\r\n')
    records = open_records(find_file(path, TableError), TableError)
    assert records.columns == ("text", "label")
    assert [number for number, _ in records.rows(["text"])] == [2, 5]


def test_a_spreadsheet_with_semicolons_is_understood(tmp_path):
    assert read(write(tmp_path / "a.csv", "text;label\nsatu, dua;x\n")) == [["satu, dua", "x"]]


def test_a_quote_that_is_never_closed_names_the_row_it_opens_in(tmp_path):
    message = refusal(tmp_path / "a.csv", 'text,label\nok,x\n"open,y\nmore,z\n')
    assert "a.csv, line 3: a quote in this row is never closed" in message


def test_text_after_a_closing_quote_is_refused_with_its_line(tmp_path):
    assert "a.csv, line 2" in refusal(tmp_path / "a.csv", 'text,label\n"Bagus" sekali,x\n')


def test_an_unquoted_comma_in_a_text_is_refused_rather_than_shifting_the_label(tmp_path):
    message = refusal(tmp_path / "a.csv", "text,label\nok,x\nsatu, dua,y\n")
    assert "line 3: 3 cells under a header of 2" in message
    assert "a comma" in message


def test_empty_cells_to_the_right_do_no_harm_and_missing_ones_are_empty(tmp_path):
    assert read(write(tmp_path / "a.csv", "text,label\nok,x,,\nalone\n")) == [["ok", "x"], ["alone", ""]]


def test_a_cell_longer_than_the_csv_modules_own_limit_is_read(tmp_path):
    assert read(write(tmp_path / "a.csv", f"text,label\n{'a' * 200_000},x\n"))[0][0] == "a" * 200_000


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_an_empty_file_is_refused(tmp_path, kind):
    assert f"a{kind} is" in refusal(tmp_path / f"a{kind}", b"")


def test_a_nul_character_is_refused_with_its_line(tmp_path):
    assert "line 2" in refusal(tmp_path / "a.csv", "text,label\na\0b,x\n")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a", ', "not JSON"),
        ("[1, 2]", "expected an object"),
        ("[" * 100_000, "not JSON"),
        (r'{"text": "\ud83d", "label": "x"}', "is incomplete"),
        ('{"text": ["a", "b"], "label": "x"}', "contains a list"),
    ],
)
def test_a_broken_line_of_json_is_named(tmp_path, line, reason):
    message = refusal(tmp_path / "a.jsonl", '{"text": "a", "label": "x"}\n\n' + line + "\n")
    assert "a.jsonl, line 3" in message
    assert reason in message


def test_a_column_that_the_first_json_object_lacks_is_found(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text": "a"}\n{"text": "b", "label": "x"}\n')
    assert read(path) == [["a", ""], ["b", "x"]]


@pytest.mark.parametrize("kind", [".parquet", ".parquet.gz"])
def test_a_damaged_parquet_file_is_refused(tmp_path, kind):
    whole = as_bytes(".parquet", [(str(number), "x") for number in range(5000)])
    assert "damaged" in refusal(tmp_path / f"cut{kind}", whole[: len(whole) // 2])
    assert "damaged" in refusal(tmp_path / f"text{kind}", b"text,label\n")


def test_a_file_whose_rows_are_all_empty_is_refused(tmp_path):
    assert "a.jsonl has no columns" in refusal(tmp_path / "a.jsonl", b"{}\n{}\n")


def test_parquet_says_which_columns_hold_text(tmp_path):
    table = pyarrow.table({"id": [1, 2], "body": ["a", "b"], "kind": pyarrow.array(["x", "y"]).dictionary_encode()})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    records = open_records(find_file(tmp_path / "a.parquet", TableError), TableError)
    assert records.text_columns == ("body", "kind")
    assert list(records.texts(["id", "kind"], TableError)) == [(1, ["1", "x"]), (2, ["2", "y"])]


def test_two_columns_of_one_name_are_refused(tmp_path):
    records = open_records(find_file(write(tmp_path / "a.csv", " Text ,text\na,b\n"), TableError), TableError)
    with pytest.raises(TableError, match="2 columns called 'text'"):
        find_column(records, "text", TableError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (1.0, "1"),
        (0, "0"),
        (0.5, "0.5"),
        (True, "true"),
        (" a\r\n b ", "a  b"),
        (Decimal("0"), "0"),
        (date(2024, 2, 29), "2024-02-29"),
        (time(12, 30), "12:30:00"),
        ([1, "a"], '[1, "a"]'),
    ],
)
def test_cells_become_text(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize("kind", [pyarrow.string(), pyarrow.large_string()])
def test_a_small_parquet_file_that_repeats_a_long_text_does_not_fill_the_memory(tmp_path, kind):
    """Some hundred bytes would become 1,000 GB; equal texts are one, and their sum has a bound."""
    texts = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * 100_000, pyarrow.int32()), pyarrow.array(["b" * 10**7], kind)
    )
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 2_000
    records = open_records(find_file(tmp_path / "bomb.parquet", TableError), TableError)
    with pytest.raises(TableError, match="contains too much text"):
        list(records.texts(["text"], TableError))


def test_a_parquet_file_of_endless_rows_or_a_cell_beyond_any_text_is_refused(tmp_path, monkeypatch):
    pyarrow.parquet.write_table(pyarrow.table({"text": ["satu", "dua", "tiga"]}), tmp_path / "a.parquet")
    monkeypatch.setattr("deftx.data.open_table.LONGEST_CELL", 3)
    with pytest.raises(TableError, match="damaged"):
        list(open_records(find_file(tmp_path / "a.parquet", TableError), TableError).rows(["text"]))
    monkeypatch.setattr("deftx.data.open_table.MOST_ROWS", 2)
    with pytest.raises(TableError, match="3 rows; up to 2"):
        open_records(find_file(tmp_path / "a.parquet", TableError), TableError)


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl"])
def test_a_table_of_a_million_columns_is_refused_before_they_are_searched(tmp_path, kind):
    names = [f"c{number}" for number in range(200_000)]
    mark = "\t" if kind == ".tsv" else ","
    text = json.dumps(dict.fromkeys(names, "")) if kind == ".jsonl" else mark.join(names) + "\n"
    (tmp_path / f"wide{kind}").write_text(text)
    with pytest.raises(TableError, match="200,000 columns; up to 1,000"):
        open_records(find_file(tmp_path / f"wide{kind}", TableError), TableError)


def test_a_quote_that_nothing_closes_does_not_merge_rows_of_tsv(tmp_path):
    rows = ['"he said', "plain", 'a "quoted" word', '"whole"', 'ends"']
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + "".join(f"{row}\tx\n" for row in rows))
    assert read(path) == [[row, "x"] for row in rows]


def test_a_line_that_names_the_delimiter_is_no_row(tmp_path):
    records = open_records(find_file(write(tmp_path / "a.csv", "sep=;\ntext;label\na, b;x\n"), TableError), TableError)
    assert list(records.texts(("text", "label"), TableError)) == [(3, ["a, b", "x"])]


def test_text_that_parquet_holds_as_bytes_is_text_and_pictures_are_refused(tmp_path):
    table = pyarrow.table(
        {"text": [b"nasi \xc3\xa9", b"hari"], "label": [b"a", b"b"], "picture": [b"\x89PNG", b"\xff"]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    records = open_records(find_file(tmp_path / "a.parquet", TableError), TableError)
    assert records.text_columns == ("text", "label")
    assert read(tmp_path / "a.parquet") == [["nasi é", "a"], ["hari", "b"]]
    with pytest.raises(TableError, match="'picture' holds bytes that are not UTF-8 text"):
        read(tmp_path / "a.parquet", ("picture",))


@pytest.mark.parametrize("start", ["\n", "  \n\n", "sep=;\n\n"])
def test_the_delimiter_is_that_of_the_first_line_with_content(tmp_path, start):
    path = write(tmp_path / "a.csv", f"{start}text;label\nsatu, dua;x\n")
    assert read(path) == [["satu, dua", "x"]]


def test_columns_of_one_name_in_parquet_are_refused_where_they_are_wanted(tmp_path):
    texts = [pyarrow.array([name]) for name in ("satu", "x", "y")]
    table = pyarrow.Table.from_arrays([*texts, texts[0].cast(pyarrow.binary())] * 2, ["text", "a", "b", "c"] * 2)
    table = table.remove_column(4)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", ("text",)) == [["satu"]]
    with pytest.raises(TableError, match="several columns called 'a'; rename all but one"):
        read(tmp_path / "a.parquet", ("text", "a"))


@pytest.mark.parametrize(
    ("lines", "quoted"),
    [
        (['"Enak, murah"', "Biasa saja", '"Mahal, kotor"'], True),  # Excel's "Text (Tab delimited)"
        (['"Enak, murah"', "Biasa, saja"], False),
        (['"Enak sekali"', '"Mahal, kotor"'], False),
        (['"Enak, murah" katanya', '"Mahal, kotor"'], False),
    ],
)
def test_quotes_of_tsv_belong_to_the_text_unless_commas_explain_them(tmp_path, lines, quoted):
    path = write(tmp_path / "a.tsv", "".join(f"{line}\tx\n" for line in ["text", *lines]))
    assert [text for text, _ in read(path, ("text", "x"))] == [line.strip('"') if quoted else line for line in lines]


@pytest.mark.parametrize(
    "content",
    [
        '"text, teks";label\n"satu, dua";x\ntiga;y\n',
        '"text, teks"|label\n"satu, dua"|x\ntiga|y\n',
        'label, "text, teks"\nx, "satu, dua"\ny, tiga\n',
        'label;"text, teks"\nx; "satu, dua"\ny; tiga\n',
    ],
)
def test_the_delimiter_is_the_one_that_divides_all_lines_alike(tmp_path, content):
    assert read(write(tmp_path / "a.csv", content), ("text, teks", "label")) == [["satu, dua", "x"], ["tiga", "y"]]


def test_a_space_before_a_quote_that_is_part_of_the_text_stays(tmp_path):
    assert read(write(tmp_path / "a.csv", 'label,text\nx, "satu" dua\ny,tiga\n')) == [
        ['"satu" dua', "x"],
        ["tiga", "y"],
    ]


QUOTED_FAR_DOWN = 'pos,"Dia bilang, ""halo"" kepada saya"\n' + "pos,satu\n" * 2_500 + 'neg, "Bagus" katanya\n'


@pytest.mark.parametrize(
    ("content", "column", "texts"),
    [
        (
            f"label,text\n{QUOTED_FAR_DOWN}",
            "text",
            ['Dia bilang, "halo" kepada saya', *["satu"] * 2_500, '"Bagus" katanya'],
        ),
        ('label, "teks"\nx, "satu"\ny, dua\n', "teks", ["satu", "dua"]),
        ('label,text\nx, "satu"\ny, "dua" katanya\n', "text", ['"satu"', '"dua" katanya']),
    ],
)
def test_spaces_before_quotes_are_passed_over_only_where_the_quotes_enclose_the_cell(tmp_path, content, column, texts):
    assert [text for (text,) in read(write(tmp_path / "a.csv", content), (column,))] == texts


@pytest.mark.parametrize("mark", "|;\t")
def test_a_delimiter_in_the_first_line_alone_divides_nothing(tmp_path, mark):
    path = write(tmp_path / "a.csv", f"Satu dua {mark} tiga\nempat lima\nenam tujuh\n")
    assert read(path, (f"Satu dua {mark} tiga",)) == [["empat lima"], ["enam tujuh"]]
    for rows in ("", "a, b;x;y\n", " \na;b\n \n  \n"):
        rows = rows.replace(";", mark)
        records = open_records(find_file(write(path, f"text{mark}label\n{rows}"), TableError), TableError)
        assert records.columns == ("text", "label")


def test_a_broken_quote_does_not_change_the_delimiter(tmp_path):
    path = tmp_path / "a.csv"
    text = 'Timestamp;Nama, kelas;Komentar\n1;a, b;"bagus" enak\n2;c, d;xy\n3;c, d;xz\n'
    assert """line 2: ';' expected after '"'""" in refusal(path, text)


@pytest.mark.parametrize("cell", ["#N/A", "#FIELD!", "Err:502"])
def test_what_a_spreadsheet_could_not_compute_is_empty_in_csv(tmp_path, cell):
    assert read(write(tmp_path / "a.csv", f"text,label\n{cell},x\n{cell} a,{cell}\n")) == [["", "x"], [f"{cell} a", ""]]
