"""A worker whose work is real but small: it counts, step by step, and keeps a checkpoint, as a training does.

Settings: ``steps``, ``pause`` (seconds a step), ``saving`` (seconds that a stop takes), ``phases`` (the steps are
spread over all phases of a training; otherwise all are dense), and what goes wrong:
``fail_at`` with ``error`` (a key of ERRORS), ``die_at`` (the process is killed, the first ``deaths`` times), ``hang``
(deaf to stop requests, with a child process).
"""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.core.events import PHASES, Event
from deftx.jobs import worker


class OutOfMemoryError(RuntimeError):
    """Called as torch calls its own."""


ERRORS = {
    "nan": TrainingError("The loss is not a number any more at step 3; choose a smaller learning_rate."),
    "memory": MemoryError(),
    "gpu": OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    "disk": OSError(errno.ENOSPC, "No space left on device"),
    "bug": ZeroDivisionError("division by zero"),
}


def count(settings, folder, on_event, should_stop):
    """Add up 1 to ``steps``, saving the sum after every step, and leave it as vector.json."""
    checkpoint = folder / "out" / "checkpoint.json"
    checkpoint.parent.mkdir(exist_ok=True)
    state = json.loads(checkpoint.read_text()) if checkpoint.exists() else {"step": 0, "sum": 0}
    on_event(Event("tokenise", message=f"starts after step {state['step']}"))
    with open(folder.parent / f"device{settings.get('device', '')}.lock", "ab") as device:
        _take_device(device, folder)
        while state["step"] < settings["steps"]:
            time.sleep(settings.get("pause", 0.002))
            if should_stop():
                time.sleep(settings.get("saving", 0))
                raise TrainingStopped("stopped")
            _go_wrong(settings, folder, state["step"] + 1)
            state = {"step": state["step"] + 1, "sum": state["sum"] + state["step"] + 1}
            worker.write_json(checkpoint, state)
            left = (settings["steps"] - state["step"]) * 0.01
            on_event(
                Event(
                    _phase(settings, state["step"]),
                    state["step"],
                    settings["steps"],
                    loss=1 / state["step"],
                    seconds_left=left,
                )
            )
    worker.write_json(folder / "out" / "vector.json", state)


def _phase(settings, step):
    return PHASES[(step - 1) * len(PHASES) // settings["steps"]] if settings.get("phases") else "dense"


def _take_device(device, folder):
    try:
        fcntl.flock(device, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (folder.parent / "two-at-once").touch()


def _go_wrong(settings, folder, step):
    if settings.get("fail_at") == step:
        raise ERRORS[settings["error"]]
    deaths = folder / "deaths"
    died = len(deaths.read_text()) if deaths.exists() else 0
    if settings.get("die_at") == step and died < settings.get("deaths", 1):
        deaths.write_text("x" * (died + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    if settings.get("hang"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "child").write_text(str(child.pid))
        time.sleep(600)


if __name__ == "__main__":
    sys.exit(worker.main(Path(sys.argv[1]), work={"count": "counting_worker:count"}))
