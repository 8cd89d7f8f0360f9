"""Open the studio for one local user, for the people in a file, or for the visitors of a Space."""

import logging
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from deftx.accounts.people import People
from deftx.core.hosting import Hosting
from deftx.jobs.home import PEOPLE
from ui import strings
from ui.access.front import CheckedMiddleware, in_front
from ui.access.identity import AccountLogin, PasswordLogin, on_a_space
from ui.access.middleware import AccessMiddleware
from ui.access.retention import Retention
from ui.access.visitors import LoginSessions
from ui.access.workspaces import Workspaces
from ui.studio import Studio

log = logging.getLogger(__name__)


def open_studio(host: Studio, hosting: Hosting) -> Studio | Workspaces:
    """Return the host's studio itself, or the workspaces if people log in.

    Raises:
        DeftxError: the file of people cannot be read.
    """
    if hosting.people_file:
        login_method = PasswordLogin(People(Path(hosting.people_file)))
    elif on_a_space():
        login_method = AccountLogin(hosting, os.environ.get("SPACE_AUTHOR_NAME", ""), host.store.home / PEOPLE)
    else:
        return host
    workspaces = Workspaces(host, hosting, login_method)
    Retention(workspaces).start()
    log.info("People log in: each sees their own work alone, admins see everybody's.")
    return workspaces


def launch_arguments(
    studio: Studio | Workspaces, front: Sequence[Middleware], routes: Sequence[BaseRoute] = ()
) -> dict[str, Any]:
    """Return arguments of ``launch`` that add checks in ``front``, ``routes`` and, if people log in, the login and its checks."""
    login, sessions, middleware = {}, None, [Middleware(CheckedMiddleware)]
    if isinstance(studio, Workspaces):
        middleware.append(Middleware(AccessMiddleware, workspaces=studio))
        if isinstance(studio.login_method, PasswordLogin):
            login = {"auth": studio.login_method.check, "auth_message": _rule()}
            sessions = LoginSessions(studio.login_method.secret)
    added = {"routes": list(routes), "middleware": middleware, "lifespan": in_front(front, sessions)}
    return {**login, "app_kwargs": added}


def _rule() -> str:
    """Return the rule about wrong passwords in every language, because Gradio has one login page for all."""
    said = []
    for code in strings.SPOKEN:
        with strings.speaking(code):
            said.append(f'<p lang="{code}">{escape(strings.LOGIN_RULE)}</p>')
    return "".join(said)
