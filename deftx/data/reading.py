"""Opening of users' files: text, documents, tables and zip archives, as single files, lists of files and folders.

Every function takes the ``error`` class to raise, CorpusError or TableError. Lines and rows are streamed. Error messages
name the file, the line and what to do.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from deftx.core.errors import DeftxError
from deftx.data import encodings
from deftx.data.encodings import UTF8, Guess, as_utf8, check_encoding, encoding_of, guess_encodings
from deftx.data.file_kinds import KINDS, SAVED, kind_of_name
from deftx.data.looking import OTHERS, SUPPORTED, counted, look_into
from deftx.data.unpacking import InputFile, chunks

EXTENSIONS = tuple(KINDS)  # each also with .gz, except .zip
# Files that ``Dataset.save_to_disk`` and ``DatasetDict.save_to_disk`` write into their folders.
SAVED_STATE, SAVED_SPLITS = "state.json", "dataset_dict.json"
LONGEST_LINE = 2**24  # bytes: longer than a book; a line is kept in memory

_BROKEN = "{count} broken links left out: {names}"
_OUTSIDE = "{count} links to files outside the folder not followed: {names}. Give those files, or copy them into it"


def find_files(
    source: str | os.PathLike | Sequence[str | os.PathLike], error: type[DeftxError], encoding: str | None = None
) -> list[InputFile]:
    """Return the files of a source without duplicates: a file, a zip, a folder (non-hidden files, sorted) or a list of them.

    ``encoding`` is the encoding of the text files that are not UTF-8.
    """
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if not sources:
        raise error("No file was given.")
    encoding = encoding and check_encoding(encoding, error)
    found: dict[tuple[Path, str], InputFile] = {}
    for item in sources:
        for file in _find(item, error):
            found.setdefault(
                (file.path.resolve(), file.member.filename if file.member else ""), replace(file, encoding=encoding)
            )
    return [replace(file, one_of_several=len(found) > 1) for file in found.values()]


def find_file(source: str | os.PathLike, error: type[DeftxError], encoding: str | None = None) -> InputFile:
    """Return the one file of a source. Raise ``error`` for a folder or a zip of several files."""
    if str(source).strip() and os.path.isdir(source) and not os.path.isfile(os.path.join(source, SAVED_STATE)):
        raise error(f"{source} is a folder; give a single file.")
    found = find_files(source, error, encoding)
    if len(found) > 1:
        raise error(f"{Path(source).name} contains {len(found):,} files. Unpack it and give one of them.")
    return found[0]


@dataclass(frozen=True)
class Amount:
    """How much text there is at most, or infinity."""

    lines: float
    bytes: float


def check_amount(source: str | Path | Sequence[str | Path], most: Amount, error: type[DeftxError]) -> None:
    """Raise ``error`` if the files of a source unpack to more lines or bytes together than ``most``.

    This is a hundred times as fast as reading the lines, which takes minutes for a file of line ends alone.
    """
    lines = size = 0
    for file in find_files(source, error):
        for chunk in chunks(file, error):
            lines, size = lines + max(chunk.count(b"\n"), chunk.count(b"\r")), size + len(chunk)
            if lines > most.lines:
                raise error(
                    f"{file.name} has too many lines, empty ones included: the limit is {most.lines:,}. Use a part of it."
                )
            if size > most.bytes:
                raise error(
                    f"{file.name} is too large: the limit is {most.bytes / 1e6:,.0f} MB, unpacked. Use a part of it."
                )


def guesses_of(sources: Sequence[str | Path], error: type[DeftxError]) -> tuple[str, tuple[Guess, ...]]:
    """Return the name of the first text file that is not UTF-8, and its possible encodings, the likeliest first.

    Both are empty if there is no such file. Files in a zip are skipped.
    """
    for file in find_files(sources, error):
        if file.member is None and (guesses := guess_encodings(file, error)):
            return file.name, guesses
    return "", ()


def save_as_utf8(source: str | Path, encoding: str, folder: Path, error: type[DeftxError], if_likely: bool) -> Path:
    """Save a text file that is not UTF-8 in ``folder`` as UTF-8, unpacked, and return its path.

    Any other file, also one in a zip, is left alone and its own path is returned; with ``if_likely``, so is one that is more likely in another
    encoding. Raises ``error`` if the text is not in this encoding.
    """
    path = Path(source)
    found = find_files(path, error, encoding)
    if len(found) != 1 or found[0].member is not None:
        return path
    guesses = guess_encodings(replace(found[0], encoding=None), error)
    if not guesses or (if_likely and guesses[0].encoding != encoding):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (path.stem if path.suffix.lower() == ".gz" else path.name)
    with target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(line for _, line in numbered_lines(found[0], error))
    return target


def numbered_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of a text file, numbered from 1, with line ends and without a byte order mark."""
    offset, encoding = 0, encoding_of(file, error)
    if encoding == file.encoding and file.one_of_several:
        _note_likelier(file, error)
    content = chunks(file, error)
    if encoding != UTF8:
        content = as_utf8(content, encoding, file.name, error)
    for number, raw in enumerate(_raw_lines(file, content, error), 1):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as problem:
            where = f"{file.name}, line {number} (byte {offset + problem.start})"
            raise error(f"{where}: this is not UTF-8 text. {_other_encoding(file, error)}") from None
        if "\0" in line:
            where = f"{file.name}, line {number}: the line contains a NUL character"
            if guess_encodings(file, error):
                raise error(f"{where}, so this is not plain UTF-8 text. {_other_encoding(file, error)}")
            raise error(f"{where}. Remove it, or save the file as UTF-8 if it is in another encoding.")
        yield number, line.removeprefix("\ufeff") if offset == 0 else line
        offset += len(raw)


