"""Two people, a visitor and an admin in the real app, over HTTP: what is one's does not exist for the others."""

import re
import time

import gradio as gr
import httpx
import pytest
from app_process import serving
from gradio.routes import App
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from people_app import PASSWORDS, plain, program, write_people
from tiny_base import SHORT, make_base, write_corpus

from deftx.accounts.people import put_person, remove_person
from ui.shared.plot import SCRIPTS

pytestmark = pytest.mark.slow

NO_JOB = "20200101-000000-000000"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The app; ana has a text, a labelled file and a finished language vector, all called after her secret."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "home").mkdir()
    base = make_base(folder / "base")
    people = write_people(folder / "people")
    limits = {"DEFTX_WAITING_JOBS": "2", "DEFTX_CORPUS_MB": "1", "DEFTX_UPLOAD_MB": "3", "DEFTX_JOB_HOURS": "0.5"}
    with serving(folder / "home", base, DEFTX_AUTH=str(people), **limits) as app:
        url = app.url.rstrip("/")
        found = {"url": url, "folder": folder, "people": people, "base": base}
        found |= {name: program(url, name) for name in PASSWORDS}
        corpus = write_corpus(folder / "anasecret.txt")
        ana = found["ana"]
        ana.predict(file=handle_file(corpus), corpus="", api_name="/audit")
        job = ana.predict("anasecret.txt", "Anasecret", "min", "quick", SHORT, api_name="/train_language")
        deadline = time.monotonic() + 300
        while (job := ana.predict(job["id"], api_name="/job"))["state"] != "finished":
            assert job["state"] in ("waiting", "running"), job
            assert time.monotonic() < deadline, job
            time.sleep(0.3)
        yield {**found, "job": job["id"]}


def refused(client, *values, **named):
    with pytest.raises(AppError) as error:
        client.predict(*values, **named)
    return str(error.value)


def test_without_logging_in_there_is_nothing(world):
    nobody = plain(world["url"])
    for path in (
        "/config",
        "/gradio_api/info",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/queue/data?session_hash=x",
    ):
        assert nobody.get(path).status_code == 401, path
    assert nobody.post("/gradio_api/call/jobs", json={"data": []}).status_code == 401
    assert nobody.post("/gradio_api/upload", files={"files": b"text"}).status_code == 401
    assert nobody.post("/login", data={"username": "ana", "password": "a tale of two river"}).status_code == 400
    assert "anasecret" not in nobody.get("/").text.lower()


def test_wrong_passwords_close_a_name_for_a_while_and_say_so(world):
    put_person(world["people"], "eve", "an apple from the tree")
    nobody, eve = plain(world["url"]), {"username": "eve", "password": "an apple from the tree"}
    rule = nobody.get("/gradio_api/login_check").json()["detail"]["auth_message"]
    assert rule.count("<p lang=") == 3
    for _ in range(5):
        answer = nobody.post("/login", data={**eve, "password": "a wrong password"})
        assert (answer.status_code, answer.json()["detail"]) == (400, "Incorrect credentials.")
    answer = nobody.post("/login", data=eve)
    assert answer.status_code == 400
    assert "too many wrong passwords" in answer.json()["detail"]
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    nobody.post("/login", data={"username": "ana", "password": PASSWORDS["ana"]}).raise_for_status()  # others come in


def test_a_job_of_another_does_not_exist(world):
    bob = world["bob"]
    assert bob.predict(api_name="/jobs") == []
    for endpoint in ("/job", "/cancel", "/resume"):
        told, made_up = refused(bob, world["job"], api_name=endpoint), refused(bob, NO_JOB, api_name=endpoint)
        assert told.replace(world["job"], NO_JOB) == made_up
        assert "There is no job" in told
    assert [one["id"] for one in world["ana"].predict(api_name="/jobs")] == [world["job"]]


def test_a_vector_of_another_does_not_exist(world):
    bob, key, made_up = world["bob"], f"job:{world['job']}", f"job:{NO_JOB}"
    assert key in [one["vector"] for one in world["ana"].predict("", "", api_name="/library")]
    assert "anasecret" not in str(bob.predict("", "", api_name="/library")).lower()
    asked = {
        "/spectrum": lambda key: (key, None),
        "/overlap": lambda key: ([key, "bundled:min"],),
        "/classify": lambda key: ("the day", "bundled:sentiment", key),
        "/export": lambda key: ("bundled:sentiment", key, 1, 1),
    }
    for endpoint, arguments in asked.items():
        told = refused(bob, *arguments(key), api_name=endpoint)
        assert told.replace(key, made_up) == refused(bob, *arguments(made_up), api_name=endpoint)
        assert "is not known" in told
    assert "shape" in str(world["ana"].predict(key, None, api_name="/spectrum"))


