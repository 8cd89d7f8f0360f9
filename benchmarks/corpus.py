"""Benchmark: reading and tokenising a corpus in memory (as training does), and with Arrow files of ``datasets``.

    python benchmarks/corpus.py TEXT [--megabytes 20] [--base BASE]

The lines of TEXT are repeated up to a size. Each way runs in its own process: ``memory`` is ``read_corpus`` and ``pack``;
``arrow`` is ``Dataset.from_text``, ``map`` with the same normalisation and tokenizer, and the memory-mapped column of ids;
``cached`` is the same again, from the cache of ``map``. The token ids of all must be equal.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_progress_bars

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deftx.data.characters import as_seen
from deftx.data.reading import numbered_lines
from deftx.data.sequences import BATCH_LINES, pack, tokenise
from deftx.data.text import read_corpus, why_unused
from deftx.data.unpacking import InputFile
from deftx.models.bases import BUNDLED_BASE, load_base

LENGTH = 256  # tokens of a sequence
WAYS = ("memory", "arrow", "cached")


def in_memory(file: Path, tokenizer: Any, _: Path) -> list[Any]:
    """Return the token ids as training holds them: views of one tensor."""
    return pack(read_corpus(file).lines, tokenizer, LENGTH)


def in_arrow(file: Path, tokenizer: Any, cache: Path) -> list[Any]:
    """Return the token ids as parts of memory-mapped Arrow files."""

    def ids_of(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        lines = [line for text in batch["text"] if why_unused(line := as_seen(text).strip()) is None]
        return {"ids": tokenise(lines, tokenizer)}

    dataset = Dataset.from_text(str(file), cache_dir=str(cache))
    dataset = dataset.map(ids_of, batched=True, batch_size=BATCH_LINES, remove_columns="text",
                          cache_file_name=str(cache / "ids.arrow"))  # fmt: skip
    return [chunk.values.to_numpy() for chunk in dataset.data.column("ids").chunks]


def measure(way: str, file: Path, base: str, cache: Path) -> None:
    """Print the seconds, the memory in bytes, and the SHA-256 of the token ids of one way."""
    tokenizer = load_base(base).tokenizer
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here (Linux)
    before, start = memory(), time.perf_counter()
    parts = (in_memory if way == "memory" else in_arrow)(file, tokenizer, cache)
    seconds, digest = time.perf_counter() - start, sha256()
    after = memory()
    found = {"seconds": seconds, "peak": after["VmHWM"] - before["VmRSS"], "held": after["RssAnon"] - before["RssAnon"]}
    for part in parts:
        digest.update(bytes(memoryview(part.numpy() if way == "memory" else part.astype("int32"))))
    print(json.dumps({**found, "tokens": sum(map(len, parts)), "sha256": digest.hexdigest()}))


def memory() -> dict[str, int]:
    """Return sizes of this process in bytes: VmHWM, the peak; VmRSS, all; RssAnon, what no file backs (Linux)."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return {name: 1024 * int(fields[name].split()[0]) for name in ("VmHWM", "VmRSS", "RssAnon")}


def repeated(source: Path, megabytes: float, target: Path) -> None:
    """Write the lines of a file, repeated up to a size, with a number before each line."""
    lines = [
        line.strip()
        for _, line in numbered_lines(InputFile(source, source.name, ".txt", source.suffix == ".gz"), ValueError)
    ]
    size = number = 0
    with target.open("w", encoding="utf-8") as file:
        while size < megabytes * 1e6:
            size += 1 + len((line := f"{number} {lines[number % len(lines)]}").encode())
            file.write(line + "\n")
            number += 1


def main() -> None:
    """Run every way in its own process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--base", default=BUNDLED_BASE)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    disable_progress_bars()
    if given.way:
        measure(given.way, given.text, given.base, given.cache)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "corpus.txt"
        repeated(given.text, given.megabytes, file)
        found = {}
        for way in WAYS:
            command = [sys.executable, __file__, str(file), "--way", way, "--base", given.base, "--cache", folder]
            found[way] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            one = found[way]
            print(
                f"{way}: {one['seconds']:.1f} s, peak {one['peak'] / 1e6:.0f} MB, held afterwards {one['held'] / 1e6:.0f} MB"
            )
    print(f"{found['memory']['tokens']:,} tokens; equal: {len({one['sha256'] for one in found.values()}) == 1}")


if __name__ == "__main__":
    main()
