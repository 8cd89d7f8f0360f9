"""``/health``: whether the studio works, as JSON, on the page's port; open to everybody who can reach the port."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deftx.jobs import Scheduler
from deftx.jobs.container import Container
from deftx.jobs.health import health
from ui.studio import Studio

PATH = "/health"


def route(host: Studio, scheduler: Scheduler, container: Container | None = None) -> Route:
    """Return the route, which answers 200, or 503 with the problems in the body."""
    lasting = container.places.lasting if container else None

    async def answer(request: Request) -> JSONResponse:
        loaded = host.loaded_base() is not None
        found = await run_in_threadpool(health, host.store, scheduler, host.title, loaded, lasting)
        return JSONResponse(found.to_dict(), found.code, headers={"Cache-Control": "no-store"})

    return Route(PATH, answer)
