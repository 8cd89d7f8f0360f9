"""Strangers and other sites against the real app, over HTTP."""

import socket

import httpx
import pytest
from app_process import serving
from job_helpers import wait_for
from people_app import PASSWORDS, ROOT, plain, program, write_people
from tiny_base import make_base

from deftx.accounts.people import put_person, remove_person

pytestmark = pytest.mark.slow

FOREIGN = {"Origin": "https://evil.example"}
AT_A_TIME = 20  # requests
PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="cut.txt"\r\n\r\n' + b"a line of text\n" * 20_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    (folder / "home").mkdir()
    people = write_people(folder / "people")
    limits = {"DEFTX_UPLOAD_MB": "3", "DEFTX_REQUESTS": str(AT_A_TIME)}
    with serving(folder / "home", make_base(folder / "base"), DEFTX_AUTH=str(people), **limits) as app:
        yield app.url.rstrip("/"), people
        assert "Traceback" not in app.process.stderr


@pytest.fixture
def ana(world):
    return plain(world[0], "ana")


def start(client, name="jobs", **more):
    return client.post(f"/gradio_api/call/{name}", json={"data": [], **more})


def test_a_page_of_another_site_cannot_use_a_login(world, ana):
    assert start(ana).status_code == 200
    for headers in (FOREIGN, {"Origin": "null"}, {"Origin": world[0].replace("127.0.0.1", "localhost")}):
        answers = [ana.post("/gradio_api/call/jobs", json={"data": []}, headers=headers),
                   ana.post("/gradio_api/upload", files={"files": ("planted.txt", b"text")}, headers=headers),
                   ana.get("/config", headers=headers), ana.get("/gradio_api/queue/data?session_hash=x", headers=headers),
                   ana.options("/config", headers={**headers, "Access-Control-Request-Method": "GET"})]  # fmt: skip
        for answer in answers:
            assert answer.status_code == 403, answer.request.url
            assert "access-control-allow-origin" not in answer.headers
    sibling = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
    assert ana.get("/gradio_api/queue/data?session_hash=x", headers=sibling).status_code == 403
    assert ana.get("/config", headers={"Origin": world[0]}).status_code == 200
    assert program(world[0], "ana").predict(api_name="/jobs") == []  # no browser, no Origin


def test_a_strange_host_gets_nothing(world, ana):
    for path in ("/", "/config", "/health"):
        answer = ana.get(path, headers={"Host": "evil.example"})
        assert (answer.status_code, "DEFTX_HOSTS" in answer.text) == (421, True)


def test_cookies_are_for_requests_of_the_page_itself(world):
    client = plain(world[0])
    answer = client.post("/login", data={"username": "ana", "password": PASSWORDS["ana"]})
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.lower().count("samesite=") == 1
        assert "SameSite=Lax" in cookie
        assert "HttpOnly" in cookie


