"""Vectors of unknown origin: what is good is kept as it is, what is not leaves no trace."""

import io
import pickle
import zipfile

import pytest
import torch
from tiny_vectors import TinyBase, make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.publish.importing import Wishes, bring_file
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors.lt_sft import FILE, write_lt_sft
from deftx.vectors.vector import SparseVector


@pytest.fixture
def own(tmp_path):
    return OwnVectors(tmp_path / "home")


def zipped(path, folder, drop=(), **changed):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            if file.name not in drop:
                archive.writestr(
                    f"v/{file.name}", changed.get(file.stem + file.suffix.replace(".", "_"), file.read_bytes())
                )
    return path


def bring(own, path, base=TinyBase, **wishes):
    return bring_file(own, path, path.name, base, Wishes(**wishes))


def nothing_left(own):
    return list(own.folder.glob("*")) == []


def test_a_vector_is_kept_byte_for_byte(own, tmp_path):
    folder = make_vector().save(tmp_path / "v")
    kept = bring(own, zipped(tmp_path / "Minang.zip", folder))
    assert (kept.title, kept.origin) == ("Minang", "Minang.zip")
    for name in ("vector.json", "vector.safetensors", "README.md"):
        assert (kept.folder / name).read_bytes() == (folder / name).read_bytes()
    assert bring(own, tmp_path / "Minang.zip").name == "Minang-2"
    assert bring(own, tmp_path / "Minang.zip", title="Other").title == "Other"


def test_a_card_is_written_where_there_is_none(own, tmp_path):
    kept = bring(own, zipped(tmp_path / "a.zip", make_vector().save(tmp_path / "v"), drop=("README.md",)))
    assert "language vector" in (kept.folder / "README.md").read_text()


def test_a_vector_of_another_base_is_kept_for_that_one(own, tmp_path):
    archive = zipped(tmp_path / "a.zip", make_vector().save(tmp_path / "v"))
    kept = bring(own, archive, base=lambda: TinyBase(fingerprint="cd" * 32))
    assert own.get(kept.name).folder.is_dir()


@pytest.mark.parametrize(
    ("drop", "changed", "reason"),
    [
        (("vector.safetensors",), {}, "no vector.safetensors"),
        (("vector.json",), {}, "no vector.json"),
        ((), {"vector_safetensors": b"x" * 100}, "damaged"),
        ((), {"vector_json": b"{"}, "damaged"),
        ((), {"vector_json": b'{"format_version": 9}'}, "newer version"),
    ],
)
def test_a_damaged_vector_is_refused_without_a_path_and_leaves_nothing(own, tmp_path, drop, changed, reason):
    archive = zipped(tmp_path / "a.zip", make_vector().save(tmp_path / "v"), drop, **changed)
    with pytest.raises(VectorError, match=reason) as caught:
        bring(own, archive)
    assert str(tmp_path) not in str(caught.value)
    assert nothing_left(own)


def test_a_vector_that_only_says_it_fits_is_refused(own, tmp_path):
    archive = zipped(tmp_path / "a.zip", make_vector().save(tmp_path / "v"))
    with pytest.raises(VectorError, match="does not train"):
        bring(own, archive, base=lambda: TinyBase(shapes={"roberta.other.weight": (2, 2)}))
    assert nothing_left(own)


@pytest.mark.parametrize(
    ("shape", "info", "reason"),
    [
        ((10**9, 10**9), {}, "more weights than are supported"),
        ((4, 12), {"k": 10**15}, "more weights than its base has"),
        ((4, 12), {"language": "x" * 201}, "too long"),
        ((4, 12), {"labels": [str(n) for n in range(1_001)]}, "too many"),
    ],
)
def test_what_no_vector_is_is_refused_though_the_format_allows_it(own, tmp_path, shape, info, reason):
    name = "roberta.encoder.layer.1.output.dense.weight"
    vector = make_vector(**info)
    odd = SparseVector(vector.positions, vector.values, vector.head, {**vector.shapes, name: shape}, vector.info)
    with pytest.raises(VectorError, match=reason):
        bring(own, zipped(tmp_path / "a.zip", odd.save(tmp_path / "v")))
    assert nothing_left(own)


def test_lt_sft_is_read_with_its_language_whether_packed_or_not(own, tmp_path):
    vector = make_vector()
    file = write_lt_sft(vector, TinyBase(), tmp_path / "lt")
    for path in (file, zipped(tmp_path / "lt.zip", file.parent)):
        kept = bring(own, path, language="min", title="Old")
        found = SparseVector.load(kept.folder)
        assert (found.language, found.info["method"]) == ("min", "lt-sft")
        assert same_vector(found, vector)
        assert not (kept.folder / FILE).exists()  # no pickle stays


class Harm:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize("packed", [False, True])
def test_a_pickle_that_would_run_something_is_refused_and_does_not_run(own, tmp_path, capsys, packed):
    folder = tmp_path / "lt"
    folder.mkdir()
    torch.save({"diffs": {}, "abs": {"x": Harm()}}, folder / FILE)
    path = zipped(tmp_path / "lt.zip", folder) if packed else folder / FILE
    with pytest.raises(VectorError, match="none of its code was run"):
        bring(own, path)
    assert capsys.readouterr().out == ""
    assert nothing_left(own)


def test_a_pickle_beside_a_vector_is_refused(own, tmp_path):
    folder = make_vector().save(tmp_path / "v")
    (folder / FILE).write_bytes(pickle.dumps({}))
    with pytest.raises(VectorError, match="both a vector and"):
        bring(own, zipped(tmp_path / "a.zip", folder))


def test_other_files_are_named_for_what_they_are_not(own, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(VectorError, match="neither a"):
        bring(own, tmp_path / "a.txt")


def test_a_zip_in_memory_is_what_a_person_packs(tmp_path, own):
    """The archive that the Library gives out is one that it takes in."""
    from deftx.vectors.archives import pack

    folder = make_vector().save(tmp_path / "v")
    packed = pack(((f"v/{path.name}", path) for path in folder.iterdir()), tmp_path / "v.zip")
    assert zipfile.ZipFile(io.BytesIO(packed.read_bytes())).testzip() is None
    assert same_vector(SparseVector.load(bring(own, packed).folder), make_vector())
