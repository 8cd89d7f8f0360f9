"""Reading and writing of zip files. From an untrusted archive, only files with known names and limited sizes are unpacked."""

import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from deftx.core.errors import DeftxError, VectorError
from deftx.core.files import require_free_space
from deftx.data.zip_files import lists_too_much

MOST_ENTRIES = 1_000  # entries of an archive; a vector has three files
CHUNK = 2**20  # bytes
EPOCH = (1980, 1, 1, 0, 0, 0)  # fixed date of every entry, for reproducible archives

# Files that are or may contain pickles, which can execute code: an archive with such a file is refused.
_PICKLES = re.compile(r"\.(bin|pt|pth|pkl|pickle|ckpt|joblib|dill|npy|npz)$", re.IGNORECASE)
_NESTED = re.compile(r"\.(zip|tar|tgz|gz|bz2|xz|7z|rar|zst)$", re.IGNORECASE)


def unpack(
    archive: Path, folder: Path, wanted: Mapping[str, int], most: int = MOST_ENTRIES, *, refuse_others: bool = True
) -> set[str]:
    """Unpack the ``wanted`` files (name: largest size in bytes) of a zip, from its root or its only folder.

    Other files are ignored, but an archive with a pickle or another archive is refused if ``refuse_others``; there may be
    at most ``most`` entries. After an error, ``folder`` may contain some of the files, so use a temporary folder.

    Returns:
        The names of the unpacked files.

    Raises:
        VectorError: If the archive is damaged, encrypted or hostile.
    """
    try:
        if not os.path.isfile(archive):  # reading from a pipe or device could block
            raise VectorError(f"{archive.name} is not a regular file.")
        check_list(archive)
        with zipfile.ZipFile(archive) as opened:
            if len(opened.infolist()) > most:
                raise VectorError(f"The archive has {len(opened.infolist()):,} entries; at most {most:,} are read.")
            found = _choose(opened.infolist(), wanted, refuse_others)
            _check_limit(folder, sum(entry.file_size for entry in found.values()))
            for name, entry in found.items():
                _copy(opened, entry, folder / name, wanted[name])
    except VectorError:
        raise
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise VectorError(
            f"The archive cannot be read ({_in_one_line(error)}). Pack the vector's folder again."
        ) from error
    except Exception as error:  # zlib and lzma have their own exceptions
        raise VectorError("The archive is damaged. Pack the vector's folder again.") from error
    return set(found)


def pack(files: Iterable[tuple[str, Path]], target: Path, *, compress: bool = True) -> Path:
    """Write files as (name, path) into a new zip. The result is reproducible and contains no local paths.

    Raises:
        DeftxError: If the disk has too little space or cannot be written.
    """
    files = sorted(files)
    require_free_space(target.parent, sum(path.stat().st_size for _, path in files))
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
            for name, path in files:
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type = archive.compression
                entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                    shutil.copyfileobj(source, sink, CHUNK)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise DeftxError(f"{target.name} cannot be written: {error.strerror or error}.") from error
    return target


def check_list(archive: Path) -> None:
    """Raise VectorError for too many entries, before zipfile creates an object for each."""
    with archive.open("rb") as file:
        too_long = lists_too_much(file)
    if too_long:
        raise VectorError(f"The archive lists more than {MOST_ENTRIES:,} entries; a vector has three files.")


def _choose(
    entries: list[zipfile.ZipInfo], wanted: Mapping[str, int], refuse_others: bool
) -> dict[str, zipfile.ZipInfo]:
    files = [(_safe_path(entry), entry) for entry in entries if not entry.is_dir()]
    files = [(path, entry) for path, entry in files if path.parts[0] != "__MACOSX"]  # macOS adds it to every archive
    for path, entry in files:
        if refuse_others or path.name in wanted:
            _refuse_dangerous(path, entry, wanted)
    known = [(path, entry) for path, entry in files if path.name in wanted and len(path.parts) <= 2]
    places = {path.parent for path, _ in known}
    if len(places) > 1 or len({path.name for path, _ in known}) < len(known):
        raise VectorError("The archive contains more than one vector. Pack each vector's folder separately.")
    found = {path.name: entry for path, entry in known}
    for name, entry in found.items():
        if entry.file_size > wanted[name]:
            raise VectorError(f"{name} in the archive has {entry.file_size / 1e6:,.0f} MB, which is too large.")
    return found


def _safe_path(entry: zipfile.ZipInfo) -> PurePosixPath:
    # orig_filename, because in filename zipfile cuts at NUL and converts this system's separators to "/".
    name = entry.orig_filename
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or re.search(r"[\\\x00-\x1f:]", name):
        raise VectorError(f"The archive has an entry with a path outside of its folder ({name[:80]!r}). It is refused.")
    return path


def _refuse_dangerous(path: PurePosixPath, entry: zipfile.ZipInfo, wanted: Mapping[str, int]) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise VectorError(f"In the archive, {path.name!r} is a link or a device, not a file. It is refused.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise VectorError(
            f"In the archive, {path.name!r} has an unsupported compression. Pack the vector's folder as a plain .zip."
        )
    if entry.flag_bits & 0x1:
        raise VectorError("The archive is encrypted. Pack the vector's folder without a password.")
    if path.name in wanted:
        return
    if _PICKLES.search(path.name):
        raise VectorError(f"The archive contains {path.name!r}, a pickle, which could execute code. It is refused.")
    if _NESTED.search(path.name):
        raise VectorError(f"The archive contains another archive, {path.name!r}. Pack only the vector's folder.")


def _check_limit(folder: Path, needed: int) -> None:
    try:
        require_free_space(folder, needed)
    except DeftxError as error:
        raise VectorError(str(error)) from error


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> None:
    """Write one file; the size that the archive states is not trusted."""
    written = 0
    with archive.open(entry) as source, open(target, "xb") as sink:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > min(most, entry.file_size):
                raise VectorError(f"{entry.filename!r} in the archive is larger than stated. It is refused.")
            sink.write(chunk)
    os.chmod(target, 0o600)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