def _note_likelier(file: InputFile, error: type[DeftxError]) -> None:
    """Note that a text which is read in the given encoding is more likely in one in which it reads differently."""
    likely = None
    with suppress(error):  # it is reported when the file is read
        likely = encodings.likelier(file, error)
    if likely:
        file.note(
            f"{file.name} is read in the encoding {file.encoding}, but may be {likely.title}: "
            f"“{next(iter(likely.lines), '')}”. If this text is right, read the file with --encoding {likely.encoding}."
        )


def _other_encoding(file: InputFile, error: type[DeftxError]) -> str:
    """Return a sentence on the likeliest encoding of a text, with its first line; if none is likely, on what to do."""
    guesses = guess_encodings(file, error)
    if not guesses:
        return "Save the file as UTF-8 (in most editors: Save as, Encoding) and try again."
    likely = guesses[0]
    return (
        f"Its encoding may be {likely.title}: “{likely.lines[0] if likely.lines else ''}”. If this text is right, set the "
        f"encoding {likely.encoding} (--encoding {likely.encoding}); otherwise try another, or save the file as UTF-8."
    )


def _find(source: str | os.PathLike, error: type[DeftxError]) -> list[InputFile]:
    if not str(source).strip():
        raise error("The path of the file is empty.")
    path = Path(source)
    try:
        if (path / SAVED_STATE).is_file():
            return [InputFile(path, path.name, SAVED)]
        if (path / SAVED_SPLITS).is_file():
            raise error(f"The folder {path} contains the splits of a data set. Give the folder of one split.")
        if path.is_dir():
            return _find_in_folder(path, error)
        if path.is_symlink() and not path.exists():
            raise error(f"{path} is a link to a file that does not exist.")
        if not path.is_file():
            raise error(f"{path} {'is not a regular file' if path.exists() else 'does not exist'}.")
    except OSError as problem:
        raise error(f"{str(path)[:200]} cannot be opened: {problem.strerror}.") from None
    found = look_into(path, path.name, error)
    if not found:
        raise error(f"{path.name} is not of a supported type. Supported: {SUPPORTED}. Save it as one of these.")
    return found


def _find_in_folder(folder: Path, error: type[DeftxError]) -> list[InputFile]:
    inside, found, others = folder.resolve(), [], []
    links: dict[str, list[str]] = defaultdict(list)
    for parent, folders, names in os.walk(folder):  # does not enter folders that are links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            name = path.relative_to(folder).as_posix()
            if not kind_of_name(name)[0]:
                others.append(name)
            elif reason := _why_not_followed(path, inside):
                links[reason].append(name)
            elif path.is_file():
                found += look_into(path, name, error)
    left_out = {**links, OTHERS: others} if others else links
    notes = [f"Folder {folder.name}: {counted(reason, names)}." for reason, names in left_out.items()]
    if not found:
        message = " ".join([f"The folder {folder} contains no supported file.", *notes])
        raise error(f"{message} Supported: {SUPPORTED}.")
    found.sort(key=lambda file: file.name)
    found[0].notes[:0] = notes
    return found


def _why_not_followed(path: Path, inside: Path) -> str:
    """Return a sentence on why a link is not followed; "" if the path is not a link, or a link to follow.

    A link may point outside of the folder, to files that must not be read. In the Hub's cache, links point into a folder
    ``blobs`` next to a parent of the folder; these are followed.
    """
    if not path.is_symlink():
        return ""
    target = Path(os.path.realpath(path))
    if not target.exists():
        return _BROKEN
    blob = target.parent.name == "blobs" and target.parent.parent in inside.parents
    return "" if blob or target.is_relative_to(inside) else _OUTSIDE


def _raw_lines(file: InputFile, content: Iterable[bytes], error: type[DeftxError]) -> Iterator[bytes]:
    """Yield lines with their ends, which may be \\n, \\r\\n or \\r."""
    number, rest = 0, b""
    for chunk in content:
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
