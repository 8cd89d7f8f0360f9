"""Messages for errors of the Hugging Face Hub."""

import errno
import re
from collections.abc import Callable

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers

# Exceptions of the Hub's client: for HTTP errors, for network errors, and for invalid requests.
FAMILIES = (httpx2.HTTPError, OSError, ValueError)

FULL = {errno.ENOSPC, errno.EDQUOT}  # numbers of errors of a disk that has no space left, or none for this account
LOCKED = {errno.EACCES, errno.EPERM, errno.EROFS}  # of one that may not be written

LOG_IN = "log in first (hf auth login), or give a token"


def explain_hub(error: Exception, what: str, instead: str, missing: tuple[type, ...] = ()) -> str:
    """Return a message about an error of the Hub; it never contains a token.

    Args:
        error: The exception that the Hub's client raised.
        what: What was requested, e.g. "data set owner/name".
        instead: What to do without the Hub, as the end of "Check the network, or …".
        missing: Further exceptions that mean that ``what`` does not exist.
    """
    if isinstance(error, (LocalEntryNotFoundError, RuntimeError)) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the Hub's answer; the error itself says only what the client was doing
    if isinstance(error, GatedRepoError):
        return f"The {what} is gated: request access on its page on the Hub, then log in here (hf auth login)."
    if isinstance(error, DisabledRepoError):
        return f"The Hub has disabled the {what}; it cannot be read."
    if isinstance(error, RemoteEntryNotFoundError):
        return f"The {what} does not contain the requested file ({_in_one_line(error)})."
    if isinstance(error, (RepositoryNotFoundError, *missing)):
        return (
            f"The Hugging Face Hub has no {what} that you can see. Check the id; if it is private, log in first "
            "(hf auth login)."
        )
    if isinstance(error, LocalTokenNotFoundError):
        return f"You are not logged in to the Hugging Face Hub: {LOG_IN}."
    if isinstance(error, HfHubHTTPError) and (answer := ANSWERS.get(error.response.status_code)):
        return answer(error, what)
    if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
        return f"The Hub refused a request for the {what} ({error.response.status_code}: {_in_one_line(error)})."
    if isinstance(error, HfHubHTTPError):
        return (
            f"The Hugging Face Hub has an error (status {error.response.status_code}). Try again later, or {instead}."
        )
    if isinstance(error, OSError) and (disk := _of_this_disk(error)):
        return disk
    return f"The Hugging Face Hub could not be reached ({_in_one_line(error)}). Check the network, or {instead}."


def waiting_time(response: httpx2.Response) -> int | None:
    """Return after how many seconds the Hub accepts requests again, or None if the response does not say."""
    limits = parse_ratelimit_headers(response.headers)
    if limits is not None and limits.remaining == 0:
        return limits.reset_in_seconds
    after = response.headers.get("Retry-After", "")
    return int(after) if re.fullmatch(r"\d{1,6}", after) else None


def _of_this_disk(error: OSError) -> str | None:
    if error.errno in FULL:
        where = error.filename or constants.HF_HUB_CACHE  # only opening a file names it
        return (
            f"The disk of this machine is full ({where}). Free some space, or set HF_HOME to a folder on another disk."
        )
    if error.errno in LOCKED and error.filename:  # without a file it is a connection
        return (
            f"This machine does not allow access to {error.filename} ({error.strerror}). Correct its permissions, or set "
            "HF_HOME to a folder that you can write to."
        )
    return None


def _unknown_token(error: HfHubHTTPError, what: str) -> str:
    return (
        "The Hugging Face Hub does not accept the token: it is wrong, revoked or expired. Create a new one "
        "(Settings, Access Tokens on the Hub) and log in again (hf auth login --force)."
    )


def _payment(error: HfHubHTTPError, what: str) -> str:
    return f"The Hub requires a paid plan for this: {_in_one_line(error)}."


def _forbidden(error: HfHubHTTPError, what: str) -> str:
    return f"The token has no permission for this on the {what} ({_in_one_line(error)})."


def _too_many(error: HfHubHTTPError, what: str) -> str:
    seconds = waiting_time(error.response)
    when = f"in {seconds} seconds" if seconds is not None else "in a few minutes"
    return f"The Hugging Face Hub has reached its rate limit for your requests. Try again {when}; a token raises the limit."


ANSWERS: dict[int, Callable[[HfHubHTTPError, str], str]] = {
    401: _unknown_token,
    402: _payment,
    403: _forbidden,
    429: _too_many,
}


def _in_one_line(error: Exception) -> str:
    text = getattr(error, "server_message", None) or str(error)
    # HF_ENDPOINT may be a proxy that repeats the request, token included.
    text = re.sub(r"hf_\w+|(?<=Bearer )\S+", "(a token)", str(text))
    return " ".join(text.split())[:200].rstrip(".") or type(error).__name__
