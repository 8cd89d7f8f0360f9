"""A check of the arguments of endpoints, which a program may send in any form that JSON allows."""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from deftx.core.errors import DeftxError

TEXT, TEXTS = "a text of valid characters", "a list of texts"
OBJECT, OBJECT_OF_TEXTS = "an object of values by name", "an object of texts by name"
TEXTS_OR_ALL = "a list of texts, or true"
_KINDS = {
    TEXT: str | None,
    TEXTS: list[str] | None,
    OBJECT: dict[str, Any] | None,
    OBJECT_OF_TEXTS: dict[str, str] | None,
    TEXTS_OR_ALL: list[str] | bool | None,
}


def check(expected: str, *, required: bool = False, **given: Any) -> None:
    """Check arguments by name; None is allowed unless they are ``required``.

    Args:
        expected: One of the kinds above.
        required: Whether None is refused.
        given: The arguments.

    Raises:
        DeftxError: an argument is of another kind, or has a text that is no Unicode.
    """
    for name, value in given.items():
        try:
            TypeAdapter(_KINDS[expected]).validate_python(value, strict=True)
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair cannot be encoded
        except (ValidationError, UnicodeEncodeError):
            fits = False
        else:
            fits = value is not None or not required
        if not fits:
            raise DeftxError(f"{name} = {value!r:.80} cannot be used: expected {expected}.")
