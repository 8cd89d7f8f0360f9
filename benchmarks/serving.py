"""Measure what mixing languages costs `deftx serve`: sentences of six languages mixed, against the same ones language by language.

    DEFTX_DATA=DATA python benchmarks/serving.py [--sentences 1000] [--rounds 3] [--found]

It starts the command in a process of its own and sends requests of 20 sentences over 16 connections: first (or last, in every
other round) with the languages mixed, sentence i of NusaX in language i mod 6, then the same sentences one language after the other.
The seconds are those that the server computes (CPU time, all threads), so that other programs on the machine hardly change
them. With --found the language is not told but found.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

CODES = ("ace", "ban", "bjn", "ind", "mad", "min")
EACH, CONNECTIONS, PORT = 20, 16, 8765
ADDRESS = f"http://127.0.0.1:{PORT}"


def sentences(code: str, count: int) -> list[str]:
    """Return so many sentences of the test set of a language; they start again at its end."""
    file = Path(os.environ["DEFTX_DATA"]) / "nusax" / code / "test.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    return [texts[place % len(texts)] for place in range(count)]


def ask(rows: list[tuple[str, str]], found: bool) -> list[dict]:
    """Send the sentences of one request."""
    body = {"texts": [text for text, _ in rows]}
    if not found:
        body["languages"] = [code for _, code in rows]
    answer = httpx.post(f"{ADDRESS}/classify", json=body, timeout=600)
    return answer.raise_for_status().json()["results"]


def send(server: psutil.Process, rows: list[tuple[str, str]], found: bool) -> tuple[float, list[dict]]:
    """Send sentences; return the seconds that the server computed, and the answers in their order."""
    requests = [rows[start : start + EACH] for start in range(0, len(rows), EACH)]
    before = sum(server.cpu_times()[:2])
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(lambda part: ask(part, found), requests))
    return sum(server.cpu_times()[:2]) - before, [one for answer in answers for one in answer]


def wait_for(server: subprocess.Popen) -> None:
    """Wait until the server answers."""
    while server.poll() is None:
        try:
            httpx.get(ADDRESS, timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.5)
    raise SystemExit("the server ended")


def measure(server: psutil.Process, mixed: list[tuple[str, str]], rounds: int, found: bool) -> None:
    """Print the seconds of each round, and the ratio."""
    runs = {"mixed": [mixed], "language by language": [[row for row in mixed if row[1] == code] for code in CODES]}
    send(server, mixed[: 4 * EACH], found)  # the first requests are slower
    ratios, answers = [], []
    for number in range(rounds):
        seconds = {}
        for name in list(runs) if number % 2 == 0 else list(runs)[::-1]:
            sent = [send(server, rows, found) for rows in runs[name]]
            seconds[name] = sum(spent for spent, _ in sent)
            answers = sent[0][1] if name == "mixed" else answers
        ratios.append(seconds["language by language"] / seconds["mixed"])
        listed = ", ".join(f"{name} {spent:.2f} s" for name, spent in seconds.items())
        print(f"round {number + 1}: {listed}; mixed at {ratios[-1]:.2f} of the speed", flush=True)
    how = "found" if found else "told"
    print(f"{len(mixed):,} sentences, language {how}: {statistics.median(ratios):.2f} of the speed (median)")
    if found:
        right = sum(one["found"] == code for one, (_, code) in zip(answers, mixed, strict=True))
        print(f"found as the language of the data set: {right / len(mixed):.1%} of the sentences")


def main() -> None:
    """Start the server, measure and stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--found", action="store_true", help="do not tell the language")
    options = parser.parse_args()
    parts = {code: sentences(code, options.sentences) for code in CODES}
    mixed = [(parts[CODES[place % 6]][place], CODES[place % 6]) for place in range(options.sentences)]
    command = [
        sys.executable,
        "-m",
        "deftx",
        "serve",
        "--task",
        "sentiment",
        "--port",
        str(PORT),
        "--languages",
        *CODES,
    ]
    server = subprocess.Popen(command)
    try:
        wait_for(server)
        measure(psutil.Process(server.pid), mixed, options.rounds, options.found)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