def test_a_text_of_another_does_not_exist(world):
    bob = world["bob"]
    told = refused(bob, file=None, corpus="anasecret.txt", api_name="/audit")
    assert told == refused(bob, file=None, corpus="made-up.txt", api_name="/audit").replace(
        "made-up.txt", "anasecret.txt"
    )
    assert "is not known" in refused(bob, "anasecret.txt", "Mine", "", "quick", SHORT, api_name="/train_language")
    path = world["folder"] / "home" / "people" / "ana" / "corpora" / "anasecret.txt"
    assert path.is_file()
    for guess in (str(path), "../../ana/corpora/anasecret.txt"):
        assert "is not known" in refused(bob, file=None, corpus=guess, api_name="/audit")
    assert world["ana"].predict(file=None, corpus="anasecret.txt", api_name="/audit")["lines"] == 400


def test_an_uploaded_file_is_served_to_and_taken_from_its_owner_alone(world):
    people = {name: plain(world["url"], name) for name in ("ana", "bob", "vic", "root")}
    path = people["ana"].post("/gradio_api/upload", files={"files": ("mine.txt", b"anasecret text\n" * 40)}).json()[0]
    nothing = people["bob"].get("/gradio_api/file=/tmp/no/such/file")
    addresses = [f"{route}{path}" for route in ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/gradio_api//file=",
                                                "/gradio_api/file=//", "/gradio_api/file=/tmp/..")]  # fmt: skip
    for address in addresses:
        for name in ("bob", "vic"):
            answer = people[name].get(address)
            assert (
                (answer.status_code, answer.content) == (nothing.status_code, nothing.content) == (404, nothing.content)
            )
        assert people["bob"].head(address).status_code == 404
    for name in ("ana", "root"):
        assert people[name].get(f"/gradio_api/file={path}").content.startswith(b"anasecret")
    given = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert "no such file" in call(people["bob"], "audit", [given, "", "", ""])
    assert "anasecret" not in call(people["bob"], "classify_file", [given, "bundled:sentiment", "", None])
    # The same bytes under the same name are at the same place: whoever brought them may have them too.
    assert people["bob"].post("/gradio_api/upload", files={"files": ("mine.txt", b"anasecret text\n" * 40)}).json() == [
        path
    ]
    assert people["bob"].get(f"/gradio_api/file={path}").status_code == 200


def test_the_files_of_a_job_its_log_included_are_served_to_nobody(world):
    folder = world["folder"] / "home" / "people" / "ana" / "jobs" / world["job"]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"log.txt", "events.jsonl"} <= {path.name for path in files}
    for name, code in (("bob", 404), ("vic", 404), (None, 401)):
        person = plain(world["url"], name)
        nothing = person.get("/gradio_api/file=/tmp/no/such/file")
        for path in files:
            for address in (f"/gradio_api/file={path}", f"/gradio_api/file/{path}"):
                answer = person.get(address)
                assert answer.status_code == code, address
                assert "anasecret" not in answer.text.lower()
            assert person.get(f"/gradio_api/file={path}").content == nothing.content
    for name in ("ana", "root"):  # not a file of the page, whoever asks; it is shown by handlers alone
        assert plain(world["url"], name).get(f"/gradio_api/file={files[0]}").status_code in (403, 404)


def test_no_address_of_the_server_tells_of_others(world):
    """Every address that Gradio answers a GET at, with the ids of ana's things where an address has a place for one."""
    ids = (world["job"], "anasecret.txt", "Anasecret")
    paths = {path for path, methods in App.create_app(gr.Blocks()).openapi()["paths"].items() if "get" in methods}
    assert "/gradio_api/queue/status" in paths
    for name in ("bob", "vic", None):
        person = plain(world["url"], name)
        for path in sorted(paths):
            for one in ids if "{" in path else ("",):
                address = re.sub(r"\{[^}]*\}", one, path)
                if path == "/logout":
                    continue
                with person.stream("GET", address) as answer:
                    said = b"" if "event-stream" in answer.headers.get("content-type", "") else answer.read()
                text = (
                    said.decode("utf-8", "replace").replace(one, "").lower()
                )  # an answer may name what it was asked for
                for secret in ids:
                    assert secret.lower() not in text, address


