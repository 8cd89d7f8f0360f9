"""Recognition of a file's type by its name and its content, and the files in a zip archive."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deftx.core.errors import DeftxError, one_of
from deftx.data.file_kinds import (
    GZIP,
    KINDS,
    START,
    ZIP,
    Content,
    agree,
    gunzip_start,
    kind_of_name,
    kind_of_zip,
    recognise,
)
from deftx.data.unpacking import InputFile, opened_zip
from deftx.data.zip_files import member_names, member_start

SUPPORTED = f"{one_of(KINDS)}, all except .zip also with .gz"
OTHERS = "{count} files of other types left out: {names}"
NAMED = 3  # number of files named in a note


def look_into(path: Path, name: str, error: type[DeftxError]) -> list[InputFile]:
    """Return the readable files in a path, by its name and first bytes: itself, the files in a zip, or none."""
    promised, named_gzip = kind_of_name(name)
    try:
        with path.open("rb") as stream:
            start = stream.read(START)
    except OSError as problem:
        raise error(f"{name} cannot be read: {problem.strerror or problem}.") from None
    content = recognise(start)
    gzipped = content is not None and content.kind == GZIP
    if gzipped:
        content = recognise(gunzip_start(start))
    if content is not None and content.kind == GZIP:
        raise error(f"{name} is gzipped twice. Unpack it once.")
    file = InputFile(path, name, "", gzipped)
    if named_gzip and not gzipped and promised:
        file.note(f"{name} is not gzipped despite its name; it is read without unpacking.")
    if content is not None and content.kind == ZIP:
        content = _content_of_zip(file, error)
        if content.kind == ZIP:
            return _look_into_zip(file, error)
    return _of_kind(file, promised, content, error)


def _look_into_zip(file: InputFile, error: type[DeftxError]) -> list[InputFile]:
    if file.gzipped:
        raise error(f"{file.name} is a gzipped zip archive. Unpack it once.")
    found, others = [], []
    with opened_zip(file, error) as archive:
        for name in member_names(archive):
            parts = PurePosixPath(name).parts
            if any(part.startswith(".") for part in parts):
                continue
            promised, gzipped = kind_of_name(name)
            member = InputFile(file.path, f"{file.name}/{name}", "", member=archive.getinfo(name))
            if not promised or gzipped or promised == ZIP:
                others.append(name)
                continue
            content = recognise(member_start(archive, name, START))
            if content is not None and content.kind == ZIP:
                content = _content_of_zip(member, error)
            found += _of_kind(member, promised, content, error)
    note = counted(OTHERS, others)
    if not found:
        raise error(f"{file.name} contains no supported file{': ' + note if others else ''}. Supported: {SUPPORTED}.")
    if others:
        found[0].note(f"{file.name}: {note}.")
    return sorted(found, key=lambda member: member.name)


def _of_kind(file: InputFile, promised: str, content: Content | None, error: type[DeftxError]) -> list[InputFile]:
    kind = agree(file.name, promised, content, error)
    if promised and kind != promised:
        file.note(f"{file.name} is {KINDS[kind]} despite its name; it is read as such.")
    return [replace(file, kind=kind)] if kind else []


def _content_of_zip(file: InputFile, error: type[DeftxError]) -> Content:
    """Return which kind of document a zip is, or that it is an archive of files."""
    with opened_zip(file, error) as archive:
        return kind_of_zip(set(archive.namelist()), member_start(archive, "mimetype", START))


def counted(sentence: str, names: Sequence[str]) -> str:
    """Fill the number of files and the names of the first into a sentence."""
    named = ", ".join(sorted(names)[:NAMED]) + (" …" if len(names) > NAMED else "")
    return sentence.format(count=f"{len(names):,}", names=named)
