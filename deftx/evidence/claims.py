"""Claims on pieces of work, by which any number of commands on one folder divide it without doing a piece twice.

A claim is a file that ``O_EXCL`` creates, which is atomic on local disks and on NFS. Its owner touches it regularly (the
heartbeat). A claim without a heartbeat for ``PATIENCE`` seconds has lost its owner: the next one creates the file of the
following generation, which again only one process can do. Claims are never deleted while they matter, because another process
could delete a new claim in place of an old one.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HEARTBEAT, PATIENCE = 15.0, 120.0  # seconds between two heartbeats, and without one until a claim has lost its owner


@dataclass
class Claims:
    """The claims that this process holds in a folder, which all processes share."""

    folder: Path
    heartbeat: float = HEARTBEAT
    patience: float = PATIENCE
    _held: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str) -> bool:
        """Claim a piece of work, and return whether it is now this process's own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        generation = self._generation(name)
        if generation and not self._is_abandoned(self._file(name, generation)):
            return False
        mine = self._file(name, generation + 1)
        try:
            opened = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        with open(opened, "w", encoding="utf-8") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
        with self._lock:
            self._held[name] = mine
        return True

    def release(self, name: str) -> None:
        """Give a piece of work up, done or not, so that others need not wait for the heartbeat to be missed."""
        with self._lock:
            mine = self._held.pop(name, None)
        if mine:
            with suppress(FileNotFoundError):
                os.utime(mine, (0, 0))

    def lost(self) -> list[str]:
        """Return the held pieces that another process has claimed, since this one sent no heartbeat for too long."""
        with self._lock:
            held = dict(self._held)
        return [name for name, mine in held.items() if self._file(name, self._generation(name)) != mine]

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Send heartbeats during the block, and release every claim at its end."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            for name in list(self._held):
                self.release(name)

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(self.heartbeat):
            with self._lock:
                for mine in self._held.values():
                    with suppress(OSError):
                        os.utime(mine)

    def _file(self, name: str, generation: int) -> Path:
        return self.folder / f"{name}.{generation}"

    def _generation(self, name: str) -> int:
        """Return the newest generation of a claim; 0 if there is none."""
        generation = 0
        while self._file(name, generation + 1).exists():
            generation += 1
        return generation

    def _is_abandoned(self, claim: Path) -> bool:
        # Both times are of the disk that holds the folder, because the clocks of two machines differ.
        probe = self.folder / f".clock-{socket.gethostname()}-{os.getpid()}"
        probe.touch()
        return probe.stat().st_mtime - claim.stat().st_mtime > self.patience
