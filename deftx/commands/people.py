"""``people``: manage the users of the studio and their passwords."""

import argparse
import getpass
import os
import sys
from typing import Any

from deftx.accounts.people import ADMIN, MEMBER, VISITOR, put_person, read_people, remove_person
from deftx.commands import options, output
from deftx.core.errors import DeftxError
from deftx.core.files import expanded


def add_commands(commands: Any) -> None:
    """Add the command and its three actions."""
    people = commands.add_parser("people", help="manage the people who may log in (docs/people.md)")
    actions = people.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, about in (("add", "add a user, or change password and role"), ("remove", "remove a user"),
                          ("list", "list names and roles")):  # fmt: skip
        one = actions.add_parser(action, help=about)
        if action != "list":
            one.add_argument("name", metavar="NAME", help="a-z, 0-9, - and _")
        one.add_argument("--file", metavar="FILE", default=os.environ.get("DEFTX_AUTH"),
                         help="the file of users (default: DEFTX_AUTH)")  # fmt: skip
        options.add_json(one)
        one.set_defaults(run=run_people)
        if action == "add":
            role = one.add_mutually_exclusive_group()
            role.add_argument("--admin", action="store_const", dest="role", const=ADMIN, default=MEMBER,
                              help="can access everybody's workspace")  # fmt: skip
            role.add_argument("--visitor", action="store_const", dest="role", const=VISITOR, help="can only classify")


def run_people(arguments: argparse.Namespace) -> None:
    """Change the file, and print its users."""
    if not arguments.file:
        raise DeftxError("Give the file of users with --file or the environment variable DEFTX_AUTH.")
    path = expanded(arguments.file)
    if arguments.action == "add":
        put_person(path, arguments.name, _password(arguments.name), arguments.role)
    elif arguments.action == "remove":
        remove_person(path, arguments.name)
    elif not path.is_file():
        raise DeftxError(f"The file {path} does not exist.")
    roles = {entry.name: entry.role for entry in read_people(path).values()}
    output.result(roles, arguments.json, "\n".join(f"{name}  {role}" for name, role in roles.items()))


def _password(name: str) -> str:
    """Ask twice on a terminal, or read a line from a pipe. Not an argument, because other users could see it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password of {name}: ")
    if getpass.getpass("Repeat the password: ") != password:
        raise DeftxError("The passwords differ; nothing was changed.")
    return password
