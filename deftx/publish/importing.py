"""Import of untrusted vectors from a zip, an LT-SFT file or the Hugging Face Hub. No code in them is executed."""

import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import HfApi

from deftx.core.errors import DeftxError, VectorError
from deftx.core.files import require_free_space
from deftx.hub.client import HubName, hub, read_name
from deftx.hub.errors import FAMILIES
from deftx.hub.pull import pull_refusal
from deftx.publish.own_vectors import OwnVector, OwnVectors
from deftx.vectors import lt_sft
from deftx.vectors.archives import unpack
from deftx.vectors.card import write_card
from deftx.vectors.fitting import BaseLike
from deftx.vectors.lt_sft import read_lt_sft
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS

# Imported files and their largest sizes in bytes. XLM-R large with the paper's settings: 150 MB tensors, 2 MB spectra.
VECTOR_FILES = {TENSORS: 2**29, INFO: 2**23, CARD: 2**20}
LT_SFT_FILES = {lt_sft.FILE: 2**30}
MOST_WEIGHTS = 2**31  # of the parameters that a vector changes
MOST_LABELS, LONGEST_LABEL = 1_000, 200  # number, characters; names of languages and bases count as labels


@dataclass(frozen=True)
class Wishes:
    """What a user enters for an imported vector: its title, its language's code, and the names of its labels."""

    title: str = ""
    language: str = ""
    labels: tuple[str, ...] = ()


def bring_file(own: OwnVectors, file: Path, named: str, base: Callable[[], BaseLike], wishes: Wishes) -> OwnVector:
    """Import a .zip of a vector or of an LT-SFT file, or an LT-SFT file itself.

    Args:
        own: The folder of imported vectors.
        file: The uploaded file.
        named: Its original name.
        base: Returns the base that an LT-SFT file is read for. A vector is kept whatever base it was made for.
        wishes: The user's input.

    Raises:
        VectorError: If it is not a vector, is damaged or unsafe. Nothing is kept.
    """
    if not os.path.isfile(file):
        raise VectorError(f"{named} is not a regular file.")
    stem = Path(named).name.removesuffix(".zip")
    with own.incoming() as folder:
        if Path(named).name.lower().endswith(".zip"):
            found = unpack(file, folder, {**VECTOR_FILES, **LT_SFT_FILES})
        elif Path(named).suffix.lower() == ".bin":
            found, stem = {lt_sft.FILE}, wishes.language or "LT-SFT"
            _copy_within(file, folder / lt_sft.FILE, LT_SFT_FILES[lt_sft.FILE])
        else:
            raise VectorError(f"{named} is neither a .zip of a vector's folder nor {lt_sft.FILE}.")
        vector = _complete(folder, found, base, wishes)
        return own.keep(folder, wishes.title or _title(vector, stem), named)


def bring_from_hub(
    own: OwnVectors, name: str, revision: str, base: Callable[[], BaseLike], wishes: Wishes
) -> OwnVector:
    """Import a vector or an LT-SFT file from the Hub, by owner/name or owner/name@revision.

    Raises:
        VectorError: If it does not exist, cannot be downloaded or used, or is too large. Nothing is kept.
    """
    wanted = _read_name(name, revision.strip())
    with own.incoming() as folder:
        try:
            api = hub()
            found, commit, sizes = _repository(api, wanted)
            chosen = _wanted(found, sizes)
            require_free_space(folder, sum(sizes[file] for file in chosen))
            for file in chosen:
                shutil.copyfile(api.hf_hub_download(found, file, revision=commit), folder / file)
        except FAMILIES as error:
            raise pull_refusal(wanted, error) from error
        vector = _complete(folder, set(chosen), base, wishes)
        return own.keep(folder, wishes.title or _title(vector, found.split("/")[1]), f"{found} ({commit[:12]})")


