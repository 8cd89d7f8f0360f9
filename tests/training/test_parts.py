"""The parts of a training run that somebody may watch: they are entered where they say, and cost nothing otherwise."""

from contextlib import contextmanager

import pytest
import tiny

from deftx.core.errors import TrainingStopped
from deftx.training.language import learn_language
from deftx.training.parts import DENOISING, ENDING, EVALUATION, SAVING, part, watched_by


def test_without_a_watch_a_part_does_nothing():
    with part(SAVING):
        pass


def test_a_watch_is_called_only_within_its_block():
    seen = []

    @contextmanager
    def watch(name, seconds):
        seen.append((name, seconds))
        yield

    with watched_by(watch), part(SAVING, 3.0):
        pass
    with part(SAVING):
        pass
    assert seen == [(SAVING, 3.0)]


def test_a_training_run_enters_its_parts_in_order_and_a_watch_can_refuse_one(base, corpus_file, tmp_path):
    seen = []

    @contextmanager
    def watch(name, seconds):
        if name == ENDING and ENDING not in seen:
            seen.append(name)
            raise TrainingStopped("no time")
        seen.append(name)
        yield

    recipe = tiny.language_recipe()
    with watched_by(watch):
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
