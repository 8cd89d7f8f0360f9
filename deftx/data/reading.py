"""Opens the files that people bring: text, documents, tables and zip archives of them, one, several or a folder.

Nothing here knows what the content is for, so every function takes the ``error`` to raise: CorpusError or TableError.
Lines and rows are streamed; a file that cannot be read is named with the line and what to do about it.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from deftx.core.errors import DeftxError
from deftx.data.encodings import UTF8, Guess, as_utf8, check_encoding, encoding_of, guess_encodings
from deftx.data.file_kinds import KINDS, kind_of_name
from deftx.data.looking import SUPPORTED, counted, look_into
from deftx.data.unpacking import InputFile, chunks

EXTENSIONS = tuple(KINDS)  # each also with .gz, but .zip
LONGEST_LINE = 2**24  # bytes: whole books are shorter, and a line is held in memory

_NOWHERE = "{count} that lead nowhere and are left out: {names}"
_OUTSIDE = "{count} that lead out of the folder and are not followed: {names}. Name those files, or copy them into it"


def find_files(
    source: str | Path | Sequence[str | Path], error: type[DeftxError], encoding: str | None = None
) -> list[InputFile]:
    """Resolve a file, a folder (its readable files, sorted, none hidden), a zip or several of them, each file once.

    ``encoding`` is that of the text files which are not UTF-8.
    """
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    if not sources:
        raise error("No file was named.")
    encoding = encoding and check_encoding(encoding, error)
    found: dict[tuple[Path, str], InputFile] = {}
    for item in sources:
        for file in _find(item, error):
            found.setdefault(
                (file.path.resolve(), file.member.filename if file.member else ""), replace(file, encoding=encoding)
            )
    return list(found.values())


def find_file(source: str | Path, error: type[DeftxError], encoding: str | None = None) -> InputFile:
    """Resolve exactly one file; a folder is refused, and a zip of several files."""
    if str(source).strip() and os.path.isdir(source):
        raise error(f"{source} is a folder; name one file.")
    found = find_files(source, error, encoding)
    if len(found) > 1:
        raise error(f"{Path(source).name} holds {len(found):,} files. Unpack it, and name one of them.")
    return found[0]


def guesses_of(sources: Sequence[str | Path], error: type[DeftxError]) -> tuple[str, tuple[Guess, ...]]:
    """Give the name of the first file that is text but not UTF-8, and in which encodings it may be, the likeliest first.

    Both are empty where there is none. A file in a zip is not looked at.
    """
    for file in find_files(sources, error):
        if file.member is None and (guesses := guess_encodings(file, error)):
            return file.name, guesses
    return "", ()


def save_as_utf8(source: str | Path, encoding: str, folder: Path, error: type[DeftxError]) -> Path:
    """Save a text file that is not UTF-8 as UTF-8 in ``folder``, unpacked; return where it lies, as before where it is none.

    Raises ``error`` where it is not in this encoding.
    """
    path = Path(source)
    found = find_files(path, error, encoding)
    if len(found) > 1 or not guess_encodings(replace(found[0], encoding=None), error):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (path.stem if path.suffix.lower() == ".gz" else path.name)
    with target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(line for _, line in numbered_lines(found[0], error))
    return target


def numbered_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Stream the lines of a text file with numbers from 1 and with their ends; a byte order mark is taken off."""
    offset, encoding = 0, encoding_of(file, error)
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
            where = f"{file.name}, line {number}: there is a NUL character, so this is not plain UTF-8 text"
            raise error(f"{where}. {_other_encoding(file, error)}")
        yield number, line.removeprefix("\ufeff") if offset == 0 else line
        offset += len(raw)


def _other_encoding(file: InputFile, error: type[DeftxError]) -> str:
    """Say which encoding a text may be in and how it reads then; what to do where none is likely."""
    guesses = guess_encodings(file, error)
    if not guesses:
        return "Save the file as UTF-8 (in most editors: Save as, Encoding) and try again."
    likely = guesses[0]
    return (
        f"It may be {likely.title}: “{likely.lines[0] if likely.lines else ''}”. If that reads right, give the encoding "
        f"{likely.encoding} (--encoding {likely.encoding}); else another, or save the file as UTF-8."
    )


def _find(source: str | Path, error: type[DeftxError]) -> list[InputFile]:
    if not str(source).strip():
        raise error("The path of the file is empty.")
    path = Path(source)
    try:
        if path.is_dir():
            return _find_in_folder(path, error)
        if path.is_symlink() and not path.exists():
            raise error(f"{path} is a link to a file that is not there.")
        if not path.is_file():
            raise error(f"{path} {'is not a regular file' if path.exists() else 'does not exist'}.")
    except OSError as problem:
        raise error(f"{str(path)[:200]} cannot be opened: {problem.strerror}.") from None
    found = look_into(path, path.name, error)
    if not found:
        raise error(f"{path.name} is of a kind that cannot be read. Supported: {SUPPORTED}. Save it as one of these.")
    return found


def _find_in_folder(folder: Path, error: type[DeftxError]) -> list[InputFile]:
    inside, found = folder.resolve(), []
    links: dict[str, list[str]] = defaultdict(list)
    for parent, folders, names in os.walk(folder):  # does not enter folders that are links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if kind_of_name(name)[0] and not name.startswith(".")):
            name = path.relative_to(folder).as_posix()
            if unfollowed := _why_not_followed(path, inside):
                links[unfollowed].append(name)
            elif path.is_file():
                found += look_into(path, name, error)
    notes = [f"In the folder {folder.name} there are links: {counted(kind, names)}." for kind, names in links.items()]
    if not found:
        said = " ".join([f"The folder {folder} holds no file that can be read.", *notes])
        raise error(f"{said} Supported: {SUPPORTED}.")
    found.sort(key=lambda file: file.name)
    found[0].notes[:0] = notes
    return found


def _why_not_followed(path: Path, inside: Path) -> str:
    """Say why a link is not followed; empty for what is none, and for one that is.

    It may point out of the folder, to files that were never meant to be read. The Hub's cache has links into a folder
    ``blobs`` beside a parent of the folder.
    """
    if not path.is_symlink():
        return ""
    target = Path(os.path.realpath(path))
    if not target.exists():
        return _NOWHERE
    blob = target.parent.name == "blobs" and target.parent.parent in inside.parents
    return "" if blob or target.is_relative_to(inside) else _OUTSIDE


def _raw_lines(file: InputFile, content: Iterable[bytes], error: type[DeftxError]) -> Iterator[bytes]:
    """Cut content into lines with their ends, \\r alone among them, as files of old programs have it."""
    number, held = 0, b""
    for chunk in content:
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
