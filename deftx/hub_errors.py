"""What to tell a person when the Hugging Face Hub does not give what was asked for."""

from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError


def explain_hub(error: Exception, what: str, instead: str, missing: tuple[type, ...] = ()) -> str:
    """Say why ``what`` ("data set owner/name") is not to be had: gated, missing (also for these errors), or no network.

    ``instead`` says what can be done without the Hub, as the end of "Check the network, or …".
    """
    if isinstance(error, GatedRepoError):
        return f"The {what} is gated: ask for access on its page on the Hub, then log in here (hf auth login)."
    if isinstance(error, (RepositoryNotFoundError, *missing)):
        return (
            f"The Hugging Face Hub has no {what} that you can see. Check the id; if it is private, log in first "
            "(hf auth login)."
        )
    reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return f"The Hugging Face Hub could not be reached ({reason}). Check the network, or {instead}."
