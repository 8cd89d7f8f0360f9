"""Without these, a file with a wrong name is read as what it is not, or refused without saying what it is."""

import gzip
import io
import tarfile
import zipfile

import pytest
from office_files import docx, ods, odt, pdf, word_paragraph, xlsx, zipped

from deftx.core.errors import CorpusError, TableError
from deftx.data import unpacking, zip_files
from deftx.data.reading import find_file, find_files
from deftx.data.tables import read_table
from deftx.data.text import read_corpus

LINE, ROWS = "nasi lamak", [["text", "label"], ["nasi lamak", "good"]]
PAGE = f"<!DOCTYPE html>\n<html><body><p>{LINE}</body></html>".encode()
DOCUMENTS = {
    "docx": docx(word_paragraph(LINE)), "odt": odt(f"<text:p>{LINE}</text:p>"), "pdf": pdf(LINE), "xlsx": xlsx({"S": ROWS}),
    "ods": ods({"S": ROWS}),
}  # fmt: skip


def lines(path, content):
    path.write_bytes(content)
    return read_corpus(path)


def refusal(path, content, error=CorpusError):
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        read_corpus(path) if error is CorpusError else read_table(path)
    return str(caught.value)


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("name", ["a.{}", "A.{}.GZ", "a.txt", "a.csv", "a.doc", "a", "a.zip"])
def test_a_document_is_read_whatever_it_is_called(tmp_path, kind, name):
    content, name = DOCUMENTS[kind], name.format(kind)
    corpus = lines(tmp_path / name, gzip.compress(content) if name.endswith("GZ") else content)
    assert corpus.lines == [LINE]
    wrong = name in ("a.txt", "a.csv", "a.zip")
    assert [("in spite of its name" in note) for note in corpus.notes] == [True] * wrong


@pytest.mark.parametrize("page", [PAGE, b"\xef\xbb\xbf" + PAGE, PAGE.decode().encode("utf-16"), b" <!-- x --><html><p>nasi lamak",
    b'<?xml version="1.0"?><html xmlns="x"><p>nasi lamak</p></html>'])  # fmt: skip
def test_a_text_that_is_a_web_page_is_read_as_one(tmp_path, page):
    assert lines(tmp_path / "a.txt", page).lines == [LINE]


def test_a_web_page_in_place_of_a_table_is_refused(tmp_path):
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.xlsx", "a.pdf"):
        assert f"{name} is a web page (HTML), not" in refusal(tmp_path / name, PAGE)


