"""The script that follows the server, in a page of its own: when it loads the page anew, and when it only opens the connection again."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from job_helpers import wait_for

from ui.shared.page_scripts import STARTED_HEADER, elements, started

HEARTBEAT = "/gradio_api/heartbeat/s1"


class Server(ThreadingHTTPServer):
    """A server with the page's connection, whose id can change; ``asked`` lists the paths of its requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.id, self.code, self.beating = [], started(), 200, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def pages(self):
        return self.asked.count("/")

    def beats(self):
        return self.asked.count(HEARTBEAT)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        heartbeat = self.path == HEARTBEAT
        self.send_response(200 if self.path == "/" else server.code)
        self.send_header("Content-Type", "text/event-stream" if heartbeat else "text/html")
        if server.id:
            self.send_header(STARTED_HEADER, server.id)
        self.end_headers()
        if self.path == "/":
            self.wfile.write(f"<head>{elements()}</head><script>fetch('{HEARTBEAT}')</script>".encode())
        while heartbeat and server.code == 200 and server.beating.is_set():
            self.wfile.write(b"data: ALIVE\n\n")
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.beating.set()
        yield server
        server.beating.clear()
        server.shutdown()


@pytest.fixture
def page(browser, server):
    page = browser.new_page()
    page.goto(server.url)
    wait_for(lambda: server.beats() == 1, "the page's connection")
    yield page
    page.close()


def looking(page, condition):
    """Return a condition for ``wait_for`` during which the page goes on."""
    return lambda: page.wait_for_timeout(100) or condition()


@pytest.mark.parametrize("code", [200, 401])
def test_a_page_that_asks_for_nothing_loads_anew_when_another_start_of_the_server_answers(page, server, code):
    server.id, server.code = "", 502  # what a proxy says while the server is away
    server.beating.clear()
    wait_for(looking(page, lambda: server.beats() >= 3), "the page to ask again")
    assert server.pages() == 1
    server.id, server.code = "another", code
    wait_for(looking(page, lambda: server.pages() >= 2), "the page to load anew")


def test_the_first_answer_of_another_start_is_enough(page, server):
    server.id = "another"
    assert server.pages() == 1
    page.evaluate("() => { fetch('/gradio_api/queue/join') }")
    wait_for(looking(page, lambda: server.pages() >= 2), "the page to load anew")


def test_a_connection_that_breaks_is_opened_again_and_the_page_stays(page, server):
    server.beating.clear()
    wait_for(looking(page, lambda: server.beats() >= 2), "the connection to be opened again")
    server.beating.set()
    page.wait_for_timeout(500)
    assert server.pages() == 1
