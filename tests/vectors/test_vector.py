"""A vector that is saved, sent and loaded must be the same vector, and must refuse a base that it was not made for."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tiny_vectors import SHAPES, TinyBase, make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.vectors.description import FIELDS
from deftx.vectors.lt_sft import write_lt_sft
from deftx.vectors.vector import SparseVector

QUERY = "roberta.encoder.layer.0.attention.self.query.weight"


def test_saving_and_loading_changes_nothing(tmp_path):
    made = make_vector(recipe={"k": 0.1}, license="cc-by-4.0", singular_values={QUERY: [3.14159265358979, 1e-9]})
    loaded = SparseVector.load(made.save(tmp_path / "V1"))
    assert same_vector(made, loaded)
    assert loaded.shapes == SHAPES
    assert loaded.info["recipe"] == {"k": 0.1}
    assert loaded.info["license"] == "cc-by-4.0"  # keys that the format does not know are kept
    assert loaded.info["singular_values"][QUERY] == [3.141593, 1e-9]  # 7 significant digits
    again = SparseVector.load(loaded.save(tmp_path / "V2"))
    assert same_vector(made, again)
    assert again.info == loaded.info


@pytest.mark.parametrize(("kind", "digits"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_values_may_be_stored_in_half_precision(tmp_path, kind, digits):
    made, close = make_vector(), {"rtol": digits, "atol": 2**-24}  # half an ulp; the least of float16
    whole, half = made.save(tmp_path / "whole"), made.save(tmp_path / "half", values=kind)
    with safe_open(half / "vector.safetensors", framework="pt") as file:
        assert file.get_slice(f"values.{QUERY}").get_dtype() == {"float16": "F16", "bfloat16": "BF16"}[kind]
    loaded = SparseVector.load(half)
    for name, values in made.values.items():
        assert loaded.positions[name].equal(made.positions[name])
        assert loaded.values[name].dtype == torch.float32
        assert torch.allclose(loaded.values[name], values, **close)
    for name, head in made.head.items():
        assert loaded.head[name].dtype == torch.float32
        assert torch.allclose(loaded.head[name], head, **close)
    sizes = [(folder / "vector.safetensors").stat().st_size for folder in (half, whole)]
    assert sizes[0] < sizes[1]


def test_the_head_of_a_task_is_never_stored_in_half_precision(tmp_path):
    task = make_vector(kind="task", labels=["bad", "good"])
    loaded = SparseVector.load(task.save(tmp_path / "half", values="float16"))
    assert all(loaded.head[name].equal(head) for name, head in task.head.items())


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert make_vector().save("~/mine") == tmp_path / "mine"
    assert write_lt_sft(make_vector(), TinyBase(), "~/mine").parent == tmp_path / "mine"
    assert same_vector(SparseVector.load("~/mine"), make_vector())


def test_an_unknown_type_of_values_is_refused(tmp_path):
    with pytest.raises(VectorError, match="Did you mean 'float16'"):
        make_vector().save(tmp_path, values="float15")
    assert list(tmp_path.iterdir()) == []


def test_the_same_vector_is_the_same_file(tmp_path):
    files = [make_vector().save(tmp_path / str(n)) for n in range(4)]
    assert len({(folder / "vector.safetensors").read_bytes() for folder in files}) == 1
    assert len({(folder / "vector.json").read_bytes() for folder in files}) == 1


def test_the_folder_holds_three_files_and_the_keys_in_reading_order(tmp_path):
    make_vector(extra=1).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "vector.json", "vector.safetensors"]
    info = json.loads((tmp_path / "vector.json").read_text())
    in_order = [key for key in FIELDS if key != "info_sha256" and key != "tensors_sha256"]
    assert list(info) == [*in_order, "tensors_sha256", "info_sha256", "extra"]
    assert set(info["versions"]) == {"deftx", "torch", "transformers", "python"}
    assert info["versions"]["torch"] == torch.__version__


def test_parameters_and_views_of_a_larger_tensor_can_be_saved(tmp_path):
    made = make_vector()
    shared = torch.randn(5, 5)
    head = {"lm_head.dense.weight": torch.nn.Parameter(shared).T, "lm_head.bias": shared[0]}
    made = replace(made, head=head)
    loaded = SparseVector.load(made.save(tmp_path))
    assert torch.equal(loaded.head["lm_head.dense.weight"], shared.T)
    assert torch.equal(loaded.head["lm_head.bias"], shared[0])


def test_an_empty_parameter_and_an_empty_head_survive(tmp_path):
    made = make_vector(kind="task", labels=["buruk", "ሰላም"])
    made.positions[QUERY], made.values[QUERY] = torch.empty(0, dtype=torch.int64), torch.empty(0)
    made.head.clear()
    loaded = SparseVector.load(made.save(tmp_path))
    assert same_vector(made, loaded)
    assert loaded.labels == ["buruk", "ሰላም"]


def test_what_it_says_of_itself():
    vector = make_vector()
    assert vector.count == sum(len(v) for v in vector.values.values())
    assert (vector.kind, vector.language, vector.labels, vector.name) == ("language", "min", [], "min language vector")
    assert make_vector(name="Minangkabau").name == "Minangkabau"
    assert make_vector(language=None).name == "language vector"


def test_dense_puts_each_value_where_its_row_major_position_says():
    vector = make_vector()
    expected = np.zeros(8 * 6, dtype=np.float32)
    for position, value in zip(vector.positions[QUERY].tolist(), vector.values[QUERY].tolist(), strict=True):
        expected[position] = value
    assert np.array_equal(vector.dense(QUERY).numpy(), expected.reshape(8, 6))


def test_the_base_it_was_made_for_is_taken():
    assert make_vector().check_base(TinyBase()) is None  # it raises for another one


def test_another_base_is_refused_with_both_names():
    with pytest.raises(VectorError, match=r"(?s)tiny-base.*other-base \(revision 0123\)"):
        make_vector().check_base(TinyBase(name="other-base", revision="0123", fingerprint="cd" * 32))


def test_a_parameter_that_the_base_lacks_is_refused():
    base = TinyBase(shapes={n: s for n, s in SHAPES.items() if n != QUERY})
    with pytest.raises(VectorError, match=f"{QUERY}.*does not train"):
        make_vector().check_base(base)


def test_a_parameter_of_another_shape_is_refused():
    with pytest.raises(VectorError, match=r"\(8, 6\).*\(6, 8\)"):
        make_vector().check_base(TinyBase(shapes={**SHAPES, QUERY: (6, 8)}))


def entries(positions, values=None, **changed):
    vector = make_vector(**changed)
    vector.positions[QUERY] = torch.tensor(positions)
    vector.values[QUERY] = torch.ones(len(positions)) if values is None else torch.tensor(values)
    return vector


def without(vector, part, name=QUERY):
    del getattr(vector, part)[name]
    return vector


def with_head(name, tensor):
    return replace(make_vector(), head={name: tensor})


WRONG = {
    "not ascending": lambda: (entries([3, 2]), "not strictly ascending"),
    "the same position twice": lambda: (entries([2, 2]), "not strictly ascending"),
    "a negative position": lambda: (entries([-1, 2]), "-1 is outside its 48"),
    "a position too large": lambda: (entries([2, 48]), "48 is outside its 48"),
    "positions of another type": lambda: (entries([1.0, 2.0]), "64-bit"),
    "fewer values than positions": lambda: (entries([1, 2], [0.5]), "2 positions, but 1 values"),
    "values of another type": lambda: (entries([1], [2]), "not float32"),
    "NaN": lambda: (entries([1], [float("nan")]), "not finite"),
    "infinity": lambda: (entries([1], [float("-inf")]), "not finite"),
    "NaN in the head": lambda: (with_head("lm_head.bias", torch.tensor([float("nan")])), "lm_head.bias.*not finite"),
    "a head of another type": lambda: (with_head("lm_head.bias", torch.zeros(2).double()), "not float32"),
    "a head outside the folder": lambda: (with_head("../../etc", torch.zeros(2)), "cannot be the name"),
    "no positions": lambda: (without(make_vector(), "positions"), f"only positions or only values: {QUERY}"),
    "no values": lambda: (without(make_vector(), "values"), f"only positions or only values: {QUERY}"),
    "no shape": lambda: (without(make_vector(), "shapes"), "no shape"),
    "another format": lambda: (make_vector(format_version=2), "Format version 2"),
    "an unknown kind": lambda: (make_vector(kind="dialect"), "'dialect' is not language or task"),
    "a task without labels": lambda: (make_vector(kind="task"), "labels"),
    "a label twice": lambda: (make_vector(kind="task", labels=["a", "a"]), "labels"),
    "no base": lambda: (make_vector(base=None), "lacks 'base'"),
    "a base without fingerprint": lambda: (make_vector(base={"name": "x"}), "does not name its base"),
    "k as text": lambda: (make_vector(k="100"), "'k' has a wrong type"),
    "k as truth": lambda: (make_vector(k=True), "'k' has a wrong type"),
    "a rank as text": lambda: (make_vector(rank={"strategy": "none", "ranks": {QUERY: "3"}}), "'rank'"),
    "labels as text": lambda: (make_vector(labels="ab"), "'labels'"),
    "scores as a list": lambda: (make_vector(scores=[1]), "'scores'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_vector_that_contradicts_itself_is_refused_and_never_written(what, tmp_path):
    vector, reason = WRONG[what]()
    with pytest.raises(VectorError, match=reason):
        vector.validate()
    with pytest.raises(VectorError, match=reason):
        vector.save(tmp_path / "V")
    assert not (tmp_path / "V").exists()


@pytest.mark.parametrize("score", [float("nan"), {1, 2}, "\ud800"])
def test_a_description_that_json_cannot_hold_is_refused(score, tmp_path):
    with pytest.raises(VectorError, match="JSON"):
        make_vector(scores={"loss": {"before": score}}).save(tmp_path)
    assert not any(tmp_path.iterdir())
