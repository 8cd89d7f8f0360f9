"""What a pickle would call and make, read off its bytes: nothing is loaded, so nothing in it can run or fill the memory.

torch's restricted unpickler runs no foreign code, but it calls what is harmless only in good hands: ``bytearray`` with
any length, text codecs that take the square of a text's length. Of a vector's file only tensors and numbers are needed.
"""

import re
from collections.abc import Callable

# Instructions (opcodes of Python's pickletools) that put numbers on the stack or into a list, with their operands.
_NUMBERS = re.compile(rb"(?s:[N\x88\x89aesu]|K.|M..|J.{4}|G.{8}|h.|j.{4}){1,4096}")
# Those that make something, with the length of their operands. A list of a million empty lists is two bytes for each.
_MAKING = {
    **dict.fromkeys(b"()]}tRbQ\x85\x86\x87", 0),  # marks, containers, calls, states
    ord("q"): 1, ord("r"): 4, 0x80: 1,  # places in the memo, the protocol
}  # fmt: skip
_TEXTS = {
    ord("X"): 4,
    ord("U"): 1,
    0x8A: 1,
}  # with the length of their length: texts, short byte strings, long integers
_NAME, _END = ord("c"), ord(".")

MOST_MADE = 200_000  # XLM-R large with the paper's shares makes some 40,000
LONGEST_TEXT = 10_000  # bytes: names of parameters are shorter


class ForeignPickle(ValueError):
    """A pickle that names or makes what the file of a vector does not."""


def check_pickle(code: bytes, start: int, allowed: Callable[[str], bool]) -> int:
    """Walk through one pickle and return where it ends; ``allowed`` is asked for each "module.name" that it names.

    Raises:
        ForeignPickle: a name is not allowed, an instruction is not among those needed, or it makes too much.
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
            raise ForeignPickle(f"it has the instruction {step:#x}")
        made += 1
        if made > MOST_MADE:
            raise ForeignPickle("it is made of too many parts")
    raise ForeignPickle("it stops in the middle")


def _check_name(code: bytes, place: int, allowed: Callable[[str], bool]) -> int:
    module, name, *_ = (*code[place : place + 2 * LONGEST_TEXT].split(b"\n", 2), b"", b"")
    full = f"{module.decode('utf-8', 'replace')}.{name.decode('utf-8', 'replace')}"
    if not allowed(full):
        raise ForeignPickle(f"it names {full[:120]}")
    return place + len(module) + len(name) + 2


def _after_text(code: bytes, place: int, width: int) -> int:
    length = int.from_bytes(code[place : place + width], "little")
    if length > LONGEST_TEXT:
        raise ForeignPickle("it holds a text that no name is as long as")
    return place + width + length
