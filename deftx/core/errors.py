"""The one family of errors that a person can cause, and the wording they share."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_MESSAGE = 1_000  # characters: a message may quote a name or a cell of a stranger's file
JOINERS = "\u200c\u200d"  # spelling needs them in Persian and in many scripts of India; they turn nothing round


class DeftxError(Exception):
    """Something a person asked for cannot be done; the text says what is wrong, where, and what to do."""

    def __str__(self) -> str:
        """Return the message as one printable line: what it quotes cannot hide, turn round or drown the rest of it."""
        message = printable(super().__str__())
        if len(message) <= LONGEST_MESSAGE:
            return message
        # What is wrong stands at the start, what to do at the end.
        return f"{message[: LONGEST_MESSAGE * 2 // 3]} … {message[-LONGEST_MESSAGE // 3 + 3 :]}"


class BaseModelError(DeftxError):
    """A base model is missing, unreadable, or of an architecture that the method does not cover."""


class CorpusError(DeftxError):
    """A corpus cannot be read, or holds no usable text."""


class TableError(DeftxError):
    """A labelled file cannot be read, or its labels cannot be learned from."""


class RecipeError(DeftxError):
    """A setting is unknown, out of range, or contradicts another."""


class VectorError(DeftxError):
    """A sparse vector is damaged, of another version, or made for another base."""


class HubError(DeftxError):
    """The Hugging Face Hub does not take something, or cannot be asked; nothing was changed there."""


class TrainingError(DeftxError):
    """A training could not go on; what was reached is kept in its folder."""


class PeerLost(TrainingError):
    """Another of the processes that train together has ended; what was reached is kept."""


class TrainingStopped(DeftxError):
    """A training was asked to stop; its checkpoint is kept and the same call resumes it."""


def printable(text: str) -> str:
    """Write a text in one line, with control characters and those that change the direction of writing as \\u202e."""
    return "".join(map(_printable, text))


def _printable(sign: str) -> str:
    if sign.isprintable() or sign in JOINERS:
        return sign
    return " " if sign.isspace() else f"\\u{ord(sign):04x}"


def one_of(names: Iterable[str]) -> str:
    """Write names as a person would list them: "a, b or c"."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def unknown_name(what: str, name: str, known: Iterable[str], family: type[DeftxError] = RecipeError) -> DeftxError:
    """Make the error for a name that is in no table: it offers the nearest known one and lists them all."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return family(f"{what} {name!r} is not known.{hint} Known: {', '.join(known)}.")
