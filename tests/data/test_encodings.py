"""Without these, a text in an old encoding is refused without help, or learned from with every accent wrong."""

import codecs
import gzip

import pytest

from deftx.core.errors import CorpusError, TableError
from deftx.data.encodings import check_encoding, guess_encodings
from deftx.data.reading import find_file, find_files
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.data.unlabelled import read_texts

SENTENCES = {
    "cp1252": "Les élèves étaient très fatigués après l’école",
    "cp1250": "Zażółć gęślą jaźń, proszę bardzo",
    "cp1251": "Съешь же ещё этих мягких французских булок",
    "koi8_r": "Съешь же ещё этих мягких французских булок",
    "cp1253": "Η γλώσσα μου είναι ελληνικά",
    "cp1254": "Türkçe güzel bir dildir, çalışıyorum şimdi değil",
    "cp1256": "مرحبا بالعالم هذا نص عربي",
    "cp874": "สวัสดีชาวโลก ภาษาไทยง่าย",
    "gb18030": "今天天气很好，我们去公园玩。",
    "cp932": "今日は天気がいいですね。公園へ行きましょう",
    "cp949": "오늘은 날씨가 좋네요 공원에 갑시다",
    "utf_16_le": "Les élèves étaient très fatigués",
    "utf_16_be": "Съешь же ещё этих мягких",
}
WESTERN = [
    "El niño comió mañana en la montaña, ¿verdad?",
    "Não é possível, então vamos à praia amanhã",
    "Þetta er íslenska, það er gott að búa á Íslandi",
    "Ñuqanchik runasimita rimanchik, allinmi kaypi tiyay ñan",
    "Über die Straße gehen schöne Mädchen",
]


def guessed(path, content):
    path.write_bytes(content)
    return guess_encodings(find_file(path, CorpusError), CorpusError)


@pytest.mark.parametrize("encoding", SENTENCES)
def test_the_encoding_of_a_text_is_guessed_and_its_lines_are_shown(tmp_path, encoding):
    text = "\n".join(["satu dua", *[SENTENCES[encoding]] * 5])
    first = guessed(tmp_path / "a.txt", text.encode(encoding))[0]
    assert first.encoding == encoding
    assert SENTENCES[encoding] in first.lines


@pytest.mark.parametrize("sentence", WESTERN)
@pytest.mark.parametrize("times", [1, 40])
def test_western_texts_are_taken_for_windows_1252_not_for_its_neighbours(tmp_path, sentence, times):
    assert guessed(tmp_path / "a.txt", f"{sentence}\n".encode("cp1252") * times)[0].encoding == "cp1252"


def test_other_encodings_that_fit_can_be_chosen(tmp_path):
    found = guessed(tmp_path / "a.txt", SENTENCES["cp1252"].encode("cp1252"))
    assert {"cp1252", "cp1250", "cp1254"} <= {guess.encoding for guess in found}
    assert all("\0" not in line for guess in found for line in guess.lines)


@pytest.mark.parametrize("content", [b"satu dua\n", "é\n".encode(), "é\n".encode("utf-16"), b"",
    "été\n".encode() * 9 + b"\xff\n"])  # fmt: skip
def test_nothing_is_guessed_of_utf_8_whole_or_damaged(tmp_path, content):
    assert guessed(tmp_path / "a.txt", content) == ()


def test_a_foreign_text_names_the_likely_encoding_its_line_and_the_remedy(tmp_path):
    (tmp_path / "a.txt").write_bytes("satu\nl’été\n".encode("cp1252"))
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path / "a.txt")
    message = str(caught.value)
    assert "a.txt, line 2 (byte 6): this is not UTF-8" in message
    assert "Windows-1252" in message
    assert "l’été" in message
    assert "--encoding cp1252" in message


