"""Without these, a PDF of pictures is an empty corpus, or a small one keeps the program busy for hours."""

import pytest
from office_files import pdf

from deftx.core.errors import CorpusError
from deftx.data import pdf as pdf_reader
from deftx.data.documents import text_lines
from deftx.data.reading import find_file


def refusal(path, content):
    path.write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        list(text_lines(find_file(path, CorpusError), CorpusError))
    return str(caught.value)


def test_a_pdf_gives_its_lines_and_counts_pages_without_text(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf("Urang rami", None, "Sagalo manusia é"))
    file = find_file(tmp_path / "a.pdf", CorpusError)
    assert list(text_lines(file, CorpusError)) == [(1, "Urang rami"), (2, "Sagalo manusia é")]
    assert file.notes == ["a.pdf: 1 of 3 pages contain no text; they may be images, or are drawn in too many steps."]


def test_a_pdf_of_pictures_says_so(tmp_path):
    assert "contains no text: its pages are images" in refusal(tmp_path / "a.pdf", pdf(None, None))


def test_a_damaged_pdf_is_refused(tmp_path):
    assert "cannot be read as a PDF" in refusal(tmp_path / "a.pdf", pdf("satu")[:60])


def test_a_pdf_of_too_many_pages_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_reader, "MOST_PAGES", 2)
    assert "has 3 pages; at most 2" in refusal(tmp_path / "a.pdf", pdf("a", "b", "c"))


def test_a_pdf_that_takes_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_reader, "MOST_SECONDS", 0)
    assert "takes too long to read" in refusal(tmp_path / "a.pdf", pdf("a", "b"))


@pytest.mark.slow
def test_a_page_of_endless_steps_is_left_out(tmp_path):
    assert "drawn in too many steps" in refusal(tmp_path / "a.pdf", pdf("a) Tj (b" * 300_000))