def test_every_answer_says_what_may_run_in_it(world, ana):
    page = ana.get("/")
    policy = page.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') > 3
    assert nonce not in ana.get("/").text
    assert "frame-ancestors 'none'" in policy
    for answer in (page, ana.get("/config"), ana.get("/no/such/place"), plain(world[0]).get("/config")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" in answer.headers
    assert "sandbox" in ana.get("/config").headers["content-security-policy"]


def test_a_large_body_is_refused_before_any_login(world):
    large = b'{"data": ["' + bytes(3_000_000) + b'"]}'
    nobody = plain(world[0])
    for path in ("/gradio_api/reset", "/gradio_api/run/jobs", "/gradio_api/queue/join", "/login"):
        assert nobody.post(path, content=large).status_code == 413, path
        chunks = iter([large[:1_500_000], large[1_500_000:]])  # of an unknown sum; 401 comes before anything is read
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert nobody.post(path, content=chunks, headers=form).status_code in (401, 413), path
    assert nobody.post("/gradio_api/upload", files={"files": ("a.txt", bytes(5_000_000))}).status_code == 413
    files = {"username": (None, "ana"), "password": ("large", bytes(3_000_000))}
    assert nobody.post("/login", files=files).status_code == 413


def begin_upload(url, cookies, upload_id="u0"):
    """Send the first part of an upload, and leave the rest open."""
    address = httpx.URL(url)
    connection = socket.create_connection((address.host, address.port))
    head = {
        "Host": f"{address.host}:{address.port}",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": 2_000_000,
    }
    lines = [
        f"POST /gradio_api/upload?upload_id={upload_id} HTTP/1.1",
        *(f"{name}: {value}" for name, value in head.items()),
        "",
        "",
    ]
    connection.sendall("\r\n".join(lines).encode() + PART)
    return connection


def test_uploads_that_are_cut_off_leave_nothing_and_hold_no_place(world):
    url, people = world
    bob = plain(url, "bob")  # who has no other request open, as the program of another test has for ana

    def arrived():
        return list((people.parent / "gradio").glob("tmp*"))

    open_now = [begin_upload(url, bob.cookies) for _ in range(AT_A_TIME)]
    wait_for(lambda: len(arrived()) == AT_A_TIME, "all uploads to begin")
    assert start(bob).status_code == 429
    for connection in open_now:
        connection.close()
    wait_for(lambda: not arrived(), "what has arrived to be removed")
    path = bob.post("/gradio_api/upload", files={"files": ("cut.txt", b"a line of text\n" * 20)}).json()[0]
    assert bob.get(f"/gradio_api/file={path}").text == "a line of text\n" * 20


def test_files_of_an_upload_that_becomes_too_large_are_removed(world):
    bob = plain(world[0], "bob")
    chunks = iter([PART, *[b"another line of text\n" * 20_000] * 20])
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert bob.post("/gradio_api/upload", content=chunks, headers=form).status_code == 413
    assert list((world[1].parent / "gradio").glob("tmp*")) == []


def test_the_streams_of_another_are_not_read(world, ana):
    event = start(ana).json()["event_id"]
    own = start(ana, session_hash="anas-session").json()["event_id"]
    bob = plain(world[0], "bob")
    for path in (
        f"call/jobs/{event}",
        f"call/jobs/{own}",
        "queue/data?session_hash=anas-session",
        "heartbeat/anas-session",
    ):
        assert bob.get(f"/gradio_api/{path}").status_code == 404, path
    assert start(bob, session_hash="anas-session").status_code == 404
    joined = {"session_hash": "anas-session", "fn_index": 0, "data": []}
    assert bob.post("/gradio_api/queue/join", json=joined).status_code == 404
    cancel = {"session_hash": "anas-session", "fn_index": 0, "event_id": own}
    assert bob.post("/gradio_api/cancel", json=cancel).status_code == 404
    nobody = plain(world[0])
    assert nobody.post("/gradio_api/cancel", json=cancel).status_code == 401
    assert nobody.get("/gradio_api/heartbeat/anas-session").status_code == 401
    assert "complete" in ana.get(f"/gradio_api/call/jobs/{event}").text


def test_the_progress_of_an_upload_is_its_senders(world, ana):
    with begin_upload(world[0], ana.cookies, "anas-upload"):
        wait_for(lambda: list((world[1].parent / "gradio").glob("tmp*")), "the upload to begin")
        asked = "/gradio_api/upload_progress?upload_id=anas-upload"
        assert plain(world[0], "bob").get(asked).status_code == 404
        assert plain(world[0]).get(asked).status_code == 401
        with ana.stream("GET", asked) as progress:
            assert "cut.txt" in next(line for line in progress.iter_lines() if line)


def test_a_file_that_was_not_uploaded_is_refused_with_a_message(ana):
    for path in ("/etc/passwd", "/proc/self/environ", str(ROOT / "README.md")):
        given = {"path": path, "meta": {"_type": "gradio.FileData"}}
        event = ana.post("/gradio_api/call/audit", json={"data": [given, ""]}).json()["event_id"]
        assert "not uploaded here" in ana.get(f"/gradio_api/call/audit/{event}").text


def test_another_password_and_removal_end_old_sessions_everywhere(world):
    url, people = world
    put_person(people, "eve", "an apple from the tree")
    with httpx.Client(base_url=url, timeout=120) as eve:
        eve.post("/login", data={"username": "eve", "password": "an apple from the tree"}).raise_for_status()
        assert eve.get("/config").status_code == eve.get("/gradio_api/info").status_code == 200
        put_person(people, "eve", "an apple from another tree")
        assert eve.get("/config").status_code == eve.get("/gradio_api/info").status_code == 401
        eve.post("/login", data={"username": "eve", "password": "an apple from another tree"}).raise_for_status()
        assert eve.get("/config").status_code == 200
        remove_person(people, "eve")
        for path in ("/config", "/gradio_api/info", "/gradio_api/file=/tmp/x", "/gradio_api/heartbeat/x"):
            assert eve.get(path).status_code == 401, path
        assert "auth_required" in eve.get("/").text
        assert start(eve).status_code == 401


def test_headers_of_a_client_do_not_reset_the_count_of_wrong_passwords(world):
    nobody = plain(world[0])
    said = [nobody.post("/login", data={"username": "vic", "password": "a wrong password"},
                        headers={"X-Forwarded-For": f"192.0.2.{number}"}).json()["detail"] for number in range(7)]  # fmt: skip
    assert [("too many" in one) for one in said] == [False] * 5 + [True] * 2


def test_a_damaged_file_of_people_locks_nobody_out(world, ana):
    _, people = world
    good = people.read_bytes()
    people.write_bytes(good + b"\xff broken\n")
    try:
        assert start(ana).status_code == 200
        bob = plain(world[0], "bob")
        assert start(bob).status_code == 200
    finally:
        people.write_bytes(good)
