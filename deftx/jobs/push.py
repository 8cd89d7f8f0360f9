"""A training that ends in a push to the Hub: the right to is asked for before it starts, and the vector goes there at the end.

The token is that of the server's environment (HF_TOKEN) alone: a worker inherits it, and no file ever holds one.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deftx.core.errors import HubError
from deftx.core.events import Event, OnEvent
from deftx.core.files import write_json
from deftx.jobs.job import OUT, read_json
from deftx.training.distributed import is_main
from deftx.training.request import TrainingRequest

TOKEN = "HF_TOKEN"
# Set where strangers reach the page: what is theirs is not pushed as the server's owner.
SHARED = ("SPACE_ID", "DEFTX_AUTH")
PUSHED = "pushed.json"  # in the job's folder, once it is done: the address and the commit


def is_offered(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether trainings of this server may end in a push."""
    return bool(environment.get(TOKEN)) and not any(environment.get(name) for name in SHARED)


def check(request: TrainingRequest) -> None:
    """Ask the Hub for the right to push where a request ends in a push; HubError where there is none, or no answer."""
    if not request.push_to:
        return
    # The client of the Hub takes long to import, and most training runs end without a push.
    from deftx.hub.client import hub
    from deftx.publish.pushing import check_target

    if not is_offered():
        raise HubError(
            f"This studio does not push by itself: {TOKEN} is not set in its environment, or others than its owner use "
            "it. Push the vector from the Library when it is finished."
        )
    check_target(hub(), request.push_to, request.push_private)


def push_finished(settings: Mapping[str, Any], folder: Path, on_event: OnEvent) -> None:
    """Push the vector that the job in ``folder`` has written, where its settings say so, once.

    A push that fails takes nothing from the vector: it is said how to push it later.
    """
    if not settings.get("push_to") or not is_main() or read_json(folder / PUSHED) is not None:
        return
    try:
        pushed = _push(settings, folder)
    except HubError as error:
        message = f"The vector is finished, but it was not pushed: {error} Push it from the Library."
        on_event(Event("evaluate", 2, 2, message=message, warning=True))
        return
    write_json(folder / PUSHED, {"url": pushed.url, "commit": pushed.commit})
    on_event(Event("evaluate", 2, 2, message=f"Pushed to {pushed.url} (commit {pushed.commit[:12]})."))


def _push(settings: Mapping[str, Any], folder: Path) -> Any:
    # As in check.
    from deftx.hub.client import hub
    from deftx.publish.pushing import prepare_vector, push

    private = bool(settings.get("push_private"))
    with tempfile.TemporaryDirectory(prefix="deftx-push-") as beside:
        api = hub()
        return push(api, prepare_vector(api, folder / OUT, settings["push_to"], Path(beside), private=private))
