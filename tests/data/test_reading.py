"""Without these, a damaged or foreign file would surface as a traceback, or as wrong text, deep in a training."""

import gzip
import os
import tracemalloc

import pytest

from deftx.core.errors import CorpusError, TableError
from deftx.data import unpacking
from deftx.data.reading import Amount, check_amount, find_file, find_files, numbered_lines


def lines(path):
    return list(numbered_lines(find_file(path, CorpusError), CorpusError))


def read_all(path, error):
    return [list(numbered_lines(file, error)) for file in find_files(path, error)]


def refusal(path, error=CorpusError):
    with pytest.raises(error) as caught:
        read_all(path, error)
    return str(caught.value)


def test_lines_keep_their_numbers_through_mixed_line_ends_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffsatu\r\ndua\rtiga\nempat".encode())
    assert [(number, line.strip()) for number, line in lines(path)] == [
        (1, "satu"), (2, "dua"), (3, "tiga"), (4, "empat"),
    ]  # fmt: skip


def test_unusual_separators_inside_a_line_do_not_cut_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("satu\u2028dua\x0btiga\nempat\n", encoding="utf-8")
    assert len(lines(path)) == 2


def test_a_gzipped_file_reads_like_the_plain_one(tmp_path):
    text = "ꦱꦒꦸꦁ\nनमस्ते दुनिया\nمرحبا بالعالم\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.TXT.GZ").write_bytes(gzip.compress(text.encode()))
    assert lines(tmp_path / "a.txt") == lines(tmp_path / "b.TXT.GZ")


@pytest.mark.parametrize(("before", "byte"), [(b"", 13), (b"\xef\xbb\xbf", 16)])
def test_another_encoding_is_refused_with_line_byte_and_remedy(tmp_path, before, byte):
    path = tmp_path / "latin.txt"
    path.write_bytes(before + b"satu\ndua\ntiga\xe9\n")
    message = refusal(path)
    assert f"latin.txt, line 3 (byte {byte})" in message
    assert "save the file as utf-8" in message.lower()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_encodings_without_a_mark_are_refused_on_the_first_line(tmp_path, encoding):
    path = tmp_path / "wide.txt"
    path.write_bytes("satu dua\n".encode(encoding))
    assert "line 1" in refusal(path)
    assert "UTF-8" in refusal(path)


def test_a_truncated_gzip_is_refused(tmp_path):
    path = tmp_path / "cut.txt.gz"
    path.write_bytes(gzip.compress(os.urandom(4000).hex().encode())[:-20])
    assert "cut.txt.gz is damaged or incomplete" in refusal(path)


def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_held_in_memory(tmp_path, monkeypatch):
    path = tmp_path / "long.txt"
    path.write_bytes(b"satu\n" + b"a" * 100_000_000)
    tracemalloc.start()
    assert "long.txt, line 2 is longer than 16 MB" in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 80e6
    tracemalloc.stop()


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_lines_are_the_same_wherever_the_chunks_end(tmp_path, monkeypatch, ends, chunk):
    monkeypatch.setattr(unpacking, "CHUNK", chunk)
    (tmp_path / "a.txt").write_bytes(ends.join([b"satu", b"", "dúa".encode(), b"tiga"]))
    assert [line.strip() for _, line in lines(tmp_path / "a.txt")] == ["satu", "", "dúa", "tiga"]


@pytest.mark.parametrize("content", [bytes(2**25), b"\n" * 2**25, b"satu dua\n" * 2**22])
def test_a_gzip_bomb_is_refused_at_a_hundred_times_its_size(tmp_path, content):
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(content))
    assert "bomb.txt.gz unpacks from" in refusal(tmp_path / "bomb.txt.gz")


@pytest.mark.parametrize("error", [CorpusError, TableError])
def test_what_is_not_a_readable_file_is_refused_in_the_family_asked_for(tmp_path, error):
    (tmp_path / "report.md").write_text("x")
    os.mkfifo(tmp_path / "pipe.txt")
    assert "does not exist" in refusal(tmp_path / "none.txt", error)
    assert "not of a supported type" in refusal(tmp_path / "report.md", error)
    assert "not a regular file" in refusal(tmp_path / "pipe.txt", error)
    assert "empty" in refusal("", error)
    assert "empty" in refusal("  ", error)
    assert "No file" in refusal([], error)
    assert "cannot be opened" in refusal("x" * 5000, error)
    assert "does not exist" in refusal("a\0b.txt", error)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nothing.txt")
    assert "a link to a file that does not exist" in refusal(tmp_path / "gone.txt", error)


