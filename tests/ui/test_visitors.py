"""Sessions of those who have logged in, which another password or none ends."""

from ui.access.visitors import LoginSessions


def test_a_session_lasts_as_long_as_the_password():
    secrets = {"ana": "one", "bob": "two"}
    sessions = LoginSessions(secrets.get)
    sessions["t1"], sessions["t2"], sessions["t3"] = "ana", "ana", "bob"
    assert [sessions.get(token) for token in ("t1", "t2", "t3", "t4", None)] == ["ana", "ana", "bob", None, None]
    secrets["ana"] = "another"
    assert sessions.get("t1") is None
    assert sessions.get("t3") == "bob"
    sessions["t5"] = "ana"  # with the new password
    secrets["ana"] = "one"  # not even the old one again brings a session back that was ended
    assert sessions.get("t1") is sessions.get("t5") is None
    del secrets["bob"]
    assert sessions.get("t3") is None


def test_a_log_out_ends_sessions_as_gradio_does_it():
    sessions = LoginSessions({"ana": "one"}.get)
    sessions["t1"] = "ana"
    for token in list(sessions.keys()):
        if sessions[token] == "ana":
            del sessions[token]
    assert sessions.get("t1") is None
    assert not sessions._secrets
