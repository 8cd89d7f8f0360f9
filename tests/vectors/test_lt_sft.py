"""Published LT-SFT vectors can be used here, ours in the published code, and a hostile file runs nothing."""

import collections
import contextlib
import io
import os
import pickle
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_vectors import SHAPES, TinyBase, make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.vectors.lt_sft import FILE, read_lt_sft, write_lt_sft
from deftx.vectors.vector import SparseVector

QUERY = "roberta.encoder.layer.0.attention.self.query.weight"
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks", "ignore:Detected pickle protocol")
NUMPY = [np._core.multiarray.scalar, np.dtype, np.dtypes.Int64DType]
SHAPES_OF_ALL_RANKS = {"encoder.bias": (11,), "encoder.weight": (5, 7), "encoder.conv.weight": (3, 4, 5)}


def load(file):
    """Read a file as the published code does, but for the restriction to tensors and NumPy's integers."""
    with torch.serialization.safe_globals(NUMPY):
        return torch.load(file, weights_only=True)


def published_decode(encoding):
    """What LT-SFT's decode_sparse_tensor computes; it is right for one and two dimensions."""
    indices = np.cumsum(encoding["index_steps"], dtype=np.int32)
    modulos = np.cumprod(list(encoding["size"]), dtype=np.int32)
    divisors = np.concatenate([[1], modulos[:-1]])
    coordinates = indices[None] // divisors[:, None] % modulos[:, None]
    return torch.sparse_coo_tensor(coordinates, encoding["values"], size=encoding["size"]).to_dense()


@pytest.fixture(params=["plain", "l1"])
def fixture(request, lt_sft_traces):
    """A trace of the published code, and its base."""
    folder = lt_sft_traces / request.param
    trace = load_file(folder / "trace.safetensors")
    shapes = {name.removeprefix("mask."): tuple(t.shape) for name, t in trace.items() if name.startswith("mask.")}
    return folder, trace, TinyBase(shapes=shapes)


def test_the_published_file_is_read_as_what_was_trained(fixture):
    folder, trace, base = fixture
    vector = read_lt_sft(folder, base)
    assert vector.positions.keys() == base.shapes.keys()
    for name in base.shapes:
        delta = (trace[f"theta2.{name}"] - trace[f"theta0.{name}"]) * trace[f"mask.{name}"]
        delta[delta.abs() <= 1e-7] = 0  # LT-SFT leaves these out
        assert torch.equal(vector.dense(name), delta)
        assert torch.equal(vector.positions[name], delta.flatten().nonzero().flatten())
    assert len(vector.head) == 5
    for name, tensor in vector.head.items():
        assert torch.equal(tensor, trace[f"theta2.{name}"])
    assert (vector.kind, vector.info["method"], vector.info["k"]) == ("language", "lt-sft", vector.count)


def test_the_published_file_comes_back_exactly(fixture, tmp_path):
    folder, _, base = fixture
    vector = SparseVector.load(read_lt_sft(folder / FILE, base).save(tmp_path / "V"))  # through our own format too
    original, written = load(folder / FILE), load(write_lt_sft(vector, base, tmp_path))
    assert written.keys() == original.keys()
    assert written["diffs"].keys() == original["diffs"].keys()
    for name, diff in original["diffs"].items():
        ours = written["diffs"][name]
        assert ours.keys() == diff.keys()
        assert (ours["size"], type(ours["size"])) == (diff["size"], type(diff["size"]))
        assert ours["index_steps"] == diff["index_steps"]
        assert [type(step) for step in ours["index_steps"]] == [type(step) for step in diff["index_steps"]]
        assert ours["values"].dtype == diff["values"].dtype
        assert torch.equal(ours["values"], diff["values"])
    assert written["abs"].keys() == original["abs"].keys()
    assert all(torch.equal(written["abs"][name], tensor) for name, tensor in original["abs"].items())


