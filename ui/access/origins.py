"""Which addresses of the page are accepted, and requests that pages of other sites make in a person's browser."""

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deftx.core.errors import printable
from ui import strings

UNKNOWN_HOST = "{host} is not a known name of this studio. If it is one, the host must add it to DEFTX_HOSTS."
FOREIGN_ORIGIN = "A page of another site made this request, so it was refused. Behind a proxy: it must pass on Host."
_ANY_ADDRESS = ("0.0.0.0", "::", "")
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
# What a link on another site may open: the page in each language, and the way back from a login at the Hub. /logout is not.
_OPENED = re.compile(rf"/(?:{'|'.join(strings.SPOKEN)})?/?|/login/(?:huggingface|callback)")


class OriginMiddleware:
    """ASGI middleware that refuses unknown hosts (DNS rebinding) and requests of other sites.

    A program that is no browser sends neither Origin nor Referer, and is not concerned.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], listens_at: str) -> None:
        """Accept ``hosts``, this machine's names, and the address ``listens_at``; if that is 0.0.0.0 or ::, every address."""
        self._app, self._any_address = app, listens_at in _ANY_ADDRESS
        own = socket.gethostname().casefold() if self._any_address else listens_at.casefold().strip("[]")
        self._hosts = {"localhost", own, *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        asked = _asked(headers)
        refused = next((host for host in asked if not self._is_known(host)), None)
        if refused is not None:
            said, code = UNKNOWN_HOST.format(host=printable(refused)[:100]), 421
        elif _is_foreign(scope, headers, asked):
            said, code = FOREIGN_ORIGIN, 403
        else:
            return await self._app(_asked_at(scope, asked[-1]), receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await PlainTextResponse(said, code)(scope, receive, send)

    def _is_known(self, authority: str) -> bool:
        name = host_of(authority)
        try:
            address = ip_address(name)
        except ValueError:
            return name in self._hosts
        # Rebinding needs a name, so an address that the server listens at is safe.
        return self._any_address or address.is_loopback or name in self._hosts


def host_of(authority: str) -> str:
    """Return the name or address in "host:port", in small letters and without brackets."""
    name = authority.casefold()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].rstrip(".")


def _asked(headers: Headers) -> list[str]:
    """Return the hosts that a request names: its own, and the one before a proxy, from which Gradio makes addresses."""
    forwarded = headers.get("x-forwarded-host")
    return [headers.get("host", ""), *([forwarded.split(",")[0].strip()] if forwarded else [])]


def _asked_at(scope: Scope, host: str) -> Scope:
    """Return a request as it reached the proxy: the address to which a login at the Hub comes back is made from Host alone."""
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*others, (b"host", host.encode("latin-1"))]}


def _is_foreign(scope: Scope, headers: Headers, asked: list[str]) -> bool:
    """Return whether a page of another site made a request, other than a link that opens the page."""
    own = {_authority("http", host) for host in asked} | {_authority("https", host) for host in asked}
    if (origin := headers.get("origin")) is not None:
        return _of_url(origin) not in own
    site, referer = headers.get("sec-fetch-site"), headers.get("referer")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:  # only over HTTPS and at this machine do browsers say more than Referer
        foreign = referer is not None and _of_url(referer) not in own
    opens = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _OPENED.fullmatch(scope["path"])
    return foreign and not opens


def _of_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return _authority(parts.scheme, parts.netloc) if parts.netloc else None


def _authority(scheme: str, authority: str) -> str:
    return authority.casefold().removesuffix(_DEFAULT_PORT.get(scheme, "\0"))
