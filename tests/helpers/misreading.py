"""What a reader of a hostile file may do, as functions for processes of their own; nothing heavy is imported."""

import os


def own_id(*_):
    """Answer at once: which process read it."""
    return os.getpid()


def never_end(*_):
    while True:
        pass


def never_end_after(note):
    """Write the id of the process, then read on and on."""
    note.write_text(str(os.getpid()), encoding="utf-8")
    never_end()


def fill_memory(*_):
    return len([bytes(1_000_000) for _ in range(100_000)])