def test_the_published_code_decodes_what_is_written(tmp_path):
    vector, base = make_vector(), TinyBase(shapes={**SHAPES, "roberta.unchanged.weight": (3, 2)})
    contents = load(write_lt_sft(vector, base, tmp_path))
    assert contents["diffs"].keys() == base.shapes.keys()
    for name in SHAPES:
        assert torch.equal(published_decode(contents["diffs"][name]), vector.dense(name))
    unchanged = contents["diffs"]["roberta.unchanged.weight"]
    assert (unchanged["size"], unchanged["index_steps"], len(unchanged["values"])) == (torch.Size([3, 2]), [], 0)
    assert all(torch.equal(contents["abs"][name], tensor) for name, tensor in vector.head.items())


def test_indices_are_column_major_steps(tmp_path):
    vector = make_vector(shapes={"a.weight": (2, 3)})
    vector.positions["a.weight"] = torch.tensor([1, 3, 5])  # entries (0, 1), (1, 0) and (1, 2)
    vector.values["a.weight"] = torch.tensor([10.0, 20.0, 30.0])
    diff = load(write_lt_sft(vector, TinyBase(shapes={"a.weight": (2, 3)}), tmp_path))["diffs"]["a.weight"]
    assert diff["index_steps"] == [1, 1, 3]  # flat indices 1, 2 and 5
    assert [type(step) for step in diff["index_steps"]] == [np.int64, int, int]
    assert diff["values"].tolist() == [20.0, 10.0, 30.0]


def test_one_two_and_three_dimensions_come_back(tmp_path):
    vector, base = make_vector(shapes=SHAPES_OF_ALL_RANKS), TinyBase(shapes=SHAPES_OF_ALL_RANKS)
    diffs = load(write_lt_sft(vector, base, tmp_path))["diffs"]
    for name, shape in SHAPES_OF_ALL_RANKS.items():
        flat = np.cumsum(diffs[name]["index_steps"])
        dense = np.zeros(np.prod(shape), dtype=np.float32)
        dense[flat] = diffs[name]["values"]
        assert np.array_equal(dense.reshape(shape, order="F"), vector.dense(name).numpy())
    assert same_vector(read_lt_sft(tmp_path, base), vector)


def test_what_is_read_says_where_it_is_from(tmp_path):
    base = TinyBase(revision="0123")
    write_lt_sft(make_vector(), TinyBase(), tmp_path)
    info = read_lt_sft(tmp_path, base).info
    assert info["base"] == {"name": "tiny-base", "revision": "0123", "fingerprint": "ab" * 32}
    assert info["rank"] == {"strategy": "none", "ranks": {}}
    assert len(info["source"]["sha256"]) == 64


def task_vector():
    head = {"classifier.dense.weight": torch.randn(4, 4), "classifier.dense.bias": torch.randn(4),
            "classifier.out_proj.weight": torch.randn(3, 4), "classifier.out_proj.bias": torch.randn(3)}  # fmt: skip
    return replace(make_vector(kind="task", labels=["a", "b", "c"]), head=head)


def test_a_task_vector_takes_its_labels_from_the_caller_or_numbers_them(tmp_path):
    write_lt_sft(task_vector(), TinyBase(), tmp_path)
    assert read_lt_sft(tmp_path, TinyBase()).kind == "task"
    assert read_lt_sft(tmp_path, TinyBase()).labels == ["0", "1", "2"]
    assert read_lt_sft(tmp_path, TinyBase(), labels=("x", "y", "z")).labels == ["x", "y", "z"]
    with pytest.raises(VectorError, match="it has 3 classes, but 2 labels"):
        read_lt_sft(tmp_path, TinyBase(), labels=["x", "y"])


def test_a_vector_of_another_base_is_not_written(tmp_path):
    with pytest.raises(VectorError, match="other-base"):
        write_lt_sft(make_vector(), TinyBase(name="other-base", fingerprint="cd" * 32), tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VectorError, match="cannot be written"):
        write_lt_sft(make_vector(), TinyBase(), tmp_path / "file")


