"""Opens the files that people bring: text and tables, plain or gzipped, one, several or a folder of them.

Nothing here knows what the content is for, so every function takes the ``error`` to raise: CorpusError or TableError.
Lines and rows are streamed; a file that cannot be read is named with the line and what to do about it.
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deftx.core.errors import DeftxError, one_of

TABLE_EXTENSIONS = (".csv", ".tsv", ".jsonl", ".parquet")  # table_formats has a reader for each
EXTENSIONS = (".txt", *TABLE_EXTENSIONS)  # each also with .gz

_SUPPORTED = f"{one_of(EXTENSIONS)}, each also with .gz"
CHUNK = 2**20  # bytes read at a time
LONGEST_LINE = 2**24  # bytes: whole books are shorter, and a line is held in memory
# Of a gzipped file: what it may unpack to in any case, in multiples of its size, and at the most, in bytes.
SMALL_UNPACKED, MOST_TIMES, MOST_UNPACKED = 2**20, 100, 2**31

# What gzip raises for a file that is cut off, damaged, or not gzipped at all.
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class InputFile:
    """One readable file: where it is, how it is called in messages, its kind (of EXTENSIONS) and whether it is gzipped."""

    path: Path
    name: str
    kind: str
    gzipped: bool


def find_files(source: str | Path | Sequence[str | Path], error: type[DeftxError]) -> list[InputFile]:
    """Resolve a file, a folder (its supported files, sorted, none hidden) or several of them, each file once."""
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    if not sources:
        raise error("No file was named.")
    found: dict[Path, InputFile] = {}
    for item in sources:
        for file in _find(item, error):
            found.setdefault(file.path.resolve(), file)
    return list(found.values())


def find_file(source: str | Path, error: type[DeftxError]) -> InputFile:
    """Resolve exactly one file; a folder is refused."""
    if str(source).strip() and os.path.isdir(source):
        raise error(f"{source} is a folder; name one file.")
    return find_files(source, error)[0]


def open_bytes(file: InputFile) -> BinaryIO:
    """Open a file for reading bytes, unpacked."""
    return gzip.open(file.path, "rb") if file.gzipped else file.path.open("rb")


def read_bytes(file: InputFile, most: int, error: type[DeftxError]) -> bytes:
    """Read a whole file, unpacked; one of more than ``most`` bytes is refused."""
    with open_bytes(file) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise error(f"{file.name} unpacks to more than {most >> 20} MB. Unpack it, or bring a part of it.")
    return content


def numbered_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Stream the lines of a UTF-8 file with numbers from 1 and with their ends; a byte order mark is taken off."""
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
                f"{file.name}, line {number}: there is a NUL character, so this is not plain text. "
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
        raise error(f"{path.name} is of a kind that cannot be read. Supported: {_SUPPORTED}. Save it as one of these.")
    return [file]


def _find_in_folder(folder: Path, error: type[DeftxError]) -> list[InputFile]:
    inside = folder.resolve()
    found = []
    for parent, folders, names in os.walk(folder):  # does not enter folders that are links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            file = _input_file(path, path.relative_to(folder).as_posix())
            # A link may point out of the folder, to files that were never meant to be read.
            if file and path.is_file() and path.resolve().is_relative_to(inside):
                found.append(file)
    if not found:
        raise error(f"The folder {folder} holds no file that can be read. Supported: {_SUPPORTED}.")
    return sorted(found, key=lambda file: file.name)


def _input_file(path: Path, name: str) -> InputFile | None:
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    gzipped = endings[-1:] == [".gz"]
    kind = "".join(endings[:-1] if gzipped else endings[-1:])
    return InputFile(path, name, kind, gzipped) if kind in EXTENSIONS else None


def _raw_lines(file: InputFile, error: type[DeftxError]) -> Iterator[bytes]:
    """Stream the lines with their ends, \\r alone among them, as files of old programs have it."""
    number, held = 0, b""
    for chunk in _chunks(file, error):
        # The last line may go on in the next chunk, or its \r be the first half of \r\n.
        *lines, held = (held + chunk).splitlines(keepends=True)
        number += len(lines)
        if len(held) > LONGEST_LINE:
            raise error(
                f"{file.name}, line {number + 1} has more than {LONGEST_LINE >> 20} MB. "
                "Put each sentence, paragraph or row on a line of its own."
            )
        yield from lines
    if held:
        yield held


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
                        f"{file.name} unpacks to more than {most >> 20} MB from {packed / 1e6:,.1f} MB: too much to be "
                        "read here. Unpack it, or bring a part of it."
                    )
                yield chunk
    except BROKEN_GZIP:
        raise error(f"{file.name} is damaged or cut off: it cannot be unpacked to its end. Copy it again.") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
