"""Static check of what a pickle would call and create. Nothing is loaded, so no code runs and no memory is filled.

torch's restricted unpickler executes no foreign code, but it allows calls that can be abused: ``bytearray`` of any length,
and codecs that take quadratic time. The file of a vector needs only tensors and numbers.
"""

import re
from collections.abc import Callable

# Opcodes (see Python's pickletools) for numbers on the stack or in a list, with their operands.
_NUMBERS = re.compile(rb"(?s:[N\x88\x89aesu]|K.|M..|J.{4}|G.{8}|h.|j.{4}){1,4096}")
# Opcodes that create an object, with the length of their operands. Two bytes each could create a million empty lists.
_MAKING = {
    **dict.fromkeys(b"()]}tRbQ\x85\x86\x87", 0),  # marks, containers, calls, states
    ord("q"): 1, ord("r"): 4, 0x80: 1,  # memo indices, the protocol
}  # fmt: skip
_TEXTS = {
    ord("X"): 4,
    ord("U"): 1,
    0x8A: 1,
}  # size of the length field: texts, short byte strings, long integers
_NAME, _END = ord("c"), ord(".")

MOST_OBJECTS = 200_000  # XLM-R large with the paper's settings needs about 40,000
LONGEST_TEXT = 10_000  # bytes; names of parameters are shorter


class ForeignPickle(ValueError):
    """A pickle with names or opcodes that the file of a vector does not need."""


def check_pickle(code: bytes, start: int, allowed: Callable[[str], bool]) -> int:
    """Check one pickle and return its end. ``allowed`` is called for each "module.name" in it.

    Raises:
        ForeignPickle: If a name or opcode is not allowed, or there are too many objects.
    """
    place, made = start, 0
    while place < len(code):
        if numbers := _NUMBERS.match(code, place):
            place = numbers.end()
            continue
        step, place = code[place], place + 1
        if step == _END:
            return place
        if step == _NAME:
            place = _check_name(code, place, allowed)
        elif step in _TEXTS:
            place = _after_text(code, place, _TEXTS[step])
        elif step in _MAKING:
            place += _MAKING[step]
        else:
            raise ForeignPickle(f"it has the opcode {step:#x}")
        made += 1
        if made > MOST_OBJECTS:
            raise ForeignPickle("it has too many objects")
    raise ForeignPickle("it is incomplete")


def _check_name(code: bytes, place: int, allowed: Callable[[str], bool]) -> int:
    module, name, *_ = (*code[place : place + 2 * LONGEST_TEXT].split(b"\n", 2), b"", b"")
    full = f"{module.decode('utf-8', 'replace')}.{name.decode('utf-8', 'replace')}"
    if not allowed(full):
        raise ForeignPickle(f"it names {full[:120]}")
    return place + len(module) + len(name) + 2


def _after_text(code: bytes, place: int, width: int) -> int:
    length = int.from_bytes(code[place : place + width], "little")
    if length > LONGEST_TEXT:
        raise ForeignPickle("it contains a text that is too long")
    return place + width + length
