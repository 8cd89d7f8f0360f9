"""Reading what ``many`` wrote, from its folder or from a zip of it, for the page. The files are not trusted."""

import csv
import io
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deftx.core.errors import DeftxError
from deftx.core.files import expanded
from deftx.data.zip_files import MOST_MEMBERS
from deftx.evidence.many_report import COLUMNS, MOST_COMPARED
from deftx.vectors.archives import unpack

RESULTS, OVERLAPS = "results.csv", "overlaps.csv"
LARGEST = {RESULTS: 2**23, OVERLAPS: 2**20}  # bytes
MOST_ROWS = 10_000


@dataclass(frozen=True)
class ManyResults:
    """The rows of results.csv by column, and the overlaps of ``languages`` with each other, from 0 to 1."""

    rows: tuple[Mapping[str, str], ...]
    languages: tuple[str, ...]
    overlaps: tuple[tuple[float, ...], ...]


def read_many(place: Path) -> ManyResults:
    """Read the results of ``many`` from its folder, or from a zip of the folder or of results.csv and overlaps.csv.

    Args:
        place: The folder or the zip.

    Raises:
        DeftxError: If there are no such files in it, or one is damaged or too large.
    """
    place = expanded(str(place))
    if place.is_dir():
        return _read(place)
    with tempfile.TemporaryDirectory() as folder:
        # Its folder may also have pickles of submitit (--on slurm) and compressed corpora, which are not unpacked.
        unpack(place, Path(folder), LARGEST, MOST_MEMBERS, refuse_others=False)
        return _read(Path(folder))


def _read(folder: Path) -> ManyResults:
    rows = _rows(folder / RESULTS)
    head, *lines = rows if rows else [[]]
    if tuple(head) != COLUMNS or len(lines) > MOST_ROWS or any(len(line) != len(COLUMNS) for line in lines):
        raise DeftxError(f"{RESULTS} is not a file that many wrote: its columns are not {', '.join(COLUMNS)}.")
    languages, overlaps = _matrix(_rows(folder / OVERLAPS))
    return ManyResults(tuple(dict(zip(COLUMNS, line, strict=True)) for line in lines), languages, overlaps)


def _rows(file: Path) -> list[list[str]]:
    if not file.is_file():
        raise DeftxError(f"There is no {file.name}. Give the folder that many wrote with --out, or a zip of it.")
    if file.stat().st_size > LARGEST[file.name]:
        raise DeftxError(f"{file.name} is too large to be a file that many wrote.")
    try:
        return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise DeftxError(f"{file.name} cannot be read: {error}") from error


def _matrix(rows: list[list[str]]) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    names = tuple(rows[0][1:]) if rows else ()
    try:
        values = tuple(tuple(map(float, row[1:])) for row in rows[1:])
    except ValueError:
        values = ()
    shares = all(math.isfinite(value) and 0 <= value <= 1 for row in values for value in row)
    if len(names) > MOST_COMPARED or len(values) != len(names) or {*map(len, values)} - {len(names)} or not shares:
        raise DeftxError(
            f"{OVERLAPS} is not a file that many wrote: it must have a share from 0 to 1 for each two languages."
        )
    return names, values
