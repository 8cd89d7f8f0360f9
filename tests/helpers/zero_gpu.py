"""A stand-in for ``spaces.GPU`` on a ZeroGPU Space, without a GPU.

It does as version 0.51.3 of the package ``spaces`` (``zero/wrappers.py``: ``regular_function_wrapper``, ``Worker`` and
``thread_wrapper``; ``zero/client.py``: ``schedule``):

- a call runs in a forked daemonic process, so it can have no child processes, and its globals and files that it opened
  are lost with it; an idle process is used again for the next call;
- within the process the function runs in a thread, where no signal handler can be installed, and SIGTERM only ends the
  process after the call;
- arguments and results are pickled; of an error only the name of its class comes back, unless it is a ``gr.Error``;
- a process that is killed gives "GPU task aborted"; the platform kills it when its time is over;
- without enough quota, the call is refused before it starts, with a text that says when the quota comes back.
"""

import multiprocessing
import pickle
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import wraps

import gradio as gr

_fork = multiprocessing.get_context("fork")


class ZeroGpu:
    """A card with a quota in seconds; ``GPU`` is the decorator. ``asked`` has the duration of every call."""

    def __init__(self, quota=float("inf"), reuse=False):
        self.quota, self.reuse = quota, reuse
        self.asked = []
        self.workers = {}  # idle ones, by task

    def GPU(self, task=None, *, duration=None, size=None):
        if task is None:
            return lambda task: self._wrapped(task, duration)
        return self._wrapped(task, duration)

    def close(self):
        """End the idle processes."""
        for worker in self.workers.values():
            worker.process.kill()
            worker.process.join()
        self.workers.clear()

    def _wrapped(self, task, duration):
        @wraps(task)
        def handler(*arguments, **named):
            seconds = duration(*arguments, **named) if callable(duration) else duration or 60
            self._schedule(seconds)
            worker = self.workers.pop(task, None)
            if worker is None or not worker.process.is_alive():
                worker = _Worker(task)
            found = worker.call((arguments, named), seconds)
            self.quota -= seconds
            if self.reuse:
                self.workers[task] = worker
            else:
                worker.process.kill()
                worker.process.join()
            return found

        return handler

    def _schedule(self, seconds):
        self.asked.append(seconds)
        if seconds > self.quota:
            text = f"You have exceeded your free ZeroGPU quota ({seconds:.0f}s requested vs. {self.quota:.0f}s left). Try again in 3:12:00. "
            raise gr.Error(text, title="ZeroGPU quota exceeded", print_exception=False)


class _Worker:
    def __init__(self, task):
        self.arguments, self.results = _fork.SimpleQueue(), _fork.Pipe(duplex=False)
        self.process = _fork.Process(target=_serve, args=(task, self.arguments, *self.results), daemon=True)
        self.process.start()
        self.results[1].close()

    def call(self, arguments, seconds):
        self.arguments.put(arguments)
        over = threading.Timer(seconds, self.process.kill)
        over.start()
        try:
            kind, value = self.results[0].recv()
        except EOFError:
            self.process.join()
            raise gr.Error("GPU task aborted", title="ZeroGPU worker error", print_exception=False) from None
        finally:
            over.cancel()
        if kind == "error":
            raise value if isinstance(value, gr.Error) else gr.Error(value, title="ZeroGPU worker error")
        return value


def _serve(task, arguments, reader, writer):
    reader.close()
    signal.signal(signal.SIGTERM, lambda *_: arguments.close())
    while True:
        try:
            given, named = arguments.get()
        except OSError:  # closed
            return
        with ThreadPoolExecutor() as executor:
            writer.send(executor.submit(_outcome, task, given, named).result())


def _outcome(task, given, named):
    try:
        found = task(*given, **named)
        pickle.dumps(found)
    except Exception as error:
        return "error", error if isinstance(error, gr.Error) else type(error).__name__
    return "value", found
