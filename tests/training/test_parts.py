"""The parts of a training run: they are reported in their order, and only where that is asked for."""

from contextlib import contextmanager

import pytest
import tiny

from deftx.core.errors import TrainingStopped
from deftx.training.language import learn_language
from deftx.training.parts import DENOISING, ENDING, EVALUATION, SAVING, on_each_part, part


def test_a_part_is_reported_only_within_the_block():
    seen = []

    @contextmanager
    def on_part(name, seconds):
        seen.append((name, seconds))
        yield

    with on_each_part(on_part), part(SAVING, 3.0):
        pass
    with part(SAVING):
        seen.append("not reported")
    assert seen == [(SAVING, 3.0), "not reported"]


def test_a_training_run_enters_its_parts_in_order_and_each_can_be_refused(base, corpus_file, tmp_path):
    seen = []

    @contextmanager
    def on_part(name, seconds):
        if name == ENDING and ENDING not in seen:
            seen.append(name)
            raise TrainingStopped("no time")
        seen.append(name)
        yield

    recipe = tiny.language_recipe()
    with on_each_part(on_part):
        with pytest.raises(TrainingStopped, match="no time"):
            learn_language(corpus_file, base, recipe, out=tmp_path / "out")
        assert not (tmp_path / "out" / "vector.json").exists()
        refused = len(seen)
        learn_language(corpus_file, base, recipe, out=tmp_path / "out")
    assert (tmp_path / "out" / "vector.json").exists()
    assert [name for name in seen[:refused] if name != SAVING] == [EVALUATION] * 3 + [DENOISING] + [EVALUATION] * 2 + [
        ENDING
    ]
    assert [name for name in seen[refused:] if name != SAVING] == [EVALUATION, ENDING]
