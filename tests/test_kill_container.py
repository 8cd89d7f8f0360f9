"""The image's entry point is stopped, killed and left without its disk: its jobs go on by themselves, as if nothing had been."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import httpx
import psutil
import pytest
from killing_container import Trial, differing, endure

pytestmark = pytest.mark.slow

ENDS = ("SIGTERM, disk lost", "SIGKILL, disk kept", "SIGKILL, disk lost")


@pytest.fixture
def trial():
    """A place that user 1000 may enter, as pytest's own is not."""
    place = Path(tempfile.mkdtemp(prefix="deftx-image-"))
    trial = Trial(place, steps=400)
    yield trial
    if trial.image.server is not None:
        trial.image.kill()
    shutil.rmtree(place)


def test_a_training_in_a_container_that_is_ended_in_every_way_ends_in_the_same_vector(trial):
    draw = random.Random(seed := int(os.environ.get("DEFTX_KILL_SEED", random.randrange(10**9))))
    print(f"the moments follow from DEFTX_KILL_SEED={seed}")
    image = trial.image
    image.start()
    undisturbed = trial.undisturbed("language")  # meanwhile
    image.wait_until_healthy()
    if os.getuid() == 0:
        assert psutil.Process(image.server.pid).uids().effective == 1000
    address = f"http://127.0.0.1:{image.port}"
    lasting = httpx.get(f"{address}/health", timeout=30).json()["lasting"]
    assert ("not-lasting" in httpx.get(f"{address}/config", timeout=30).text) == (not lasting)
    jobs = trial.add("language")
    assert endure(image, jobs, ENDS, draw) == len(ENDS)
    assert differing(jobs, [undisturbed]) == []
    assert len(image.events("restored")) == 2
    # On a machine that is too busy for it, it is killed after seven seconds, which the log says as well.
    assert len([*image.events("job_saved"), *image.events("job_killed")]) == len(image.events("job_asked")) == 1
    assert image.stop() == 0
    assert {"places", "job_started", "stopping", "job_asked", "stopped"} <= {line["event"] for line in image.lines()}
