"""Splits of data sets on the Hugging Face Hub, read with ``datasets``: streamed, so that a large one gives its first part at once."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from deftx.core.errors import CorpusError
from deftx.hub.errors import explain_hub

if TYPE_CHECKING:
    from datasets import IterableDataset

MOST_BYTES = 20 * 10**6  # that are written of a split, as JSON lines
RETRIES = 2  # of a read after a lost connection; the package's 20 would keep a person waiting for minutes


@dataclass(frozen=True)
class HubSplit:
    """A split of one configuration of a data set, at a commit, branch or tag (None: the default branch)."""

    repository: str
    revision: str | None
    configuration: str
    name: str

    def __str__(self) -> str:
        """Return the split as ``configuration/name``."""
        return f"{self.configuration}/{self.name}"


def find_splits(repository: str, revision: str | None = None) -> tuple[HubSplit, ...]:
    """Return the splits of all configurations of a data set (owner/name).

    Empty for a data set that ``datasets`` has no builder for, such as one with a script: no script is ever run.

    Raises:
        CorpusError: The data set is unknown, or the Hub cannot be reached.
    """
    from datasets.load import dataset_module_factory

    if Path(repository).exists():  # ``datasets`` would read that folder
        return ()
    try:
        found = dataset_module_factory(repository, revision=revision).builder_configs_parameters.builder_configs or ()
    except Exception as error:  # builders raise exceptions of many libraries
        if (refusal := _refusal(repository, error)) is not None:
            raise refusal from error
        return ()
    return tuple(
        HubSplit(repository, revision, configuration.name, str(name))
        for configuration in found
        for name in configuration.data_files or ()
    )


def stream(split: HubSplit) -> "IterableDataset":
    """Open a split; its rows are fetched while they are read. Raise CorpusError if that is not possible."""
    from datasets import config, load_dataset

    config.STREAMING_READ_MAX_RETRIES = RETRIES
    try:
        return load_dataset(
            split.repository, split.configuration, split=split.name, revision=split.revision, streaming=True
        )
    except Exception as error:  # builders raise exceptions of many libraries
        raise _refusal(split.repository, error) or _unreadable(split, error) from error


def fetch_split(split: HubSplit, folder: Path, most: int = MOST_BYTES) -> tuple[Path, bool]:
    """Write the first rows of a split to a file of JSON lines, with the names of classes in place of their numbers.

    Args:
        split: The split.
        folder: Where the file is written; its name is that of the data set.
        most: The largest size of the file in bytes.

    Returns:
        The file, and whether the split has more rows than that.

    Raises:
        CorpusError: The split cannot be read, or the connection is lost.
    """
    dataset = stream(split)
    names = {column: known for column, kind in (dataset.features or {}).items() if (known := _class_names(kind))}
    path = folder / f"{split.repository}-{split.configuration}-{split.name}.jsonl".replace("/", "-")
    size = 0
    with path.open("wb") as file:
        for row in _rows(split, dataset):
            cells = {column: _cell(cell, names.get(column)) for column, cell in row.items()}
            line = json.dumps(cells, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"
            size += len(line)
            if size > most:
                return path, True
            file.write(line)
    return path, False


def _class_names(kind: Any) -> Sequence[str] | None:
    """Return the names of the classes of a column, or of the elements of a column of lists; None if it has none."""
    while (element := getattr(kind, "feature", None)) is not None:
        kind = element
    return getattr(kind, "names", None)


def _cell(cell: Any, names: Sequence[str] | None) -> Any:
    """Return the class name of a class number (-1 means no label), also in a list, and any other value as it is."""
    if names is not None and isinstance(cell, list):
        return [_cell(one, names) for one in cell]
    if names is None or not isinstance(cell, int):
        return cell
    return names[cell] if 0 <= cell < len(names) else None


def _rows(split: HubSplit, dataset: "IterableDataset") -> Iterator[dict[str, Any]]:
    try:
        yield from dataset
    except Exception as error:  # readers of files raise exceptions of many libraries
        raise _refusal(split.repository, error) or _unreadable(split, error) from error


def _refusal(repository: str, error: BaseException | None) -> CorpusError | None:
    """Return what to say of an error of the Hub or the network; None for any other error.

    ``datasets`` replaces some errors by its own, so those during whose handling an error was raised count as well.
    """
    from datasets.exceptions import DatasetNotFoundError

    known = (HfHubHTTPError, httpx2.HTTPError, ConnectionError, LocalEntryNotFoundError, DatasetNotFoundError)
    while error is not None and not isinstance(error, known):
        error = error.__cause__ or error.__context__
    if not isinstance(error, Exception):
        return None
    instead = "download the data set and upload it"
    return CorpusError(explain_hub(error, f"data set {repository}", instead, (DatasetNotFoundError,)))


def _unreadable(split: HubSplit, error: Exception) -> CorpusError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return CorpusError(f"The split {split} of the data set {split.repository} cannot be read: {reason}")
