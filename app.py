"""Builds the page and launches it."""

import argparse
import os
import threading
from importlib.util import find_spec

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from deftx.bases import BUNDLED_BASE, find_base
from deftx.errors import DeftxError
from deftx.jobs import Scheduler
from deftx.jobs.container import Container, is_container
from deftx.logs import set_up
from ui import languages
from ui.health import route
from ui.page import build_page
from ui.studio import Studio
from ui.theme import STYLE, theme


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Open the studio in a browser. Data lives under DEFTX_HOME (~/.deftx)."
    )
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
                        help="address to listen on; this machine alone unless told otherwise (GRADIO_SERVER_NAME)")  # fmt: skip
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
                        help="port to listen on (GRADIO_SERVER_PORT, 7860)")  # fmt: skip
    parser.add_argument("--base", default=os.environ.get("DEFTX_BASE", BUNDLED_BASE),
                        help="base model: a bundled name, a folder or a Hub id (DEFTX_BASE, else the bundled base)")  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Start looking after the jobs, and serve the page until it is interrupted."""
    chosen = options()
    try:
        way = set_up(otherwise="json" if is_container() else "text")
        container = Container() if is_container() else None
        find_base(chosen.base)
        studio = Studio(chosen.base)
    except DeftxError as error:
        raise SystemExit(str(error)) from error
    scheduler = Scheduler(studio.store)
    if container:
        container.look_after(studio.store, scheduler)
    scheduler.start()
    threading.Thread(target=studio.base, name="load base", daemon=True).start()
    page = build_page(studio)
    try:
        page.queue(default_concurrency_limit=4).launch(
            server_name=chosen.host,
            server_port=chosen.port,
            theme=theme(),
            head=languages.CHOOSE,
            css_paths=STYLE,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=find_spec("mcp") is not None,  # the named endpoints as tools, where gradio[mcp] is installed
            max_file_size="500mb",
            quiet=way == "json",
            _frontend=False,  # else a machine too busy to answer itself within 3 s would not get a page at all
            app_kwargs={"routes": [route(studio, scheduler, container)]},
        )
    except OSError as error:  # the port is taken, or the address is not this machine's
        raise SystemExit(f"The page cannot be served at {chosen.host}:{chosen.port}: {error}") from error


if __name__ == "__main__":
    main()
