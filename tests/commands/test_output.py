"""Without these, a Windows console would show a traceback in place of an answer."""

import io
import json
import sys

from deftx.commands import output

ANSWER = "ᱥ é"


def printed(monkeypatch, encoding, as_json):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline="\n"))
    output.replace_what_cannot_be_shown()
    output.result({"text": ANSWER}, as_json, ANSWER)
    sys.stdout.flush()
    return raw.getvalue().decode(encoding)


def test_what_a_console_cannot_show_is_replaced(monkeypatch):
    assert printed(monkeypatch, "cp1252", as_json=False) == "? é\n"
    assert printed(monkeypatch, "utf-8", as_json=False) == f"{ANSWER}\n"


def test_json_loses_nothing_on_any_console(monkeypatch):
    for encoding in ("cp1252", "utf-8"):
        assert json.loads(printed(monkeypatch, encoding, as_json=True)) == {"text": ANSWER}
