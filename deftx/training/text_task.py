"""Task vectors on whole texts: preparing the rows of their sources, and their objective."""

from dataclasses import replace

from deftx.core.events import Event, Listener
from deftx.data.labels import drop_unknown_labels
from deftx.data.table_rows import Table, hold_out, join_tables, label_names
from deftx.data.tables import check
from deftx.models.bases import Base
from deftx.models.batches import cut_texts, encode
from deftx.training.recipes import TaskRecipe
from deftx.training.sources import Source, without_rows_of
from deftx.training.task_objective import Part, TaskObjective


def prepare_sources(
    sources: list[Source], valid: Table | None, recipe: TaskRecipe, listener: Listener, labels: list[str] | None
) -> tuple[list[Source], Table, dict]:
    """Return sources, validation rows and findings, as ``prepare_rows`` does. Rows are held out of the first source.

    ``labels`` are those of the task, if there are others than those of the first source.
    """
    first, others = sources[0], sources[1:]
    joined = join_tables([source.table for source in sources])
    train, rows, findings = prepare_rows(first.table, valid, recipe, listener, joined, labels)
    others = others if valid is not None else without_rows_of(others, rows, listener)
    return [replace(first, table=train), *others], rows, findings


def prepare_rows(
    train: Table, valid: Table | None, recipe: TaskRecipe, listener: Listener, all_rows: Table | None = None,
    labels: list[str] | None = None,
) -> tuple[Table, Table, dict]:  # fmt: skip
    """Return training rows, validation rows and findings. Rows are held out if there is no validation table.

    ``all_rows`` are the training rows to check, if there are others than ``train``; ``labels`` those of the task, if there are
    others than those of ``train``.
    """
    findings = check(all_rows or train, valid, labels)
    for warning in findings.warnings:
        listener.on_event(Event("tokenise", message=warning, warning=True))
    if valid is None:
        train, valid = hold_out(train, recipe.hold_out, recipe.seed)
        message = f"No validation file: {len(valid.texts):,} rows are held out, stratified by label."
        listener.on_event(Event("tokenise", message=message))
    # Needed even for held-out rows: all rows of a label can be held out if its texts also have other labels.
    return train, drop_unknown_labels(valid, labels or label_names(train)), findings.to_dict()


def task_objective(
    train: Table, valid: Table, labels: list[str], base: Base, recipe: TaskRecipe, listener: Listener,
    parts: list[Part] | None = None,
) -> TaskObjective:  # fmt: skip
    """Tokenise the rows and return the objective; ``parts`` are the sources of the training rows, if there are several."""
    length = base.fitting_length(recipe.max_length, listener)
    listener.on_event(Event("tokenise", 0, 2))
    encoded = encode(base.tokenizer, train.texts, length)
    if cut := len(cut_texts(base.tokenizer, train.texts, encoded, length)):
        message = (
            f"{cut:,} of {len(train.texts):,} rows have more than {length} tokens and lose their end. "
            "A larger max_length keeps it, and takes more time and memory."
        )
        listener.on_event(Event("tokenise", message=message, warning=True))
    listener.on_event(Event("tokenise", 1, 2))
    valid_encoded = encode(base.tokenizer, valid.texts, length)
    listener.on_event(Event("tokenise", 2, 2))
    targets = [labels.index(label) for label in train.labels]
    return TaskObjective(base, recipe, labels, encoded, targets, valid_encoded, valid.labels, parts or [])
