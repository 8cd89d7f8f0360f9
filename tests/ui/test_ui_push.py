"""The Library's form that pushes, as plain functions, against a Hub on this machine."""

import errno

import pytest
from hub_server import READ_ONLY, WRITER
from tiny_base import finish_language_job, finish_task_job, write_corpus
from transformers import pipeline

from deftx.jobs import Store
from deftx.publish.catalogue import published
from ui import strings
from ui.library import library, library_forms, push_form
from ui.library.push_form import CLASSIFIER, SPACE, VECTOR, Wanted
from ui.studio import Studio


@pytest.fixture(scope="module")
def made(page_base, tmp_path_factory):
    """A home with two trainings; no test changes it."""
    store = Store(tmp_path_factory.mktemp("home"))
    task = finish_task_job(store, page_base)
    language = finish_language_job(store, page_base, write_corpus(store.root / "text.txt"))
    return Studio(str(page_base), store), (f"job:{task.id}", f"job:{language.id}")


@pytest.fixture
def studio(made):
    return made[0]


@pytest.fixture
def keys(made):
    return made[1]


def wanted(what=VECTOR, vector=None, task=None, language="", repository="ana/min", private=True, license_id=""):
    return Wanted(what, vector, task, language, repository, private, license_id)


@pytest.mark.slow
def test_what_is_shown_is_what_is_uploaded_and_the_token_s_field_is_emptied(hub_here, studio, keys):
    ask = wanted(vector=keys[1], license_id="mit")
    said, button, shown = push_form.look(WRITER, ask)
    assert button.visible
    assert hub_here.repositories == {}
    assert "ana/min" in said
    assert strings.PUSH_TO_PRIVATE in said
    assert WRITER not in said
    assert WRITER not in repr(shown)
    for name in ("vector.safetensors", "vector.json", "README.md", "spectra.png"):
        assert name in said
    answer, button, _, token = push_form.send(WRITER, ask, shown)
    assert (button.visible, token) == (False, "")
    sha, files = hub_here.repositories["ana/min"].commits[-1]
    assert sha[:12] in answer
    assert all(f"{len(content):,}" in said for content in files.values())
    assert files["vector.safetensors"] == (library.find(keys[1]).folder / "vector.safetensors").read_bytes()


def test_what_has_changed_since_it_was_shown_is_shown_again(hub_here, studio, keys):
    ask = wanted(vector=keys[1])
    *_, shown = push_form.look(WRITER, ask)
    hub_here.make("ana/min", private=True)  # somebody was quicker
    said, button, shown, _ = push_form.send(WRITER, ask, shown)
    assert strings.PUSH_CHANGED in said
    assert button.visible
    assert len(hub_here.repositories["ana/min"].commits) == 1
    push_form.send(WRITER, ask, shown)
    assert len(hub_here.repositories["ana/min"].commits) == 2


def test_a_classifier_is_pushed_and_plain_transformers_loads_what_came(hub_here, studio, keys, tmp_path):
    ask = wanted(CLASSIFIER, task=keys[0], language=keys[1], repository="ana/mood-min", private=False)
    said, _, shown = push_form.look(WRITER, ask)
    assert strings.PUSH_TO_PUBLIC in said
    push_form.send(WRITER, ask, shown)
    files = hub_here.repositories["ana/mood-min"].commits[-1][1]
    (tmp_path / "there").mkdir()
    for name, content in files.items():
        (tmp_path / "there" / name).write_bytes(content)
    answer = pipeline("text-classification", str(tmp_path / "there"))("makanannyo lamak")
    assert answer[0]["label"] in studio.composed(push_form.Combination.of(keys[0], [(keys[1], 1.0)])).labels
    assert b'pipeline_tag: "text-classification"' in files["README.md"]
    assert b"ana/mood-min" in files["README.md"]


