"""Text files of data sets on the Hugging Face Hub: listing and downloading them. No code of a data set is executed."""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import RevisionNotFoundError

from deftx.core.errors import CorpusError, one_of, unknown_name
from deftx.data.reading import EXTENSIONS
from deftx.data.text import read_corpus
from deftx.hub.errors import explain_hub

LARGEST = 500 * 2**20  # bytes of a file
MOST_LINES = 200_000  # lines of a file: more than any corpus of the paper's smaller languages
# The branch with the Hub's Parquet copy of a data set in other formats.
CONVERTED = "refs/convert/parquet"

# Files that describe a data set and are not part of it.
NO_TEXT = frozenset({"requirements.txt", "license.txt", "licence.txt", "readme.txt"})

_ID = re.compile(
    r"(?:https://huggingface\.co/)?(?:datasets/)?(?P<id>[\w.-]+(?:/[\w.-]+)?)/?(?:@(?P<revision>[\w./-]+))?"
)


@dataclass(frozen=True)
class HubFile:
    """A supported file of a data set; ``size`` in bytes."""

    repository: str
    revision: str | None
    path: str
    size: int


def read_id(name: str) -> tuple[str, str | None]:
    """Return the id and the revision of ``owner/name``, ``owner/name@revision`` or the URL of a data set.

    Raises:
        CorpusError: It is none of these.
    """
    match = _ID.fullmatch(name.strip())
    if not match or match["id"].startswith("."):
        raise CorpusError(f"{name.strip()!r} is not the id of a data set. An id has the form owner/name.")
    return match["id"], match["revision"]


def find_files(name: str) -> tuple[HubFile, ...]:
    """Return the supported files of a data set, in the Hub's order; ``name`` is as ``read_id`` takes it.

    Raises:
        CorpusError: If the id or the revision is invalid or unknown, the Hub cannot be reached, or no file is supported.
    """
    repository, revision = read_id(name)
    found = _list(repository, revision)
    if not found and revision is None:  # the Hub makes the copy from the default branch
        found = _list(repository, CONVERTED)
    if not found:
        raise CorpusError(f"The data set {repository} has no supported file ({one_of(EXTENSIONS)}).")
    return found


def fetch(file: HubFile) -> Path:
    """Download a file or take it from the Hub's cache. Raise CorpusError if it is too large or cannot be downloaded."""
    if file.size > LARGEST:
        raise CorpusError(
            f"{file.path} has {file.size / 2**20:,.0f} MB; only files up to {LARGEST >> 20} MB are downloaded. "
            "Choose a smaller one, or download it and upload a part."
        )
    try:
        return Path(hf_hub_download(file.repository, file.path, repo_type="dataset", revision=file.revision))
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise _refusal(file.repository, file.revision, error) from error


def choose(files: tuple[HubFile, ...], path: str) -> HubFile:
    """Return the file with this path. Raise CorpusError if there is none."""
    named = {file.path: file for file in files}
    if path not in named:
        raise unknown_name("The file", str(path), named, CorpusError)
    return named[path]


def read_lines(path: Path, column: str | None = None) -> tuple[list[str], bool]:
    """Return the usable lines of a downloaded file, at most ``MOST_LINES``, and whether there are more."""
    lines = read_corpus(path, column=column, limit=MOST_LINES + 1).lines
    return lines[:MOST_LINES], len(lines) > MOST_LINES


def _list(repository: str, revision: str | None) -> tuple[HubFile, ...]:
    try:
        entries = list(HfApi().list_repo_tree(repository, repo_type="dataset", revision=revision, recursive=True))
    except (httpx2.HTTPError, OSError, ValueError) as error:
        if revision == CONVERTED and isinstance(error, RevisionNotFoundError):
            return ()
        raise _refusal(repository, revision, error) from error
    return tuple(
        HubFile(repository, revision, entry.path, size)
        for entry in entries
        if (size := getattr(entry, "size", None)) is not None and _readable(entry.path)  # folders have none
    )


def _readable(path: str) -> bool:
    hidden = any(part.startswith(".") for part in path.split("/"))
    return (
        not hidden and path.lower().removesuffix(".gz").endswith(EXTENSIONS) and Path(path).name.lower() not in NO_TEXT
    )


def _refusal(repository: str, revision: str | None, error: Exception) -> CorpusError:
    if revision and isinstance(error, RevisionNotFoundError):
        return CorpusError(
            f"The data set {repository} has no revision {revision!r}. Give a branch, a tag or a commit, or leave it out."
        )
    return CorpusError(explain_hub(error, f"data set {repository}", "download the file and upload it"))
