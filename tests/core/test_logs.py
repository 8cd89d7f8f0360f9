"""Logs for a machine: each line is one JSON object, whatever happens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deftx.core.errors import DeftxError
from deftx.core.logs import set_up

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import logging, warnings, threading
from deftx.core.logs import about, set_up
set_up({"DEFTX_LOG": "%s"})
logging.getLogger("a.b").info("Job %%s starts.", 7, extra=about("job_started", "7"))
logging.getLogger("httpx").info("not this")
warnings.warn("careful")
threading.Thread(target=lambda: 1 / 0).start()
raise ValueError("two\\nlines")
"""


def run(way):
    done = subprocess.run([sys.executable, "-c", PROGRAM % way], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def test_every_line_is_an_object_with_the_same_keys():
    lines = [json.loads(line) for line in run("json")]
    assert all({"time", "level", "event", "job", "message"} <= line.keys() for line in lines)
    first = {key: lines[0][key] for key in ("level", "event", "job", "message")}
    assert first == {"level": "info", "event": "job_started", "job": "7", "message": "Job 7 starts."}
    assert lines[0]["time"].endswith("+00:00")
    assert [line["event"] for line in lines[1:]].count("uncaught") == 2
    assert any(line["event"] == "py.warnings" and "careful" in line["message"] for line in lines)
    assert any("ZeroDivisionError" in line.get("traceback", "") for line in lines)


def test_text_stays_text_for_people():
    lines = run("text")
    assert lines[0].endswith("a.b Job 7 starts.")
    assert "not this" not in "\n".join(lines)


def test_an_unknown_way_is_named():
    with pytest.raises(DeftxError, match=r"DEFTX_LOG 'jsn' is not known.*'json'"):
        set_up({"DEFTX_LOG": "jsn"})
