"""Where to train, in the Train section: offered to those who run the studio, with what it costs, and to nobody else."""

import jobs_server
import pytest
from hub_server import WRITER
from tiny_base import write_corpus

from deftx.core.files import write_json
from deftx.jobs import state_of
from deftx.jobs.job import RESULT
from deftx.training.request import HOURS, SettingsRefused
from ui import strings
from ui.studio import Studio
from ui.train import remote, requests, train_fields, train_form, train_preview, train_tab
from ui.train.train_fields import EMPTY

FORM = {**EMPTY, "name": "Minangkabau", "flavor": "l4x1", "hours": 2}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A Hub with Jobs, and a studio that is set up for them."""
    with jobs_server.serving_jobs(tmp_path / "there") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        monkeypatch.setenv("DEFTX_JOBS_IMAGE", jobs_server.IMAGE)
        yield server


@pytest.fixture
def corpus(studio, tmp_path):
    return studio.corpora.add(write_corpus(tmp_path / "text.txt"))


def seen(corpus, values=FORM):
    return train_preview.preview(corpus, values)


def test_nothing_is_offered_where_it_is_not_set_up(studio, corpus, monkeypatch):
    monkeypatch.delenv("DEFTX_JOBS_IMAGE", raising=False)
    assert remote.choices(studio) == [(strings.TRAIN_HERE, "")]
    assert train_form.filled({})[list(EMPTY).index("flavor")].visible is False
    job_id, said = train_tab.start_training(corpus, FORM)
    assert job_id == ""
    assert "DEFTX_JOBS_IMAGE" in said


def test_machines_are_offered_with_their_price(server, studio, corpus):
    assert remote.choices(studio)[2] == ("l4x1, 1 × L4, 24 GB: $0.80 per hour", "l4x1")
    outlook, command, python, _ = seen(corpus)
    assert "$0.80 per hour, $1.60 at most, for 2 h" in outlook
    assert strings.ELSEWHERE_NO_TIME in outlook
    assert "No training run with this base has finished on l4x1 yet" in outlook
    assert "--on hf-jobs --flavor l4x1 --hours 2" in command
    assert "hf-jobs" not in python


def test_a_hub_that_does_not_answer_leaves_the_price_open(server, studio, corpus):
    server.fail("GET /api/jobs/hardware")
    outlook = seen(corpus)[0]
    assert strings.ELSEWHERE_NO_PRICE in outlook
    assert "could not be reached" in outlook


def test_a_training_that_finished_there_gives_time_and_cost(server, studio, corpus):
    job_id, _ = train_tab.start_training(corpus, FORM)
    job = studio.store.get(job_id)
    lines = [f'{{"phase": "{phase}", "step": {step}, "total": 10, "time": {1000.0 + at}}}'
             for phase, step, at in (("dense", 0, 10), ("dense", 10, 910), ("sparse", 0, 920), ("sparse", 10, 1820))]  # fmt: skip
    (job.folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    write_json(job.folder / RESULT, {"outcome": "finished"})
    outlook = seen(corpus)[0]
    assert "earlier training runs with this base on l4x1 (1)" in outlook
    assert strings.ELSEWHERE_COST in outlook
    # It says nothing of this machine, nor of another one there.
    assert studio.forecast.speed(studio.base_name).trainings == 0
    assert studio.forecast.speed(studio.base_name, "cpu-basic").trainings == 0
    assert studio.forecast.speed(studio.base_name, "l4x1").trainings == 1


def test_the_job_says_where_and_becomes_the_same_request_again(server, studio, corpus):
    job_id, _ = train_tab.start_training(corpus, FORM)
    job = studio.store.get(job_id)
    assert {name: job.settings[name] for name in ("device", "flavor", "hours")} == {
        "device": "hf-jobs", "flavor": "l4x1", "hours": 2.0,
    }  # fmt: skip
    assert job.is_remote
    assert state_of(job).name == "waiting"
    values = train_fields.to_form(requests.named(studio, job))
    assert (values["flavor"], values["hours"]) == ("l4x1", 2.0)


def test_a_program_asks_for_a_machine_by_the_same_names(server, studio, corpus):
    def start(**place):
        return studio.train(requests.from_options("language", {"corpus": corpus, "name": "Minang", **place}))

    job = start(flavor="l4x1")
    assert (job.settings["flavor"], job.settings["hours"]) == ("l4x1", HOURS)
    assert start(flavor="l4x1", hours=2).settings["hours"] == 2.0
    with pytest.raises(SettingsRefused, match="l4x1"):
        start(flavor="l4")


def test_a_person_who_has_a_room_cannot_spend_the_house_s_money(server, studio, tmp_path):
    workspace = Studio(studio.base_name, studio.store.of("ana"), host=studio)
    corpus = workspace.corpora.add(write_corpus(tmp_path / "hers.txt"))
    assert remote.choices(workspace) == [(strings.TRAIN_HERE, "")]
    with pytest.raises(SettingsRefused, match="Only the people who run this studio"):
        workspace.train(train_fields.from_form(FORM, corpus))
    assert workspace.store.list() == ()


@pytest.mark.parametrize(("change", "said"), [({"flavor": "l4"}, "l4x1"), ({"hours": 1000}, "hours, not")])
def test_what_cannot_be_asked_for_is_said_at_the_form(server, studio, corpus, change, said):
    assert said in seen(corpus, {**FORM, **change})[0]
    assert train_tab.start_training(corpus, {**FORM, **change})[0] == ""