def test_a_folder_gives_its_supported_files_sorted_and_nothing_else(tmp_path):
    for name in ("b.txt", "a.csv", "inner/c.txt.gz", ".hidden.txt", ".git/d.txt", "notes.md", "._b.txt", "x.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [file.name for file in find_files(tmp_path, CorpusError)] == ["a.csv", "b.txt", "inner/c.txt.gz"]
    assert find_files(tmp_path, CorpusError)[0].notes == [
        f"Folder {tmp_path.name}: 2 files of other types left out: notes.md, x.gz."
    ]


def test_links_that_leave_a_folder_are_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "own.txt").write_text("own")
    (inside / "file.txt").symlink_to(tmp_path / "outside/secret.txt")
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "loop").symlink_to(inside)
    (inside / "gone.txt").symlink_to(tmp_path / "nothing.txt")
    found = find_files(inside, CorpusError)
    assert [file.name for file in found] == ["own.txt"]
    assert sorted(found[0].notes) == [
        "Folder inside: 1 broken links left out: gone.txt.",
        "Folder inside: 1 links to files outside the folder not followed: file.txt. Give those "
        "files, or copy them into it.",
    ]


def test_links_within_a_folder_and_into_the_blobs_beside_it_are_followed(tmp_path):
    """The Hub's cache keeps files in blobs/ and gives them names by links in snapshots/REVISION/."""
    snapshot = tmp_path / "datasets--a--b/snapshots/0123"
    (snapshot / "data").mkdir(parents=True)
    blobs = tmp_path / "datasets--a--b/blobs"
    blobs.mkdir()
    for number in range(3):
        (blobs / f"b{number}").write_text(f"nasi lamak {number}\n")
        (snapshot / f"data/part-{number}.txt").symlink_to(f"../../../blobs/b{number}")
    (snapshot / "own.txt").write_text("satu\n")
    (snapshot / "again.txt").symlink_to("own.txt")
    for folder in (snapshot, snapshot / "data"):
        found = find_files(folder, CorpusError)
        assert [file.name.removeprefix("data/") for file in found if "part" in file.name] == [
            f"part-{n}.txt" for n in range(3)
        ]
        assert found[0].notes == []
    assert len(find_files(snapshot, CorpusError)) == 4  # a link and what it leads to are one file


def test_a_folder_of_links_that_lead_out_says_why_nothing_is_read(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/a.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "links/loop.txt").symlink_to("loop.txt")
    message = refusal(tmp_path / "links")
    assert "links to files outside the folder not followed: a.txt" in message
    assert "broken links left out: loop.txt" in message


def test_a_folder_without_supported_files_is_refused(tmp_path):
    (tmp_path / "a.md").write_text("x")
    assert ".txt, .html" in refusal(tmp_path)


def test_a_file_named_twice_is_read_once(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    assert len(find_files([tmp_path / "a.txt", tmp_path, str(tmp_path / "a.txt")], CorpusError)) == 1


def test_a_folder_is_refused_where_one_file_is_needed(tmp_path):
    with pytest.raises(TableError, match="is a folder; give a single file"):
        find_file(tmp_path, TableError)


@pytest.mark.parametrize(
    ("content", "lines"), [(b"\n" * 100, 100), (b"a\r\n" * 100, 100), (b"a\r" * 100, 100), (b"a" * 100, 0)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_counted_without_reading_them(tmp_path, content, lines, packed):
    path = tmp_path / ("a.txt.gz" if packed else "a.txt")
    path.write_bytes(gzip.compress(content) if packed else content)
    check_amount(path, Amount(lines, 10**9), CorpusError)
    check_amount([path, path], Amount(lines, 10**9), CorpusError)  # the same file counts once
    if lines:
        with pytest.raises(CorpusError, match="too many lines, empty ones included: the limit is 99"):
            check_amount(path, Amount(99, 10**9), CorpusError)
    with pytest.raises(CorpusError, match="too large: the limit is 0 MB, unpacked"):
        check_amount(path, Amount(10**9, len(content) - 1), CorpusError)
