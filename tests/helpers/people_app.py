"""What tests of logging in share: people with passwords, and how they speak with the app."""

from pathlib import Path

import httpx
from gradio_client import Client

from deftx.accounts.people import put_person

ROOT = Path(__file__).resolve().parents[2]
PASSWORDS = {
    "ana": "a tale of two rivers",
    "bob": "bread and butter pie",
    "root": "an admin of the host",
    "vic": "just a visit here",
}
ROLES = {"root": "admin", "vic": "visitor"}


def write_people(path):
    for name, password in PASSWORDS.items():
        put_person(path, name, password, ROLES.get(name, "member"))
    return path


def program(url, name):
    """A program that has logged in as somebody."""
    return Client(url, auth=(name, PASSWORDS[name]), verbose=False, httpx_kwargs={"timeout": 120})


def plain(url, name=None):
    """A plain HTTP client, logged in as somebody or as nobody."""
    client = httpx.Client(base_url=url, timeout=120)
    if name:
        client.post("/login", data={"username": name, "password": PASSWORDS[name]}).raise_for_status()
    return client
