"""Strangers and other sites against the real app, over HTTP."""

import httpx
import pytest
from app_process import serving
from people_app import PASSWORDS, ROOT, plain, program, write_people
from tiny_base import make_base

from deftx.accounts.people import put_person, remove_person

pytestmark = pytest.mark.slow

FOREIGN = {"Origin": "https://evil.example"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    (folder / "home").mkdir()
    people = write_people(folder / "people")
    with serving(folder / "home", make_base(folder / "base"), DEFTX_AUTH=str(people), DEFTX_UPLOAD_MB="3") as app:
        yield app.url.rstrip("/"), people


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
    cancel = {"session_hash": "anas-session", "fn_index": 0, "event_id": own}
    assert bob.post("/gradio_api/cancel", json=cancel).status_code == 404
    nobody = plain(world[0])
    assert nobody.post("/gradio_api/cancel", json=cancel).status_code == 401
    assert nobody.get("/gradio_api/heartbeat/anas-session").status_code == 401
    assert "complete" in ana.get(f"/gradio_api/call/jobs/{event}").text


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