def test_what_the_page_is_made_of_is_everybodys_and_what_lies_beside_it_nobodys(world):
    for name in ("ana", "bob", "vic"):
        person = plain(world["url"], name)
        assert person.get(f"/gradio_api/file={SCRIPTS}/plotly.min.js").status_code == 200
        for beside in ("../__init__.py", "%2e%2e/__init__.py", "no-such-file.js"):
            assert person.get(f"/gradio_api/file={SCRIPTS}/{beside}").status_code == 404
    assert plain(world["url"]).get(f"/gradio_api/file={SCRIPTS}/plotly.min.js").status_code == 401


def test_a_file_that_was_handed_out_is_its_owners(world):
    ana, bob = plain(world["url"], "ana"), plain(world["url"], "bob")
    said = call(ana, "export", ["no such task", f"job:{world['job']}", 1, 1])
    assert "is not known" in said
    path = ana.post(
        "/gradio_api/upload", files={"files": ("texts.csv", b"text\nthe day is good\nthe night is bad\n")}
    ).json()[0]
    csv = world["folder"] / "gradio"
    before = set(csv.rglob("*.csv"))
    given = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert "complete" not in call(bob, "classify_file", [given, "bundled:sentiment", "", None])
    assert set(csv.rglob("*.csv")) == before


def call(client, name, data):
    """Ask an endpoint over plain HTTP; return all that it answers."""
    event = client.post(f"/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    return client.get(f"/gradio_api/call/{name}/{event}").text


def test_an_admin_sees_everybodys_and_looks_into_rooms(world):
    root = world["root"]
    assert world["job"] in [one["id"] for one in root.predict(api_name="/jobs")]
    assert root.predict(world["job"], api_name="/job")["name"] == "Anasecret"
    assert "Anasecret" in str(root.predict("", "language", api_name="/library"))
    assert "ana" in root.predict(api_name="/people_workspaces")
    assert "is not known" in refused(root, file=None, corpus="anasecret.txt", api_name="/audit")
    root.predict("ana", api_name="/look_into")
    try:
        assert root.predict(file=None, corpus="anasecret.txt", api_name="/audit")["lines"] == 400
    finally:
        root.predict("", api_name="/look_into")
    for name in ("ana", "vic"):
        assert "for admins" in refused(world[name], api_name="/people_workspaces")
        assert "for admins" in refused(world[name], "bob", api_name="/look_into")


def test_a_visitor_brings_a_text_but_does_not_train(world):
    vic = world["vic"]
    text = write_corpus(world["folder"] / "vics.txt", lines=300)
    assert vic.predict(file=handle_file(text), corpus="", api_name="/audit")["lines"] == 300
    assert "Visitors cannot train" in refused(vic, "vics.txt", "Mine", "", "quick", SHORT, api_name="/train_language")
    assert vic.predict(api_name="/jobs") == []
    assert list((world["folder"] / "home" / "people" / "vic" / "jobs").iterdir()) == []


def test_limits_answer_with_what_to_do(world):
    ana, folder = world["ana"], world["folder"]
    large = folder / "large.txt"
    large.write_text("\n".join(f"line {number} of a large text" for number in range(60_000)), encoding="utf-8")
    assert "the limit is 1 MB" in refused(ana, file=handle_file(large), corpus="", api_name="/audit")
    answer = plain(world["url"], "ana").post("/gradio_api/upload", files={"files": ("huge.txt", bytes(4_000_000))})
    assert answer.status_code == 413
    assert "maximum allowed size" in answer.text
    long = {**SHORT, "epochs": 1000, "max_steps": 5_000, "evaluate_every": 5_000}
    train = ("anasecret.txt", "Long", "", "quick", long)
    started = [ana.predict(*train, api_name="/train_language")]
    try:
        told = ""
        for _ in range(3):  # one may have been started meanwhile
            try:
                started.append(ana.predict(*train, api_name="/train_language"))
            except AppError as error:
                told = str(error)
        assert "2 of your training runs are waiting already" in told
        assert world["bob"].predict(api_name="/jobs") == []
    finally:
        for job in started:
            ana.predict(job["id"], api_name="/cancel")


def test_a_base_that_is_a_folder_is_the_houses_alone(world):
    told = refused(world["ana"], "anasecret.txt", "Other", "", "quick", SHORT, "/etc", api_name="/train_language")
    assert "cannot be the base" in told


def test_whoever_is_taken_out_of_the_file_is_out_at_once(world):
    bob = plain(world["url"], "bob")
    assert "complete" in call(bob, "jobs", [])
    remove_person(world["people"], "bob")
    assert bob.post("/gradio_api/call/jobs", json={"data": []}).status_code == 401
    assert bob.get("/gradio_api/file=/tmp/x").status_code == 401
    with pytest.raises(httpx.HTTPStatusError):
        plain(world["url"], "bob")
