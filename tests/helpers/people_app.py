"""What tests of logging in share: the real app as a process with people in it, and how they speak with it."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
from gradio_client import Client

from deftx.accounts.people import put_person
from deftx.jobs import Store
from deftx.jobs.process import kill
from deftx.jobs.state import worker_of

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


@contextmanager
def app(home, base, **environment):
    """Run app.py over a home until the block ends, and give its address; trainings that still run end with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {**os.environ, "DEFTX_HOME": str(home), "DEFTX_BASE": str(base), "OMP_NUM_THREADS": "1",
                "GRADIO_TEMP_DIR": str(home.parent / "gradio"), **environment}  # fmt: skip
    with open(home.parent / "server.txt", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "app.py", "--port", str(port)], env=settings, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, home.parent / "server.txt")
        yield url
    finally:
        process.kill()
        process.wait()
        store = Store(home)
        for job in (*store.list(), *store.trash()):
            if worker_of(job) is not None:
                kill(worker_of(job))


def _wait(url, process, log):
    deadline = time.monotonic() + 300  # a machine may be busy
    while True:
        try:
            return httpx.get(f"{url}/gradio_api/app_id", timeout=2)
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the app did not answer within five minutes"
            time.sleep(0.2)


def program(url, name):
    """A program that has logged in as somebody."""
    return Client(url, auth=(name, PASSWORDS[name]), verbose=False, httpx_kwargs={"timeout": 120})


def plain(url, name=None):
    """A plain HTTP client, logged in as somebody or as nobody."""
    client = httpx.Client(base_url=url, timeout=120)
    if name:
        client.post("/login", data={"username": name, "password": PASSWORDS[name]}).raise_for_status()
    return client
