"""Small documents, workbooks, PDFs and zips, as bytes."""

import io
import zipfile

import openpyxl

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OPEN = 'xmlns:office="urn:office" xmlns:text="urn:text" xmlns:table="urn:table" xmlns:style="urn:style"'


def zipped(files, packing=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def docx(body, head="", **parts):
    """A Word document of this XML; ``parts`` are further ones below word/."""
    document = f'{head}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    more = {f"word/{name}.xml": f'<w:{name} xmlns:w="{_WORD}">{xml}</w:{name}>' for name, xml in parts.items()}
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document, **more})


def word_paragraph(*texts):
    return f"<w:p>{''.join(f'<w:r><w:t>{text}</w:t></w:r>' for text in texts)}</w:p>"


def open_document(of, body, styles=""):
    content = f"<office:document-content {_OPEN}><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:{of}>{body}</office:{of}></office:body></office:document-content>"
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{of}", "content.xml": content})


def odt(body):
    return open_document("text", body)


def ods(sheets, hidden=()):
    """A spreadsheet of {name: rows of cells}; a row that is a text stands for itself as XML."""
    return open_document("spreadsheet", "".join(
        f'<table:table table:name="{name}" table:style-name="{"ta2" if name in hidden else "ta1"}">'
        f'{"".join(map(_ods_row, rows))}</table:table>' for name, rows in sheets.items()
    ), _ODS_STYLES)  # fmt: skip


_ODS_STYLES = (
    '<style:style style:name="ta1" style:family="table"><style:table-properties table:display="true"/></style:style>'
    '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>'
)


def _ods_row(row):
    if isinstance(row, str):
        return row
    cells = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
    return f"<table:table-row>{cells}</table:table-row>"


def xlsx(sheets, hidden=()):
    """A workbook of {name: rows of cells}."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def pdf(*pages):
    """A PDF with a line of Latin-1 on each page; None is a page without text."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for page in pages:
        drawn = b"" if page is None else b"BT /F1 12 Tf 72 720 Td (" + page.encode("latin-1") + b") Tj ET"
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
                       % (len(objects) + 2))  # fmt: skip
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
    made, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        size, table, size, len(made),
    )  # fmt: skip