def _complete(folder: Path, found: set[str], base: Callable[[], BaseLike], wishes: Wishes) -> SparseVector:
    """Check the files and complete the folder, so that it contains a usable vector and nothing else."""
    if lt_sft.FILE in found:
        if found & {TENSORS, INFO}:
            raise VectorError(f"It contains both a vector and {lt_sft.FILE}, a pickle. Import only one of them.")
        vector = _named(lambda: read_lt_sft(folder, base(), labels=wishes.labels or None), folder)
        if wishes.language:
            vector = replace(vector, info={**vector.info, "language": wishes.language})
        for name in found:
            (folder / name).unlink()
        vector.save(folder)
        return vector
    if missing := {TENSORS, INFO} - found:
        raise VectorError(f"It contains no {sorted(missing)[0]}: it is not the folder of a vector.")
    vector = _named(lambda: SparseVector.load(folder), folder)
    _refuse_immoderate(vector)
    used = base()
    if vector.info["base"]["fingerprint"] == used.fingerprint:
        vector.check_base(used)  # a vector for another base is kept without this check
    if not (folder / CARD).is_file():
        (folder / CARD).write_text(write_card(vector.info, vector.count), encoding="utf-8")
    return vector


def _refuse_immoderate(vector: SparseVector) -> None:
    """Raise VectorError for sizes that the format allows but that would fill the memory or the page."""
    weights = sum(math.prod(shape) for shape in vector.shapes.values())
    if weights > MOST_WEIGHTS:
        raise VectorError("According to its description, the vector's base has more weights than are supported.")
    if not 0 <= (vector.info.get("k") or 0) <= weights:
        raise VectorError("According to its description, the vector changes more weights than its base has.")
    names = [*vector.labels, vector.language or "", vector.info["base"]["name"], vector.info.get("method") or ""]
    if len(names) > MOST_LABELS or max(map(len, names)) > LONGEST_LABEL:
        raise VectorError("The vector's description has too many or too long names.")


def _named(read: Callable[[], SparseVector], folder: Path) -> SparseVector:
    """Read a vector; error messages do not contain the path of the temporary folder."""
    try:
        return read()
    except VectorError as error:
        raise VectorError(str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), "the import")) from error


def _title(vector: SparseVector, default: str) -> str:
    given = vector.info.get("name")
    return given if isinstance(given, str) and given.strip() else default


def _copy_within(source: Path, target: Path, most: int) -> None:
    if source.stat().st_size > most:
        raise VectorError(f"The file has {source.stat().st_size / 1e6:,.0f} MB, which is too large.")
    try:
        require_free_space(target.parent, source.stat().st_size)
        shutil.copyfile(source, target)
    except (OSError, DeftxError) as error:
        raise VectorError(f"The file cannot be imported: {error}") from error


def _read_name(name: str, revision: str) -> HubName:
    """Parse an id whose revision follows an @ or is given separately."""
    found = read_name(name)
    if found is None:
        raise VectorError(
            f"{name.strip()[:120]!r} is not the id of a repository on the Hub. An id has the form owner/name."
        )
    if revision and found.revision not in (None, revision):
        raise VectorError(f"Two revisions are given, {found.revision!r} and {revision!r}. Give only one.")
    return HubName(found.id, found.revision or revision or None)


def _repository(api: HfApi, wanted: HubName) -> tuple[str, str, dict[str, int]]:
    """Return the current name of a repository, its commit, and the sizes of its files."""
    found = api.model_info(wanted.id, revision=wanted.revision, files_metadata=True, timeout=20)
    return found.id, str(found.sha), {file.rfilename: int(file.size or 0) for file in found.siblings or []}


def _wanted(name: str, sizes: dict[str, int]) -> list[str]:
    """Return the files of a vector, or else the LT-SFT file."""
    kinds = ((VECTOR_FILES, (TENSORS, INFO)), (LT_SFT_FILES, (lt_sft.FILE,)))
    for files, needed in kinds:
        if all(file in sizes for file in needed):
            for file in files:
                if sizes.get(file, 0) > files[file]:
                    raise VectorError(f"{file} in {name} has {sizes[file] / 1e6:,.0f} MB, which is too large.")
            return [file for file in files if file in sizes]
    raise VectorError(f"{name} contains neither a vector ({TENSORS} and {INFO}) nor LT-SFT's {lt_sft.FILE}.")
