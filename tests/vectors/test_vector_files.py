"""A damaged, changed or hostile folder is refused with the reason; what loads is what was written."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_vectors import SHAPES, make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.core.gaps import decode_gaps, encode_gaps
from deftx.vectors import vector_files
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS, VALUE_TYPES, info_sha256, resolve_vector

QUERY = "roberta.encoder.layer.0.attention.self.query.weight"
SMALL = {QUERY: (8, 6), "roberta.embeddings.word_embeddings.weight": (40, 9)}


@pytest.fixture
def folder(tmp_path):
    return make_vector(shapes=SMALL).save(tmp_path / "V")


def reseal(folder, **changes):
    """Write changes into vector.json with right checksums, as somebody who knows the format could."""
    info = {**json.loads((folder / INFO).read_text(encoding="utf-8")), **changes}
    info["tensors_sha256"] = hashlib.sha256((folder / TENSORS).read_bytes()).hexdigest()
    info["info_sha256"] = info_sha256(info)
    (folder / INFO).write_text(json.dumps(info), encoding="utf-8")


def change_tensors(folder, changes, metadata=None):
    tensors = {name: t for name, t in {**load_file(folder / TENSORS), **changes}.items() if t is not None}
    save_file(tensors, folder / TENSORS, metadata=metadata or {"format": "deftx-sparse-vector", "version": "1"})
    reseal(folder)


def plain_gaps(positions):
    """The definition, entry by entry."""
    code, previous = [], -1
    for position in positions:
        gap = position - previous - 1
        code += [255] * (gap // 255) + [gap % 255]
        previous = position
    return code


@pytest.mark.parametrize(
    "positions",
    [[], [0], [254], [255], [256], [0, 1, 5], [0, 255], [0, 256], [509, 510, 1020], [3, 100_000], list(range(300))],
)
def test_gap_code_is_the_definition_and_comes_back(positions):
    code = encode_gaps(torch.tensor(positions, dtype=torch.int64))
    assert code.dtype == torch.uint8
    assert code.tolist() == plain_gaps(positions)
    assert decode_gaps(code).tolist() == positions


def test_gap_code_of_many_positions_at_any_density():
    random = np.random.default_rng(0)
    for share in (0.0005, 0.003, 0.03, 0.5, 1.0):
        positions = np.flatnonzero(random.random(50_000) < share)
        code = encode_gaps(torch.from_numpy(positions))
        assert code.tolist() == plain_gaps(positions.tolist())
        assert np.array_equal(decode_gaps(code).numpy(), positions)


def test_gap_code_that_stops_within_a_gap_is_refused():
    with pytest.raises(VectorError, match="last position is incomplete"):
        decode_gaps(torch.tensor([3, 255], dtype=torch.uint8))


@pytest.mark.parametrize("values", VALUE_TYPES)
def test_the_reader_in_the_documentation_reads_what_is_written(folder, tmp_path, values):
    folder = SparseVector.load(folder).save(tmp_path / values, values=values)
    text = (Path(__file__).parents[2] / "docs" / "vector-format.md").read_text(encoding="utf-8")
    namespace = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], namespace)
    info, groups = namespace["read_vector"](folder)
    vector = SparseVector.load(folder)
    assert info == vector.info
    for group, named in groups.items():
        expected = getattr(vector, group)
        assert named.keys() == expected.keys()
        assert all(np.array_equal(named[name], expected[name].numpy()) for name in named)


@pytest.mark.parametrize("file", [TENSORS, INFO])
def test_a_file_cut_short_anywhere_is_refused(folder, file):
    whole = (folder / file).read_bytes()
    end = len(whole.rstrip())  # the last byte of vector.json is a line break
    for length in [*range(0, end, 7), end - 1]:
        (folder / file).write_bytes(whole[:length])
        with pytest.raises(VectorError, match=file):
            SparseVector.load(folder)


@pytest.mark.parametrize("file", [TENSORS, INFO])
def test_one_flipped_bit_is_refused_or_changes_nothing(folder, file):
    original = SparseVector.load(folder)
    whole = (folder / file).read_bytes()
    refused = 0
    for place in range(0, len(whole), 1 if file == INFO else 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        (folder / file).write_bytes(damaged)
        try:
            loaded = SparseVector.load(folder)
        except VectorError:
            refused += 1
        else:  # such as "\\u00e9" and "\\u00E9", which are the same text
            assert file == INFO
            assert loaded.info == original.info
            assert same_vector(loaded, original)
    assert refused > 0.99 * len(whole) / (1 if file == INFO else 3)


@pytest.mark.parametrize("file", [TENSORS, INFO])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(VectorError, match=f"has no {file}"):
        SparseVector.load(folder)


@pytest.mark.parametrize(
    "text", ["[1]", "3", "nul", "", '{"k": 1, "k": 2}', "[" * 100_000, '{"a": NaN}', "9" * 5_000, "\x00", '"\\']
)
def test_a_description_that_is_no_json_object_is_refused(folder, text):
    (folder / INFO).write_text(text)
    with pytest.raises(VectorError, match=INFO):
        SparseVector.load(folder)


def test_a_description_that_is_no_text_is_refused(folder):
    (folder / INFO).write_bytes(b"\xff\xfe{}")
    with pytest.raises(VectorError, match=INFO):
        SparseVector.load(folder)


def test_a_newer_version_says_update(folder):
    reseal(folder, format_version=2)
    with pytest.raises(VectorError, match=r"version 2 is not 1.*update"):
        SparseVector.load(folder)


@pytest.mark.parametrize("version", [0, None, "1", True, [1]])
def test_any_other_version_is_refused(folder, version):
    reseal(folder, format_version=version)
    with pytest.raises(VectorError, match="version"):
        SparseVector.load(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "dialect"}, "dialect"),
        ({"kind": None}, "kind"),
        ({"shapes": {QUERY: [8, 5], "roberta.embeddings.word_embeddings.weight": [40, 9]}}, "outside its 40 entries"),
        ({"shapes": {QUERY: [8, 6]}}, "no shape"),
        ({"shapes": {QUERY: [-8, -6]}}, "below 1"),
        ({"shapes": {QUERY: 48}}, "'shapes'"),
        ({"shapes": [1]}, "'shapes'"),
        ({"base": "tiny-base"}, "'base'"),
        ({"base": {"name": 3, "fingerprint": "x"}}, "'base'"),
        ({"singular_values": {QUERY: ["1"]}}, "'singular_values'"),
        ({"labels": [1, 2]}, "'labels'"),
    ],
)
def test_a_wrong_description_is_refused_though_its_checksums_fit(folder, changes, reason):
    reseal(folder, **changes)
    with pytest.raises(VectorError, match=reason):
        SparseVector.load(folder)


def test_an_edited_description_is_refused(folder):
    text = (folder / INFO).read_text()
    (folder / INFO).write_text(text.replace('"min"', '"jav"'))
    with pytest.raises(VectorError, match="changed after it was written"):
        SparseVector.load(folder)


def test_infinite_numbers_in_a_description_are_refused(folder):
    text = (folder / INFO).read_text()
    (folder / INFO).write_text(text.replace('"scores": null', '"scores": {"loss": 1e999}'))
    with pytest.raises(VectorError, match="changed after it was written"):
        SparseVector.load(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({f"values.{QUERY}": torch.full((16,), float("nan"))}, "not finite"),
        ({f"values.{QUERY}": torch.ones(15)}, "16 positions, but 15 values"),
        ({f"values.{QUERY}": torch.ones(4, 4)}, "2 dimensions"),
        ({f"values.{QUERY}": torch.ones(16, dtype=torch.float64)}, "no tensor of this name and type"),
        ({f"values.{QUERY}": None}, "only positions or only values"),
        ({f"positions.{QUERY}": None}, "only positions or only values"),
        ({f"positions.{QUERY}": torch.full((16,), 7, dtype=torch.uint8)}, "127 is outside its 48 entries"),
        ({f"positions.{QUERY}": torch.full((16,), 255, dtype=torch.uint8)}, "last position is incomplete"),
        ({f"positions.{QUERY}": torch.arange(16)}, "no tensor of this name and type"),
        ({"head.lm_head.bias": torch.tensor([float("inf")])}, "not finite"),
        ({"head.lm_head.bias": torch.arange(3)}, "no tensor of this name and type"),
        ({"head.../../escape": torch.ones(2)}, "cannot be the name"),
        ({"head.a/b": torch.ones(2)}, "cannot be the name"),
        ({"head.a\\b": torch.ones(2)}, "cannot be the name"),
        ({"head.a\nb": torch.ones(2)}, "cannot be the name"),
        ({"head.": torch.ones(2)}, "cannot be the name"),
        ({"other.weight": torch.ones(2)}, "no tensor of this name and type"),
        ({"weight": torch.ones(2)}, "cannot be the name"),
    ],
)
def test_wrong_tensors_are_refused_though_the_checksums_fit(folder, changes, reason):
    change_tensors(folder, changes)
    with pytest.raises(VectorError, match=reason):
        SparseVector.load(folder)


@pytest.mark.parametrize("metadata", [{"format": "pt"}, {"format": "deftx-sparse-vector", "version": "2"}])
def test_tensors_of_another_format_are_refused(folder, metadata):
    change_tensors(folder, {}, metadata)
    with pytest.raises(VectorError, match="is not marked as"):
        SparseVector.load(folder)


@pytest.mark.parametrize(
    "header",
    [
        {"head.x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
        {"head.x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 16]}},
        {"head.x": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}},
        {"head.x": {"dtype": "F99", "shape": [4], "data_offsets": [0, 16]}},
        {"head.x": 3},
        [],
    ],
)
def test_a_header_that_lies_is_refused_before_memory_is_asked_for(folder, header):
    text = json.dumps(header).encode()
    (folder / TENSORS).write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    reseal(folder)
    with pytest.raises(VectorError, match=TENSORS):
        SparseVector.load(folder)


@pytest.mark.parametrize("length", [0, 2**40, 2**64 - 1])
def test_a_header_length_that_lies_is_refused(folder, length):
    (folder / TENSORS).write_bytes(length.to_bytes(8, "little") + bytes(64))
    reseal(folder)
    with pytest.raises(VectorError, match=TENSORS):
        SparseVector.load(folder)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_float32(folder, kind):
    values = torch.arange(16).to(kind)
    change_tensors(folder, {f"values.{QUERY}": values})
    assert torch.equal(SparseVector.load(folder).values[QUERY], torch.arange(16).float())


def test_what_was_loaded_does_not_depend_on_the_file(folder):
    vector = SparseVector.load(folder)
    before = {name: values.clone() for name, values in vector.values.items()}
    (folder / TENSORS).write_bytes(b"")
    assert all(torch.equal(vector.values[name], values) for name, values in before.items())


@pytest.mark.parametrize("fails_at", [TENSORS, CARD, INFO])
def test_a_write_that_is_interrupted_leaves_the_old_vector_or_a_recognisable_rest(folder, monkeypatch, fails_at):
    old, replace = SparseVector.load(folder), os.replace

    def fail(source, target):
        if Path(target).name == fails_at:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(VectorError, match="No space left"):
        make_vector(1).save(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted((TENSORS, INFO, CARD))
    if fails_at == TENSORS:
        assert same_vector(SparseVector.load(folder), old)
    else:
        with pytest.raises(VectorError, match="damaged or truncated"):
            SparseVector.load(folder)


def test_writing_over_a_vector_replaces_it(folder):
    new = make_vector(1)
    assert same_vector(SparseVector.load(new.save(folder)), new)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VectorError, match="cannot be written"):
        make_vector().save(tmp_path / "file")
    with pytest.raises(VectorError, match="is a file"):
        SparseVector.load(tmp_path / "file")


def test_a_bundled_name_is_found_and_a_near_one_is_offered(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(vector_files, "BUNDLED_VECTORS", tmp_path / "assets")
    shutil.copytree(folder, tmp_path / "assets" / "sentiment")
    assert resolve_vector("sentiment") == tmp_path / "assets" / "sentiment"
    assert SparseVector.load("sentiment").shapes == SMALL
    with pytest.raises(VectorError, match="Did you mean 'sentiment'"):
        resolve_vector("sentimnet")


@pytest.mark.parametrize(
    "name", ["", "nothing", "../nothing", "a/b/c", "x\0y", "~nobody-of-this-name/x/y", "n" * 5_000]
)
def test_a_name_that_is_nothing_is_refused_without_the_network(name, tmp_path, monkeypatch):
    monkeypatch.setattr(vector_files, "BUNDLED_VECTORS", tmp_path)
    monkeypatch.setattr(vector_files, "pull", None)  # calling it would be a TypeError
    with pytest.raises(VectorError, match="neither a folder"):
        resolve_vector(name)


def test_names_of_real_parameters_are_taken():
    for name in (*SHAPES, "head.dense.weight", "classifier-2.out_proj.bias", "bias"):
        assert vector_files.check_parameter_name(name) is None  # it raises for any other


@pytest.mark.parametrize(
    "changes",
    [
        {"k": 10**400},
        {"singular_values": {QUERY: [10**400]}},
        {"scores": {"f1": {"before": 0, "after": -(10**400)}}},
        {"mask": {"a": 2**63, "b": -(2**63) + 1}},
        {"seed": 10**19},
    ],
)
def test_whole_numbers_beyond_any_count_are_refused_where_they_stand(folder, changes):
    """Read as what they are, they fail later: in a card, on the page, wherever they become a decimal number."""
    reseal(folder, **changes)
    with pytest.raises(VectorError, match="integer out of range"):
        SparseVector.load(folder)


def test_lists_of_numbers_take_one_line_each(tmp_path):
    values = {"a.weight": [3.0, -1.5e-05, 2]}
    folder = make_vector(singular_values=values, note="[\n 1,\n 2\n]", nested=[[1, 2.5], [2, 3.5]]).save(tmp_path / "v")
    text = (folder / "vector.json").read_text(encoding="utf-8")
    assert '"a.weight": [3.0, -1.5e-05, 2.0]' in text
    assert "[1, 2.5]" in text
    loaded = SparseVector.load(folder)
    assert loaded.info["note"] == "[\n 1,\n 2\n]"
    assert loaded.info["nested"] == [[1, 2.5], [2, 3.5]]
