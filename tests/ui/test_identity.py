"""Login methods: who a request is from. Sessions are made up as Gradio's login at the Hub writes them; the login itself is not here."""

import time

import pytest

from deftx.accounts.people import NOBODY, People, put_person
from deftx.core.hosting import Hosting
from ui.access.identity import AccountLogin, PasswordLogin, on_a_space


def session(name, number="64f0c0ffee", hours=1.0):
    account = {"preferred_username": name, "sub": number, "name": name}
    return {"oauth_info": {"userinfo": account, "access_token": "hf_x", "expires_at": time.time() + hours * 3600}}


def test_an_account_has_a_room_by_its_number_and_not_by_its_name():
    login_method = AccountLogin(Hosting(), "Author")
    ana = login_method.person(None, session("Ana"))
    assert (ana.name, ana.role, ana.workspace) == ("Ana", "member", "ana-64f0c0ffee")
    assert login_method.person(None, session("Ana", "another")).workspace != ana.workspace
    assert login_method.person(None, session("..", "../../x")).workspace.strip("-") == "------x".strip("-")


def test_a_renamed_account_keeps_its_room_and_nobody_else_gets_it(tmp_path):
    people = tmp_path / "people"
    login_method = AccountLogin(Hosting(), people=people)
    assert login_method.person(None, session("ana")).workspace == "ana-64f0c0ffee"
    assert login_method.person(None, session("ana-maria")).workspace == "ana-64f0c0ffee"
    (people / "ana-64f0c0ffee").mkdir(parents=True)
    restarted = AccountLogin(Hosting(), people=people)
    assert restarted.person(None, session("ana-maria")).workspace == "ana-64f0c0ffee"
    assert restarted.person(None, session("ana", "0ffee")).workspace == "ana-0ffee"
    assert restarted.person(None, session("bob", "*")).workspace == "bob--"
    assert restarted.person(None, session("bob-64f0c0ffee", "1")).workspace == "bob-64f0c0ffee-1"


def test_the_author_and_those_named_are_admins():
    login_method = AccountLogin(Hosting(admins=("bob",)), "Author")
    assert login_method.person(None, session("author")).is_admin
    assert login_method.person(None, session("Bob")).is_admin
    assert not AccountLogin(Hosting(), "").person(None, session("")).is_admin


def test_where_members_are_named_all_others_are_visitors():
    login_method = AccountLogin(Hosting(members=("ana",)), "author")
    assert [login_method.person(None, session(name)).role for name in ("Ana", "bob")] == ["member", "visitor"]


@pytest.mark.parametrize("broken", [{}, {"oauth_info": None}, {"oauth_info": {"userinfo": {}}}, session("ana", hours=-1),
                                    session("ana", "")])  # fmt: skip
def test_no_session_or_one_that_ran_out_is_nobody(broken):
    assert AccountLogin(Hosting()).person("ana", broken) is NOBODY


def test_the_password_door_looks_the_name_up(tmp_path):
    put_person(tmp_path / "people", "ana", "a tale of two rivers", "admin")
    login_method = PasswordLogin(People(tmp_path / "people"))
    assert login_method.person("ana", session("root")).is_admin
    assert login_method.person("root", {}) is login_method.person(None, session("ana")) is None


def test_accounts_count_on_a_space_alone(monkeypatch):
    for name in ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert not on_a_space()
    monkeypatch.setenv("OAUTH_CLIENT_ID", "x")
    assert not on_a_space()
    monkeypatch.setenv("SPACE_ID", "a/b")
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "y")
    assert on_a_space()
