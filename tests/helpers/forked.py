"""Programs in processes of their own, forked from one process a test worker that has imported everything.

Python, torch, transformers and gradio take some ten seconds of a processor to be imported: longer than what most tests of a program do.
Variables that a library reads while it is imported (HF_*, OMP_*, those of a Space) have no effect here.
"""

import multiprocessing
import os
import runpy
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
DEFTX = "import sys; from deftx.cli import main; sys.exit(main(sys.argv[1:]))"  # python -m deftx
_context = multiprocessing.get_context("forkserver")


def _ready():
    """Start the process that the others are forked from, unless it runs."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    with mock.patch.dict(os.environ, PYTHONPATH=paths, OMP_NUM_THREADS="1", GRADIO_ANALYTICS_ENABLED="False"):
        _context.set_forkserver_preload(["preloaded"])
        forkserver.ensure_running()


class Program:
    """A started program: Python code, or the path of a script; with the parts of subprocess.Popen that tests use."""

    def __init__(self, program, *arguments, cwd=None, **environment):
        _ready()
        self._folder = tempfile.TemporaryDirectory(prefix="deftx-program-")
        self._said = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        self._process = _context.Process(
            target=_become, args=(program, list(map(str, arguments)), cwd, environment, self._said)
        )
        self._process.start()
        self.pid, self.kill, self.terminate = self._process.pid, self._process.kill, self._process.terminate

    def poll(self):
        """Return the exit status, negative where a signal ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout=300):
        """Wait for the end; return the exit status."""
        self._process.join(timeout)
        assert self.poll() is not None, f"it still runs after {timeout} s:\n{self.stderr}"
        return self.poll()

    @property
    def returncode(self):
        return self.poll()

    @property
    def stdout(self):
        return self._said[0].read_text(encoding="utf-8") if self._said[0].exists() else ""

    @property
    def stderr(self):
        return self._said[1].read_text(encoding="utf-8") if self._said[1].exists() else ""


def run(program, *arguments, **settings):
    """Run a program to its end."""
    done = Program(program, *arguments, **settings)
    done.wait()
    return done


def _become(program, arguments, cwd, environment, said):
    """Turn a forked process into the program."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd or ROOT)
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    import torch

    torch.set_num_threads(1)
    sys.argv = [str(program), *arguments]
    if isinstance(program, Path):
        sys.path.insert(0, str(program.parent))
        runpy.run_path(str(program), run_name="__main__")
    else:
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
