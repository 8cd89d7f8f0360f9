"""A training run of the page that is reported to a tracker: only where one person uses the studio, with a link in History."""

import pytest
from tiny_base import SHORT

from deftx.core.events import ignore
from deftx.core.files import write_json
from deftx.jobs import push, worker
from deftx.jobs.job import SETTINGS, TRACKED, read_json
from deftx.jobs.remote.package import pack
from deftx.training.trackers import LINK
from ui import strings
from ui.corpus.corpora import SAMPLE
from ui.current import acting_in
from ui.history import history_views
from ui.studio import Studio
from ui.train import requests, train_form, train_tab
from ui.train.train_fields import EMPTY

FORM = {**EMPTY, "name": "Minangkabau", "code": "min", "report_to": "tensorboard",
        **{name: str(value) for name, value in SHORT.items()}}  # fmt: skip


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in push.SHARED:
        monkeypatch.delenv(name, raising=False)


def started(studio, **more):
    job_id, said = train_tab.start_training(SAMPLE, {**FORM, **more})
    return (studio.store.get(job_id) if job_id else None), said


def test_the_events_of_a_job_are_reported_and_history_says_where(studio):
    job, _ = started(studio)
    assert requests.named(studio, job).report_to == "tensorboard"
    assert history_views.table([job], []).count("TensorBoard") == 0  # nothing is there yet
    worker.train(read_json(job.folder / SETTINGS), worker.WORK, job.folder, ignore, lambda: False)
    folder = job.folder / TRACKED / "tensorboard"
    assert {"dense", "sparse"} <= {path.name for path in folder.iterdir()}
    assert f"<code>{folder}</code>" in history_views.table([job], [])
    assert sorted(path.name for path in job.out.iterdir()) == ["README.md", "vector.json", "vector.safetensors"]
    assert not [name for _, name in pack(job.settings, job.folder, "cpu").files if TRACKED in name]


def test_a_run_without_a_tracker_reports_nothing(studio):
    job, _ = started(studio, report_to="")
    worker.train(read_json(job.folder / SETTINGS), worker.WORK, job.folder, ignore, lambda: False)
    assert not (job.folder / TRACKED).exists()


@pytest.mark.parametrize(("link", "shown"), [
    ("https://wandb.example/x?a=<b>", '<a href="https://wandb.example/x?a=&lt;b&gt;" target="_blank" rel="noopener noreferrer">'),
    ("javascript:alert(1)", "<code>javascript:alert(1)</code>"),
])  # fmt: skip
def test_only_the_address_of_a_page_becomes_a_link(studio, link, shown):
    job = studio.store.add("language", "Minang", {"report_to": "wandb"})
    (job.folder / TRACKED).mkdir()
    write_json(job.folder / TRACKED / LINK, {"tracker": "wandb", "link": link})
    assert shown in history_views.table([job], [])


@pytest.mark.parametrize("shared", push.SHARED)
def test_where_others_reach_the_page_nothing_is_reported_with_the_owners_accounts(studio, monkeypatch, shared):
    monkeypatch.setenv(shared, "x")
    job, said = started(studio)
    assert job is None
    assert strings.REPORT_NOT_YOURS in said
    values = dict(zip(EMPTY, train_form.filled({"report_to": "wandb"}), strict=True))
    assert values["report_to"]["value"] == ""


def test_another_person_is_refused(studio):
    with acting_in(Studio(studio.base_name, studio.store.of("ana"), host=studio)):
        job_id, said = train_tab.start_training(SAMPLE, FORM)
    assert not job_id
    assert strings.REPORT_NOT_YOURS in said
