"""The exceptions that user input can cause, and helpers for their messages."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_MESSAGE = 1_000  # characters: a message may quote names or cells of untrusted files
JOINERS = "\u200c\u200d"  # Persian and many Indian scripts need them; they do not change the direction of writing


class DeftxError(Exception):
    """A request that cannot be fulfilled. The message says what is wrong, where, and what to do."""

    def __str__(self) -> str:
        """Return the message as one printable line of limited length, whatever text it quotes."""
        message = printable(super().__str__())
        if len(message) <= LONGEST_MESSAGE:
            return message
        # The start says what is wrong and the end says what to do, so the middle is cut.
        return f"{message[: LONGEST_MESSAGE * 2 // 3]} … {message[-LONGEST_MESSAGE // 3 + 3 :]}"


class BaseModelError(DeftxError):
    """A base model is missing, unreadable, or of an architecture that is not supported."""


class CorpusError(DeftxError):
    """A corpus cannot be read, or contains no usable text."""


class TableError(DeftxError):
    """A labelled file cannot be read, or its labels cannot be used for training."""


class RecipeError(DeftxError):
    """A setting is unknown, out of range, or contradicts another setting."""


class VectorError(DeftxError):
    """A sparse vector is damaged, of an unknown version, or made for another base model."""


class HubError(DeftxError):
    """The Hugging Face Hub refused a request or could not be reached; nothing was changed on it."""


class TrainingError(DeftxError):
    """A training run failed; its checkpoints are kept in its folder."""


class PeerLost(TrainingError):
    """Another process of a distributed training run has ended; the checkpoints are kept."""


class TrainingStopped(DeftxError):
    """A training run was stopped on request; its checkpoint is kept and the same call resumes it."""


def printable(text: str) -> str:
    """Return a text in one line, with escapes such as \\u202e for control and direction characters."""
    return "".join(map(_printable, text))


def _printable(sign: str) -> str:
    if sign.isprintable() or sign in JOINERS:
        return sign
    return " " if sign.isspace() else f"\\u{ord(sign):04x}"


def one_of(names: Iterable[str]) -> str:
    """Join names as in a sentence: "a, b or c"."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def unknown_name(what: str, name: str, known: Iterable[str], family: type[DeftxError] = RecipeError) -> DeftxError:
    """Return the error for an unknown name; its message suggests the most similar known name and lists all of them."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return family(f"{what} {name!r} is not known.{hint} Known: {', '.join(known)}.")
