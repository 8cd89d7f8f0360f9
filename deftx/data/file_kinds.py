"""Recognition of a file's type by its first bytes, since browsers, mail programs and people change names."""

import re
import zlib
from dataclasses import dataclass

from deftx.core.errors import DeftxError

# The readable types by file extension: running text, tables, and archives of both.
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
    ".conllu": "a CoNLL-U file",
    ".conll": "a file in CoNLL columns",
}
HEADED = (".csv", ".tsv", ".xlsx", ".ods")  # the first line names the columns
CONLL = (".conllu", ".conll")  # sentences whose words have tags
ZIP, GZIP = ".zip", ".gz"
SAVED = "data set"  # the kind of a folder that ``Dataset.save_to_disk`` wrote; it is read as one table
KINDS = {**TEXTS, **TABLES, ZIP: "a zip archive"}
ALIASES = {".htm": ".html", ".xhtml": ".html", ".xlsm": ".xlsx", ".ndjson": ".jsonl"}
PLAIN = (
    ".txt",
    ".csv",
    ".tsv",
    ".jsonl",
    ".html",
    *CONLL,
)  # text in some encoding; the first bytes do not identify these
ENDINGS = (*KINDS, *ALIASES)  # supported extensions, each also with .gz

START = 4096  # bytes that are enough to recognise a type
GZIP_MODE = zlib.MAX_WBITS | 16

# The type of a zip by the pattern of a member that it contains.
_OFFICE = {r"word/document\d*\.xml": ".docx", r"xl/workbook\.xml": ".xlsx", r"ppt/presentation\.xml": ".pptx"}
_OPEN_DOCUMENT = {"text": ".odt", "spreadsheet": ".ods"}


@dataclass(frozen=True)
class Content:
    """The type of a file: ``kind`` (one of KINDS, or GZIP); if unsupported, a description ``what`` and a ``remedy``."""

    kind: str
    what: str = ""
    remedy: str = ""


_UNPACK = "Unpack it and give the files in it."
_STARTS = (
    (b"PAR1\x15", Content(".parquet")),
    (b"PK\3\4", Content(ZIP)),
    (b"PK\5\6", Content(ZIP)),
    (b"\x1f\x8b", Content(GZIP)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content(
        "", "a document of an older Office version (.doc, .xls, .ppt), or one with a password",
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
        "", "a Git LFS pointer, not the file itself", "Fetch the file with: git lfs pull.",
    )),
)  # fmt: skip
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)


def recognise(start: bytes) -> Content | None:
    """Return the type of a file by its first ``START`` bytes; None if they do not identify it, as for plain text."""
    found = next((content for sign, content in _STARTS if start.startswith(sign)), None)
    if found is not None:
        return found
    if start.lstrip(b"\xef\xbb\xbf\0\t\r\n ").startswith(b"%PDF-"):
        return Content(".pdf")
    if start[257:262] == b"ustar":
        return Content("", "a tar archive", "Unpack it and give the folder.")
    if _BZIP2.match(start):
        return Content("", "packed with bzip2", "Unpack it, or pack it with gzip.")
    if _PICKLE.match(start):
        return Content("", "a Python pickle", "Write the texts as plain text or JSON lines.")
    return Content(".html") if _HTML.match(_decoded(start)) else None


def gunzip_start(packed: bytes) -> bytes:
    """Unpack the first bytes of a gzipped file; none if it is damaged."""
    try:
        return zlib.decompressobj(GZIP_MODE).decompress(packed, START)
    except zlib.error:
        return b""


def kind_of_zip(names: set[str], mimetype: bytes) -> Content:
    """Return the type of a zip by the names of its members and the content of the member ``mimetype``, if any."""
    found = next((kind for member, kind in _OFFICE.items() if any(re.fullmatch(member, name) for name in names)), None)
    if found is None and mimetype.startswith(b"application/vnd.oasis.opendocument."):
        of = mimetype.decode("ascii", "replace").strip().rsplit(".", 1)[-1].removesuffix("-template")
        found = _OPEN_DOCUMENT.get(of, f"OpenDocument {of}")
    if found is None or found in KINDS:
        return Content(found or ZIP)
    return Content("", f"a presentation or drawing ({found})", "Save its text as .docx or as plain text.")


def kind_of_name(name: str) -> tuple[str, bool]:
    """Return the kind by the extension, "" if it is none of KINDS, and whether the extension says that it is gzipped."""
    lower = name.lower()
    gzipped = lower.endswith(GZIP)
    lower = lower.removesuffix(GZIP)
    ending = next((ending for ending in ENDINGS if lower.endswith(ending) and lower != ending), "")
    return ALIASES.get(ending, ending), gzipped


def _decoded(start: bytes) -> str:
    wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    return start.decode("utf-16" if wide else "utf-8", "replace").removeprefix("\ufeff")


def agree(name: str, promised: str, content: Content | None, error: type[DeftxError]) -> str:
    """Return the kind of a file from the kind by name (``promised``) and the content, which may be None.

    Raises ``error`` if the file cannot be read, or if its content is not what the user probably expects.
    """
    if content is not None and not content.kind:
        raise error(f"{name} is {content.what}. {content.remedy}")
    if content is None and (promised in PLAIN or not promised):
        return promised
    if content is None:
        raise error(
            f"{name} is damaged or is not {KINDS[promised]}: its content does not match. Save it again, or rename it "
            "to its real type, e.g. .txt."
        )
    # A page instead of a table or a PDF is mostly the site's message that the download failed.
    if content.kind == ".html" and promised not in ("", ".txt", ".html", ".docx", ".odt"):
        raise error(
            f"{name} is a web page (HTML), not {KINDS[promised]}: a failed download often produces one. Open it in a "
            "browser to check; to use its text, rename it to .html."
        )
    return content.kind
