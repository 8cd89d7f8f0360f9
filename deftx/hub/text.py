"""Text of data sets on the Hugging Face Hub: which files one has, and one of them fetched. Nothing in it is ever run."""

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

LARGEST = 500 * 2**20  # bytes of a file: larger ones are for people who fetch them by hand
MOST_LINES = 200_000  # of a file: more than any corpus of the paper's smaller languages
# Where the Hub keeps its own Parquet copy of a data set whose files are of other kinds or made by a script.
CONVERTED = "refs/convert/parquet"

# Files about a data set rather than in a language.
NO_TEXT = frozenset({"requirements.txt", "license.txt", "licence.txt", "readme.txt"})

_ID = re.compile(r"(?:https://huggingface\.co/)?(?:datasets/)?(?P<id>[\w.-]+(?:/[\w.-]+)?)/?")


@dataclass(frozen=True)
class HubFile:
    """One file of a data set that can be read here; ``size`` in bytes."""

    repository: str
    revision: str | None
    path: str
    size: int


def find_files(name: str) -> tuple[HubFile, ...]:
    """List the files of a data set (owner/name, or its address) that can be read, in their order there.

    Raises:
        CorpusError: it is no id, the Hub does not know it or cannot be reached, or no file can be read.
    """
    match = _ID.fullmatch(name.strip())
    if not match or match["id"].startswith("."):
        raise CorpusError(f"{name.strip()!r} is not the id of a data set. It looks like owner/name.")
    repository = match["id"]
    found = _list(repository, None) or _list(repository, CONVERTED)
    if not found:
        raise CorpusError(f"The data set {repository} has no file that can be read here ({one_of(EXTENSIONS)}).")
    return found


def fetch(file: HubFile) -> Path:
    """Download a file, or find it in the Hub's cache; CorpusError where it is too large or cannot be fetched."""
    if file.size > LARGEST:
        raise CorpusError(
            f"{file.path} has {file.size / 2**20:,.0f} MB; files of up to {LARGEST >> 20} MB are fetched here. "
            "Choose a smaller one, or download it and upload a part."
        )
    try:
        return Path(hf_hub_download(file.repository, file.path, repo_type="dataset", revision=file.revision))
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise _refusal(file.repository, error) from error


def choose(files: tuple[HubFile, ...], path: str) -> HubFile:
    """Find a file by its path in the data set; CorpusError for any other."""
    named = {file.path: file for file in files}
    if path not in named:
        raise unknown_name("The file", str(path), named, CorpusError)
    return named[path]


def read_lines(path: Path, column: str | None = None) -> tuple[list[str], bool]:
    """Read the usable lines of a fetched file, at most ``MOST_LINES``, and say whether there were more."""
    lines = read_corpus(path, column=column, limit=MOST_LINES + 1).lines
    return lines[:MOST_LINES], len(lines) > MOST_LINES


def _list(repository: str, revision: str | None) -> tuple[HubFile, ...]:
    try:
        entries = list(HfApi().list_repo_tree(repository, repo_type="dataset", revision=revision, recursive=True))
    except RevisionNotFoundError:
        return ()
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise _refusal(repository, error) from error
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


def _refusal(repository: str, error: Exception) -> CorpusError:
    return CorpusError(explain_hub(error, f"data set {repository}", "download the file and upload it"))
