"""Build the page and launch it."""

import argparse
import os
import sys
import threading
from functools import partial
from importlib.util import find_spec

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Gradio's usage statistics, which nobody sees: by default it computes them at every event, which took a sixth of a busy
# server.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))

# Make waiting threads sleep instead of spin; otherwise visitors slow training down almost to a stop (docs/load.md).
# torch reads it when it is loaded, and training processes inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Gradio would read it while it is imported, and end with a traceback; ``options`` says what is wrong with it.
os.environ.setdefault("DEFTX_PORT", os.environ.pop("GRADIO_SERVER_PORT", "7860"))

from deftx.core.hosting import hosting_from, on_zero_gpu

if on_zero_gpu():
    import spaces  # noqa: F401 (before torch and Gradio, whose functions it replaces; the platform installs it)

from deftx.core.allocator import return_freed_memory
from deftx.core.errors import DeftxError
from deftx.core.logs import set_up
from deftx.jobs import Scheduler
from deftx.jobs.container import Container, is_container
from deftx.jobs.limits import limits_for
from deftx.models.bases import BUNDLED_BASE, find_base
from ui.access import component_lookup
from ui.access.front import checks
from ui.access.opening import launch_arguments, open_studio
from ui.page import build_page
from ui.shared import page_languages
from ui.shared.health import route
from ui.shared.theme import STYLE, theme
from ui.studio import Studio

# Gradio keeps 0.2 MB for each page that was ever opened; open pages are the ones used last.
SESSIONS = 1_000
MOST_EVENTS = 10_000  # that wait at the same time; requests are limited elsewhere (DEFTX_REQUESTS)
# Seconds between two looks of Gradio at its queue. Its own millisecond keeps a tenth of a slow core busy on an idle server.
QUEUE_INTERVAL = 0.02
# Seconds after which a thread gives way to another one that waits. A sentence takes hundreds of calls of torch, and after each
# of them the thread waits for the server's other threads that long at most (docs/load.md). Python's own are 0.005.
SWITCH_INTERVAL = 0.0005
PROGRESS_INTERVAL = 5.0  # seconds, instead of a hundredth, between two looks for gr.Progress, which no handler uses


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Open the studio in a browser. Data is stored in DEFTX_HOME (~/.deftx)."
    )
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
                        help="address to listen on (GRADIO_SERVER_NAME, by default only this machine)")  # fmt: skip
    parser.add_argument("--port", type=_port, default=os.environ.get("GRADIO_SERVER_PORT") or os.environ.get("DEFTX_PORT"),
                        help="port to listen on (GRADIO_SERVER_PORT, 7860)")  # fmt: skip
    parser.add_argument("--base", default=os.environ.get("DEFTX_BASE", BUNDLED_BASE),
                        help="base model: a bundled name, a folder or a Hub id (DEFTX_BASE, by default the bundled base)")  # fmt: skip
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; write a number from 1 to 65535.")
    return int(text)


def main() -> None:
    """Start the job scheduler, and serve the page until it is interrupted."""
    chosen = options()
    return_freed_memory()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        way = set_up(default="json" if is_container() else "text")
        container = Container() if is_container() else None
        find_base(chosen.base)
        hosting = hosting_from()
        host = Studio(chosen.base)
        host.lasting = container is None or container.places.lasting
        studio = open_studio(host, hosting)
    except DeftxError as error:
        raise SystemExit(str(error)) from error
    except OSError as error:
        raise SystemExit(f"The folder of all data (DEFTX_HOME) cannot be used: {error}") from error
    # What proxies say is checked by the studio's own rule (DEFTX_PROXIES); by default uvicorn believes every program here.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    scheduler = Scheduler(host.store, limits=partial(limits_for, hosting))
    if container:
        container.manage(host.store, scheduler)
    scheduler.start()
    threading.Thread(target=host.base, name="load base", daemon=True).start()
    page = build_page(studio)
    try:
        # On ZeroGPU, Gradio would let only one event wait.
        page.queue(default_concurrency_limit=4, max_size=MOST_EVENTS)
        page._queue.sleep_when_free = QUEUE_INTERVAL
        page._queue.progress_update_sleep_when_free = PROGRESS_INTERVAL
        page.launch(
            server_name=chosen.host,
            server_port=chosen.port,
            theme=theme(),
            head=page_languages.CHOOSE,
            css_paths=STYLE,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            state_session_capacity=SESSIONS,
            # The named endpoints as MCP tools, if gradio[mcp] is installed; they do not support logins.
            mcp_server=studio is host and find_spec("mcp") is not None,
            max_file_size=f"{hosting.upload_megabytes}mb" if hosting.upload_megabytes else None,
            quiet=way == "json",
            _frontend=False,  # otherwise a machine too busy to answer itself within 3 s would serve no page
            **launch_arguments(
                studio, checks(hosting, chosen.host), [route(host, scheduler, container), *component_lookup.routes()]
            ),
        )
    except OSError as error:  # the port is in use, or the address is not this machine's
        raise SystemExit(f"The page cannot be served at {chosen.host}:{chosen.port}: {error}") from error


if __name__ == "__main__":
    main()
