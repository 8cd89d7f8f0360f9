"""A language vector trained in calls to a GPU, as on ZeroGPU: the page makes them, and is closed and opened in the middle."""

import pytest
from app_process import serving
from browsing import expect, field, open_page, open_tab
from job_helpers import wait_for
from tiny_base import finish_task_job, write_corpus

from deftx.core.events import ignore
from deftx.jobs import Store, state_of
from deftx.jobs.slices import slice_status
from deftx.jobs.work import learn_language

# The stand-in takes the place of the package ``spaces`` before the app imports it. On the clock of a call every look takes a
# second, so that there are several calls on a machine of any speed.
PROGRAM = """
import functools, itertools, sys, types
sys.path.append("tests/helpers")
from zero_gpu import ZeroGpu
sys.modules["spaces"] = types.SimpleNamespace(GPU=ZeroGpu().GPU)
import app
from ui.slices import calls
looks = itertools.count()
calls.run_slice = functools.partial(calls.run_slice, now=lambda: float(next(looks)))
app.main()
"""
SETTINGS = {"max-steps": 60, "batch-size": 4, "max-length": 16, "evaluate-every": 30}


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """The app as on ZeroGPU, with a task to choose."""
    home = tmp_path_factory.mktemp("home")
    finish_task_job(Store(home), page_base)
    with serving(home, page_base, program=PROGRAM, SPACES_ZERO_GPU="true") as app:
        yield app


def start(page, text):
    """Go through the guided path with a pasted text to the form with all settings, and start few small steps."""
    field(page, "guide-name").fill("Bugis")
    page.locator("#guide-to-text").click()
    field(page, "guide-paste").fill(text)
    page.locator("#guide-use-pasted").click()
    expect(field(page, "guide-paste")).to_have_value("")
    page.locator("#guide-to-task").click()
    page.locator("#guide-task label", has_text="Mood").click()
    page.locator("#guide-to-train").click()
    page.locator("#guide-settings").click()
    expect(field(page, "language-name")).to_have_value("Bugis")
    page.locator("#advanced button").first.click()
    for name, value in SETTINGS.items():
        field(page, f"setting-{name}").fill(str(value))
    page.locator("#start").click()


def trained(store):
    """The training run that the page started; None before."""
    return next((job for job in store.list() if job.kind == "language"), None)


def test_a_page_closed_in_the_middle_loses_nothing_and_the_vector_is_that_of_an_undisturbed_run(app, browser, tmp_path):
    store, visitor = Store(app.home), browser.new_context(viewport={"width": 1280, "height": 900})
    page = visitor.new_page()
    open_page(page, app, section="")
    start(page, write_corpus(tmp_path / "text.txt").read_text(encoding="utf-8"))
    expect(page.locator("#calls")).to_contain_text("Keep the page open")
    wait_for(lambda: trained(store) and slice_status(trained(store).folder).step, "the first call", seconds=300)
    page.close()
    job = trained(store)
    wait_for(lambda: state_of(job).name == "waiting", "the end of the call", seconds=60)
    assert "Waiting for its page" in state_of(job).meaning
    assert not slice_status(job.folder).has_ended

    page = visitor.new_page()
    open_page(page, app, section="")
    open_tab(page, "Train")
    expect(page.locator("#job h3")).to_have_text("Bugis Finished")
    expect(page.locator("#calls")).not_to_contain_text("Bugis")
    assert state_of(job).name == "finished"
    whole = store.add("language", "Bugis", {**job.settings, "device": "cpu"})
    learn_language({**whole.settings}, whole.folder, ignore, lambda: False)
    for name in ("vector.safetensors", "vector.json"):
        assert (job.out / name).read_bytes() == (whole.out / name).read_bytes(), name
