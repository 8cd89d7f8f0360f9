"""The page as other programs see it: the named endpoints, over HTTP."""

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from tiny_base import finish_task_job, make_base, write_corpus

from deftx.jobs import Store
from ui.page import build_page
from ui.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    base = make_base(tmp_path_factory.mktemp("base"))
    store = Store(tmp_path_factory.mktemp("home"))
    finish_task_job(store, base)
    return Studio(str(base), store)


@pytest.fixture(scope="module")
def client(studio):
    page = build_page(studio)
    page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
    yield Client(page.local_url, verbose=False)
    page.close()


def test_only_what_is_meant_for_programs_is_offered(client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == {"/audit", "/train_language", "/jobs", "/classify"}


def test_a_program_audits_trains_and_watches(client, studio, tmp_path):
    corpus = write_corpus(tmp_path / "text.txt")
    found = client.predict(file=handle_file(corpus), corpus="", api_name="/audit")
    assert (found["corpus"], found["lines"]) == ("text.txt", 400)
    assert client.predict(file=None, corpus="text.txt", api_name="/audit") == found
    job = client.predict("text.txt", "Bugis", "bug", "quick", {"rank": "mp"}, api_name="/train_language")
    assert job["state"] == "waiting"
    assert studio.store.get(job["id"]).settings["recipe"] == {"rank": "mp"}
    assert [one["name"] for one in client.predict(api_name="/jobs")] == ["Bugis", "Mood"]


def test_a_program_classifies(client, studio):
    key = f"job:{studio.store.list()[-1].id}"
    answer = client.predict("the food is good", key, "", api_name="/classify")
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("/classify", ("", "job:x", ""), "type a sentence"),
        ("/classify", ("text", "../../etc", ""), "not known"),
        ("/audit", (None, "/etc/passwd"), "not known"),
        ("/train_language", ("sample:indonesian", "X", "", "quik", {}), "Did you mean 'quick'"),
    ],
)
def test_a_refusal_reaches_the_program_in_words(client, name, arguments, reason):
    with pytest.raises(AppError, match=reason):
        client.predict(*arguments, api_name=name)
