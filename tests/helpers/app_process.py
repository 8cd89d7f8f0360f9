"""The real app as a process that can be killed and started again on the same port and home."""

import socket
from contextlib import contextmanager
from urllib.request import urlopen

from forked import Program
from job_helpers import wait_for

from deftx.jobs import Store
from deftx.jobs.process import kill
from deftx.jobs.state import worker_of


class App:
    """The app over a home; ``program`` is the code that starts it, ``environment`` holds further variables."""

    def __init__(self, home, base, program="import app; app.main()", **environment):
        self.home, self.process, self._program = home, None, program
        self._fresh = any(not name.startswith("DEFTX_") for name in environment)  # libraries read theirs while imported
        self._environment = {"DEFTX_HOME": str(home), "DEFTX_BASE": str(base),
                             "GRADIO_TEMP_DIR": str(home.parent / "gradio"), **environment}  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self):
        self.process = Program(self._program, "--port", self.port, fresh=self._fresh, **self._environment)
        wait_for(self._answers, "the app to answer", seconds=300)

    def _answers(self):
        assert self.process.poll() is None, self.process.stderr
        try:
            urlopen(f"{self.url}gradio_api/app_id", timeout=2).close()
        except OSError:
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(home, base, **started):
    """Run the app over a home until the block ends; training runs that are still active end with it."""
    app = App(home, base, **started)
    app.start()
    try:
        yield app
    finally:
        app.kill()
        store = Store(home)
        for job in (*store.list(), *store.trash()):
            if worker_of(job) is not None:
                kill(worker_of(job))
