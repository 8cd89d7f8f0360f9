"""Headers of every answer: which scripts the page may run, who may frame it, and to which requests cookies belong."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable

import gradio.routes
from jinja2 import BaseLoader, Environment
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.access import page_transfer
from ui.shared import page_languages, page_scripts
from ui.shared.browser_store import FORGET

FRAMES_OF_A_SPACE = "https://huggingface.co"
# Of anything that is not the page, such as a served file: were it opened as a document, it could load and run nothing.
_NOTHING = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_SAME_SITE = re.compile(r";\s*(?:samesite=\w+|partitioned)", re.IGNORECASE)
_SECURE = re.compile(r";\s*secure\b", re.IGNORECASE)


class PageHeadersMiddleware:
    """ASGI middleware that adds security headers to answers and restricts their cookies."""

    def __init__(self, app: ASGIApp, in_space: bool) -> None:
        """Let huggingface.co frame the page only if it is ``in_space``."""
        _mark_scripts(gradio.routes.templates.env)
        self._app, self._in_space = app, in_space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope["nonce"] = secrets.token_urlsafe(16)
        await self._app(scope, receive, self._adding(send, scope))

    def _adding(self, send: Send, scope: Scope) -> Callable:
        nonce, is_secure = scope["nonce"], scope.get("scheme") == "https"

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers["Content-Security-Policy"] = policy(nonce, self._in_space) if is_page else _NOTHING
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers[page_scripts.STARTED_HEADER] = page_scripts.started()
                if message["status"] == 200 and page_transfer.is_named_by_content(scope["path"]):
                    headers["Cache-Control"] = page_transfer.FOREVER
                message["headers"] = [
                    (name, self._cookie(value, is_secure) if name == b"set-cookie" else value)
                    for name, value in headers.raw
                ]
            await send(message)

        return add

    def _cookie(self, value: bytes, is_secure: bool) -> bytes:
        """Return a cookie for the page's own requests; in the frame of a Space, those have another site on top."""
        cookie = _SAME_SITE.sub("", value.decode("latin-1"))
        if (is_secure or self._in_space) and not _SECURE.search(cookie):
            cookie += "; Secure"
        return f"{cookie}; {'SameSite=None; Partitioned' if self._in_space else 'SameSite=Lax'}".encode("latin-1")


def policy(nonce: str, in_space: bool) -> str:
    """Return the content security policy of the page.

    Scripts need the nonce, or come from a script that has it: markup in a text can bring none. Gradio compiles the
    handlers that are sent as text, so it needs eval; only the server sends those. Plots set styles of elements.
    """
    framing = FRAMES_OF_A_SPACE if in_space else "'none'"
    scripts = (page_languages.CHOOSE_SCRIPT, page_languages.REMEMBER, FORGET)
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic' 'unsafe-eval' 'unsafe-hashes' {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {framing}",
        )
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _WithNonce(BaseLoader):
    """Gradio's templates with scripts of ours, and a nonce in each script element; nothing that is filled in gets one."""

    def __init__(self, inner: BaseLoader) -> None:
        self._inner = inner

    def get_source(self, environment: Environment, template: str) -> tuple:
        source, path, is_current = self._inner.get_source(environment, template)
        source = source.replace("<head>", f"<head>{page_scripts.elements()}", 1)
        return source.replace("<script", '<script nonce="{{ request.scope.nonce }}"'), path, is_current


def _mark_scripts(environment: Environment) -> None:
    if not isinstance(environment.loader, _WithNonce):
        environment.loader = _WithNonce(environment.loader)
