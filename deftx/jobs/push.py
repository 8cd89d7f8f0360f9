"""Pushing a vector to the Hub at the end of a training run; write access is checked before the start.

The token is taken only from the server's environment (HF_TOKEN), which workers inherit. It is never written to a file.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError, HubError
from deftx.core.events import Event, OnEvent
from deftx.core.files import write_json
from deftx.jobs.job import OUT, read_json
from deftx.training.distributed import is_main
from deftx.training.request import TrainingRequest

TOKEN = "HF_TOKEN"
# Set if other users can reach the page; their vectors are not pushed with the server's token.
SHARED = ("SPACE_ID", "DEFTX_AUTH")
PUSHED = "pushed.json"  # in the job's folder after the push: URL and commit


def is_offered(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether training runs on this server can push their vector."""
    return bool(environment.get(TOKEN)) and not is_shared(environment)


def is_shared(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether several people use this server."""
    return any(environment.get(name) for name in SHARED)


def check(request: TrainingRequest) -> None:
    """Check write access if the request has push_to. Raise HubError if there is none, or the Hub does not answer."""
    if not request.push_to:
        return
    # Importing the Hub client is slow, and most training runs do not push.
    from deftx.hub.client import hub
    from deftx.hub.uploads import check_target

    if not is_offered():
        raise HubError(
            f"This studio cannot push at the end of a training run: {TOKEN} is not set in its environment, or it has several "
            "users. Push the vector from the Library when it is finished."
        )
    check_target(hub(), request.push_to, request.push_private)


def push_finished(settings: Mapping[str, Any], folder: Path, on_event: OnEvent) -> None:
    """Push the vector of the job in ``folder`` once, if its settings contain push_to.

    If the push fails, the vector is kept and an event says how to push it later.
    """
    if not settings.get("push_to") or not is_main() or read_json(folder / PUSHED) is not None:
        return
    try:
        pushed = _push(settings, folder)
    except (DeftxError, OSError) as error:  # of the Hub or of this machine, such as a full disk
        reason = str(error).rstrip(".")
        message = f"The vector is finished, but could not be pushed: {reason}. Push it from the Library."
        on_event(Event("evaluate", 2, 2, message=message, warning=True))
        return
    with suppress(OSError):  # the vector is on the Hub, whether or not this disk has space to note it
        write_json(folder / PUSHED, {"url": pushed.url, "commit": pushed.commit})
    on_event(Event("evaluate", 2, 2, message=f"Pushed to {pushed.url} (commit {pushed.commit[:12]})."))


def _push(settings: Mapping[str, Any], folder: Path) -> Any:
    # Imported here for the same reason as in ``check``.
    from deftx.hub.client import hub
    from deftx.hub.uploads import push
    from deftx.publish.pushing import prepare_vector

    private = bool(settings.get("push_private"))
    with tempfile.TemporaryDirectory(prefix="deftx-push-") as beside:
        api = hub()
        return push(api, prepare_vector(api, folder / OUT, settings["push_to"], Path(beside), private=private))
