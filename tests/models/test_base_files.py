"""A base of unknown origin: what would never end, or fill the memory, is refused before a library opens it."""

import json
import os
import shutil

import pytest

from deftx.core.errors import BaseModelError, CorpusError
from deftx.models.base_files import check_weights, refusing_base
from deftx.models.bases import load_base
from deftx.training.base_facts import read_base_facts


@pytest.fixture
def folder(base_folder, tmp_path):
    return shutil.copytree(base_folder, tmp_path / "base")


def refusal(folder):
    messages = []
    for load in (load_base, read_base_facts):
        with pytest.raises(BaseModelError) as caught:
            load(str(folder))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    return messages[0]


def reconfigure(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_pipe_or_a_device_in_place_of_a_file_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"its {name} is not a regular file" in refusal(folder)
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    assert f"its {name} is not a regular file" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"), [("num_hidden_layers", 10**6), ("vocab_size", 2**40), ("intermediate_size", 2**31)]
)
def test_sizes_that_no_encoder_has_are_refused_before_it_is_built(folder, key, value):
    assert f"its {key} of {value:,} is too large" in refusal(reconfigure(folder, **{key: value}))


def test_a_model_of_more_weights_than_its_files_have_bytes_is_refused_before_memory_is_taken(folder):
    """A line of JSON would ask for 120 GB."""
    with pytest.raises(BaseModelError, match=r"its configuration has .* weights, but its files have"):
        load_base(reconfigure(folder, intermediate_size=10**9))
    check_weights(str(folder), 1_000)
    check_weights("owner/name", 10**12)  # nothing of it is here


@pytest.mark.parametrize("name", ["vocab.txt", "spm.model", "extra.json"])
def test_a_vocabulary_that_could_fill_the_memory_is_refused(folder, name):
    with (folder / name).open("wb") as file:
        file.truncate(2**27 + 1)
    assert f"its {name} is too large" in refusal(folder)


def test_a_tokenizer_that_the_library_fails_on_is_refused_in_words_of_this_program(folder):
    settings = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**settings, "pre_tokenizer": {"type": "Nothing"}}))
    assert "cannot be loaded" in refusal(folder)
    assert "A base is a bundled name, a folder with" in refusal(folder)


def test_what_a_person_can_put_right_passes_and_python_types_are_named_plainly():
    with pytest.raises(CorpusError, match="as it is"), refusing_base("x"):
        raise CorpusError("as it is")
    with pytest.raises(BaseModelError, match="got: int A base is"), refusing_base("x"):
        raise TypeError("got: <class 'int'>")
