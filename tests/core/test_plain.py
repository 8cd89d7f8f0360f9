"""Without these, what a process of its own found could come back changed, or bring code with it."""

import json
import math
from pathlib import Path

import pytest

from deftx.core.errors import CorpusError
from deftx.core.plain import from_json, to_json
from deftx.data.lengths import LengthBin
from deftx.data.reading import Amount

VALUES = [
    None, True, 3, 2.5, math.inf, "a “b” \ud800\n", [1, [2]], (1, ("a", [None])), {"a": 1, ("b", 2): {"tuple": [3]}},
    Path("/a/b"), CorpusError, Amount(3, math.inf), (LengthBin(1, None, 3),), {"is": "x", "fields": {}},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value):
    text = to_json(value)
    assert text.isascii()
    back = from_json(text)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    "value", [object(), print, {1, 2}, b"x", ValueError], ids=["object", "function", "set", "bytes", "class"]
)
def test_other_values_are_refused(value):
    with pytest.raises(TypeError, match="not plain data"):
        to_json(value)


@pytest.mark.parametrize(
    "content",
    [
        {"is": "subprocess:Popen", "fields": {"args": ["true"]}},
        {"is": "deftx.core.bounded:subprocess.Popen", "fields": {"args": ["true"]}},
        {"is": "deftx.core.errors:printable", "fields": {"text": "x"}},
        {"error": "deftx.data.reading:Amount"},
        {"error": "builtins:SystemExit"},
        {"a": 1},
    ],
)
def test_a_text_that_names_anything_else_makes_nothing(content):
    with pytest.raises(ValueError, match=r"is not a class of values|unknown kind of value"):
        from_json(json.dumps(content))
