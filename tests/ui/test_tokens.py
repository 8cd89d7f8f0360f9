"""A token of the Hub is used where it must be, and is found nowhere afterwards."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_base import write_corpus
from werkzeug import Response

pytestmark = pytest.mark.slow

TOKEN = "hf_thisTokenMustNeverBeFoundAnywhere"
ROOT = Path(__file__).resolve().parents[2]

DRIVER = """
import json, sys, time
from pathlib import Path
from deftx.jobs import Scheduler, Store, state_of
from deftx.jobs.scheduler import WORKER
from deftx.training.request import TrainingRequest
from ui.current import acting_in
from ui.library import library_forms
from ui.page import build_page
from ui.studio import Studio
from tiny_base import SHORT

home, base, corpus = map(Path, sys.argv[1:])
studio = Studio(str(base), Store(home))
with acting_in(studio):
    print(library_forms.import_from_hub("somebody/private-vector", "", "", "", "")[1])
name = studio.corpora.add(corpus)
job = studio.train(TrainingRequest(kind="language", corpus=(name,), name="Mine", language="min", recipe=SHORT))
with Scheduler(studio.store, interval=0.1, command=WORKER):
    while not state_of(studio.store.get(job.id)).name in ("finished", "failed"):
        time.sleep(0.1)
print(state_of(studio.store.get(job.id)).name, job.log_tail(1000))
page = build_page(studio)
print(json.dumps(page.get_config_file(), default=str))
"""


@pytest.fixture
def hub(httpserver):
    """A server in the Hub's place that refuses everything and notes who asked."""
    seen = []

    def refuse(request):
        seen.append(told := request.headers.get("Authorization"))
        return Response(f'{{"error": "Access to this is gated for {told}"}}', status=403)

    httpserver.expect_request(re.compile("")).respond_with_handler(refuse)
    return httpserver.url_for("").rstrip("/"), seen


def test_a_token_is_sent_to_the_hub_and_kept_nowhere(hub, page_base, tmp_path):
    url, seen = hub
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HF_TOKEN": TOKEN, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"),
                   "GRADIO_TEMP_DIR": str(tmp_path / "gradio"), "OMP_NUM_THREADS": "1",
                   "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])}  # fmt: skip
    environment.pop("HF_HUB_OFFLINE", None)
    corpus = write_corpus(tmp_path / "text.txt")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, home, page_base, corpus], env=environment, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert b"finished" in done.stdout
    assert f"Bearer {TOKEN}" in seen  # it was there to be leaked
    assert TOKEN.encode() not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"jobs.sqlite", "events.jsonl", "log.txt", "job.json"} <= {path.name for path in files}
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
