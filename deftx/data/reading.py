"""Opening of users' files: text and tables, plain or gzipped, single files, lists of files and folders.

Every function takes the ``error`` class to raise, CorpusError or TableError. Lines and rows are streamed. Error messages
name the file, the line and what to do.
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deftx.core.errors import DeftxError, one_of

EXTENSIONS = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")  # each also with .gz

_SUPPORTED = f"{one_of(EXTENSIONS)}, each also with .gz"
CHUNK = 2**20  # bytes read at a time
LONGEST_LINE = 2**24  # bytes: longer than a book; a line is kept in memory
# Limits on the unpacked size of a gzipped file: always allowed (bytes), multiple of its size, never more than (bytes).
SMALL_UNPACKED, MOST_TIMES, MOST_UNPACKED = 2**20, 100, 2**31

# What gzip raises for a file that is truncated, damaged, or not gzipped.
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class InputFile:
    """A readable file: its path, its name in messages, its kind (one of EXTENSIONS) and whether it is gzipped."""

    path: Path
    name: str
    kind: str
    gzipped: bool


def find_files(source: str | Path | Sequence[str | Path], error: type[DeftxError]) -> list[InputFile]:
    """Return the files of a source: a file, a folder (its supported, non-hidden files, sorted) or a list of them."""
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    if not sources:
        raise error("No file was given.")
    found: dict[Path, InputFile] = {}
    for item in sources:
        for file in _find(item, error):
            found.setdefault(file.path.resolve(), file)
    return list(found.values())


def find_file(source: str | Path, error: type[DeftxError]) -> InputFile:
    """Return the one file of a source. Raise ``error`` for a folder."""
    if str(source).strip() and os.path.isdir(source):
        raise error(f"{source} is a folder; give a single file.")
    return find_files(source, error)[0]


def open_bytes(file: InputFile) -> BinaryIO:
    """Open a file for reading bytes; unpack it if it is gzipped."""
    return gzip.open(file.path, "rb") if file.gzipped else file.path.open("rb")


def read_bytes(file: InputFile, most: int, error: type[DeftxError]) -> bytes:
    """Read a whole file, unpacked. Raise ``error`` if it has more than ``most`` bytes."""
    with open_bytes(file) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise error(f"{file.name} unpacks to more than {most >> 20} MB. Unpack it, or use a part of it.")
    return content


def numbered_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of a UTF-8 file, numbered from 1, with line ends and without a byte order mark."""
    offset = 0
    for number, raw in enumerate(_raw_lines(file, error), 1):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise error(
                f"{file.name}, line {number} (byte {offset + problem.start}): this is not UTF-8 text. "
                "Save the file as UTF-8 (in most editors: Save as, Encoding) and try again."
            ) from None
        if "\0" in line:
            raise error(
                f"{file.name}, line {number}: the line contains a NUL character, so this is not plain text. "
                "Save the file as UTF-8 text and try again."
            )
        yield number, line.removeprefix("\ufeff") if offset == 0 else line
        offset += len(raw)


def _find(source: str | Path, error: type[DeftxError]) -> list[InputFile]:
    if not str(source).strip():
        raise error("The path of the file is empty.")
    path = Path(source)
    try:
        if path.is_dir():
            return _find_in_folder(path, error)
        if not path.is_file():
            raise error(f"{path} {'is not a regular file' if path.exists() else 'does not exist'}.")
    except OSError as problem:
        raise error(f"{str(path)[:200]} cannot be opened: {problem.strerror}.") from None
    file = _input_file(path, path.name)
    if file is None:
        raise error(f"{path.name} is not of a supported type. Supported: {_SUPPORTED}. Save it as one of these.")
    return [file]


def _find_in_folder(folder: Path, error: type[DeftxError]) -> list[InputFile]:
    inside = folder.resolve()
    found = []
    for parent, folders, names in os.walk(folder):  # does not enter folders that are links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            file = _input_file(path, path.relative_to(folder).as_posix())
            # A link may point outside of the folder, to files that must not be read.
            if file and path.is_file() and path.resolve().is_relative_to(inside):
                found.append(file)
    if not found:
        raise error(f"The folder {folder} contains no supported file. Supported: {_SUPPORTED}.")
    return sorted(found, key=lambda file: file.name)


def _input_file(path: Path, name: str) -> InputFile | None:
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    gzipped = endings[-1:] == [".gz"]
    kind = "".join(endings[:-1] if gzipped else endings[-1:])
    return InputFile(path, name, kind, gzipped) if kind in EXTENSIONS else None


def _raw_lines(file: InputFile, error: type[DeftxError]) -> Iterator[bytes]:
    """Yield lines with their ends, which may be \\n, \\r\\n or \\r."""
    number, rest = 0, b""
    for chunk in _chunks(file, error):
        # The last line may continue in the next chunk, or its \r may be the first half of \r\n.
        *lines, rest = (rest + chunk).splitlines(keepends=True)
        number += len(lines)
        if len(rest) > LONGEST_LINE:
            raise error(
                f"{file.name}, line {number + 1} is longer than {LONGEST_LINE >> 20} MB. "
                "Put each sentence, paragraph or row on a line of its own."
            )
        yield from lines
    if rest:
        yield rest


def _chunks(file: InputFile, error: type[DeftxError]) -> Iterator[bytes]:
    unpacked = 0
    try:
        packed = file.path.stat().st_size
        most = min(max(SMALL_UNPACKED, MOST_TIMES * packed), MOST_UNPACKED)
        with open_bytes(file) as stream:
            while chunk := stream.read(CHUNK):
                unpacked += len(chunk)
                if file.gzipped and unpacked > most:
                    raise error(
                        f"{file.name} unpacks from {packed / 1e6:,.1f} MB to more than {most >> 20} MB, which is too much. "
                        "Unpack it, or use a part of it."
                    )
                yield chunk
    except BROKEN_GZIP:
        raise error(f"{file.name} is damaged or incomplete and cannot be unpacked. Copy it again.") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
