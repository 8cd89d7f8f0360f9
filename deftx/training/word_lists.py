"""Word lists in training: reading them, saying what they cover, and translating a corpus word by word."""

import os
from collections.abc import Sequence
from typing import Any

from deftx.core.events import Event, Listener
from deftx.data.lexicon import Lexicon, coverage, read_lexicon, translate_corpus
from deftx.data.text import Corpus

# The share of places that are replaced, where the setting ``lexicon_share`` is None.
OF_A_TEXT, OF_ROWS = 1.0, 0.5


def lexicons_of(given: Any, encoding: str | None = None) -> tuple[Lexicon, ...]:
    """Return the word lists in an argument: none, one or several, each a ``Lexicon`` or its file.

    Args:
        given: The argument.
        encoding: The encoding of the files that are not UTF-8.

    Raises:
        TableError: If a file cannot be used.
    """
    if given is None:
        return ()
    one = isinstance(given, str | os.PathLike | Lexicon)
    items = [given] if one else given
    return tuple(item if isinstance(item, Lexicon) else read_lexicon(item, encoding=encoding) for item in items)


def say_coverage(
    lexicons: Sequence[Lexicon], texts: Sequence[str | tuple[str, str]], name: str, share: float, listener: Listener
) -> None:
    """Send a message for each word list: how many words of the texts called ``name`` it covers."""
    for lexicon in lexicons:
        found = coverage(lexicon, texts)
        message = (
            f"{lexicon.name} translates {found.share:.1%} of the words of {name} "
            f"({found.covered:,} of {found.words:,}); {share:.0%} of these places, chosen at random, are replaced."
        )
        listener.on_event(Event("tokenise", message=message, warning=not found.covered))


def pseudo_text(
    corpus: Corpus, lexicons: Sequence[Lexicon], share: float | None, seed: int, listener: Listener
) -> Corpus:
    """Return a corpus translated word by word, and say how many of its words the word lists cover."""
    share = OF_A_TEXT if share is None else share
    name = ", ".join(name for name, _ in corpus.sources)
    say_coverage(lexicons, corpus.lines, name, share, listener)
    return translate_corpus(corpus, lexicons, share, seed)