def test_a_source_that_is_nothing_is_refused(tmp_path, monkeypatch):
    with pytest.raises(VectorError, match=f"contains no {FILE}"):
        read_lt_sft(tmp_path, TinyBase())
    with pytest.raises(VectorError, match="does not exist"):
        read_lt_sft(tmp_path / "nothing", TinyBase())


# What follows is wrong in one place.


def contents(**diff):
    good = {"size": torch.Size([8, 6]), "index_steps": [np.int64(2), 1, 4], "values": torch.ones(3)}
    return {"diffs": {QUERY: {**good, **diff}}, "abs": {"lm_head.bias": torch.ones(5)}}


def without(key):
    changed = contents()
    del changed["diffs"][QUERY][key]
    return changed


def with_head(**head):
    return {**contents(), "abs": {name.replace("__", "."): tensor for name, tensor in head.items()}}


def with_diff(name, values=3):
    diff = {**contents()["diffs"][QUERY], "values": torch.ones(values), "index_steps": [1] * values}
    return {**contents(), "diffs": {name: diff}}


WRONG = {
    "another shape": (contents(size=torch.Size([6, 8])), "does not have its shape"),
    "a shape as text": (contents(size="8x6"), "does not have its shape"),
    "a step of 0": (contents(index_steps=[2, 0, 4]), "do not ascend"),
    "a step backwards": (contents(index_steps=[20, -1, 4]), "do not ascend"),
    "a negative index": (contents(index_steps=[-1, 1, 4]), "do not ascend"),
    "an index too large": (contents(index_steps=[2, 1, 45]), "do not ascend within its 48"),
    "a huge step": (contents(index_steps=[2, 1, 10**40]), "do not ascend"),
    "a step that is no whole number": (contents(index_steps=[2, 1.5, 4]), "list of integers"),
    "a step that is a list": (contents(index_steps=[2, [1], 4]), "list of integers"),
    "a step that is a truth": (contents(index_steps=[2, True, 4]), "list of integers"),
    "steps as text": (contents(index_steps="abc"), "list of integers"),
    "steps as a tensor": (contents(index_steps=torch.tensor([1, 2, 3])), "list of integers"),
    "fewer values": (contents(values=torch.ones(2)), "one value for each of its 3"),
    "values in rows": (contents(values=torch.ones(3, 1)), "one value for each"),
    "values that are one number": (contents(values=torch.tensor(1.0)), "one value for each"),
    "whole numbers as values": (contents(values=torch.ones(3, dtype=torch.int64)), "one value for each"),
    "values as a list": (contents(values=[1.0, 1.0, 1.0]), "one value for each"),
    "values without memory": (contents(values=torch.ones(3, device="meta")), "it names torch._utils._rebuild_meta"),
    "one value for many": (contents(values=torch.ones(1).expand(3)), "one value for each"),
    "sparse values": (contents(values=torch.ones(3).to_sparse()), "it names torch._utils._rebuild_sparse"),
    "NaN": (contents(values=torch.tensor([1, 2, float("nan")])), "not finite"),
    "no values": (without("values"), "'values'"),
    "no steps": (without("index_steps"), "'index_steps'"),
    "a diff that is no dict": ({"diffs": {QUERY: 3}, "abs": {}}, "'size'"),
    "one key more": (contents(more=1), "'size'"),
    "an unknown parameter": (with_diff("roberta.pooler.dense.weight"), r"does not train: roberta.pooler.dense.weight"),
    "question answering": (with_head(qa_outputs__weight=torch.ones(2, 4)), "'qa_outputs' is for question answering"),
    "an unknown head": (with_head(tagger__weight=torch.ones(2, 4)), "'tagger' is that of another task"),
    "named entities": (
        with_head(classifier__weight=torch.ones(9, 4), classifier__bias=torch.ones(9)),
        "labels single words",
    ),
    "named entities without bias": (with_head(classifier__weight=torch.ones(9, 4)), "labels single words"),
    "another task and parameters of it": (
        {
            "diffs": {"roberta.pooler.dense.weight": contents()["diffs"][QUERY]},
            "abs": {"qa_outputs.bias": torch.ones(2)},
        },
        "for question answering",
    ),
    "one output": (
        {
            **contents(),
            "abs": {"classifier.dense.weight": torch.ones(4, 4), "classifier.out_proj.weight": torch.ones(1, 4)},
        },
        "a single output",
    ),
    "two heads": (with_head(lm_head__bias=torch.ones(2), classifier__bias=torch.ones(2)), "and that of a classifier"),
    "a classifier without matrix": (with_head(classifier__bias=torch.ones(2)), "no single output layer"),
    "a head as a list": (with_head(lm_head__bias=[1.0]), "not a dense floating-point tensor"),
    "a huge head": (with_head(lm_head__bias=torch.ones(1).expand(2**50)), "not a dense floating-point tensor"),
    "NaN in the head": (with_head(lm_head__bias=torch.tensor([float("nan")])), "not finite"),
    "a head outside the folder": ({**contents(), "abs": {"lm_head./../x": torch.ones(1)}}, "cannot be the name"),
    "no diffs": ({"abs": {}}, "'diffs'"),
    "more parts": ({**contents(), "code": "x"}, "'diffs'"),
    "diffs that are a list": ({"diffs": [1], "abs": {}}, "is not a dictionary of parameters"),
    "numbered diffs": ({"diffs": {1: 2}, "abs": {}}, "is not a dictionary of parameters"),
    "a tensor": (torch.ones(3), "'diffs'"),
    "an ordered dict of text": (collections.OrderedDict(a="b"), "'diffs'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(what, tmp_path):
    wrong, reason = WRONG[what]
    torch.save(wrong, tmp_path / FILE)
    with pytest.raises(VectorError, match=reason) as refusal:
        read_lt_sft(tmp_path, TinyBase())
    assert FILE in str(refusal.value)


def test_what_is_right_in_those_files_is_read(tmp_path):
    torch.save(contents(), tmp_path / FILE)
    vector = read_lt_sft(tmp_path, TinyBase())
    assert vector.positions[QUERY].tolist() == [12, 18, 42]  # column-major 2, 3 and 7 of (8, 6)
    torch.save({"diffs": contents()["diffs"]}, tmp_path / FILE)  # without a head
    assert read_lt_sft(tmp_path, TinyBase()).kind == "language"


def test_empty_diffs_of_parameters_that_are_not_trained_are_passed_over(tmp_path):
    torch.save(with_diff("roberta.pooler.dense.weight", values=0), tmp_path / FILE)
    assert read_lt_sft(tmp_path, TinyBase()).count == 0


def rename_in_archive(file, old, new):
    """Rewrite what a torch archive's pickle refers to."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data.replace(old, new) if name.endswith("data.pkl") else data)


def test_files_written_with_numpy_1_are_read(tmp_path):
    torch.save(contents(), tmp_path / FILE)
    rename_in_archive(tmp_path / FILE, b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert b"numpy.core.multiarray" in (tmp_path / FILE).read_bytes()
    assert read_lt_sft(tmp_path, TinyBase()).positions[QUERY].tolist() == [12, 18, 42]


def test_two_threads_read_files_at_once(tmp_path, monkeypatch):
    file, load = write_lt_sft(make_vector(), TinyBase(), tmp_path), torch.load
    seconds = iter((0.05, 0.2))
    monkeypatch.setattr(torch, "load", lambda *args, **more: (time.sleep(next(seconds)), load(*args, **more))[1])
    with ThreadPoolExecutor(2) as threads:  # the second still reads when the first one has ended
        found = list(threads.map(lambda _: read_lt_sft(file, TinyBase()), range(2)))
    assert same_vector(*found)


def test_files_in_torchs_older_form_are_read(tmp_path):
    torch.save(contents(), tmp_path / FILE, _use_new_zipfile_serialization=False)
    assert read_lt_sft(tmp_path, TinyBase()).positions[QUERY].tolist() == [12, 18, 42]


@pytest.mark.parametrize("step", [np.int32(2), np.float64(2), np.bool_(True)])
def test_other_numpy_values_are_refused(tmp_path, step):
    torch.save(contents(index_steps=[step, 1, 4]), tmp_path / FILE)
    with pytest.raises(VectorError):
        read_lt_sft(tmp_path, TinyBase())


class Attack:
    """Unpickled without restriction, this makes a folder."""

    def __init__(self, marker, function=os.mkdir):
        self.marker, self.function = marker, function

    def __reduce__(self):
        return self.function, (str(self.marker),)


def attacks(marker):
    """The same attack as bare pickles, in torch's archive, and in its older form, at every place in the file."""
    attack = Attack(marker)
    for thing in (attack, contents(index_steps=[attack, 1, 4]), with_head(lm_head__bias=attack), {"diffs": attack}):
        for protocol in (2, 4):
            yield pickle.dumps(thing, protocol=protocol)
        for archive in (True, False):
            file = io.BytesIO()
            torch.save(thing, file, _use_new_zipfile_serialization=archive)
            yield file.getvalue()


def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path):
    marker = tmp_path / "marker"
    for number, data in enumerate(attacks(marker)):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(data)
        with pytest.raises(VectorError, match=r"none of its code was run|not written by torch"):
            read_lt_sft(file, TinyBase())
        assert not marker.exists()
    assert number == 15
    pickle.loads(pickle.dumps(Attack(marker)))  # the attack is real: without the restriction it does run
    assert marker.exists()


@pytest.mark.parametrize("command", [os.system, eval, exec, np.load, torch.load, getattr, __import__])
def test_no_function_can_be_named(tmp_path, command):
    torch.save(with_head(lm_head__bias=Attack("x", command)), tmp_path / FILE)
    with pytest.raises(VectorError, match=r"it names \S+\).*none of its code was run"):
        read_lt_sft(tmp_path, TinyBase())


def test_a_compressed_archive_is_refused(tmp_path):
    torch.save(with_head(lm_head__bias=torch.zeros(10_000)), tmp_path / "stored.bin")
    with zipfile.ZipFile(tmp_path / "stored.bin") as stored:
        entries = {name: stored.read(name) for name in stored.namelist()}
    with zipfile.ZipFile(tmp_path / FILE, "w", zipfile.ZIP_DEFLATED) as small:
        for name, data in entries.items():
            small.writestr(name, data)
    with pytest.raises(VectorError, match="compressed archive"):
        read_lt_sft(tmp_path, TinyBase())


class Claim:
    """Unpickled, this is a tensor of ``length`` numbers with memory for two."""

    def __init__(self, length):
        self.length = length

    def __reduce__(self):
        storage = torch.ones(2).untyped_storage()
        memory = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
        return torch._utils._rebuild_tensor_v2, (memory, 0, (self.length,), (1,), False, collections.OrderedDict())


@pytest.mark.parametrize("length", [3, 2**45])
def test_a_tensor_that_claims_more_than_its_memory_is_refused(tmp_path, length):
    torch.save(with_head(lm_head__bias=Claim(2)), tmp_path / FILE)
    assert read_lt_sft(tmp_path, TinyBase()).head["lm_head.bias"].tolist() == [1.0, 1.0]
    torch.save(with_head(lm_head__bias=Claim(length)), tmp_path / FILE)
    with pytest.raises(VectorError, match=FILE):
        read_lt_sft(tmp_path, TinyBase())


@pytest.mark.slow
@pytest.mark.parametrize("archive", [True, False])
def test_a_damaged_file_never_ends_in_another_error(tmp_path, archive):
    torch.save(contents(), tmp_path / FILE, _use_new_zipfile_serialization=archive)
    whole = (tmp_path / FILE).read_bytes()
    for length in range(0, len(whole) - 1, 23):
        (tmp_path / FILE).write_bytes(whole[:length])
        with pytest.raises(VectorError, match=FILE):
            read_lt_sft(tmp_path, TinyBase())
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        (tmp_path / FILE).write_bytes(damaged)
        with contextlib.suppress(VectorError):  # torch looks at no checksum: what is read must at least fit the base
            read_lt_sft(tmp_path, TinyBase()).check_base(TinyBase())
