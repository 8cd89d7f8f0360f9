"""A client that behaves like an open page of the app, without a browser.

It has the heartbeat connection, one stream of answers, the values of all components, dependent events and timers, but no layout
and drawing.
"""

import asyncio
import json
import re
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE = 60.0  # seconds until an answer counts as missing
KEYS_A_SECOND = 5.0  # typing speed of people
QUIET = 0.25  # seconds that the page waits after a key (ui/shared/debounce.py)
EVERY, IDLE_EVERY = (
    2.0,
    10.0,
)  # seconds until the first question of the status line, and while nothing trains (ui/watch/status_strip.py)
CONFIG = "window.gradio_config = "
NAMED = re.compile(r"""<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+\.(?:js|css|json))["?]""")
IMPORTED = re.compile(r"""(?:from|import)\s*["']\./([\w./-]+\.js)["']""")
IMPORTED_AT_ONCE = re.compile(r"import\(`\./([\w./-]+\.js)`\)")  # by the first script of the page


class Notes:
    """The actions: name, duration in seconds, and error or None."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, str | None]] = []

    @contextmanager
    def timed(self, name: str) -> Iterator["Wait"]:
        """Record an action in the context, errors included; exceptions are not raised."""
        wait, problem = Wait(time.monotonic()), None
        try:
            yield wait
        except asyncio.CancelledError:
            raise
        except Exception as error:
            problem = str(error) if isinstance(error, Failed) else repr(error)
        self.rows.append((name, time.monotonic() - wait.began, problem))


@dataclass
class Wait:
    """The start of the waiting time; it can be set later, for actions that take time before the wait."""

    began: float


class Failed(Exception):
    """An error that a visitor would see."""


class Site:
    """The page's configuration: files, initial values of components, and events with their dependents."""

    def __init__(self, html: str) -> None:
        config = json.JSONDecoder().raw_decode(html, html.index(CONFIG) + len(CONFIG))[0]
        self.files = sorted({path.removeprefix("./") for path in NAMED.findall(html)})
        self.values = {part["id"]: part["props"].get("value") for part in config["components"]}
        self.parts = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self.timers = {part["id"]: part["props"]["value"] for part in config["components"]
                       if part["type"] == "timer" and part["props"].get("active", True)}  # fmt: skip
        self.events = {event["id"]: event for event in config["dependencies"]}
        self.named = {event["api_name"]: event for event in config["dependencies"] if event["api_name"]}
        self.on: dict[tuple, list[dict]] = defaultdict(list)
        self.after: dict[int, list[dict]] = defaultdict(list)
        for event in self.events.values():
            for part, what in event["targets"]:
                self.on[part, what].append(event)
            if event["trigger_after"] is not None:
                self.after[event["trigger_after"]].append(event)

    async def find_imports(self, client: httpx.AsyncClient) -> None:
        """Add the modules that the page's scripts import, recursively, without those of single components."""
        unread = first = [file for file in self.files if file.endswith(".js")]
        while unread:
            file, *unread = unread
            text = (await client.get(file)).raise_for_status().text
            names = IMPORTED.findall(text) + (IMPORTED_AT_ONCE.findall(text) if file in first else [])
            new = {f"{file.rpartition('/')[0]}/{name}" for name in names} - set(self.files)
            self.files += sorted(new)
            unread += new


