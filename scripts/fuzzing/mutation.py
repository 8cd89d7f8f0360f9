"""Damage: bytes, texts and JSON that are nearly right, and values that are right and that nobody expects."""

import json
import random
import re
from typing import Any

# What programs stumble over, put into the middle of something.
TOKENS = tuple(
    token.encode("utf-8", "surrogatepass")
    for token in (
        "\0", "\r", "\n", "\r\n", '"', '""', "'", ",", ";", "\t", "\\", "{", "}", "[", "]", ":", "\ufeff", "\u202e", "\u2066",
        "\u2028", "\x1b[31m", "\x85", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "![x](javascript:alert(1))", "${7*7}",
        "{{7*7}}", "../../etc/passwd", "\\ud800", "\ud800", "NaN", "-Infinity", "1e999", "null", "true", "%s%n", "a" * 300,
        "[" * 4_000, '{"a":' * 2_000, "á" * 50, "𐤀", "__proto__", "PK\3\4", "\x1f\x8b",
    )
)  # fmt: skip
NUMBERS = (
    "-1",
    "0",
    "1",
    "255",
    "65536",
    "2147483648",
    "9223372036854775808",
    "1e309",
    "-1e-309",
    "NaN",
    "1" + "0" * 400,
    "0.5",
)
WORDS = (
    "", " ", "a", "text", "label", "good", "ä" * 40, "\u202eabc", "a\0b", "a\nb", "=1+1", "-5", "<img src=x onerror=alert(1)>",
    "x" * 5_000, "../..", "/etc/passwd", "C:\\x", "1e999", "nan", "\ud800", "`x`", "[a](b)", "${x}", "variance:0.9", "uniform:-3",
    "uniform:99999999999999999999", "variance:nan", "deft-x",
)  # fmt: skip
ODD_VALUES = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**70),
    10**300,
    0.5,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
)


def damage(draw: random.Random, content: bytes, other: bytes = b"") -> bytes:
    """Return the content after one to six changes drawn at random; ``other`` is something to splice in."""
    for _ in range(draw.randint(1, 6)):
        content = draw.choice(_CHANGES)(draw, content, other)
    return content


def any_json(draw: random.Random, depth: int = 3) -> Any:
    """Return any value of JSON, NaN, infinities and numbers of any size among them."""
    kind = draw.random()
    if depth == 0 or kind < 0.35:
        return draw.choice(ODD_VALUES)
    if kind < 0.65:
        return draw.choice(WORDS)
    if kind < 0.8:
        return [any_json(draw, depth - 1) for _ in range(draw.randint(0, 4))]
    return {draw.choice(WORDS): any_json(draw, depth - 1) for _ in range(draw.randint(0, 4))}


def damage_json(draw: random.Random, value: Any) -> Any:
    """Return a copy of a value of JSON in which one to three entries, at any depth, are gone or are something else."""
    value = json.loads(json.dumps(value))
    for _ in range(draw.randint(1, 3)):
        value = _change_entry(draw, value)
    return value


def write_json(value: Any) -> bytes:
    """Write JSON as a careless program would, with NaN and halves of characters."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _change_entry(draw: random.Random, value: Any) -> Any:
    inside = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    if not inside or draw.random() < 0.15:
        return _other_value(draw, value)
    key = draw.choice(list(inside))
    if draw.random() < 0.15:
        del value[key]
    elif isinstance(value, dict) and draw.random() < 0.1:
        value[draw.choice(WORDS)] = value.pop(key)
    else:
        value[key] = _change_entry(draw, value[key])
    return value


def _other_value(draw: random.Random, value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and draw.random() < 0.5:
        return draw.choice((value + 1, value - 1, -value, value * 2, value * 10**6, float(value)))
    if isinstance(value, list) and value and draw.random() < 0.5:
        return draw.choice((value * 2, value[:-1], value[::-1], [value]))
    return any_json(draw, 2)


def _place(draw: random.Random, content: bytes) -> int:
    return draw.randrange(len(content) + 1)


def _flip(draw: random.Random, content: bytes, _: bytes) -> bytes:
    if not content:
        return b"\xff"
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def _set(draw: random.Random, content: bytes, _: bytes) -> bytes:
    at, length = _place(draw, content), draw.choice((1, 2, 4, 8))
    return content[:at] + draw.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length + content[at + length :]


def _insert(draw: random.Random, content: bytes, _: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + draw.choice(TOKENS) + content[at:]


def _cut(draw: random.Random, content: bytes, _: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + content[at + draw.choice((1, 2, 7, 64, 1_000)) :]


def _repeat(draw: random.Random, content: bytes, _: bytes) -> bytes:
    at, length = _place(draw, content), draw.choice((1, 8, 100))
    return content[:at] + content[at : at + length] * draw.choice((2, 3, 200)) + content[at:]


def _stop(draw: random.Random, content: bytes, _: bytes) -> bytes:
    return content[: _place(draw, content)]


def _splice(draw: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(draw, content)] + other[_place(draw, other) :]


def _renumber(draw: random.Random, content: bytes, _: bytes) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content))
    if not found:
        return content
    number = draw.choice(found)
    return content[: number.start()] + draw.choice(NUMBERS).encode() + content[number.end() :]


_CHANGES = (_flip, _set, _insert, _cut, _repeat, _stop, _splice, _renumber)
