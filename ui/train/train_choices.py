"""The lists of the form that change: labelled files, language vectors and bases, each as (label, value)."""

from deftx.core.units import TEXT
from deftx.models.bases import ASSETS
from ui import strings
from ui.classify.units import unit_of
from ui.current import current_workspace
from ui.library import vector_index
from ui.train.train_fields import FURTHER


def table_choices() -> list[tuple[str, str]]:
    """List labelled files for training as (label, name)."""
    return [(name, name) for name in current_workspace().tables.names()]


def listed() -> dict[str, list[tuple[str, str]]]:
    """List the choices of each role."""
    return {"train": table_choices(), "valid": valid_choices()}


def valid_choices() -> list[tuple[str, str]]:
    """List labelled files for validation; "none" first, which holds rows out."""
    return [(strings.HOLD_OUT_ROWS, ""), *table_choices()]


def source_choices() -> list[tuple[str, str]]:
    """List language vectors that a task can start from as (label, key), "none" first."""
    entries = vector_index.entries(current_workspace().store, "language")
    return [(strings.NO_SOURCE, ""), *((entry.label, entry.key) for entry in entries)]


def further_choices() -> list[tuple[str, str]]:
    """List labelled files that are learned from besides the first one, "none" first."""
    return [(strings.NO_FILE, ""), *table_choices()]


def start_choices() -> list[tuple[str, str]]:
    """List task vectors on sentences, which can be trained further, as (label, key), "none" first."""
    entries = [one for one in vector_index.entries(current_workspace().store, "task") if unit_of(one.folder) == TEXT]
    return [(strings.NO_START, ""), *((entry.label, entry.key) for entry in entries)]


def lexicon_choices() -> list[tuple[str, str]]:
    """List word lists, "none" first."""
    return [(strings.NO_FILE, ""), *((name, name) for name in current_workspace().lexicons.names())]


def of_fields() -> dict[str, list[tuple[str, str]]]:
    """List the choices of every field of the form that names a file or a vector."""
    further = {f"train_{number}": further_choices() for number in FURTHER}
    sources = dict.fromkeys(["source", *(f"source_{number}" for number in FURTHER)], source_choices())
    return {**listed(), **further, **sources, "start": start_choices(), "lexicon": lexicon_choices()}


def base_choices() -> list[tuple[str, str]]:
    """List the page's base, and the bundled ones."""
    workspace = current_workspace()
    bundled = sorted(path.name for path in (ASSETS / "bases").iterdir() if path.is_dir())
    own = (strings.PAGE_BASE.format(base=workspace.title), "")
    return [own, *((name, name) for name in bundled if name != workspace.base_name)]
