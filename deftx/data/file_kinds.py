"""What a file is, told by its first bytes: names are changed by browsers, mail programs and people."""

import re
import zlib
from dataclasses import dataclass

from deftx.core.errors import DeftxError

# What can be read, by the ending of a name: running text, tables, and archives of both.
TEXTS = {
    ".txt": "plain text",
    ".html": "a web page (HTML)",
    ".docx": "a Word document",
    ".odt": "an OpenDocument text",
    ".pdf": "a PDF",
}
TABLES = {
    ".csv": "a CSV table",
    ".tsv": "a TSV table",
    ".jsonl": "JSON lines",
    ".parquet": "a Parquet file",
    ".xlsx": "an Excel workbook",
    ".ods": "an OpenDocument spreadsheet",
}
ZIP, GZIP = ".zip", ".gz"
KINDS = {**TEXTS, **TABLES, ZIP: "a zip archive"}
ALIASES = {".htm": ".html", ".xhtml": ".html", ".xlsm": ".xlsx", ".ndjson": ".jsonl"}
PLAIN = (".txt", ".csv", ".tsv", ".jsonl", ".html")  # bytes of one encoding; of these nothing certain is at the start
ENDINGS = (*KINDS, *ALIASES)  # of names that are looked at; each also with .gz

START = 4096  # bytes that are enough to tell
GZIP_MODE = zlib.MAX_WBITS | 16

# In a zip: a member, and the kind of the whole.
_OFFICE = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "ppt/presentation.xml": ".pptx"}
_OPEN_DOCUMENT = {"text": ".odt", "spreadsheet": ".ods"}


@dataclass(frozen=True)
class Content:
    """What the bytes are: a ``kind`` of KINDS or GZIP; else ``what`` it is, which cannot be read, and the ``remedy``."""

    kind: str
    what: str = ""
    remedy: str = ""


_UNPACK = "Unpack it, and bring what is in it."
_STARTS = (
    (b"PAR1\x15", Content(".parquet")),
    (b"PK\3\4", Content(ZIP)),
    (b"PK\5\6", Content(ZIP)),
    (b"\x1f\x8b", Content(GZIP)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content(
        "", "a document of an older Office program (.doc, .xls, .ppt), or one with a password",
        "Save it as .docx or .xlsx, without a password.",
    )),
    (b"{\\rtf", Content("", "a document in the Rich Text Format", "Save it as .docx or as plain text.")),
    (b"7z\xbc\xaf\x27\x1c", Content("", "a 7z archive", _UNPACK)),
    (b"Rar!\x1a\x07", Content("", "a RAR archive", _UNPACK)),
    (b"\xfd7zXZ\0", Content("", "packed with xz", "Unpack it, or pack it with gzip.")),
    (b"(\xb5/\xfd", Content("", "packed with Zstandard", "Unpack it, or pack it with gzip.")),
    (b"\x89PNG\r\n\x1a\n", Content("", "a picture", "Text in pictures is not read.")),
    (b"\xff\xd8\xff", Content("", "a picture", "Text in pictures is not read.")),
    (b"GIF87a", Content("", "a picture", "Text in pictures is not read.")),
    (b"GIF89a", Content("", "a picture", "Text in pictures is not read.")),
    (b"SQLite format 3\0", Content("", "an SQLite database", "Export the table as CSV.")),
    (b"ARROW1\0\0", Content("", "an Arrow file", "Write it as Parquet.")),
    (b"\x93NUMPY", Content("", "a NumPy array", "Write the texts as plain text or JSON lines.")),
    (b"version https://git-lfs.github.com/spec/", Content(
        "", "a pointer of Git LFS, not the file that it stands for", "Fetch the file with: git lfs pull.",
    )),
)  # fmt: skip
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)


def recognise(start: bytes) -> Content | None:
    """Tell what a file is by its first ``START`` bytes; None where they say nothing certain, as of plain text."""
    found = next((content for sign, content in _STARTS if start.startswith(sign)), None)
    if found is not None:
        return found
    if start.lstrip(b"\xef\xbb\xbf\0\t\r\n ").startswith(b"%PDF-"):
        return Content(".pdf")
    if start[257:262] == b"ustar":
        return Content("", "a tar archive", "Unpack it, and bring the folder.")
    if _BZIP2.match(start):
        return Content("", "packed with bzip2", "Unpack it, or pack it with gzip.")
    if _PICKLE.match(start):
        return Content("", "a pickle of Python", "Write the texts as plain text or JSON lines.")
    return Content(".html") if _HTML.match(_decoded(start)) else None


def gunzip_start(packed: bytes) -> bytes:
    """Unpack the first bytes of a gzipped file; as many as there are, none where it is damaged."""
    try:
        return zlib.decompressobj(GZIP_MODE).decompress(packed, START)
    except zlib.error:
        return b""


def kind_of_zip(names: set[str], mimetype: bytes) -> Content:
    """Tell what a zip is by the names of its members and the content of that called ``mimetype``, if there is one."""
    found = next((kind for member, kind in _OFFICE.items() if member in names), None)
    if found is None and mimetype.startswith(b"application/vnd.oasis.opendocument."):
        of = mimetype.decode("ascii", "replace").strip().rsplit(".", 1)[-1].removesuffix("-template")
        found = _OPEN_DOCUMENT.get(of, f"OpenDocument {of}")
    if found is None or found in KINDS:
        return Content(found or ZIP)
    return Content("", f"a presentation or drawing ({found})", "Save its text as .docx or as plain text.")


def kind_of_name(name: str) -> tuple[str, bool]:
    """Give the kind that the name promises, "" for none of KINDS, and whether it says gzipped."""
    lower = name.lower()
    gzipped = lower.endswith(GZIP)
    lower = lower.removesuffix(GZIP)
    ending = next((ending for ending in ENDINGS if lower.endswith(ending) and lower != ending), "")
    return ALIASES.get(ending, ending), gzipped


def _decoded(start: bytes) -> str:
    wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    return start.decode("utf-16" if wide else "utf-8", "replace").removeprefix("\ufeff")


def agree(name: str, promised: str, content: Content | None, error: type[DeftxError]) -> str:
    """Give the kind of a file whose name promises one and whose content is another, or none that is certain.

    Raises ``error`` where it cannot be read, or where that would not be what its owner expects.
    """
    if content is not None and not content.kind:
        raise error(f"{name} is {content.what}. {content.remedy}")
    if content is None and (promised in PLAIN or not promised):
        return promised
    if content is None:
        raise error(
            f"{name} is damaged or is not {KINDS[promised]}: nothing in it says so. Write it again, or call it by "
            "what it holds, such as .txt."
        )
    # A page in place of a table or a PDF is mostly the site's word that the download failed.
    if content.kind == ".html" and promised not in ("", ".txt", ".html", ".docx", ".odt"):
        raise error(
            f"{name} is a web page (HTML), not {KINDS[promised]}: a download often gives one where it fails. Open it in "
            "a browser to see what it says; if its text is wanted, call it .html."
        )
    return content.kind