class Page:
    """An open page that a server cannot distinguish from a browser."""

    def __init__(self, site: Site, client: httpx.AsyncClient, notes: Notes) -> None:
        self.site, self.client, self.notes = site, client, notes
        self.session = secrets.token_hex(5)
        self.values = dict(site.values)
        self._awaited, self._listening = 0, None
        self._answers: dict[str, asyncio.Future] = defaultdict(asyncio.get_running_loop().create_future)
        self._running: set[int] = set()
        self._again: set[int] = set()
        self._tasks: set[asyncio.Task] = set()

    async def open(self) -> None:
        """Load the page and all its files, and run its load events."""
        (await self.client.get("")).raise_for_status()
        for answer in await asyncio.gather(*map(self.client.get, self.site.files)):
            answer.raise_for_status()
        self._start(self._stay())
        opening = [event for event in self.site.events.values() if any(what == "load" for _, what in event["targets"])]
        await asyncio.gather(*map(self.fire, opening))
        self._start(self._poll())
        for timer, seconds in self.site.timers.items():
            self._start(self._tick(timer, seconds))

    async def leave(self) -> None:
        """Close the page."""
        while self._tasks:  # repeatedly, because a task can miss its cancellation
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(set(self._tasks), timeout=1.0)

    async def ask(self, name: str, *data: Any) -> Any:
        """Call a named endpoint and return its first answer."""
        return (await self._call(self.site.named[name], list(data)))[0]

    async def type(self, part: str, text: str) -> float:
        """Type into a field and wait for all dependent events; return the time of the last key."""
        field = self.site.parts[part]
        changed, following = self.site.on[field, "change"], []
        for length in range(1, len(text) + 1):
            await asyncio.sleep(1 / KEYS_A_SECOND)
            self.values[field] = text[:length]
            following += [self._start(self.fire(event)) for event in changed if event["backend_fn"]]
        last_key = time.monotonic()
        await asyncio.sleep(QUIET)
        # The page's script writes to a hidden field, whose event goes to the server.
        scripts = [event for event in changed if not event["backend_fn"]]
        await self._take({output: str(last_key) for event in scripts for output in event["outputs"]})
        await asyncio.gather(*following)
        return last_key

    async def fire(self, event: dict) -> None:
        """Trigger an event with the current values, and then its dependents."""
        one_at_a_time = event["trigger_mode"] in ("once", "always_last")
        if one_at_a_time and event["id"] in self._running:
            if event["trigger_mode"] == "always_last":
                self._again.add(event["id"])
            return
        self._running.add(event["id"])
        try:
            if event["backend_fn"]:
                answers = await self._call(event, [self.values[part] for part in event["inputs"]])
                await self._take(dict(zip(event["outputs"], answers, strict=False)))
        finally:
            self._running.discard(event["id"])
        await asyncio.gather(*map(self.fire, self.site.after[event["id"]]))
        if event["id"] in self._again:
            self._again.discard(event["id"])
            await self.fire(event)

    async def _take(self, answers: dict[int, Any]) -> None:
        """Write answers into the components, and return those that have changed."""
        changed = []
        for part, answer in answers.items():
            if isinstance(answer, dict) and answer.get("__type__") == "update":
                if "value" not in answer:
                    continue
                answer = answer["value"]
            if answer != self.values.get(part):
                self.values[part] = answer
                changed += self.site.on[part, "change"]
        await asyncio.gather(*map(self.fire, changed))

    async def _call(self, event: dict, data: list) -> list:
        self._awaited += 1
        try:
            body = {"data": data, "fn_index": event["id"], "session_hash": self.session}
            joined = await self.client.post("gradio_api/queue/join", json=body)
            if joined.is_error:
                raise Failed(f"{joined.status_code} {joined.text[:200]}")
            name = joined.json()["event_id"]
            if self._listening is None or self._listening.done():
                self._listening = self._start(self._listen())
            try:
                return await asyncio.wait_for(self._answers[name], PATIENCE)
            finally:
                self._answers.pop(name, None)
        finally:
            self._awaited -= 1

    async def _listen(self) -> None:
        """Read the stream of answers until no answer is pending; the server closes it then."""
        try:
            while self._awaited:
                async with self._streaming("gradio_api/queue/data", session_hash=self.session) as messages:
                    async for message in messages:
                        self._hear(message)
        except (Failed, httpx.HTTPError) as error:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Failed(f"the stream of answers: {error!r}"))

    def _hear(self, message: dict) -> None:
        if message["msg"] == "unexpected_error":
            raise Failed(str(message.get("message")))
        if message["msg"] == "process_completed":
            answer = self._answers[message["event_id"]]
            if answer.done():
                return
            if message["success"]:
                answer.set_result(message["output"]["data"])
            else:
                answer.set_exception(Failed(str(message["output"].get("error"))))

    async def _stay(self) -> None:
        with self.notes.timed("the page's connection"):
            async with self._streaming(f"gradio_api/heartbeat/{self.session}") as beats:
                async for _ in beats:
                    pass
            raise Failed("The server ended it.")

    async def _poll(self) -> None:
        """Ask as the status line does while Train is shown: a look follows at each answer while anything trains."""
        strip, seconds, state = self.site.parts["strip"], EVERY, None
        question = {"data": self.session, "component_id": strip, "fn_name": "news", "session_hash": self.session}
        while True:
            await asyncio.sleep(seconds)
            with self.notes.timed("the page's poll"):
                answer = await self.client.post("gradio_api/component_server/", json=question)
                if answer.is_error:
                    raise Failed(f"{answer.status_code} {answer.text[:200]}")
                news = answer.json()
                if news["busy"] or news["state"] != state:
                    await asyncio.gather(*map(self.fire, self.site.on[strip, "tick"]))
                seconds, state = news["every"] if news["busy"] else max(IDLE_EVERY, news["every"]), news["state"]

    async def _tick(self, timer: int, seconds: float) -> None:
        due = time.monotonic()
        while True:
            due = max(due + seconds, time.monotonic())  # skip ticks while an answer is pending
            await asyncio.sleep(due - time.monotonic())
            for event in self.site.on[timer, "tick"]:
                with self.notes.timed("the page's poll"):
                    await self.fire(event)

    @asynccontextmanager
    async def _streaming(self, path: str, **parameters: str) -> AsyncIterator[AsyncIterator[dict | str]]:
        async with self.client.stream("GET", path, params=parameters, timeout=httpx.Timeout(30, read=None)) as answer:
            if answer.is_error:
                raise Failed(f"{path}: {answer.status_code}")
            yield (_read(line) async for line in answer.aiter_lines() if line.startswith("data:"))

    def _start(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _read(line: str) -> Any:
    with suppress(ValueError):
        return json.loads(line[5:])
    return line
