"""What tests of training share: one tiny base for the whole run, and text to train it on."""

import importlib.util
import os
from datetime import timedelta
from pathlib import Path

# Threads of the programs that tests start sleep while they wait: the core on which they would spin is another test's.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import disks
import hub_server
import pytest
import tiny
import tiny_base
import torch
from hypothesis import HealthCheck, settings

from deftx.jobs import Store
from deftx.models.bases import load_base
from ui.current import acting_in
from ui.studio import Studio

# Models this small are no faster on two threads, and how many there are decides in which order numbers are added.
torch.set_num_threads(1)

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# The same inputs in every run; ``--hypothesis-profile long`` draws others, 10,000 for each test.
settings.register_profile("short", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("long", settings.get_profile("short"), derandomize=False, max_examples=10_000,
                          deadline=timedelta(seconds=20), print_blob=True)  # fmt: skip
settings.load_profile("short")


def why_no_data() -> str | None:
    """Return why the evaluation data are not here; None where they are."""
    return None if "DEFTX_DATA" in os.environ else "DEFTX_DATA is not set: it names the folder of the evaluation data"


def why_no_browser() -> str | None:
    """Return why no browser can be started; None where one can."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return None if CHROMIUM.exists() else f"no Chromium at {CHROMIUM} (set CHROMIUM to its path)"


def why_no_npm() -> str | None:
    """Return why the packages of the npm registry are not here; None where they are."""
    return None if "DEFTX_NPM" in os.environ else "DEFTX_NPM is not set: it names the folder where npm pack has run"


NEEDS = {"data": why_no_data, "root": disks.why_not, "browser": why_no_browser, "npm": why_no_npm}  # by mark


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests in tests/browser, skip the tests that need what is not here, and begin with the long files.

    So two workers end at about the same time.
    """
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker("browser")
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)
    for mark, why_not in NEEDS.items():
        needing = [item for item in items if item.get_closest_marker(mark)]
        if needing and (reason := why_not()):
            for item in needing:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def hub_here(tmp_path, monkeypatch):
    """A Hub on this machine, to which the Hub's client in this process speaks; nobody is logged in."""
    with hub_server.serving() as hub:
        hub_server.attach(monkeypatch, hub, tmp_path / "hub-cache")
        yield hub


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    """The folder of a random XLM-R of 32 dimensions."""
    return tiny.make_base(tmp_path_factory.mktemp("base") / "tiny-base")


@pytest.fixture(scope="session")
def base(base_folder):
    """The tiny base; at the end of the whole run, not one of its bits may have changed."""
    base = load_base(base_folder)
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    yield base
    after = base.model.state_dict()
    assert [name for name in before if not before[name].equal(after[name])] == []


@pytest.fixture(scope="session")
def page_base(tmp_path_factory):
    """The folder of the base that tests of the page use: its tokenizer reads whole words."""
    return tiny_base.make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def studio(page_base, tmp_path):
    """A studio with an empty home of its own."""
    return Studio(str(page_base), Store(tmp_path / "home"))


@pytest.fixture(autouse=True)
def acting(request):
    """A test with a studio, this one or one of its file, acts in it, as a handler of the page does."""
    if "studio" not in request.fixturenames:
        yield
        return
    with acting_in(request.getfixturevalue("studio")):
        yield


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory):
    """A base of the same shape with other weights."""
    return tiny.make_base(tmp_path_factory.mktemp("base") / "other-base", seed=1)


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory):
    """Two hundred lines of text."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n".join(tiny.sentences(200)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def table_file(tmp_path_factory):
    """Ninety-six labelled sentences."""
    return tiny.write_csv(tmp_path_factory.mktemp("table") / "train.csv", ("text", "label"), tiny.labelled_rows())


@pytest.fixture(scope="session")
def language_vector(base, corpus_file, tmp_path_factory):
    """The folder of a language vector of the tiny base."""
    from deftx.training.language import learn_language

    out = tmp_path_factory.mktemp("vectors") / "language"
    learn_language(corpus_file, base, tiny.language_recipe(max_steps=12), out=out, language="min")
    return out


@pytest.fixture(scope="session")
def task_vector(base, table_file, tmp_path_factory):
    """The folder of a task vector of the tiny base, trained long enough to tell good from bad."""
    from deftx.training.task import learn_task

    out = tmp_path_factory.mktemp("vectors") / "task"
    recipe = tiny.task_recipe(max_steps=45, evaluate_every=15, batch_size=16, learning_rate=5e-3, k=3000)
    learn_task(table_file, base, recipe, out=out, language="ind")
    return out


@pytest.fixture(scope="session")
def lt_sft_traces():
    """The folder with traces of the published LT-SFT code."""
    return Path(__file__).parent / "fixtures" / "lt-sft"


@pytest.fixture(scope="module")
def browser_arguments():
    """Further arguments of the browser; a file may have its own."""
    return []


@pytest.fixture(scope="module")
def browser(browser_arguments):
    """Headless Chromium; one for each file, which nothing of another file reaches."""
    from browsing import sync_api

    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", *browser_arguments]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()
