"""Actions of the Library on vectors: list, inspect, rename, remove, restore, pack for download."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from deftx.analysis.vector_facts import sizes_by_layer
from deftx.core.errors import VectorError, unknown_name
from deftx.core.files import TRASH_KEPT, write_text
from deftx.data.table_rows import Table
from deftx.publish import report
from deftx.publish.exporting import export_space_zip, export_vector_zip, export_zip
from deftx.publish.own_vectors import LONGEST_TITLE, OwnVectors, clean, safe_name
from deftx.publish.report_scores import score_answers
from deftx.vectors.description import VECTOR_KINDS
from deftx.vectors.vector_files import CARD, INFO, TENSORS
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import takes_pairs
from ui.classify.examples import example_in
from ui.current import current_workspace
from ui.library import vector_index
from ui.shared import removal

FILES = (TENSORS, INFO, CARD)


@dataclass(frozen=True)
class Item:
    """A vector of the Library: ``info`` is vector.json without spectra; ``date`` is in seconds since 1970."""

    key: str
    title: str
    origin: str
    folder: Path
    info: dict[str, Any]
    size: int
    date: float | None
    sizes: Mapping[str, int] | None  # the weights of M by layer, if the vector was made for the base of this page

    @property
    def fits(self) -> bool:
        """Whether it was made for the base of this page."""
        return self.sizes is not None

    @property
    def source(self) -> str:
        """Its source: "job", "own", "public" or "bundled"."""
        return self.key.partition(":")[0]

    @property
    def base(self) -> str:
        """The name of the base that it was made for."""
        return str((self.info.get("base") or {}).get("name") or "")


@dataclass(frozen=True)
class Trashed:
    """A removed vector that can be restored before ``until`` (seconds since 1970)."""

    key: str
    title: str
    at: float
    until: float


def items(words: str = "", kind: str = "") -> list[Item]:
    """List the vectors that match all of the words, of one kind or of both."""
    wanted = (words or "").casefold().split()
    found = (item for each in VECTOR_KINDS if kind in ("", each) for item in _items(each))
    return [item for item in found if all(word in _text(item) for word in wanted)]


def find(key: str) -> Item:
    """Find a vector by its key; VectorError for any other key, so paths are not accepted."""
    known = {item.key: item for item in items()}
    if key not in known:
        raise unknown_name("The vector", str(key), known, VectorError)
    return known[key]


def trash() -> list[Trashed]:
    """List removed items, the last first: imported vectors, and training runs with their vectors."""
    _own().remove_expired()
    own = [Trashed(f"own:{o.name}", o.title, o.trashed or 0, (o.trashed or 0) + TRASH_KEPT) for o in _own().trash()]
    store = current_workspace().store
    jobs = [
        Trashed(
            f"job:{job.id}",
            vector_index.with_owner(store, job.owner, job.name),
            job.trashed or 0,
            (job.trashed or 0) + TRASH_KEPT,
        )
        for job in store.trash()
        if (job.out / INFO).is_file()
    ]
    return sorted([*own, *jobs], key=lambda one: one.at, reverse=True)


def rename(key: str, title: str) -> None:
    """Rename a vector; DeftxError if it is bundled, or the name is empty."""
    item, title = find(key), clean(title or "", LONGEST_TITLE)
    _refuse_bundled(item)
    if not title:
        raise VectorError(strings.NEEDS_TITLE)
    if item.source == "own":
        _own().rename(_id(item), title)
    else:
        current_workspace().store.rename(_id(item), title)


def discard(key: str) -> None:
    """Move a vector to the trash; one that was trained here together with its training run.

    Raises:
        DeftxError: it is bundled, or a waiting or running training run starts from it.
    """
    item, store = find(key), current_workspace().store
    _refuse_bundled(item)
    removal.check_source_unused(store, item.folder, item.title)
    if item.source == "own":
        _own().discard(_id(item))
    else:
        store.discard(_id(item))


def restore(key: str) -> str:
    """Restore a vector from the trash and return its key."""
    source, _, name = str(key).partition(":")
    if source == "job":
        current_workspace().store.restore(name)
        return key
    return f"own:{_own().restore(name).name}"


def pack_vector(key: str) -> Path:
    """Pack the files of a vector under its name here, with the same bytes each time; the page removes the zip within a day."""
    item = find(key)
    return _downloadable(safe_name(item.title), lambda target: export_vector_zip(item.folder, target, item.title))


def export(combination: Combination) -> Path:
    """Pack the classifier of a combination; the page removes the zip within a day. DeftxError as in ``composed``."""
    workspace = current_workspace()
    name, classifier = _named_after_its_vectors(combination), workspace.composed(combination)
    parts = workspace.composing.vectors(combination)
    return _downloadable(f"classifier-{name}", lambda target: export_zip(classifier, target, parts, combination.method))


def write_report(combination: Combination, table: Table | None = None, answers: Tensor | None = None,
                 seen: int | None = None) -> Path:  # fmt: skip
    """Write a report on the classifier of a combination in the page's language; otherwise as ``export``.

    Args:
        combination: The vectors and their strengths.
        table: A labelled file that the classifier has answered; without it, the report has the scores of the vectors alone.
        answers: The probabilities for the texts of the table, (texts, labels).
        seen: How many of these texts the task vector was trained on, if that is known.
    """
    workspace, name = current_workspace(), _named_after_its_vectors(combination)
    classifier, parts = workspace.composed(combination), workspace.composing.vectors(combination)
    tested = score_answers(classifier, parts[0][0], table, answers.tolist(), seen) if table is not None else None
    html = report.write_report(classifier, parts, tested, strings.language())

    def write(target: Path) -> Path:
        write_text(target, html)
        return target

    return workspace.served_files.write(f"report-{name}.html", write, workspace.owner)


def export_space(combination: Combination) -> Path:
    """Pack the classifier of a combination as a Space; otherwise as ``export``."""
    workspace = current_workspace()
    name, classifier = _named_after_its_vectors(combination), workspace.composed(combination)
    task, *languages = workspace.composing.find(combination).entries
    pairs = takes_pairs(task.folder)
    codes = [vector_index.code_of(entry.folder) for entry in languages]
    about = {
        "title": name,
        "pairs": pairs,
        "task": workspace.composing.vectors(combination)[0][0].info,
        "examples": [] if pairs else [found for found in map(example_in, codes) if found],
    }
    return _downloadable(f"space-{name}", lambda target: export_space_zip(classifier, target, **about))


def _named_after_its_vectors(combination: Combination) -> str:
    entries = current_workspace().composing.find(combination).entries
    return safe_name("-".join(find(entry.key).title for entry in entries))


def _items(kind: str) -> Iterator[Item]:
    workspace = current_workspace()
    jobs = {f"job:{job.id}": job for job in workspace.store.list()}
    own = {f"own:{one.name}": one for one in _own().list()}
    public = {f"{vector_index.PUBLIC_KEY}{one.name}": one for one in vector_index.public(workspace.store).list()}
    base = workspace.base()
    sizes = sizes_by_layer({name: weight.shape for name, weight in base.parameters().items()})
    for entry in vector_index.entries(workspace.store, kind):
        info = vector_index.describe(entry.folder)
        about = (vector_index.bundled_title(entry.folder), strings.BUNDLED, None)
        if entry.key in jobs:
            about = (jobs[entry.key].name, strings.TRAINED, jobs[entry.key].created)
        elif entry.key in own:
            imported = own[entry.key]
            about = (imported.title, strings.BROUGHT_FROM.format(origin=imported.origin), imported.added)
        elif entry.key in public:
            about = (public[entry.key].title, strings.PUBLIC, public[entry.key].added)
        title, origin, date = about
        fits = vector_index.fits(entry, base.fingerprint)
        known = {**info, "weights": sum(sizes.values())} if fits else info
        yield Item(entry.key, title, origin, entry.folder, known, _size(entry.folder), date, sizes if fits else None)


def _text(item: Item) -> str:
    info = item.info
    labels = [str(label) for label in info.get("labels") or []]
    kind = str(info.get("kind") or "")
    parts = (
        item.title,
        item.origin,
        item.base,
        str(info.get("language") or ""),
        str(info.get("method") or ""),
        kind,
        *labels,
    )
    return "\n".join((*parts, strings.KIND_NAMES.get(kind, ""))).casefold()


def _refuse_bundled(item: Item) -> None:
    if item.source == "public":
        raise VectorError(strings.PUBLIC_STAYS.format(title=item.title))
    if item.source == "bundled":
        raise VectorError(strings.BUNDLED_STAYS.format(title=item.title))


def _own() -> OwnVectors:
    return OwnVectors(current_workspace().store.root)


def _id(item: Item) -> str:
    return item.key.partition(":")[2]


def _size(folder: Path) -> int:
    return sum((folder / file).stat().st_size for file in FILES if (folder / file).is_file())


def _downloadable(name: str, write: Callable[[Path], Path]) -> Path:
    workspace = current_workspace()
    return workspace.served_files.write(f"{name}.zip", write, workspace.owner)