def test_text_is_not_taken_for_something_else(tmp_path):
    for text in ("PAR1 is a column", "PK is a name", "GIF89 was a format", "about %PDF-1.4 files", "BZh", "a <html> b"):
        assert lines(tmp_path / "a.txt", text.encode()).lines == [text]


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "older Office program"),
        (b"{\\rtf1\\ansi nasi}", "Rich Text Format"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        (b"Rar!\x1a\x07\0", "RAR archive"),
        (b"\xfd7zXZ\0\0", "packed with xz"),
        (b"BZh91AY&SYx", "packed with bzip2"),
        (b"(\xb5/\xfdx", "packed with Zstandard"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x80\x04\x95", "pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
        (zipped({"ppt/presentation.xml": "<p/>"}), "presentation"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.presentation"}), "presentation"),
        (tarred(), "a tar archive"),
        (gzip.compress(tarred()), "a tar archive"),
        (gzip.compress(gzip.compress(b"satu")), "gzipped twice"),
        (gzip.compress(zipped({"a.txt": "satu"})), "zip archive that is gzipped"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.xls", "a.txt.gz"])
def test_what_cannot_be_read_is_said_to_be_what_it_is(tmp_path, name, content, what):
    assert what in refusal(tmp_path / name, content)


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.ods", "a.pdf", "a.parquet", "a.zip"])
@pytest.mark.parametrize("content", [b"", b"nasi lamak", b"PK\3\4" + bytes(20), bytes(100)])
def test_what_is_none_of_its_kind_is_refused(tmp_path, name, content):
    assert "damaged" in refusal(tmp_path / name, content)


def test_plain_text_called_gz_is_read_and_bytes_behind_a_gzip_stream_are_left_out(tmp_path):
    plain = lines(tmp_path / "plain.txt.gz", b"satu\ndua\n")
    assert plain.lines == ["satu", "dua"]
    assert plain.notes == ("plain.txt.gz is not gzipped, in spite of its name; it is read as it is.",)
    for behind in (b"\r\n", b"x", b"\0\0garbage"):
        corpus = lines(tmp_path / "b.txt.gz", gzip.compress(b"satu\n") + gzip.compress(b"dua\n") + behind)
        assert corpus.lines == ["satu", "dua"]
        assert corpus.notes == ("b.txt.gz: bytes behind the end of the gzipped text are left out.",)
    assert lines(tmp_path / "zeros.txt.gz", gzip.compress(b"satu\n") + bytes(2000)).notes == ()
    assert lines(tmp_path / "named.txt", gzip.compress(b"satu\n")).lines == ["satu"]


def test_a_damaged_second_gzip_stream_is_no_garbage(tmp_path):
    assert "damaged or cut off" in refusal(tmp_path / "a.txt.gz", gzip.compress(b"a\n") + gzip.compress(b"b" * 99)[:-9])


def test_a_zip_gives_its_files_in_order_and_names_those_that_are_left_out(tmp_path):
    content = zipped({
        "b/two.txt": "dua", "a.docx": DOCUMENTS["docx"], "b/s.csv": "text\ntiga\n", "__MACOSX/b/._two.txt": "x", ".hidden.txt": "x",
        "b/picture.png": b"\x89PNG", "inner.zip": zipped({"c.txt": "x"}), "c.txt.gz": gzip.compress(b"x"), "b/": b"",
    })  # fmt: skip
    (tmp_path / "a.zip").write_bytes(content)
    corpus = read_corpus(tmp_path / "a.zip")
    assert corpus.sources == (("a.zip/a.docx", 1), ("a.zip/b/s.csv", 1), ("a.zip/b/two.txt", 1))
    assert corpus.lines == [LINE, "tiga", "dua"]
    assert corpus.notes == ("a.zip: 3 files of other kinds are left out: b/picture.png, c.txt.gz, inner.zip.",)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zip"]


def test_a_zip_of_one_table_is_that_table(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"a.csv": "text,label\nsatu,good\n"}))
    assert read_table(tmp_path / "a.zip").labels == ["good"]
    assert "holds 2 files" in refusal(tmp_path / "b.zip", zipped({"a.csv": "text,label\n", "b.csv": "x"}), TableError)


def test_a_zip_without_a_readable_file_says_what_it_holds(tmp_path):
    assert "holds no file that can be read: 1 files of other kinds" in refusal(
        tmp_path / "a.zip", zipped({"a.exe": "x"})
    )
    assert "holds no file that can be read" in refusal(tmp_path / "a.zip", zipped({}))


@pytest.mark.parametrize("name", ["../a.txt", "/etc/a.txt", "b/../../a.txt", "..\\a.txt", "C:\\a.txt", "a\x01.txt"])
def test_a_zip_with_a_path_that_leaves_is_refused_whole(tmp_path, name):
    assert "leads out of it" in refusal(tmp_path / "a.zip", zipped({"good.txt": "x", name: "x"}))


def test_bombs_in_a_zip_are_refused(tmp_path, monkeypatch):
    assert "unpacks to more than" in refusal(tmp_path / "a.zip", zipped({"a.txt": "satu dua\n" * 2**22}))
    monkeypatch.setattr(unpacking, "SMALL_MEMBER", 100)
    assert "unpacks to more than" in refusal(tmp_path / "b.zip", zipped({"a.txt": b"\0" * 2**20}))


def test_a_zip_whose_members_share_their_bytes_is_refused(tmp_path):
    stream = io.BytesIO(zipped({"a.txt": bytes(range(256)) * 8, "b.txt": "x"}, zipfile.ZIP_STORED))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.filelist += [archive.filelist[0]] * 50  # the list names one member many times
        archive._didModify = True
    assert "larger than it is" in refusal(tmp_path / "a.zip", stream.getvalue())


def test_a_zip_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_files, "MOST_MEMBERS", 3)
    assert "holds 4 members" in refusal(tmp_path / "a.zip", zipped({f"{n}.txt": "x" for n in range(4)}))
    monkeypatch.setattr(zip_files, "LARGEST_LIST", 10)
    assert "too many members" in refusal(tmp_path / "a.zip", zipped({"a.txt": "x"}))


def test_a_locked_zip_and_a_rare_packing_are_named(tmp_path):
    content = bytearray(zipped({"a.txt": "satu"}, zipfile.ZIP_STORED))
    for at in (6, content.find(b"PK\1\2") + 8):
        content[at] |= 1
    assert "locked with a password" in refusal(tmp_path / "a.zip", bytes(content))
    assert "packed in a rare way" in refusal(tmp_path / "b.zip", zipped({"a.txt": "satu"}, zipfile.ZIP_BZIP2))


def test_a_file_of_a_zip_is_named_by_both(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"b.csv": 'text,label\n"satu'}))
    assert find_file(tmp_path / "a.zip", TableError).name == "a.zip/b.csv"
    with pytest.raises(TableError, match=r"a\.zip/b\.csv, line 2"):
        read_table(tmp_path / "a.zip")


def test_a_zip_in_a_folder_and_beside_itself_is_read_once(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"b.txt": "satu", "c.txt": "dua"}))
    assert len(find_files([tmp_path, tmp_path / "a.zip"], CorpusError)) == 2


@pytest.mark.parametrize(("module", "ending"), [("openpyxl", "xlsx"), ("pypdf", "pdf")])
def test_a_missing_package_is_named_with_its_command(tmp_path, monkeypatch, module, ending):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    content = DOCUMENTS[ending]
    assert f'{module}, which is missing. Install it: pip install "deftx[files]"' in refusal(
        tmp_path / f"a.{ending}", content
    )
