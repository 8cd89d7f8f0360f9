"""Checks in front of everything else, Gradio's own middleware included: for all requests, with or without logins."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from deftx.core.hosting import Hosting, in_space, space_hosts
from ui.access.bodies import BodyMiddleware
from ui.access.forwarded import PROXIES_OF_A_SPACE, ForwardedMiddleware
from ui.access.origins import OriginMiddleware
from ui.access.page_headers import PageHeadersMiddleware
from ui.access.page_transfer import PageCompression
from ui.access.visitors import LoginSessions

_PASSED = "deftx.passed"  # set in the scope of a request that has passed the checks


def checks(hosting: Hosting, listens_at: str) -> list[Middleware]:
    """Return the checks, the first one outermost, of a server that listens at an address."""
    uploaded = hosting.upload_megabytes * 10**6
    return [
        Middleware(ForwardedMiddleware, proxies=(*hosting.proxies, *(PROXIES_OF_A_SPACE if in_space() else ()))),
        Middleware(PageHeadersMiddleware, in_space=in_space()),  # over HTTPS, cookies are Secure
        Middleware(OriginMiddleware, hosts=(*hosting.hosts, *space_hosts()), listens_at=listens_at),
        Middleware(BodyMiddleware, most_uploaded=uploaded, most_in_flight=hosting.requests_in_flight),
        Middleware(PageCompression),
        Middleware(_Passed),
    ]


def in_front(
    layers: Sequence[Middleware], sessions: LoginSessions | None = None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return a ``lifespan`` that puts middleware in front of all, and ``sessions`` in place of Gradio's.

    Gradio adds its own middleware in front of what ``launch`` is given, and has no setting for either.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        for layer in reversed(layers):
            app.middleware_stack = layer.cls(app.middleware_stack, *layer.args, **layer.kwargs)
        if sessions is not None:
            app.tokens = sessions
        yield

    return lifespan


class CheckedMiddleware:
    """ASGI middleware that answers only what has passed the checks: a server whose ``lifespan`` fails goes on without them."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] in ("http", "websocket") and not scope.get(_PASSED):
            raise RuntimeError("The checks in front of the page are missing, so it serves nothing.")
        await self._app(scope, receive, send)


class _Passed:
    """The innermost check, which marks what has passed all others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_PASSED] = True
        await self._app(scope, receive, send)
