"""The server as a program sees it: answers, languages, limits, and its description."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from deftx.classify.composition import compose
from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.core.errors import DeftxError
from deftx.data.languages import register
from deftx.serving import http
from deftx.serving.http import Limits, make_app
from deftx.serving.service import Service
from deftx.serving.switching import Switcher
from deftx.vectors.vector import SparseVector

TEXTS = ["the day is good", "the night was awful", "this road is bitter", "the food is very sweet"]
SMALL = Limits(texts=5, characters=40, body=2_000)


class Known:
    """Languages, told by a word."""

    def identify(self, line):
        return "min" if "day" in line else "eng" if "night" in line else "unknown"


@pytest.fixture(scope="module")
def task(task_vector):
    return SparseVector.load(task_vector)


@pytest.fixture(scope="module")
def languages(language_vector):
    one = SparseVector.load(language_vector)
    values = {name: values * -3 for name, values in one.values.items()}
    return {"min": one, "ban": replace(one, values=values, info={**one.info, "language": "ban"})}


@pytest.fixture(scope="module")
def switcher(base, task, languages):
    return Switcher(base, task, languages)


@pytest.fixture
def serving(switcher):
    opened = []

    def start(hosts=None, **settings):
        client = TestClient(make_app(Service(switcher, Known(), **settings), SMALL, hosts))
        client.__enter__()
        opened.append(client)
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


def probabilities(base, task, language, text):
    composed = compose(base, task=task, language=language)
    return dict(zip(composed.labels, composed.classify([text])[0].tolist(), strict=True))


def test_each_text_is_answered_with_the_vector_of_its_language(serving, base, task, languages):
    told = ["ban", None, None, "min"]
    answer = serving().post("/classify", json={"texts": TEXTS, "languages": told})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["language"] for one in results] == ["ban", None, None, "min"]
    assert [one["found"] for one in results] == [None, "eng", "unknown", None]
    for text, one in zip(TEXTS, results, strict=True):
        expected = probabilities(base, task, languages.get(one["language"]), text)
        assert one["probabilities"] == pytest.approx(expected, abs=1e-5)
        assert one["label"] == max(expected, key=expected.get)


def test_the_language_is_found_where_none_is_told(serving):
    results = serving().post("/classify", json={"texts": TEXTS[:2]}).json()["results"]
    assert [(one["language"], one["found"]) for one in results] == [("min", "min"), (None, "eng")]
    results = serving(otherwise="ban").post("/classify", json={"texts": TEXTS[:2]}).json()["results"]
    assert [(one["language"], one["found"]) for one in results] == [("min", "min"), ("ban", "eng")]
    results = serving().post("/classify", json={"texts": TEXTS[:2], "language": "ban"}).json()["results"]
    assert [(one["language"], one["found"]) for one in results] == [("ban", None)] * 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"texts": ["x"], "language": "bam"}, "Did you mean 'ban'"),
        ({"texts": ["x", "y"], "languages": ["min"]}, "1 languages are given for 2 texts"),
        ({"texts": ["x"], "languages": ["min"], "language": "min"}, "Give either"),
        ({"texts": []}, "at least 1"),
        ({"texts": ["x"] * 6}, "at most 5"),
        ({"texts": ["x" * 41]}, "at most 40"),
        ({"texts": [["a premise", "a hypothesis"]]}, "valid string"),
        ({"texts": ["x"], "strength": 2}, "Extra inputs"),
        ({}, "required"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(serving, body, reason):
    answer = serving().post("/classify", json=body)
    assert answer.status_code == 422
    assert reason in answer.text


def test_a_large_body_is_refused_while_it_is_read_whatever_the_header_says(serving):
    client = serving()
    assert client.post("/classify", json={"texts": ["x"], "language": "m" * 3_000}).status_code == 413
    sent = []

    def chunks():
        for _ in range(100):
            sent.append(1)
            yield b" " * 500

    assert client.post("/classify", content=chunks()).status_code == 413
    assert client.post("/classify", json={"texts": ["the day"]}).status_code == 200


def test_text_that_json_cannot_hold_is_refused_as_any_other(serving):
    as_json = {"Content-Type": "application/json"}
    answer = serving().post("/classify", content=b'{"texts": ["x", "cut \\ud83d"]}', headers=as_json)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "texts", 1]


def test_more_texts_than_may_ever_wait_are_refused_for_good(serving):
    answer = serving(waiting=2).post("/classify", json={"texts": TEXTS[:3]})
    assert (answer.status_code, "Retry-After" in answer.headers) == (422, False)
    assert "3 texts are too many: at most 2 may wait" in answer.json()["detail"]


def test_a_full_queue_says_when_to_come_back(serving, monkeypatch):
    monkeypatch.setattr("deftx.serving.batching.Batcher._count", lambda batcher: 1)
    answer = serving(waiting=3).post("/classify", json={"texts": TEXTS[:3]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Send these texts again later" in answer.json()["detail"]


def test_a_page_of_another_host_cannot_call_a_server_of_this_machine(serving):
    client = serving(hosts=http.LOOPBACK)
    assert client.get("/", headers={"Host": "localhost:8000"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_what_is_served_and_its_description_can_be_read_without_another_host(serving, task):
    client = serving()
    assert client.get("/").json() == {"labels": task.labels, "languages": ["min", "ban"], "pairs": False, "waiting": 0}
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/", "/classify"}
    assert described["components"]["schemas"]["Ask"]["properties"]["texts"]["maxItems"] == 5
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_pairs_are_pairs(serving):
    client = serving(pairs=True)
    answer = client.post("/classify", json={"texts": [["the day is good", "the day is fine"]]})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["found"] == "min"
    assert client.post("/classify", json={"texts": ["alone"]}).status_code == 422


def test_the_command_serves_what_it_is_given(base_folder, task_vector, language_vector, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(http, "run", lambda app, host, port: served.append((app, host, port)))
    words = ["serve", "--task", str(task_vector), "--base", str(base_folder)]
    assert main([*words, "--languages", str(language_vector), "--port", "8123"]) == EXIT_OK
    ((app, host, port),) = served
    assert (host, port) == ("127.0.0.1", 8123)
    with TestClient(app, base_url="http://127.0.0.1:8123") as client:
        assert client.get("/").json()["languages"] == ["min"]
        answer = client.post("/classify", json={"texts": ["the day is good"], "language": "min"})
        assert answer.json()["results"][0]["label"] in client.get("/").json()["labels"]
    assert "No profile is known" not in capsys.readouterr().err
    assert main([*words, "--otherwise", "min"]) == EXIT_BAD_INPUT
    assert "is not known" in capsys.readouterr().err
    assert main([*words, "--port", "70000"]) == EXIT_BAD_INPUT
    assert "from 1 to 65535" in capsys.readouterr().err


def test_the_command_knows_registered_languages_and_warns_of_others(
    base_folder, task_vector, languages, tmp_path, monkeypatch, capsys
):
    served = []
    monkeypatch.setattr(http, "run", lambda app, host, port: served.append(app))
    monkeypatch.setenv("DEFTX_HOME", str(tmp_path / "home"))
    vector = replace(languages["min"], info={**languages["min"].info, "language": "xaa"}).save(tmp_path / "xaa")
    words = ["serve", "--task", str(task_vector), "--base", str(base_folder), "--languages", str(vector)]
    assert main(words) == EXIT_OK
    assert "No profile is known of xaa" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
    lines = [f"gru{n % 7} brax vol{n % 5} dren kith" for n in range(300)]
    register(tmp_path / "home" / "languages", "xaa", "Made up", lines)
    assert main(words) == EXIT_OK
    assert "No profile is known" not in capsys.readouterr().err
    with TestClient(served[-1], base_url="http://localhost") as client:
        answer = client.post("/classify", json={"texts": [" ".join(lines[:20])]})
        assert answer.json()["results"][0]["language"] == "xaa"


def test_without_fastapi_the_message_says_how_to_install_it(switcher, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fastapi", None)
    with pytest.raises(DeftxError, match=r"deftx\[serve\]"):
        make_app(Service(switcher, Known()))
