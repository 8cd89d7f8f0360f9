"""Without these, text that a reader sees is lost without a word, or text that nobody sees is learned from."""

import io
import zipfile

import pytest
from office_files import docx, odt, word_paragraph, zipped

from deftx.core.errors import CorpusError
from deftx.data import xml_parts
from deftx.data.documents import text_lines
from deftx.data.reading import find_file


def lines(path, content):
    path.write_bytes(content)
    return [line for _, line in text_lines(find_file(path, CorpusError), CorpusError) if line]


def refusal(path, content):
    with pytest.raises(CorpusError) as caught:
        lines(path, content)
    return str(caught.value)


def test_a_word_document_gives_a_line_a_paragraph_with_all_that_is_seen(tmp_path):
    body = (
        '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>nasi</w:t><w:tab/><w:t>lamak</w:t></w:r>'
        "<w:hyperlink><w:r><w:t xml:space='preserve"
        "'> bana</w:t></w:r></w:hyperlink></w:p>"
        + "<w:sdt><w:sdtContent>" + word_paragraph("di dalam ", "bingkai &amp; kolom") + "</w:sdtContent></w:sdt>"
        + f"<w:tbl><w:tr><w:tc>{word_paragraph('sel')}</w:tc></w:tr></w:tbl>"
        + "<w:p><w:r><w:t>atas</w:t><w:br/><w:t>bawah</w:t></w:r></w:p>"
    )  # fmt: skip
    assert lines(tmp_path / "a.docx", docx(body, footnotes=word_paragraph("catatan"))) == [
        "nasi lamak bana", "di dalam bingkai & kolom", "sel", "atas", "bawah", "catatan",
    ]  # fmt: skip


def test_a_word_document_whose_main_part_has_a_number_is_read(tmp_path):
    with zipfile.ZipFile(io.BytesIO(docx(word_paragraph("nasi lamak")))) as made:
        parts = {name.replace("document", "document2"): made.read(name) for name in made.namelist()}
    assert lines(tmp_path / "a.docx", zipped(parts)) == ["nasi lamak"]


def test_what_was_deleted_moved_away_or_only_tells_how_to_draw_is_no_text(tmp_path):
    body = (
        "<w:p><w:del><w:r><w:delText>lama</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>pindah</w:t></w:r></w:moveFrom>"
        "<w:ins><w:r><w:t>baru</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
        "<w:p><w:r><w:Choice><w:p><w:r><w:t>kotak</w:t></w:r></w:p></w:Choice>"
        "<w:Fallback><w:p><w:r><w:t>kotak</w:t></w:r></w:p></w:Fallback></w:r></w:p>"
    )
    assert lines(tmp_path / "a.docx", docx(body)) == ["baru", "kotak"]


def test_an_open_document_text_gives_headings_paragraphs_and_notes(tmp_path):
    body = (
        "<text:h>Judul</text:h><text:p>satu<text:s/>dua<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>catatan</text:p></text:note-body></text:note> tiga</text:p>"
        "<office:annotation><text:p>komentar</text:p></office:annotation>"
        "<text:list><text:list-item><text:p>butir</text:p></text:list-item></text:list>"
    )
    assert lines(tmp_path / "a.odt", odt(body)) == ["Judul", "catatan", "satu dua tiga", "butir"]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_a_part_in_utf_16_is_read_as_in_utf_8(tmp_path, encoding):
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    document = f'{head}<w:document xmlns:w="urn:w">{word_paragraph("ꦱꦒꦸꦁ")}</w:document>'.encode(encoding)
    assert lines(tmp_path / "a.docx", zipped({"word/document.xml": document})) == ["ꦱꦒꦸꦁ"]


@pytest.mark.parametrize("entity", ['<!ENTITY a "haha">', '<!ENTITY a SYSTEM "file:///etc/passwd">'])
def test_entities_in_a_document_are_refused(tmp_path, entity):
    content = docx(word_paragraph("&a;"), head=f'<?xml version="1.0"?><!DOCTYPE x [{entity}]>')
    assert "declares XML entities" in refusal(tmp_path / "a.docx", content)


def test_a_document_that_unpacks_to_too_much_is_refused(tmp_path):
    content = docx(word_paragraph("a" * 2**24))
    assert len(content) < 2**16
    assert "unpacks to more than 4 MB" in refusal(tmp_path / "a.docx", content)


def test_all_parts_of_a_document_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr(xml_parts, "SMALL_PARTS", 1_500)
    monkeypatch.setattr(xml_parts, "MOST_PARTS", 1_500)
    assert lines(tmp_path / "a.docx", docx(word_paragraph("a" * 1_000))) == ["a" * 1_000]
    content = docx(word_paragraph("a" * 1_000), footnotes=word_paragraph("b" * 1_000))
    assert "unpacks to more than" in refusal(tmp_path / "a.docx", content)


@pytest.mark.parametrize("body", ["<w:p>", "</w:p>", "<w:p>\0</w:p>", "<w:p>&nbsp;</w:p>"])
def test_damaged_xml_is_refused(tmp_path, body):
    assert "not well-formed XML" in refusal(tmp_path / "a.docx", docx(body))


def test_a_million_elements_one_in_the_other_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(xml_parts, "SMALL_PARTS", 2**26)
    deep = 300_000
    content = docx("<w:p>" * deep + "<w:r><w:t>dalam</w:t></w:r>" + "</w:p>" * deep)
    assert lines(tmp_path / "a.docx", content) == ["dalam"]
