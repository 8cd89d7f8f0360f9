"""What the files here share: one launched app a worker, and a page in a browser of its own."""

import pytest
from app_process import serving
from tiny_base import finish_task_job, write_corpus

from deftx.jobs import Store


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A text that is long enough to stop its training."""
    return write_corpus(tmp_path_factory.mktemp("text") / "sentences.txt", lines=30_000)


@pytest.fixture(scope="session")
def app(tmp_path_factory, page_base):
    """An app with the finished task "Mood"; a test removes the training runs that it started, or gives them names of its own."""
    home = tmp_path_factory.mktemp("home")
    finish_task_job(Store(home), page_base)
    with serving(home, page_base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    """A page of the app; ``page.foreign`` lists the requests that it sent elsewhere."""
    from browsing import open_page  # where playwright is missing, nothing of this runs

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.foreign = []
    page.on(
        "request", lambda r: page.foreign.append(r.url) if r.url.startswith("http") and app.url not in r.url else None
    )
    open_page(page, app)
    yield page
    context.close()
