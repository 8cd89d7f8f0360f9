"""Work in processes of its own comes back, fails as itself, and never outlives the one that asked for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.evidence.side_by_side import side_by_side

ROOT = Path(__file__).resolve().parents[2]


def square(number, place):
    return number * number, os.getpid(), place


def fail(number, place):
    raise ValueError(f"{number} is no good")


def die(number, place):
    os.kill(os.getpid(), signal.SIGKILL)


def end(folder, place):
    (folder / "pid").write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGTERM)


def sleep(folder, place):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)


def test_each_piece_has_a_process_of_its_own():
    found = list(side_by_side(square, range(4), ["cuda:0", "cuda:1"]))
    assert sorted((item, value) for item, (value, _, _) in found) == [(0, 0), (1, 1), (2, 4), (3, 9)]
    assert len({process for _, (_, process, _) in found} | {os.getpid()}) == 5
    assert {place for _, (_, _, place) in found} == {"cuda:0", "cuda:1"}


def test_it_waits_while_there_is_no_item():
    assert [item for item, _ in side_by_side(square, iter([None, 2, None, None, 3]), ["cpu"])] == [2, 3]


def test_an_error_comes_back_as_it_was():
    with pytest.raises(ValueError, match="3 is no good") as raised:
        list(side_by_side(fail, [3], ["cpu"]))
    assert "in fail\n" in raised.value.__notes__[0]


def test_a_killed_process_is_named_as_such():
    with pytest.raises(TrainingError, match=r"was killed \(exit status -9\)"):
        list(side_by_side(die, [1], ["cpu"]))


def test_a_process_that_ends_with_the_signal_for_the_command_has_no_result(tmp_path):
    (tmp_path / "pid").touch()

    def raise_if_stopped():
        if (pid := (tmp_path / "pid").read_text()) and not psutil.pid_exists(int(pid)):
            raise TrainingStopped

    with pytest.raises(TrainingStopped):
        next(side_by_side(end, [tmp_path], ["cpu"], raise_if_stopped, lambda item, message: None))


@pytest.mark.slow
def test_nothing_trains_on_when_the_command_is_killed(tmp_path):
    code = f"import sys; sys.path.insert(0, 'tests/evidence'); import test_evidence_side_by_side as t; next(t.side_by_side(t.sleep, [{str(tmp_path)!r}], ['cpu']))"
    guard = f"if __name__ == '__main__':\n    {code}\n"
    (tmp_path / "main.py").write_text(guard)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'evidence'}"}
    process = subprocess.Popen([sys.executable, str(tmp_path / "main.py")], env=environment, cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (children := [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    psutil.wait_procs([psutil.Process(child) for child in children if psutil.pid_exists(child)], timeout=30)
    assert not any(psutil.pid_exists(child) for child in children)
