"""The logged-in person, how long their uploads are kept and, for admins, the choice of a workspace."""

import json
from html import escape

import gradio as gr

from deftx.accounts.people import VISITOR
from ui import strings
from ui.access.identity import AccountLogin
from ui.access.workspaces import Workspaces
from ui.shared import views
from ui.shared.browser_store import FORGET
from ui.shared.errors import refusals

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
_ANEW = "() => location.reload()"


def build(workspaces: Workspaces, page: gr.Blocks) -> None:
    """Lay out the line below the header. Its text is set when the page opens, because one page serves everybody."""
    with gr.Row(elem_id="who"):
        said = gr.HTML()
        if isinstance(workspaces.login_method, AccountLogin):
            button = gr.LoginButton(size="sm", scale=0, min_width=180)
            at_logout = f"said => {{ if (said !== {json.dumps(button.value)}) {FORGET} }}"
            button.click(None, button, js=at_logout, **PRIVATE)
        into = gr.Dropdown([], label=strings.WORKSPACE, visible=False, scale=0, min_width=220, elem_id="room")
    page.load(lambda: (describe(workspaces), _choice(workspaces)), None, [said, into], **PRIVATE)
    into.input(lambda name: _visit(workspaces, name or ""), into, None, **PRIVATE).success(None, js=_ANEW, **PRIVATE)


def offer(workspaces: Workspaces) -> None:
    """Add the endpoints for programs of admins; docs/people.md shows how to use them."""

    def people_workspaces() -> list[str]:
        """List the workspaces of people that hold anything; for admins."""
        with refusals():
            return workspaces.names_for_admin()

    def look_into(workspace: str) -> str:
        """Work in a person's workspace from now on, or in the host's (empty); for admins."""
        _visit(workspaces, workspace)
        return workspace

    for function in (people_workspaces, look_into):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


def describe(workspaces: Workspaces) -> str:
    """Return who is logged in and what that person may do."""
    with refusals():
        person, hosting = workspaces.asking(), workspaces.hosting
    if not person.name:
        return views.paragraph(strings.WHO_NOBODY, "quiet")
    lines = [strings.WHO[person.role].format(name=person.name)]
    if person.role == VISITOR and hosting.visitors_train:
        lines = [strings.WHO["member"].format(name=person.name)]
    if not person.is_admin and hosting.days_kept:
        lines.append(strings.WHO_KEPT.format(days=f"{hosting.days_kept:g}"))
    out = f' <a href="/logout" onclick="{escape(FORGET)}">{escape(strings.LOG_OUT)}</a>'
    if isinstance(workspaces.login_method, AccountLogin):
        out = ""  # the button says it
    said = f'<p class="quiet">{escape(" ".join(lines))}{out}</p>'
    problem = workspaces.login_method.problem
    return said + views.refusal(strings.PEOPLE_DAMAGED, problem) if person.is_admin and problem else said


def _choice(workspaces: Workspaces) -> gr.Dropdown:
    if not workspaces.asking().is_admin:
        return gr.Dropdown(visible=False)
    names = [(strings.WORKSPACE_OF_HOST, ""), *((name, name) for name in workspaces.names())]
    return gr.Dropdown(choices=names, value=workspaces.visited(), visible=len(names) > 1)


def _visit(workspaces: Workspaces, name: str) -> None:
    with refusals():
        workspaces.visit(name)
