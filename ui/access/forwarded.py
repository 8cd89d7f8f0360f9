"""What proxies say about a request: it counts only from proxies that the host has named, or from those of a Space."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

# A Space is reached through the Hub's proxies alone, which have private addresses.
PROXIES_OF_A_SPACE = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1",
    "fc00::/7",
)
_SAID = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")


class ForwardedMiddleware:
    """ASGI middleware that takes the client's address and scheme from named proxies and drops what others claim."""

    def __init__(self, app: ASGIApp, proxies: Sequence[str]) -> None:
        """Name the addresses and networks of proxies."""
        self._app, self._proxied = app, ProxyHeadersMiddleware(app, list(proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        client = scope.get("client")
        if client and client[0] in self._proxied.trusted_hosts:
            return await self._proxied(scope, receive, send)
        if "headers" in scope:
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in _SAID]}
        await self._app(scope, receive, send)
