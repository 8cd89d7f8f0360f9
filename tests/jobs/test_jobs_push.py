"""A training on the page that ends in a push, against a Hub on this machine: rights first, once, and no token on disk."""

from unittest.mock import Mock

import pytest
from hub_server import READ_ONLY, WRITER

from deftx.core.errors import HubError
from deftx.jobs import progress_of, push
from deftx.jobs.job import EVENTS, OUT, read_json
from deftx.jobs.work import learn_language
from deftx.training.request import TrainingRequest
from ui import strings
from ui.corpus.corpora import SAMPLE
from ui.current import acting_in
from ui.studio import Studio
from ui.train import requests, train_fields, train_form, train_tab
from ui.train.train_fields import EMPTY

FORM = {**EMPTY, "name": "Minangkabau", "code": "min", "push_to": "ana/min"}
SHORT = {"max_steps": 2, "min_steps": 0, "evaluate_every": 2, "batch_size": 4, "max_length": 16, "k": 50}


@pytest.fixture
def writer(hub_here, monkeypatch):
    """The Hub, to which the server's environment has a token that may write."""
    monkeypatch.setenv("HF_TOKEN", WRITER)
    for name in push.SHARED:
        monkeypatch.delenv(name, raising=False)
    return hub_here


def work(job):
    """Do the work of a job as a worker does, with what it says kept; return its warnings and messages."""
    with open(job.folder / EVENTS, "a", encoding="utf-8") as file:
        learn_language(job.settings, job.folder, lambda event: file.write(event.to_json() + "\n"), lambda: False)
    progress = progress_of(job)
    return progress.warnings, [message.text for message in progress.messages]


def started(studio, **more):
    recipe = {name: str(value) for name, value in SHORT.items()}
    job_id, said = train_tab.start_training(SAMPLE, {**FORM, **recipe, **more})
    return (studio.store.get(job_id) if job_id else None), said


@pytest.mark.slow
def test_a_training_ends_in_a_push_once_and_its_token_is_nowhere_on_disk(writer, studio):
    job, _ = started(studio)
    assert (job.settings["push_to"], job.settings["push_private"]) == ("ana/min", True)
    assert writer.repositories == {}
    _, said = work(job)
    repository = writer.repositories["ana/min"]
    sha, files = repository.commits[-1]
    assert repository.private
    assert files["vector.safetensors"] == (job.out / "vector.safetensors").read_bytes()
    assert sha[:12] in said[-1]
    assert read_json(job.folder / push.PUSHED)["commit"] == sha
    before = len(repository.commits)
    work(job)  # killed after its push, and started again
    assert len(repository.commits) == before
    for path in studio.store.home.rglob("*"):
        assert not path.is_file() or WRITER.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_push_that_fails_leaves_the_vector_and_is_tried_again_where_the_job_is(writer, studio):
    job, _ = started(studio)
    writer.fail("^POST .*/commit", status=500)
    said = " ".join(work(job)[0])
    assert "The vector is finished, but could not be pushed" in said
    assert "Push it from the Library" in said
    assert (job.out / "vector.json").is_file()
    writer.faults.clear()
    assert "Pushed to" in work(job)[1][-1]


@pytest.mark.parametrize("reason", ["free", "copy"])
def test_a_full_disk_of_this_machine_ends_no_training_as_failed(writer, language_vector, tmp_path, monkeypatch, reason):
    if reason == "free":
        monkeypatch.setattr("deftx.core.files.free_space", lambda folder: 0)
    else:
        monkeypatch.setattr("shutil.copyfile", Mock(side_effect=OSError(28, "No space left on device")))
    (tmp_path / OUT).symlink_to(language_vector)
    said = []
    push.push_finished({"push_to": "ana/min"}, tmp_path, said.append)
    (event,) = said
    assert event.warning
    assert {"free": "Free some space first. Push it from the Library", "copy": "device. Push it"}[
        reason
    ] in event.message
    assert read_json(tmp_path / push.PUSHED) is None


def test_a_push_that_cannot_be_noted_is_still_done(writer, language_vector, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.jobs.push.write_json", Mock(side_effect=OSError(28, "No space left on device")))
    (tmp_path / OUT).symlink_to(language_vector)
    said = []
    push.push_finished({"push_to": "ana/min"}, tmp_path, said.append)
    (event,) = said
    assert not event.warning
    assert event.message.startswith("Pushed to ")


@pytest.mark.parametrize(("token", "reason"), [(READ_ONLY, "read-only"), ("hf_old", "expired")])
def test_without_the_right_to_push_no_training_starts(writer, studio, monkeypatch, token, reason):
    monkeypatch.setenv("HF_TOKEN", token)
    job, said = started(studio)
    assert job is None
    assert reason in said
    assert studio.store.list() == ()


@pytest.mark.parametrize("shared", push.SHARED)
def test_where_strangers_reach_the_page_it_does_not_push_as_its_owner(writer, studio, monkeypatch, shared):
    monkeypatch.setenv(shared, "x")
    assert not push.is_offered()
    with pytest.raises(HubError, match="cannot push at the end of a training run"):
        push.check(TrainingRequest(kind="language", push_to="ana/min"))
    assert started(studio)[0] is None
    values = dict(zip(EMPTY, train_form.filled({"push_to": "ana/min"}), strict=True))
    assert values["push_to"]["value"] == ""  # what a browser kept is not asked for where nobody can see it


def test_in_a_room_nobody_pushes_as_the_owner_of_the_house(writer, studio):
    workspace = Studio(studio.base_name, studio.store.of("ana"), host=studio)
    with acting_in(workspace):
        job, said = started(workspace)
    assert job is None
    assert strings.PUSH_NOT_YOURS in said


def test_without_a_token_in_the_environment_it_is_not_offered(writer, monkeypatch):
    assert push.is_offered()
    monkeypatch.delenv("HF_TOKEN")
    assert not push.is_offered()
    push.check(TrainingRequest(kind="language"))  # and who asks for no push is asked for nothing


def test_a_request_with_a_push_comes_back_as_it_was(writer, studio):
    job, _ = started(studio, push_private=False)
    again = requests.named(studio, job)
    assert (again.push_to, again.push_private) == ("ana/min", False)
    assert train_fields.from_form(train_fields.to_form(again), SAMPLE) == again


def test_a_job_that_asks_for_no_push_says_nothing_of_one(writer, studio, tmp_path):
    said = []
    push.push_finished({}, tmp_path, said.append)
    assert said == []
    assert writer.asked == []
