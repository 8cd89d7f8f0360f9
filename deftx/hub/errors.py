"""What to tell a person when the Hugging Face Hub does not give what was asked for."""

import re
from collections.abc import Callable

import httpx2
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

# What the Hub's client raises: for its answers, for the network below it, for what it will not send or take.
FAMILIES = (httpx2.HTTPError, OSError, ValueError)

LOG_IN = "log in first (hf auth login), or give a token"


def explain_hub(error: Exception, what: str, instead: str, missing: tuple[type, ...] = ()) -> str:
    """Say why ``what`` ("data set owner/name") is not to be had, by what the Hub answered; never repeats a token.

    ``instead`` says what can be done without the Hub, as the end of "Check the network, or …". ``missing`` are further
    errors that mean that there is no such thing.
    """
    if isinstance(error, (LocalEntryNotFoundError, RuntimeError)) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the client says what it was at; what counts is what the Hub answered
    if isinstance(error, GatedRepoError):
        return f"The {what} is gated: ask for access on its page on the Hub, then log in here (hf auth login)."
    if isinstance(error, DisabledRepoError):
        return f"The Hub has switched the {what} off; nobody can read it now."
    if isinstance(error, RemoteEntryNotFoundError):
        return f"The {what} does not hold the file that was asked for ({_in_one_line(error)})."
    if isinstance(error, (RepositoryNotFoundError, *missing)):
        return (
            f"The Hugging Face Hub has no {what} that you can see. Check the id; if it is private, log in first "
            "(hf auth login)."
        )
    if isinstance(error, LocalTokenNotFoundError):
        return f"Nobody is logged in to the Hugging Face Hub here: {LOG_IN}."
    if isinstance(error, HfHubHTTPError) and (answer := ANSWERS.get(error.response.status_code)):
        return answer(error, what)
    if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
        return f"The Hub refuses this with the {what} ({error.response.status_code}: {_in_one_line(error)})."
    if isinstance(error, HfHubHTTPError):
        return f"The Hugging Face Hub is not well (it answers {error.response.status_code}). Try again later, or {instead}."
    return f"The Hugging Face Hub could not be reached ({_in_one_line(error)}). Check the network, or {instead}."


def waiting_time(response: httpx2.Response) -> int | None:
    """Read from an answer after how many seconds the Hub takes requests again; None where it does not say."""
    limits = parse_ratelimit_headers(response.headers)
    if limits is not None and limits.remaining == 0:
        return limits.reset_in_seconds
    after = response.headers.get("Retry-After", "")
    return int(after) if re.fullmatch(r"\d{1,6}", after) else None


def _unknown_token(error: HfHubHTTPError, what: str) -> str:
    return (
        "The Hugging Face Hub does not know the token: it is wrong, was withdrawn, or has expired. Make a new one "
        "(Settings, Access Tokens on the Hub) and log in again (hf auth login --force)."
    )


def _payment(error: HfHubHTTPError, what: str) -> str:
    return f"The Hub asks for a paid plan for this: {_in_one_line(error)}."


def _forbidden(error: HfHubHTTPError, what: str) -> str:
    return f"The token has no right to do this with the {what} ({_in_one_line(error)})."


def _too_many(error: HfHubHTTPError, what: str) -> str:
    seconds = waiting_time(error.response)
    when = f"in {seconds} seconds" if seconds is not None else "in a few minutes"
    return f"The Hugging Face Hub takes no more requests from you for now (rate limit). Try again {when}; a token raises the limit."


ANSWERS: dict[int, Callable[[HfHubHTTPError, str], str]] = {
    401: _unknown_token,
    402: _payment,
    403: _forbidden,
    429: _too_many,
}


def _in_one_line(error: Exception) -> str:
    text = getattr(error, "server_message", None) or str(error)
    # What stands at HF_ENDPOINT may be a proxy that repeats what it was sent.
    text = re.sub(r"hf_\w+|(?<=Bearer )\S+", "(a token)", str(text))
    return " ".join(text.split())[:200].rstrip(".") or type(error).__name__
