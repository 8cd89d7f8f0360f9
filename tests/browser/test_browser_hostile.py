"""Names, texts, labels and cards of strangers in headless Chromium: they are shown as what they are, and none of them runs."""

import csv
import re

import pytest
from app_process import serving
from browsing import expect, open_page, open_tab, upload
from tiny_base import finish_language_job, write_corpus

from deftx.jobs import Store
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors.vector import SparseVector

# Whatever of it ran would count itself, and a picture would ask for an address that is nobody's.
RUNS = "window.ran=(window.ran||0)+1"
PICTURE = "http://127.0.0.1:9/seen.png"
MARKUP = (
    f"<img src=x onerror={RUNS}><script>{RUNS}</script>'\"><svg/onload={RUNS}><img src={PICTURE}>"
    f"</textarea></style>${{{RUNS}}}{{{{{RUNS}}}}}<iframe srcdoc='<script>parent.{RUNS}</script>'>"
)
MARKDOWN = f"[a](javascript:{RUNS}) ![b]({PICTURE}) <b onclick={RUNS}>c</b> [d]: {PICTURE}"


def bring_hostile_vector(home, base):
    """Put a vector in place whose every word is markup: what an import lets through at the most, and a little more."""
    own = OwnVectors(home)
    vector = SparseVector.load(Store(home).list()[0].out)
    short = f"<img src=x onerror={RUNS}>"
    vector.info.update(
        language=short, method=short, corpus={short: 1}, recipe={short: MARKUP, "rank": MARKUP}, labels=[short, "=1+1"]
    )
    vector.info["base"]["name"] = short
    own.discard(_keep(own, vector, short).name)
    return _keep(own, vector, short)


def _keep(own, vector, title):
    with own.incoming() as folder:
        vector.save(folder)
        (folder / "README.md").write_text(
            f"# {MARKUP}\n\n{MARKDOWN}\n\n| {MARKUP} |\n|---|\n| {MARKDOWN} |\n\n<{PICTURE}>\n"
        )
        return own.keep(folder, title, MARKUP)


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """An app whose home is full of what strangers wrote."""
    home = tmp_path_factory.mktemp("home")
    finish_language_job(Store(home), page_base, write_corpus(home / "text.txt"), name=MARKUP)
    bring_hostile_vector(home, page_base)
    with serving(home, page_base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    open_page(page, app)
    yield page
    page.wait_for_timeout(300)  # a picture that cannot be had fails a moment later
    assert page.evaluate("window.ran") is None
    assert PICTURE not in page.asked
    assert page.locator("img[src='x'], iframe[srcdoc], svg[onload]").count() == 0


def test_the_library_shows_a_vector_of_a_stranger_and_runs_nothing(page):
    open_tab(page, "Library")
    expect(page.locator("#vectors")).to_contain_text("<img src=x onerror=")
    page.locator("#vectors button", has_text=re.compile("^<img src=x")).last.click()
    expect(page.locator("#vector-detail h3")).to_contain_text("<img src=x")
    for folded in page.locator("#vector-detail summary").all():
        folded.click()
    expect(page.locator("#vector-detail .readme")).to_contain_text(f"![b]({PICTURE})")
    assert page.locator("#vector-detail .readme :is(a, img, script)").count() == 0
    # A message quotes the key that was asked for.
    page.locator("#vector-trash button").first.click()
    restore = page.locator("[data-restore]").first
    restore.evaluate("(button, key) => { button.dataset.restore = key; button.click() }", f"own:{MARKUP}")
    expect(page.locator(".toast-body")).to_contain_text("<img src=x onerror=")


def test_trainings_history_and_lists_show_a_hostile_name_and_run_nothing(page):
    for tab in ("Train", "Spectra", "Overlap", "Test", "History"):
        open_tab(page, tab)
        page.wait_for_timeout(500)
    expect(page.locator("body")).to_contain_text("<img src=x onerror=")


def test_texts_and_tables_of_strangers_are_shown_and_run_nothing(page, tmp_path):
    text = tmp_path / f"<img src=x onerror={RUNS}> \u202etxt.txt"
    text.write_text(
        "\n".join([MARKUP, MARKDOWN, "=1+1", "\u202ereversed", *(f"satu dua {n}" for n in range(30))]), encoding="utf-8"
    )
    upload(page, text)
    expect(page.locator("#audit")).to_contain_text("34")
    refused = tmp_path / f"<img src=x onerror={RUNS}>.txt"
    refused.write_bytes(b"\xff\xfe\x00")
    upload(page, refused)
    expect(page.locator("#corpus-refused")).to_contain_text("UTF-8")
    table = tmp_path / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([[MARKUP, MARKDOWN], [MARKUP, "=1+1"]])
    upload(page, table)
    expect(page.locator("#corpus-column input")).to_be_visible()
    page.locator("#corpus-column input").click()
    expect(page.get_by_role("option", name="<img src=x").first).to_be_visible()
