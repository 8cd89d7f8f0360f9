"""How far a training run has come is read from its files: the same while it grows, and nothing if they are damaged."""

import pytest
import tiny

from deftx.core.errors import TrainingStopped
from deftx.training.language import learn_language
from deftx.training.position import Position, position_of


def test_it_grows_from_stop_to_stop_through_all_stages(base, corpus_file, tmp_path):
    found, recipe = [], tiny.language_recipe()
    for stop in range(3, 200, 3):  # later each time, as a resumed run first repeats the evaluation of the base
        asked = iter(range(10_000))
        try:
            learn_language(
                corpus_file, base, recipe, out=tmp_path / "out", should_stop=lambda a=asked, s=stop: next(a) >= s
            )
            break
        except TrainingStopped:
            found.append(position_of(tmp_path / "out" / "run"))
    assert found == sorted(found)
    assert {one.phase for one in found} == {"dense", "denoise", "sparse"}
    assert max(one.step for one in found if one.phase == "dense") > 0


def test_without_files_it_is_the_beginning(tmp_path):
    assert position_of(tmp_path) == Position()
    assert position_of(tmp_path).phase == "dense"


def test_delta_may_be_kept_elsewhere(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "delta.safetensors").touch()
    assert position_of(tmp_path / "run").phase == "dense"
    assert position_of(tmp_path / "run", tmp_path / "kept").phase == "denoise"


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff" * 8 + b"{}"])
def test_a_damaged_checkpoint_counts_as_none(tmp_path, content):
    (tmp_path / "dense").mkdir()
    (tmp_path / "dense" / "checkpoint.safetensors").write_bytes(content)
    assert position_of(tmp_path) == Position()
