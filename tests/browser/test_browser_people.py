"""Two people in two browsers: each logs in, with a password or with an account, and sees nothing of the other's."""

import re

import openid_server
import pytest
from app_process import serving
from browsing import expect, field, open_tab, start_training, upload
from people_app import PASSWORDS, write_people
from tiny_base import finish_task_job, write_corpus

from deftx.jobs import Store


@pytest.fixture
def place(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path


def visit(browser, url):
    """Open the page in a browser of one's own, with cookies of one's own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(url)
    return page


def opened(page):
    expect(page.locator("html[data-opened]")).to_be_attached()
    return page


def content(path):
    """The bytes of a file; none where it is gone, as SQLite's files are when nobody uses the database."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def log_in(page, name, password):
    """Fill in the form that stands in place of the page."""
    page.get_by_label("username").fill(name)
    page.get_by_label("password").fill(password)
    page.get_by_role("button", name="Login").click()
    return page


def sign_in(page, name):
    """Press the button, say at the provider who one is, and come back."""
    opened(page)
    page.get_by_role("button", name="Sign in with Hugging Face").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("button", name=f"Logout ({name})")).to_be_visible()
    return opened(page)


def bring_and_train(page, place):
    """Bring a text and start a training on it, both called after a secret."""
    open_tab(page, "Corpus")
    upload(page, write_corpus(place / "anasecret.txt"))
    expect(page.locator("#audit")).to_contain_text("400")
    start_training(page, "Anasecret", 20)


def trainings(page):
    open_tab(page, "Train")
    return page.locator("#jobs [data-job]")


def test_two_people_with_passwords_do_not_see_each_others_trainings(browser, place, page_base):
    people = write_people(place / "people")
    with serving(place / "home", page_base, DEFTX_AUTH=str(people)) as app:
        ana, bob = visit(browser, app.url), visit(browser, app.url)
        log_in(ana, "ana", "not her password")
        expect(ana.get_by_text("Incorrect Credentials")).to_be_visible()
        opened(log_in(ana, "ana", PASSWORDS["ana"]))
        opened(log_in(bob, "bob", PASSWORDS["bob"]))
        expect(ana.locator("#who")).to_contain_text("ana")
        expect(bob.locator("#who")).to_contain_text("bob")
        bring_and_train(ana, place)
        expect(trainings(ana)).to_have_count(1)
        bob.reload()
        expect(trainings(opened(bob))).to_have_count(0)
        expect(bob.locator("body")).not_to_contain_text("Anasecret")
        ana.locator("#who a").click()
        expect(ana.get_by_label("password")).to_be_visible()


def test_two_accounts_of_a_space_log_in_at_the_provider_and_have_rooms_of_their_own(browser, place, page_base):
    with openid_server.serving() as provider:
        with serving(place / "home", page_base, **openid_server.space(provider)) as app:
            ana, bob = visit(browser, app.url), visit(browser, app.url)
            expect(ana.locator("#who")).to_contain_text(re.compile("not logged in|visitor", re.IGNORECASE))
            sign_in(ana, "ana")
            sign_in(bob, "bob")
            assert provider.asked == [set(openid_server.SCOPES.split())] * 2
            bring_and_train(ana, place)
            expect(trainings(ana)).to_have_count(1)
            assert [job.owner for job in Store(place / "home").list()] == ["ana-64f0a"]
            bob.reload()
            expect(trainings(opened(bob))).to_have_count(0)
            expect(bob.locator("body")).not_to_contain_text("Anasecret")
            ana.get_by_role("button", name="Logout (ana)").click()
            expect(ana.get_by_role("button", name="Sign in with Hugging Face")).to_be_visible()
            expect(trainings(opened(ana))).to_have_count(0)
        written = [path for path in (place / "home").rglob("*") if path.is_file()]
        assert written
        for token in provider.tokens:
            assert not [path for path in written if token.encode() in content(path)]


def test_after_a_restart_people_log_in_again_and_the_next_person_at_the_browser_finds_nothing(
    browser, place, page_base
):
    people = write_people(place / "people")
    finish_task_job(Store(place / "home").of("ana"), page_base)
    with serving(place / "home", page_base, DEFTX_AUTH=str(people)) as app:
        page = visit(browser, app.url)
        opened(log_in(page, "ana", PASSWORDS["ana"]))
        field(page, "guide-name").fill("Anasecret")
        page.locator("#guide-to-text").click()
        expect(page.locator("#guide-paste")).to_be_visible()
        open_tab(page, "Test")
        field(page, "sentence").fill("anasecret is good")
        expect(page.locator("#answer blockquote")).to_have_text("anasecret is good")
        app.kill()
        app.start()
        opened(log_in(page, "ana", PASSWORDS["ana"]))  # the page loads anew by itself
        expect(field(page, "sentence")).to_have_value("anasecret is good")
        open_tab(page, "Start")
        expect(page.locator("#guide-paste")).to_be_visible()  # at the step where it was
        page.locator("#who a").click()
        expect(page.get_by_label("password")).to_be_visible()
        assert [key for key in page.evaluate("Object.keys(localStorage)") if key.startswith("deftx")] == []
        opened(log_in(page, "bob", PASSWORDS["bob"]))
        expect(page.locator("#who")).to_contain_text("bob")
        expect(field(page, "guide-name")).to_have_value("")
        open_tab(page, "Test")
        expect(field(page, "sentence")).not_to_have_value("anasecret is good")
        expect(page.locator("body")).not_to_contain_text(re.compile("anasecret", re.IGNORECASE))
