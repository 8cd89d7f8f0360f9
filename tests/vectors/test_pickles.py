"""A pickle is looked at before anything in it is called: what a vector does not need is refused by its name."""

import io
import pickle
import pickletools
from collections import OrderedDict

import numpy as np
import pytest
import torch
from tiny_vectors import TinyBase

from deftx.core.errors import VectorError
from deftx.vectors.lt_sft import read_lt_sft
from deftx.vectors.pickles import MOST_OBJECTS, ForeignPickle, check_pickle


def walk(code, allowed=lambda name: True):
    return check_pickle(code, 0, allowed)


class Call:
    """Unpickled, this calls a function."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


def test_every_name_is_asked_for_and_the_end_is_found():
    steps = [*range(-3, 3_000), 70_000, 2**40, -(2**70)]
    thing = OrderedDict(a=[np.int64(3), *steps], b=torch.Size([2, 3]), c=(1.5, None, True, "ä"))
    code = pickle.dumps(thing, protocol=2)
    names = []
    assert walk(code + b"rest", lambda name: names.append(name) or True) == len(code)
    wanted = {arg.replace(" ", ".") for op, arg, _ in pickletools.genops(code) if op.name == "GLOBAL"}
    assert set(names) == wanted >= {"collections.OrderedDict", "torch.Size"}


def test_a_name_that_is_not_allowed_is_told():
    with pytest.raises(ForeignPickle, match=r"it names builtins\.eval"):
        walk(pickle.dumps(Call(eval, "1"), protocol=2).replace(b"__builtin__", b"builtins"), lambda name: False)


@pytest.mark.parametrize(
    "code", [b"", b"K", b"X\5\0\0\0ab", b"]" * 10, b"\x80\2]q\0(K\1e", b"cposix\nsystem", b"\x93.", b"i", b"(S'a'\n.", b"\x81."]
)  # fmt: skip
def test_what_is_cut_off_or_holds_another_instruction_is_refused(code):
    with pytest.raises(ForeignPickle):
        walk(code)


def test_millions_of_parts_are_refused_and_millions_of_numbers_are_not():
    with pytest.raises(ForeignPickle, match="too many objects"):
        walk(b"\x80\2](" + b"]" * (MOST_OBJECTS + 1) + b"e.")
    code = pickle.dumps([7, 70_000, -1] * 1_000_000, protocol=2)
    assert walk(code) == len(code)


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    "call",
    [
        Call(bytearray, 10**15),  # would fill the memory
        Call(torch.FloatTensor, 10**15),
        Call(torch._utils._rebuild_device_tensor_from_numpy, 1, 2, 3, 4),
        {1, 2},
    ],
    ids=["bytearray", "tensor", "device tensor", "set"],
)
def test_what_the_restricted_unpickler_would_call_is_refused_before_it_does(tmp_path, call, older):
    stream = io.BytesIO()
    torch.save({"diffs": {}, "abs": call}, stream, _use_new_zipfile_serialization=not older)
    (tmp_path / "pytorch_diff.bin").write_bytes(stream.getvalue())
    with pytest.raises(VectorError, match=r"it names \S+\).*none of its code was run"):
        read_lt_sft(tmp_path, TinyBase())
