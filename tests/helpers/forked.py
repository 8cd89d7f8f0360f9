"""Programs in processes of their own, forked from one process a test worker that has imported everything.

Importing torch, transformers and gradio takes ten seconds of processor time, which is more than most of these programs need. Variables that
a library reads while it is imported (HF_*, OAUTH_*, MALLOC_*) have an effect only in a process that is not forked: ``fresh=True``.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

import torch
from job_helpers import wait_for

ROOT = Path(__file__).resolve().parents[2]
DEFTX = "import sys; from deftx.cli import main; sys.exit(main(sys.argv[1:]))"  # python -m deftx
_context = multiprocessing.get_context("forkserver")
_environment = dict(os.environ)  # before any test changed it


def ready():
    """Start the process that the others are forked from, unless it runs."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    with mock.patch.dict(os.environ, {**_environment, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}, clear=True):
        _context.set_forkserver_preload(["preloaded"])
        forkserver.ensure_running()


class Program:
    """A started program: Python code, or the path of a script; with the parts of subprocess.Popen that tests use."""

    def __init__(self, program, *arguments, cwd=ROOT, fresh=False, **environment):
        self._folder = tempfile.TemporaryDirectory(prefix="deftx-program-")
        said = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        self._stdout, self._stderr = said
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
        start = _start if fresh else _fork
        self._process = start(program, [str(argument) for argument in arguments], str(cwd), environment, said)
        self.pid, self.kill, self.terminate = self._process.pid, self._process.kill, self._process.terminate

    def poll(self):
        """Return the exit status, negative where a signal ended it; None while it runs."""
        return self._process.poll() if isinstance(self._process, subprocess.Popen) else self._process.exitcode

    def wait(self, timeout=300):
        """Wait for the end; return the exit status."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.wait(timeout)
        self._process.join(timeout)
        assert self.poll() is not None, f"it still runs after {timeout} s:\n{self.stderr}"
        return self.poll()

    def wait_for_line(self, start, timeout=300):
        """Wait until a line on stderr begins with ``start``."""
        wait_for(lambda: self._has_said(start), f"a line that begins with {start!r}", seconds=timeout)

    def _has_said(self, start):
        said = any(line.startswith(start) for line in self.stderr.splitlines())
        assert said or self.poll() is None, self.stderr[-3000:]
        return said

    @property
    def returncode(self):
        return self.poll()

    @property
    def stdout(self):
        return self._stdout.read_text(encoding="utf-8") if self._stdout.exists() else ""

    @property
    def stderr(self):
        return self._stderr.read_text(encoding="utf-8") if self._stderr.exists() else ""


def run(program, *arguments, **settings):
    """Run a program to its end."""
    done = Program(program, *arguments, **settings)
    done.wait()
    return done


def _start(program, arguments, cwd, environment, said):
    with open(said[0], "wb") as stdout, open(said[1], "wb") as stderr:
        what = [program] if isinstance(program, Path) else ["-c", program]
        return subprocess.Popen(
            [sys.executable, *what, *arguments], cwd=cwd, env=environment, stdout=stdout, stderr=stderr
        )


def _fork(*settings):
    ready()
    process = _context.Process(target=_become, args=settings, daemon=True)
    process.start()
    return process


def _become(program, arguments, cwd, environment, said):
    """Turn a forked process into the program."""
    chosen = {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")}  # by app.py
    os.environ.clear()
    os.environ.update({**chosen, **environment})
    os.chdir(cwd)
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    torch.set_num_threads(1)
    multiprocessing.current_process()._config["daemon"] = False  # a program may start processes of its own
    sys.argv = [str(program), *arguments]
    if isinstance(program, Path):
        sys.path.insert(0, str(program.parent))
        runpy.run_path(str(program), run_name="__main__")
    else:
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
