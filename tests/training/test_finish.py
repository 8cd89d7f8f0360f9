"""A vector's folder overwrites nothing, and a training that was killed anywhere can be gone on with."""

import errno

import pytest
import tiny

from deftx.core.errors import RecipeError, TrainingError, TrainingStopped
from deftx.training.finish import RUN, work_folder
from deftx.training.language import learn_language
from deftx.vectors import vector_files
from deftx.vectors.vector import SparseVector


def test_a_fresh_or_empty_folder_is_taken(tmp_path):
    assert work_folder(tmp_path / "new") == (tmp_path / "new", tmp_path / "new" / RUN)
    assert work_folder(tmp_path)[0] == tmp_path


@pytest.mark.parametrize(
    ("name", "words"),
    [("vector.json", "already contains a vector"), ("thesis.tex", "not empty"), ("vector.safetensors", "not empty")],
)
def test_what_is_there_is_not_overwritten(tmp_path, name, words):
    (tmp_path / name).write_text("mine")
    with pytest.raises(RecipeError, match=words):
        work_folder(tmp_path)
    with pytest.raises(RecipeError, match="is a file"):
        work_folder(tmp_path / name)


def test_delta_cannot_be_kept_where_the_vector_goes(tmp_path):
    for delta in (tmp_path / "v", tmp_path / "v" / "delta", f"{tmp_path}/x/../v/delta"):
        with pytest.raises(RecipeError, match="folder outside of it"):
            work_folder(tmp_path / "v", delta)
    assert work_folder(tmp_path / "v", tmp_path / "delta")


def test_a_kill_while_the_vector_is_written_costs_nothing(base, corpus_file, language_vector, tmp_path):
    out = tmp_path / "v"
    begun = (out / RUN / "settings.json").is_file
    with pytest.raises(TrainingStopped):
        learn_language(corpus_file, base, tiny.language_recipe(max_steps=12), out=out, should_stop=begun)
    for name in ("vector.safetensors", "README.md"):  # in the order in which they are put in place
        (out / name).write_text("half of it")
    (out / ".writing-abc").mkdir()
    vector = learn_language(corpus_file, base, tiny.language_recipe(max_steps=12), out=out, language="min")
    assert vector.digest() == SparseVector.load(language_vector).digest()
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "vector.json", "vector.safetensors"]


def test_a_full_disk_at_the_very_end_keeps_the_training(base, corpus_file, tmp_path, monkeypatch):
    out, write = tmp_path / "v", vector_files._serialise

    def full(tensors):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(vector_files, "_serialise", full)
    with pytest.raises(TrainingError, match=r"No space left.*Free some space and run the same command again"):
        learn_language(corpus_file, base, tiny.language_recipe(), out=out)
    monkeypatch.setattr(vector_files, "_serialise", write)
    said = []
    learn_language(corpus_file, base, tiny.language_recipe(), out=out, on_event=said.append)
    assert not [event for event in said if event.phase in ("dense", "sparse") and event.loss is not None]