def test_a_space_is_pushed_with_a_page_of_its_own_and_is_no_model(hub_here, studio, keys):
    hub_here.make("ana/mood", {"README.md": b"a model of the same name"})
    ask = wanted(SPACE, task=keys[0], language=keys[1], repository="ana/mood", license_id="mit")
    said, _, shown = push_form.look(WRITER, ask)
    assert "app.py" in said
    answer, *_ = push_form.send(WRITER, ask, shown)
    assert f"{hub_here.url}/spaces/ana/mood" in answer
    space = hub_here.repositories["spaces/ana/mood"]
    files = space.commits[-1][1]
    assert space.private
    assert {"app.py", "about.json", "requirements.txt", "README.md", "model/config.json"} <= files.keys()
    assert b'sdk: "gradio"' in files["README.md"]
    assert b'license: "mit"' in files["README.md"]
    assert len(hub_here.repositories["ana/mood"].commits) == 2  # the model is as it was


@pytest.mark.parametrize(
    ("token", "changes", "reason"),
    [
        (None, {}, "You are not logged in"),
        (READ_ONLY, {}, "read-only"),
        (WRITER, {"repository": "nonsense"}, "has the form owner/name"),
        (WRITER, {"vector": None}, "Choose a vector"),
        (WRITER, {"vector": "own:../x"}, "not known"),
        (WRITER, {"what": CLASSIFIER}, "task vector"),
    ],
)
def test_what_cannot_be_pushed_is_explained(hub_here, studio, keys, token, changes, reason):
    said, button, shown = push_form.look(token, wanted(**{"vector": keys[1], **changes}))
    assert reason in said
    assert (button.visible, shown) == (False, None)
    assert hub_here.repositories == {}


def test_a_login_of_this_machine_is_used_where_no_token_is_typed(hub_here, studio, keys, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", WRITER)
    assert push_form.look("", wanted(vector=keys[1]))[1].visible


@pytest.mark.parametrize("name", push_form.SHARED)
def test_strangers_do_not_push_with_the_login_of_the_machine(hub_here, studio, keys, monkeypatch, name):
    monkeypatch.setenv("HF_TOKEN", WRITER)
    monkeypatch.setenv(name, "x")
    said, button, _ = push_form.look("", wanted(vector=keys[1]))
    assert strings.PUSH_NEEDS_TOKEN in said
    assert not button.visible
    assert hub_here.asked == []


def test_a_failed_upload_is_told(hub_here, studio, keys):
    ask = wanted(vector=keys[1])
    *_, shown = push_form.look(WRITER, ask)
    hub_here.fail("^POST .*/commit", status=500)
    said, *_, token = push_form.send(WRITER, ask, shown)
    assert "was created and is empty" in said
    assert token == ""


def test_a_full_disk_is_told_without_its_path(hub_here, studio, keys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/a/secret/place")

    ask = wanted(vector=keys[1])
    *_, shown = push_form.look(WRITER, ask)
    monkeypatch.setattr(push_form, "prepare_vector", full)
    for said in (push_form.look(WRITER, ask)[0], push_form.send(WRITER, ask, shown)[0]):
        assert "No space left on device" in said
        assert "secret" not in said


def test_lists_are_renewed(studio, keys):
    vectors, tasks, languages = push_form.renew(None, keys[0], "gone")
    assert {key for _, key in vectors.choices} >= set(keys)
    assert (tasks.value, languages.value) == (keys[0], "")


def test_the_catalogue_fills_the_form():
    choices = dict(map(reversed, library_forms.catalogue_choices()))
    assert "Acehnese (ace)" in choices["cambridgeltl/xlmr-lang-sft-ace-small"]
    assert "xlm-roberta-base" in choices["cambridgeltl/xlmr-task-sft-nli"]
    assert library_forms.from_catalogue("cambridgeltl/xlmr-lang-sft-id-small") == (
        "cambridgeltl/xlmr-lang-sft-id-small", "ind", "",
    )  # fmt: skip
    assert library_forms.from_catalogue("cambridgeltl/xlmr-task-sft-nusax_senti")[2] == "negative, neutral, positive"
    assert library_forms.from_catalogue("") == ("", "", "")
    assert len({one.id for one in published()}) == len(published())
