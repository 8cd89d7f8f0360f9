"""Dividing pieces of work among this command's processes, and among all commands that run on the same folder."""

import json
import os
import re
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from deftx.core.errors import DeftxError, RecipeError, TrainingStopped
from deftx.core.files import move, write_json
from deftx.evidence.claims import Claims
from deftx.evidence.side_by_side import side_by_side
from deftx.training.run_folder import refuse_other

WAIT = 2.0  # seconds between two looks at work that other commands do

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Shard:
    """The part of the work with which a command begins; ``index`` counts from 1."""

    index: int = 1
    count: int = 1

    def order(self, items: Sequence[T]) -> list[T]:
        """Return all items, those of this shard first, then those of the following shards."""
        return [
            item for step in range(self.count) for item in items[(self.index - 1 + step) % self.count :: self.count]
        ]


ALL = Shard()


def read_shard(text: str | None) -> Shard:
    """Return the shard "I/N", or without a text that of the Slurm array in which this process runs.

    Raises:
        DeftxError: If the text is not I/N with 1 ≤ I ≤ N.
    """
    if text is None:
        return _slurm_shard()
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise DeftxError(f"--shard must be I/N with I from 1 to N, for example 3/8, and not {text!r}.")
    return Shard(int(found[1]), int(found[2]))


def _slurm_shard() -> Shard:
    names = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT")
    texts = [os.environ.get(name, default) for name, default in zip(names, ("", "0", "1", ""), strict=True)]
    if not all(text.isdecimal() for text in texts):
        return ALL
    task, first, step, count = map(int, texts)
    index = (task - first) // max(1, step) + 1
    return Shard(index, count) if 1 <= index <= count else ALL


@dataclass(frozen=True)
class Reporter:
    """Callbacks: ``say`` receives messages, ``should_stop`` returns whether to stop."""

    say: Callable[[str], None]
    should_stop: Callable[[], bool]

    def raise_if_stopped(self) -> None:
        """Raise TrainingStopped if a stop was requested."""
        if self.should_stop():
            raise TrainingStopped("Stopped. The training so far is kept; run the same command to continue.")


@dataclass(frozen=True)
class Work(Generic[T]):
    """Pieces of work in a folder that several commands may share.

    ``name`` is a piece's unique name, ``is_done`` whether its results are there, and ``is_ready`` whether what it needs of
    other pieces is there.
    """

    items: Sequence[T]
    name: Callable[[T], str]
    is_done: Callable[[T], bool]
    is_ready: Callable[[T], bool]
    claims: Claims
    wait: float = WAIT

    def claimed(self) -> Iterator[T | None]:
        """Yield each piece that this command can claim, and None when there is none at present, until all are done."""
        left, again = list(self.items), 0.0
        while True:
            if time.monotonic() < again:
                yield None
                continue
            if not (left := [item for item in left if not self.is_done(item)]):
                return
            item = self._claim_one(left)
            if item is None:
                again = time.monotonic() + self.wait
            yield item

    def _claim_one(self, left: Sequence[T]) -> T | None:
        for item in left:
            name = self.name(item)
            if self.is_ready(item) and self.claims.take(name):
                if not self.is_done(item):  # another command may have finished it since it was looked at
                    return item
                self.claims.release(name)
        return None


def share(
    work: Work[T], do: Callable[[T, str], R], places: Sequence[str],
    raise_if_stopped: Callable[[], None] = lambda: None, on_killed: Callable[[T, str], R] | None = None,
) -> Iterator[tuple[T, R]]:  # fmt: skip
    """Do all pieces in processes, one at a time on each of ``places``, and yield those of this command with their results.

    It returns when every piece is done, by this command or another one. ``on_killed`` is as in ``side_by_side``.

    Raises:
        TrainingStopped: If another command has taken a piece over, because this one was suspended for too long.
    """

    def check() -> None:
        raise_if_stopped()
        if lost := work.claims.lost():
            raise TrainingStopped(
                f"Another command has continued {lost[0]}, because this one did not respond for {work.claims.patience:.0f} "
                "seconds. Run the same command to help it."
            )

    with work.claims.kept_alive():
        for item, found in side_by_side(do, work.claimed(), places, check, on_killed):
            work.claims.release(work.name(item))
            yield item, found


def refuse_seed(settings: Collection[str]) -> None:
    """Raise RecipeError if a seed is among the settings: the seeds of a folder are counted, and it would have no effect."""
    if "seed" in settings:
        raise RecipeError("The seed cannot be set here: the seeds are 42, 43 and so on. Give their number: --seeds N.")


def keep_settings(out: Path, what: str, about: dict[str, Any]) -> None:
    """Write the settings of an output folder, or raise RecipeError if the folder has other settings.

    Commands that start at the same moment may all do so: one file replaces the other, and each compares what is there.
    """
    note = out / "run.json"
    out.mkdir(parents=True, exist_ok=True)
    if not note.is_file():
        draft = out / f".run-{socket.gethostname()}-{os.getpid()}.json"
        write_json(draft, about)
        move(draft, note)
    refuse_other(out, what, json.loads(note.read_text(encoding="utf-8")), about)
