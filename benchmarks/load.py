"""Load test: many visitors use the real app during training. It measures response times, errors and memory.

    python benchmarks/load.py [--clients 50] [--minutes 10] [--cores 2] [--quick]

It starts app.py with a new home and a training run, measures the training alone, then starts visitors (visitors.py; each keeps
a page open, with its polls, and uses it). It prints tables in Markdown and exits with 1 on any problem: an invalid answer, an
error that a visitor would see, a wait of more than a minute, or a traceback in the server's log. docs/load.md has the results.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from gradio_client import Client
from sides import ROOT

from deftx.jobs import Job, Store, progress_of
from deftx.jobs.process import kill
from deftx.jobs.state import worker_of

VISITORS = Path(__file__).resolve().parent / "visitors.py"
EVERY = 1.0  # seconds between two measurements of the processes
LONG = {"max_steps": 10**6, "min_steps": 10**6}
MEGABYTE = 2**20


@contextmanager
def running_app(place: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Start the app with ``place``/home and yield its process and URL; at the end, stop it and its training runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DEFTX_HOME": str(place / "home"),
        "GRADIO_TEMP_DIR": str(place / "uploads"),
        "DEFTX_REQUESTS": "0",
    }  # all visitors have one address
    with open(place / "log.txt", "ab") as log:
        app = subprocess.Popen([sys.executable, ROOT / "app.py", "--port", str(port)], env=environment, stdout=log,
                               stderr=log)  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_until_healthy(url, app)
        yield psutil.Process(app.pid), url
    finally:
        app.kill()
        app.wait()
        for job in Store(place / "home").list():  # they would continue after the app ends
            if (worker := worker_of(job)) is not None:
                kill(worker)


def _wait_until_healthy(url: str, app: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300
    while app.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    sys.exit("The app did not become healthy.")


def start_training(url: str, store: Store) -> Job:
    """Start a training run with the app's endpoint, and wait for its first steps."""
    client = Client(url, verbose=False, httpx_kwargs={"timeout": 120})
    made = client.predict("sample:indonesian", "Indonesian", "ind", "quick", LONG, api_name="/train_language")
    client.close()
    deadline = time.monotonic() + 300
    while (progress := progress_of(store.get(made["id"]))).phase != "dense" or progress.step < 2:
        if time.monotonic() > deadline:
            sys.exit("The training did not begin.")
        time.sleep(0.2)
    return store.get(made["id"])


@dataclass
class Watched:
    """Measurements of a process over time: time (seconds), memory (bytes), open files and CPU time so far (seconds)."""

    process: psutil.Process
    at: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Measure once, unless the process has ended."""
        try:
            with self.process.oneshot():
                seen = time.monotonic(), self.process.memory_info().rss, self.process.num_fds()
                worked = sum(self.process.cpu_times()[:2])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return
        for column, value in zip((self.at, self.memory, self.files, self.worked), (*seen, worked), strict=True):
            column.append(value)

    def busy(self) -> float:
        """Return the share of one core that it used between the first and last measurement."""
        return (self.worked[-1] - self.worked[0]) / (self.at[-1] - self.at[0])

    def slope(self) -> float:
        """Return the growth in megabytes per minute over the second half."""
        half = len(self.at) // 2
        minutes = [moment / 60 for moment in self.at[half:]]
        return statistics.linear_regression(minutes, self.memory[half:]).slope / MEGABYTE


@dataclass(frozen=True)
class Pace:
    """The number of steps of a training run in a number of seconds."""

    steps: int
    seconds: float

    def __str__(self) -> str:
        """Return the steps per second as text."""
        return f"{self.steps / self.seconds:.2f}"


def watch(watched: dict[str, Watched], store: Store, job: Job, over: subprocess.Popen | float) -> Pace:
    """Measure the processes for some seconds, or until another process ends; return the speed of training."""
    began, before = time.monotonic(), progress_of(store.get(job.id)).reached
    while time.monotonic() - began < over if isinstance(over, float) else over.poll() is None:
        for one in watched.values():
            one.look()
        time.sleep(EVERY)
    return Pace(progress_of(store.get(job.id)).reached - before, time.monotonic() - began)


def action_table(rows: list[tuple[str, float, str | None]]) -> Iterator[str]:
    """Yield a table of the actions: count, errors, and durations of successful ones."""
    yield "| What | Times | Errors | Median | 95 % within | Longest |\n|---|---|---|---|---|---|"
    found: dict[str, list[tuple[float, str | None]]] = defaultdict(list)
    for name, seconds, problem in rows:
        found[name].append((seconds, problem))
    for name, took in sorted(found.items()):
        times = sorted(seconds for seconds, problem in took if problem is None) or [float("nan")]
        late = times[min(len(times) - 1, int(0.95 * len(times)))]
        errors = sum(problem is not None for _, problem in took)
        yield (f"| {name} | {len(took):,} | {errors} | {statistics.median(times):.2f} s | {late:.2f} s | {times[-1]:.2f} s |")  # fmt: skip


def process_table(watched: dict[str, Watched]) -> Iterator[str]:
    """Yield a table of the resources of each process during the visits."""
    yield "| Process | Memory at the start | Most | At the end | Growth in the second half | Open files, most | Cores in use |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in watched.items():
        first, most, last = (
            f"{value / MEGABYTE:,.0f} MB" for value in (one.memory[0], max(one.memory), one.memory[-1])
        )
        yield f"| {name} | {first} | {most} | {last} | {one.slope():+.2f} MB a minute | {max(one.files)} | {one.busy():.2f} |"


def errors(rows: list[tuple[str, float, str | None]], log: str) -> Iterator[str]:
    """Return the errors with their counts, and the tracebacks in the server's log."""
    for (name, problem), times in Counter((name, problem) for name, _, problem in rows if problem).most_common():
        yield f"- {times} times, {name}: {problem}"
    if "Traceback" in log:
        yield f"- the server's log:\n{log[log.index('Traceback') :][:10_000]}"


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50, help="number of visitors (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=10.0, help="duration (default %(default)s)")
    parser.add_argument("--cores", type=int, help="number of cores to use for everything")
    parser.add_argument("--quick", action="store_true", help="a few visitors for some seconds: only check that it runs")
    given = parser.parse_args()
    if given.quick:
        given.clients, given.minutes = 4, 0.2
    return given


def main() -> None:
    """Measure, print the tables, and return 1 on any problem."""
    given = options()
    if given.cores:  # inherited by all processes started from here
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as (app, url):
        store = Store(Path(folder) / "home")
        job = start_training(url, store)
        watched = {"server": Watched(app), "training": Watched(psutil.Process(worker_of(job).pid))}
        alone = watch({}, store, job, given.minutes * 6)
        command = [sys.executable, VISITORS, url, "--clients", str(given.clients), "--seconds", str(given.minutes * 60)]
        with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdout=said) as visitors:
            watched["visitors"] = Watched(psutil.Process(visitors.pid))
            beside = watch(watched, store, job, visitors)
            said.seek(0)
            rows = json.loads(said.read() or "[]")
        log = (Path(folder) / "log.txt").read_text()
    threads = len(os.sched_getaffinity(0))
    print(f"{given.clients} visitors for {given.minutes:g} minutes on {threads} cores; {len(rows):,} actions.\n")
    print(*action_table(rows), "", *process_table(watched), sep="\n")
    print(f"\nTraining: {alone} steps per second alone, {beside} with the visitors.")
    found = list(errors(rows, log)) or ([] if rows else ["- The visitors said nothing."])
    print("\nErrors: none." if not found else "\nErrors:\n" + "\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
