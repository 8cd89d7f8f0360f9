"""Task vectors on words: preparing the sentences of their sources, and their objective."""

from collections.abc import Sequence
from dataclasses import replace

from deftx.core.events import Event, Listener
from deftx.data.token_rows import TokenTable, check_tokens, hold_out_sentences, join_token_tables, tag_names
from deftx.models.bases import Base
from deftx.models.windows import encode_words
from deftx.training.recipes import TaskRecipe
from deftx.training.sources import Source, without_rows_of
from deftx.training.task_objective import Part, parts_of_windows
from deftx.training.token_objective import TokenObjective, piece_targets


def prepare_token_sources(
    sources: list[Source], valid: TokenTable | None, recipe: TaskRecipe, listener: Listener
) -> tuple[list[Source], TokenTable, dict]:
    """Return sources, validation sentences and findings. Sentences are held out of the first source if none are given."""
    held = valid
    if held is None:
        first, others = sources[0], sources[1:]
        train, held = hold_out_sentences(first.table, recipe.hold_out, recipe.seed)
        message = f"No validation file: {len(held):,} sentences are held out."
        listener.on_event(Event("tokenise", message=message))
        sources = [replace(first, table=train), *without_rows_of(others, held, listener)]
    # Sentences that were held out are not compared with the others: they may have only some of the tags.
    findings = check_tokens(join_token_tables([source.table for source in sources]), valid)
    for warning in findings["warnings"]:
        listener.on_event(Event("tokenise", message=warning, warning=True))
    return sources, held, findings


def token_objective(
    train: TokenTable, valid: TokenTable, base: Base, recipe: TaskRecipe, listener: Listener, parts: Sequence[Part]
) -> TokenObjective:
    """Tokenise the sentences and return the objective; ``parts`` are the sources of the training sentences."""
    labels, length = tag_names(train), base.fitting_length(recipe.max_length, listener)
    listener.on_event(Event("tokenise", 0, 2))
    windows = encode_words(base.tokenizer, train.sentences, length)
    if more := len(windows) - len(train):
        message = (
            f"{more:,} more windows than sentences: some sentences have more than {length} tokens. No word is lost."
        )
        listener.on_event(Event("tokenise", message=message))
    listener.on_event(Event("tokenise", 1, 2))
    valid_windows = encode_words(base.tokenizer, valid.sentences, length)
    listener.on_event(Event("tokenise", 2, 2))
    places = {label: place for place, label in enumerate(labels)}
    tags = [[places[tag] for tag in row] for row in train.tags]
    targets = [piece_targets(window, tags[window.sentence]) for window in windows]
    return TokenObjective(
        base, recipe, labels, [window.ids for window in windows], targets, [], list(valid.tags),
        parts_of_windows(parts, [window.sentence for window in windows]), windows=valid_windows,
    )  # fmt: skip
