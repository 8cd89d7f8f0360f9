"""Logins of this server: which user a request's cookie belongs to, while that user's password stays the same."""

from collections.abc import Callable

from starlette.requests import cookie_parser
from starlette.types import Scope


class LoginSessions(dict[str, str]):
    """The user name of each token, in place of Gradio's own table; another password or none ends a session."""

    def __init__(self, secret: Callable[[str], str | None]) -> None:
        """Create an empty table; ``secret`` returns what another password of a user changes, and None for nobody."""
        super().__init__()
        self._secret, self._secrets = secret, dict[str, str | None]()

    def __setitem__(self, token: str, name: str) -> None:
        """Start a session."""
        self._secrets[token] = self._secret(name)
        super().__setitem__(token, name)

    def __delitem__(self, token: str) -> None:
        """End a session."""
        super().__delitem__(token)
        self._secrets.pop(token, None)

    def get(self, token: str | None, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the user of a token, or ``default``."""
        name = super().get(token or "")
        if name is not None and self._secret(name) != self._secrets.get(token or ""):
            del self[token or ""]
            return default
        return default if name is None else name


def username(scope: Scope) -> str | None:
    """Return the user name that belongs to a request's cookie, found as Gradio's own routes find it."""
    header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"), "")
    cookies, app = cookie_parser(header), scope["app"]
    token = next((cookies[name] for kind in ("", "unsecure-")
                  if cookies.get(name := f"access-token-{kind}{app.cookie_id}")), None)  # fmt: skip
    return app.tokens.get(token)
