"""Memory of the server while pages are opened and sentences classified, for growth that does not end.

    python benchmarks/growth.py --sentences 1000 --pages 300

It prints the memory and the open files of the real app's process after every tenth of the work.
"""

import argparse
import tempfile
from pathlib import Path

import httpx
from gradio_client import Client
from load import MEGABYTE, Watched, running_app

TENTHS = 10
SENTENCE = "Makanan nomor {} di sini enak sekali"


def main() -> None:
    """Run the test and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=1_000)
    parser.add_argument("--pages", type=int, default=300)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, running_app(Path(place)) as (process, url):
        client, seen = Client(url, verbose=False, httpx_kwargs={"timeout": 120}), Watched(process)
        print("| sentences | pages | memory | open files |\n|---|---|---|---|", flush=True)
        for tenth in range(TENTHS + 1):
            seen.look()
            sentences, pages = (count * tenth // TENTHS for count in (chosen.sentences, chosen.pages))
            print(f"| {sentences} | {pages} | {seen.memory[-1] / MEGABYTE:,.0f} MB | {seen.files[-1]} |", flush=True)
            for number in range(sentences, chosen.sentences * (tenth + 1) // TENTHS if tenth < TENTHS else 0):
                client.predict(SENTENCE.format(number), "bundled:sentiment", "bundled:min", api_name="/classify")
            for _ in range(pages, chosen.pages * (tenth + 1) // TENTHS if tenth < TENTHS else 0):
                httpx.get(url, timeout=60).raise_for_status()


if __name__ == "__main__":
    main()
