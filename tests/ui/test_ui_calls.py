"""Calls to the GPU of ZeroGPU, and what the page says about them; ``spaces`` is the stand-in."""

import math
import sys
from types import SimpleNamespace

import gradio as gr
import pytest
from tiny_base import SHORT, write_corpus
from zero_gpu import ZeroGpu

from deftx.core.files import write_json
from deftx.jobs import Store, state_of
from deftx.jobs.job import LOCK, RESULT
from deftx.jobs.process import take_lock
from deftx.training.request import ZERO_GPU, TrainingRequest
from ui import strings
from ui.guide import train_step
from ui.guide.plan import Plan
from ui.page import build_page
from ui.slices import call_bar, calls
from ui.slices.calls import Calls
from ui.studio import Studio
from ui.train import requests, train_preview
from ui.watch import changes, watch_views


@pytest.fixture
def card():
    card = ZeroGpu()
    yield card
    card.close()


@pytest.fixture
def studio(page_base, tmp_path, monkeypatch, card):
    """A studio on ZeroGPU, with an empty home of its own."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=card.GPU))
    return Studio(str(page_base), Store(tmp_path / "home"))


@pytest.fixture
def request_(studio, tmp_path):
    name = studio.corpora.add(write_corpus(tmp_path / "text.txt"))
    return TrainingRequest(kind="language", name="Bugis", corpus=(name,), recipe=SHORT)


def refuse(studio, message, title="ZeroGPU quota exceeded"):
    """Let the platform refuse every call."""

    def train(folder, seconds, limits):
        raise gr.Error(message, title=title, print_exception=False)

    studio.calls = Calls(train)


def advance(studio):
    studio.calls.advance(studio.store)


def test_elsewhere_nothing_of_it_is_there(page_base, tmp_path, monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    studio = Studio(str(page_base), Store(tmp_path / "home"))
    assert studio.calls is None
    assert studio.training_device == studio.device
    assert not any(getattr(block, "elem_id", None) == "calls" for block in build_page(studio).blocks.values())


@pytest.mark.slow
def test_the_page_of_such_a_space_has_a_note_for_each_language_and_its_own_base_stays_on_the_cpu(studio, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)  # as the package says, also without a GPU
    again = Studio(studio.base_name, studio.store)
    assert (again.device, again.gpus, again.training_device) == ("cpu", 0, ZERO_GPU)
    assert again.base().device.type == "cpu"
    times = [block for block in build_page(studio).blocks.values() if getattr(block, "elem_id", None) == "calls"]
    assert len(times) == len(strings.SPOKEN)


def test_a_training_run_is_done_in_calls_of_whole_seconds(studio, card, request_):
    job = studio.train(request_)
    assert job.is_sliced
    for _ in range(20):
        if state_of(job).name == "finished":
            break
        advance(studio)
    assert state_of(job).name == "finished", job.log_tail()
    assert (job.out / "vector.safetensors").is_file()
    assert all(asked == math.ceil(asked) and 0 < asked <= calls.LONGEST for asked in card.asked)
    asked = len(card.asked)
    advance(studio)  # nothing is left to do
    assert len(card.asked) == asked
    assert call_bar.say() == ("", False)


def test_one_call_at_a_time_and_the_oldest_training_run_first(studio):
    first, second = (studio.store.add("language", name, {"device": ZERO_GPU}) for name in "ab")
    called = []

    def train(folder, seconds, limits):
        called.append(folder)
        advance(studio)  # from another tab, meanwhile
        write_json(folder / RESULT, {"outcome": "finished", "message": ""})

    studio.calls = Calls(train)
    for _ in range(3):
        advance(studio)
    assert called == [first.folder, second.folder]


def test_only_the_owner_s_page_makes_the_calls_and_the_limits_of_a_person_count(studio, monkeypatch):
    monkeypatch.setenv("DEFTX_JOB_HOURS", "1")
    theirs = studio.store.of("ana").add("language", "hers", {"device": ZERO_GPU})
    called = []
    studio.calls = Calls(lambda *call: called.append(call))
    advance(studio)
    assert called == []
    ana = Studio(studio.base_name, studio.store.of("ana"), host=studio)
    advance(ana)
    ((folder, _, limits),) = called
    assert folder == theirs.folder
    assert limits["DEFTX_JOB_SECONDS"] == "3600.0"


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:12:05. ", 11_525.0),
        ("... Try again in 1 day, 0:00:01. Subscribe", 86_401.0),
        ("No GPU was available after 60s", None),
    ],
)
def test_when_a_quota_comes_back_is_read_from_the_refusal(message, seconds):
    assert calls.seconds_to_wait(message) == seconds


def test_without_quota_no_call_is_made_until_it_is_back_and_the_page_says_when(studio, card, request_):
    job = studio.train(request_)
    card.quota = 0
    advance(studio)
    assert len(card.asked) == 1
    said, refused = call_bar.say()
    assert refused
    assert "about 3 h 12 min" in said
    assert "0s left" in said
    advance(studio)
    assert len(card.asked) == 1
    assert state_of(job).name == "waiting"
    card.quota = math.inf
    call_bar.call_again()
    assert call_bar.say()[1] is False
    advance(studio)
    assert len(card.asked) == 2


def test_the_message_of_the_platform_is_no_markup(studio, request_):
    studio.train(request_)
    refuse(studio, "No <b>GPU</b>")
    advance(studio)
    assert "No &lt;b&gt;GPU&lt;/b&gt;" in call_bar.say()[0]


def test_calls_that_fail_again_and_again_are_made_ever_less_often(studio, request_, monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(calls.time, "time", lambda: now[0])
    studio.train(request_)
    refuse(studio, "GPU task aborted", "ZeroGPU worker error")
    pauses = []
    for _ in range(12):
        advance(studio)
        pauses.append(studio.calls.refusal(studio.store).until - now[0])
        now[0] += pauses[-1]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    studio.calls._train = lambda *call: None  # a GPU is free again
    advance(studio)
    assert studio.calls.refusal(studio.store) is None


def test_an_error_of_the_package_itself_does_not_reach_the_page(studio, request_):
    studio.train(request_)

    def train(folder, seconds, limits):
        raise RuntimeError("Connection closed by visitor while queueing")

    studio.calls = Calls(train)
    advance(studio)
    assert studio.calls.refusal(studio.store).message == "RuntimeError"


def test_it_continues_on_the_cpu_and_the_next_one_still_needs_calls(studio):
    first, second = (studio.store.add("language", name, {"device": ZERO_GPU}) for name in "ab")
    refuse(studio, "No GPU was available")
    advance(studio)
    call_bar.continue_on_cpu()
    assert [studio.store.get(job.id).device for job in (first, second)] == ["cpu", ZERO_GPU]
    assert "“b”" in call_bar.say()[0]


def test_while_it_waits_and_while_it_runs_the_page_says_what_keeps_it_going(studio, request_):
    job = studio.train(request_)
    assert "Waiting for its page" in watch_views.job_view(job)
    said, refused = call_bar.say()
    assert "Keep the page open" in said
    assert not refused
    assert changes.is_busy()
    with take_lock(job.folder / LOCK):
        assert "If it is closed, the job waits" in watch_views.job_view(job)
    assert strings.GUIDE_STARTED_IN_CALLS in train_step.outlook(Plan(name="x", language_job=job.id))


def test_its_time_is_computed_for_the_card_until_a_training_run_has_finished(studio, request_):
    outlook = studio.forecast.look(request_)
    assert strings.RESTS_ON_CARD in train_preview.outlook_view("language", outlook)
    assert studio.forecast.speed(outlook.base.name).operations[0] > 1e14  # which no processor reaches


def test_the_command_of_the_form_names_no_such_device(studio, request_):
    assert requests.resolve(studio, request_).device == ZERO_GPU
    command, python, _ = train_preview.copies(request_)
    assert "zero-gpu" not in command + python
