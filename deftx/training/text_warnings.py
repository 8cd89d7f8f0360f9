"""Warnings about a text before a language vector is learned from it."""

from collections.abc import Sequence

from torch import Tensor

from deftx.core.events import Event, Listener
from deftx.models.bases import Base

UNKNOWN_WARNING = 0.02  # share of unknown tokens above which a warning is given


def warn_of_unknowns(pieces: Sequence[Tensor], base: Base, listener: Listener) -> None:
    """Send a warning if the tokenizer does not know a part of the text, given as its token ids."""
    tokenizer = base.tokenizer
    token = tokenizer.unk_token_id
    # A byte-level tokenizer has no unknown token, or names its end token as one.
    if not isinstance(token, int) or token == tokenizer.eos_token_id:
        return
    unknown = sum(int((piece == token).sum()) for piece in pieces)
    share = unknown / sum(len(piece) for piece in pieces)
    if share > UNKNOWN_WARNING:
        message = f"{share:.1%} of the tokens are unknown to this base: it cannot read the script. See `audit`."
        listener.on_event(Event("tokenise", message=message, warning=True))