def test_of_several_files_one_that_is_likely_in_another_encoding_is_noted(tmp_path):
    for name, encoding in (("a", "cp1252"), ("b", "cp1251"), ("c", "cp1252")):
        (tmp_path / f"{name}.txt").write_bytes(f"{SENTENCES[encoding]}\n".encode(encoding) * 5)
    (note,) = read_corpus(tmp_path, encoding="cp1252").notes
    assert note.startswith("b.txt is read in the encoding cp1252, but may be Cyrillic (Windows-1251): “Съешь")
    assert "--encoding cp1251" in note
    assert read_corpus(tmp_path / "b.txt", encoding="cp1252").notes == ()


@pytest.mark.parametrize(
    "encoding", ["gbk", "gb2312", "big5", "cp950", "cp932", "cp949", "tis_620", "iso8859_9", "cp1251"]
)
def test_nothing_is_noted_of_a_text_that_is_in_the_encoding_that_is_told(tmp_path, encoding):
    known = {"gbk": "gb18030", "gb2312": "gb18030", "tis_620": "cp874", "iso8859_9": "cp1254"}.get(encoding, encoding)
    text = SENTENCES.get(known, "今天天氣很好，我們去公園玩。")
    for name in "ab":
        (tmp_path / f"{name}.txt").write_bytes(f"{text}\n".encode(encoding) * 5)
    corpus = read_corpus(tmp_path, encoding=encoding)
    assert corpus.lines == [text] * 10
    assert corpus.notes == ()


