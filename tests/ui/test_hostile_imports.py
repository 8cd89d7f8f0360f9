"""Without these, a vector of a stranger could run code, write outside its folder or fill the disk through the Library's import."""

import io
import os
import pickle
import struct
import zipfile

import pytest

from deftx.publish.own_vectors import OwnVectors
from ui.library import library_forms


class Runs:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def hostile_files(mark):
    header = b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    tensors = struct.pack("<Q", len(header)) + header
    attack = pickle.dumps({"a": Runs(mark)})
    return {
        "outside.zip": zipped(**{"../vector.json": "{}", "vector.safetensors": tensors}),
        "absolute.zip": zipped(**{"/tmp/vector.json": "{}", "vector.safetensors": tensors}),
        "bomb.zip": zipped(**{"vector.json": b"0" * 20_000_000, "vector.safetensors": b"\0" * 20_000_000}),
        "nested.zip": zipped(**{"vector.json": b"[" * 100_000, "vector.safetensors": tensors}),
        "huge.zip": zipped(**{"vector.json": "{}", "vector.safetensors": tensors}),
        "length.zip": zipped(**{"vector.json": "{}", "vector.safetensors": b"\xff" * 64}),
        "attack.zip": zipped(**{"pytorch_diff.bin": attack}),
        "pytorch_diff.bin": attack,
        "cut.zip": zipped(**{"vector.json": "{}"})[:40],
        "<img src=x onerror=alert(1)>.zip": b"PK\5\6" + b"\0" * 18,
    }


@pytest.mark.parametrize("name", hostile_files(None))
def test_a_hostile_vector_is_a_message_and_leaves_nothing(studio, tmp_path, name):
    mark = tmp_path / "it-ran"
    file = tmp_path / name
    file.write_bytes(hostile_files(mark)[name])
    key, said = library_forms.import_file(str(file), "", "", "")
    assert key == ""
    assert 'class="notice bad"' in said
    assert "<img" not in said
    assert not mark.exists()
    own = OwnVectors(studio.store.root)
    assert own.list() == ()
    assert [path for path in own.folder.rglob("*") if path.is_file()] == []
