"""Simulated visitors of the studio; load.py starts this script as a separate process.

    python benchmarks/visitors.py URL --clients 50 --seconds 600

Each opens the page, keeps it open with its polls, does several actions with pauses of a few seconds, leaves, and comes back. The
actions are written to stdout as JSON: [name, seconds, error].
"""

import argparse
import asyncio
import json
import random
import ssl
import time
from collections.abc import Awaitable, Callable

import httpx
from open_page import PATIENCE, Failed, Notes, Page, Site

THINKING = (3.0, 12.0)  # seconds between two actions
THINGS = (5, 25)  # number of actions per visit
ARRIVING = 30.0  # seconds in which all visitors arrive, at most a quarter of the total time
TASK, LANGUAGES = "bundled:sentiment", ("min", "ind", "ace", "ban", "bjn", "mad")
SENTENCES = ("Pelayannya ramah dan cepat.", "Makanannyo lamak bana, hargonyo murah.", "Kamarnya kotor, kami kecewa.",
             "Hotelnyo rancak, tapi jauah dari pasa.", "Saya tidak akan kembali ke sini.")  # fmt: skip


def _sentence(draw: random.Random) -> str:
    """Return a new sentence, because known answers are cached."""
    return f"{draw.choice(SENTENCES)} {draw.randrange(10**6)}"


def _language(draw: random.Random) -> str:
    return f"bundled:{draw.choice(LANGUAGES)}"


async def _type(page: Page, draw: random.Random) -> float:
    return await page.type("sentence", _sentence(draw))


async def _classify(page: Page, draw: random.Random) -> None:
    answer = await page.ask("classify", _sentence(draw), TASK, draw.choice([_language(draw), ""]))
    _check(abs(sum(answer["probabilities"].values()) - 1) < 1e-3, answer)


async def _compose(page: Page, draw: random.Random) -> None:
    strengths = {key: draw.choice([0.5, 1.0, 1.5]) for key in {_language(draw), _language(draw)}}
    answer = await page.ask("compose", TASK, [_sentence(draw), _sentence(draw)], strengths, 1.0,
                            draw.choice(["sum", "ties"]), {})  # fmt: skip
    _check(len(answer["probabilities"]) == 2, answer)


async def _spectrum(page: Page, draw: random.Random) -> None:
    answer = await page.ask("spectrum", _language(draw), None)
    _check(answer["matrices"], answer)


async def _overlap(page: Page, draw: random.Random) -> None:
    keys = [f"bundled:{name}" for name in draw.sample(LANGUAGES, 2)]
    answer = await page.ask("overlap", [*keys, TASK])
    _check(len(answer["overlap"]) == 3, answer)


async def _audit(page: Page, draw: random.Random) -> None:
    # All visitors use the same name, as people may.
    text = "\n".join(_sentence(draw) for _ in range(40))
    brought = await page.client.post("gradio_api/upload", files={"files": ("notes.txt", text.encode())})
    file = {
        "path": brought.raise_for_status().json()[0],
        "orig_name": "notes.txt",
        "meta": {"_type": "gradio.FileData"},
    }
    answer = await page.ask("audit", file, "", None, None)
    _check(answer["lines"] == 40, answer)
    # Other visitors may have uploaded another text meanwhile.
    again = await page.ask("audit", None, answer["corpus"], None, None)
    _check(again["characters"] == answer["characters"], again)


async def _jobs(page: Page, draw: random.Random) -> None:
    jobs = await page.ask("jobs")
    _check(jobs, jobs)
    _check((await page.ask("job", jobs[-1]["id"]))["state"] == "running", jobs)


async def _library(page: Page, draw: random.Random) -> None:
    found = await page.ask("library", "", draw.choice(["language", "task", ""]))
    _check(found, found)


async def _health(page: Page, draw: random.Random) -> None:
    answer = await page.client.get("health")
    _check(answer.status_code == 200, answer.text)


# An action may return the time when the wait for its answer began.
Action = Callable[[Page, random.Random], Awaitable[float | None]]

# The actions and their relative frequencies.
ACTIONS: dict[str, tuple[int, Action]] = {
    "type a sentence in the page (from the last key)": (1, _type),
    "classify": (4, _classify),
    "compose": (3, _compose),
    "spectrum": (2, _spectrum),
    "overlap": (2, _overlap),
    "audit of a file": (1, _audit),
    "jobs, and one of them": (4, _jobs),
    "library": (2, _library),
    "health": (2, _health),
}


def _check(right: object, answer: object) -> None:
    if not right:
        raise Failed(f"not the answer that was to be expected: {str(answer)[:200]}")


class Crowd:
    """All visitors of a URL, until the time is over."""

    def __init__(self, url: str, until: float, notes: Notes) -> None:
        self.url, self.until, self.notes = url, until, notes
        self.tls = ssl.create_default_context()  # shared, because creating it takes longer than opening a page

    def client(self) -> httpx.AsyncClient:
        """Return a client with as many connections as a browser opens to a server.

        The server closes idle connections after 5 seconds. Browsers repeat a request on a connection that was just closed;
        httpx does not.
        """
        limits = httpx.Limits(max_connections=6, keepalive_expiry=3.0)
        return httpx.AsyncClient(base_url=self.url, timeout=PATIENCE, verify=self.tls, limits=limits)

    def over(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() > self.until

    async def visit(self, site: Site, number: int) -> None:
        """Visit repeatedly until the time is over."""
        draw = random.Random(number)
        await asyncio.sleep(draw.uniform(0, min(ARRIVING, (self.until - time.monotonic()) / 4)))
        while not self.over():
            async with self.client() as client:
                page = Page(site, client, self.notes)
                with self.notes.timed("open the page, all its files"):
                    async with asyncio.timeout(PATIENCE):
                        await page.open()
                await self._look_around(page, draw)
                await page.leave()

    async def _look_around(self, page: Page, draw: random.Random) -> None:
        names, weights = list(ACTIONS), [weight for weight, _ in ACTIONS.values()]
        for _ in range(draw.randint(*THINGS)):
            await asyncio.sleep(draw.uniform(*THINKING))
            if self.over():
                return
            name = draw.choices(names, weights)[0]
            await self._do(name, page, draw)

    async def _do(self, name: str, page: Page, draw: random.Random) -> None:
        with self.notes.timed(name) as wait:
            async with asyncio.timeout(PATIENCE):
                wait.began = await ACTIONS[name][1](page, draw) or wait.began


async def come(url: str, clients: int, seconds: float) -> Notes:
    """Run a number of visitors for some seconds."""
    notes = Notes()
    crowd = Crowd(url, time.monotonic() + seconds, notes)
    async with crowd.client() as client:
        site = Site((await client.get("")).raise_for_status().text)
        await site.find_imports(client)
    await asyncio.gather(*(crowd.visit(site, number) for number in range(clients)))
    return notes


def main() -> None:
    """Run the visitors and print their actions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    notes = asyncio.run(come(given.url, given.clients, given.seconds))
    print(json.dumps(notes.rows))


if __name__ == "__main__":
    main()
