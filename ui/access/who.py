"""Who is logged in, what becomes of what they bring, and, for admins, whose room they look into."""

from html import escape

import gradio as gr

from deftx.accounts.people import VISITOR
from ui import strings
from ui.access.identity import AccountDoor
from ui.access.workspaces import Rooms
from ui.shared import views
from ui.shared.errors import refusals

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
_ANEW = "() => location.reload()"


def build(rooms: Rooms, page: gr.Blocks) -> None:
    """Lay out the line below the header; what it says is asked for when the page opens, for the page is everybody's."""
    with gr.Row(elem_id="who"):
        said = gr.HTML()
        if isinstance(rooms.door, AccountDoor):
            gr.LoginButton(size="sm", scale=0, min_width=180)
        into = gr.Dropdown([], label=strings.ROOM, visible=False, scale=0, min_width=220, elem_id="room")
    page.load(lambda: (describe(rooms), _choice(rooms)), None, [said, into], **PRIVATE)
    into.input(lambda name: _visit(rooms, name or ""), into, None, **PRIVATE).success(None, js=_ANEW, **PRIVATE)


def offer(rooms: Rooms) -> None:
    """Offer to admins' programs what the line offers to admins; docs/people.md shows how."""

    def people_rooms() -> list[str]:
        """List the rooms of people in which something was kept; for admins."""
        with refusals():
            return rooms.names_for_admin()

    def look_into(room: str) -> str:
        """Work in a person's room from now on, or in the house again (empty); for admins."""
        _visit(rooms, room)
        return room

    for function in (people_rooms, look_into):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


def describe(rooms: Rooms) -> str:
    """Say who is logged in and what that means."""
    with refusals():
        person, hosting = rooms.asking(), rooms.hosting
    if not person.name:
        return views.paragraph(strings.WHO_NOBODY, "quiet")
    lines = [strings.WHO[person.role].format(name=person.name)]
    if person.role == VISITOR and hosting.visitors_train:
        lines = [strings.WHO["member"].format(name=person.name)]
    if not person.is_admin and hosting.days_kept:
        lines.append(strings.WHO_KEPT.format(days=f"{hosting.days_kept:g}"))
    out = "" if isinstance(rooms.door, AccountDoor) else f' <a href="/logout">{escape(strings.LOG_OUT)}</a>'
    return f'<p class="quiet">{escape(" ".join(lines))}{out}</p>'


def _choice(rooms: Rooms) -> gr.Dropdown:
    if not rooms.asking().is_admin:
        return gr.Dropdown(visible=False)
    names = [(strings.ROOM_HOUSE, ""), *((name, name) for name in rooms.names())]
    return gr.Dropdown(choices=names, value=rooms.visited(), visible=len(names) > 1)


def _visit(rooms: Rooms, name: str) -> None:
    with refusals():
        rooms.visit(name)