def test_a_text_is_not_doubted_if_all_of_it_is_in_an_encoding_of_long_characters(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_bytes("谢谢你们\n".encode("gb18030"))
    assert guess_encodings(find_file(tmp_path / "a.txt", CorpusError), CorpusError)[0].encoding != "gb18030"
    assert read_corpus(tmp_path, encoding="gb18030").notes == ()


def test_nothing_is_guessed_before_a_text_is_read(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text("été\n", encoding="cp1252")
    monkeypatch.setattr("charset_normalizer.from_bytes", None)
    assert len(find_files(tmp_path, CorpusError, "cp1252")) == 2


def test_a_single_nul_in_utf_8_is_damage_and_no_other_encoding(tmp_path):
    for text in (b"satu dua\0tiga\nempat\x01\n", b"satu dua\0tiga\nempat \x1b[0m\n", "été\x85 satu\0dua\n".encode(),
                 b"abc\xff def\0 ghi jkl mno pqr\n"):  # fmt: skip
        assert guessed(tmp_path / "a.txt", text) == ()
    for text in ("satu dua tiga empat lima\nenam tu\0juh\n", "été à la plage\nenam tu\0juh\n"):
        assert guessed(tmp_path / "a.txt", text.encode()) == ()
        with pytest.raises(CorpusError, match=r"a\.txt, line 2: the line contains a NUL character\. Remove it"):
            read_corpus(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "sentence",
    ["สวัสดีชาวโลกภาษาไทยง่าย" * 9, "今天天气很好，我们去公园玩。" * 9, "مرحبا بالعالم هذا نص عربي", "नमस्ते दुनिया", "ab"],
)
@pytest.mark.parametrize("encoding", ["utf_16_le", "utf_16_be"])
def test_wide_text_with_few_or_many_nuls_is_wide(tmp_path, sentence, encoding):
    assert guessed(tmp_path / "a.txt", f"{sentence}\n".encode(encoding))[0].encoding == encoding


@pytest.mark.parametrize("encoding", ["utf_16_le", "utf_16_be"])
def test_wide_text_without_spaces_is_not_taken_for_utf_8(tmp_path, encoding):
    content = ("नमस्तेदुनिया" * 9 + "\n").encode(encoding)
    assert {guess.encoding for guess in guessed(tmp_path / "a.txt", content)[:2]} == {"utf_16_le", "utf_16_be"}


def test_damaged_utf_8_is_not_taken_for_another_encoding(tmp_path):
    (tmp_path / "a.txt").write_bytes("été\n".encode() * 9 + b"tiga\xff\n")
    with pytest.raises(CorpusError, match=r"line 10 .*Save the file as UTF-8") as caught:
        read_corpus(tmp_path / "a.txt")
    assert "Windows" not in str(caught.value)


@pytest.mark.parametrize("encoding", [*SENTENCES, "utf-16", "utf-32", "latin1", "iso2022_jp", "utf-7"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_text_is_read_in_the_encoding_that_is_told(tmp_path, encoding, packed):
    lines = [
        "satu",
        SENTENCES.get(encoding, "今日は" if "jp" in encoding else "été à 3 €" if "l" not in encoding else "été"),
    ]
    content = "\r\n".join(lines).encode(encoding)
    path = tmp_path / ("a.txt.gz" if packed else "a.txt")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read_corpus(path, encoding=encoding).lines == lines


def test_the_encoding_is_told_for_tables_and_texts_to_classify_too(tmp_path):
    (tmp_path / "a.csv").write_bytes("text;label\nété;où\n".encode("cp1252"))
    table = read_table(tmp_path / "a.csv", encoding="Windows-1252")
    assert (table.texts, table.labels) == (["été"], ["où"])
    assert read_texts(tmp_path / "a.csv", encoding="cp1252").texts == ["été"]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_a_byte_order_mark_decides(tmp_path, mark):
    wide = "32" if len(mark) == 4 else "16"
    order = "le" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE) else "be"
    (tmp_path / "a.csv").write_bytes(mark + "text\tlabel\r\nété\tq\r\n".encode(f"utf-{wide}-{order}"))
    for told in (None, "cp1252"):
        assert read_table(tmp_path / "a.csv", encoding=told).texts == ["été"]


@pytest.mark.parametrize("content", [b"\xfe", b"\xff\xfe", b"\xff\xfea", "é".encode("utf-16")[:-1]])
def test_a_text_that_ends_within_a_character_is_refused(tmp_path, content):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(CorpusError):
        read_corpus(tmp_path / "a.txt", encoding="utf-16")


def test_in_a_folder_of_both_the_encoding_is_for_those_that_are_not_utf_8(tmp_path):
    (tmp_path / "a.txt").write_text("été\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("été\n", encoding="cp1252")
    corpus = read_corpus(tmp_path, encoding="cp1252")
    assert corpus.lines == ["été", "été"]
    assert corpus.notes == ("a.txt is UTF-8 and is read as UTF-8.",)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf_16", "utf-32-be"])
def test_ascii_in_a_folder_of_wide_texts_is_ascii(tmp_path, encoding):
    (tmp_path / "a.txt").write_text("satu dua\n", encoding="ascii")
    (tmp_path / "b.txt").write_text("tiga\n", encoding=encoding)
    corpus = read_corpus(tmp_path, encoding=encoding)
    assert corpus.lines == ["satu dua", "tiga"]
    assert corpus.notes == ("a.txt is UTF-8 and is read as UTF-8.",)


def test_a_text_that_is_not_in_the_encoding_that_is_told_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x81\x8d \xff")
    with pytest.raises(CorpusError, match="not text in the encoding cp1252"):
        read_corpus(tmp_path / "a.txt", encoding="cp1252")


@pytest.mark.parametrize(
    "name", ["", "klingon", "zip", "base64", "rot13", "../x", "unicode_escape", "punycode", "x" * 999]
)
def test_only_encodings_of_text_can_be_told(name):
    with pytest.raises(TableError, match="not a text encoding"):
        check_encoding(name, TableError)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Windows-1252", "cp1252"),
        ("latin-1", "latin_1"),
        ("UTF8", "utf_8"),
        ("cp874", "cp874"),
        ("ISO-8859-15", "iso8859_15"),
    ],
)
def test_encodings_have_the_names_that_people_use(name, known):
    assert check_encoding(name, CorpusError) == known


def test_a_missing_package_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "charset_normalizer", None)
    with pytest.raises(
        CorpusError, match=r'charset-normalizer, which is missing. Install it: pip install "deftx\[files\]"'
    ):
        guessed(tmp_path / "a.txt", b"\xe9t\xe9\n")
