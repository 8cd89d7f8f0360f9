"""Uploads that are cut off in a browser: nothing of them is left, and the next one works."""

import pytest
from browsing import expect, open_page, upload
from job_helpers import wait_for

KILOBYTES_PER_SECOND = 20


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "large.txt"
    path.write_text("".join(f"line {number} of a large text\n" for number in range(30_000)), encoding="utf-8")
    return path


def arrived(app):
    """The files with a part of an upload: Gradio writes them while it arrives; and drafts of the studio."""
    files = [*(app.home.parent / "gradio").glob("tmp*"), *app.home.rglob("*.part")]
    return [path for path in files if size(path)]


def size(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:  # removed meanwhile
        return 0


def begin(page, app, text):
    """Begin an upload over a slow connection; return once a part of it has arrived."""
    session = page.context.new_cdp_session(page)
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": KILOBYTES_PER_SECOND * 1_000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", speed)
    upload(page, text)
    wait_for(lambda: arrived(app), "a part of the upload")
    return lambda **changed: session.send("Network.emulateNetworkConditions", {**speed, **changed})


def test_a_page_that_is_closed_within_an_upload_leaves_nothing(app, browser, text, tmp_path):
    context = browser.new_context()
    page = context.new_page()
    open_page(page, app)
    begin(page, app, text)
    page.close()
    wait_for(lambda: not arrived(app), "what has arrived to be removed")
    page = context.new_page()
    open_page(page, app, section="")
    small = tmp_path / "small.txt"
    small.write_text("a line of text\n" * 70, encoding="utf-8")
    upload(page, small)
    expect(page.locator("#corpus-choice input")).to_have_value("small.txt")
    context.close()


def test_after_a_reload_within_an_upload_the_page_uploads_again(app, page, text):
    change = begin(page, app, text)
    page.reload()
    expect(page.locator("html[data-opened]")).to_be_attached()
    wait_for(lambda: not arrived(app), "what has arrived to be removed")
    change(uploadThroughput=-1)
    upload(page, text)
    expect(page.locator("#corpus-choice input")).to_have_value("large.txt")
    wait_for(lambda: not arrived(app), "what has arrived to be moved away")
