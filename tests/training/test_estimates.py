"""What a training would take is reckoned from sizes that are known, and agrees with what a training then does."""

import pytest
import tiny
import torch

from deftx.core.errors import BaseModelError, RecipeError, TableError
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.models.bases import ASSETS, load_base
from deftx.training.base_facts import read_base_facts
from deftx.training.data_size import Amount, TableSize, TextSize
from deftx.training.estimates import denoising_seconds, estimate
from deftx.training.language import learn_language
from deftx.training.model_size import Model
from deftx.training.recipes import LANGUAGE_SHARE, recipe_for
from deftx.training.run_folder import bytes_needed
from deftx.training.speed import Pace, Speed, speed_from, trial_speed

XLM_R = Model(encoder=277_453_056, words=192_001_536, trainable=277_414_656, width=768, layers=12)
STEADY = Speed((1e9, 1e9), (0.0, 0.0), (5.0, 10.0), 1)


def test_the_operations_of_a_step_follow_from_the_sizes_of_the_base():
    recipe = recipe_for("language", "paper")
    expected = 6 * 8 * 256 * (85_451_520 + 0.15 * 192_001_536)
    assert XLM_R.step_operations(recipe, 256) == pytest.approx(expected)


def test_a_base_with_narrow_word_embeddings_is_trimmed_by_its_rows():
    from transformers import AlbertConfig, AlbertModel

    with torch.device("meta"):
        albert = Model.of(AlbertModel(AlbertConfig(vocab_size=30_000, embedding_size=128, hidden_size=4096)))
    trimmed = albert.with_rows(12_000)
    assert (albert.rows, trimmed.rows) == (30_000, 12_000)
    assert albert.encoder - trimmed.encoder == 18_000 * 128


def test_denoising_is_estimated_cautiously_from_the_shapes_of_the_matrices():
    with torch.device("meta"):
        layer = [torch.empty(shape) for shape in [(768, 768)] * 4 + [(3072, 768), (768, 3072)]]
        delta = [torch.empty(250_002, 768), torch.empty(768), *layer * 12]
    assert 8.9 < denoising_seconds(delta) < 10 * 8.9  # measured on two cores (docs/benchmarks.md)
    assert denoising_seconds([torch.empty(768)]) == 0
    assert denoising_seconds([torch.empty(4, 90)]) == denoising_seconds([torch.empty(90, 4)])


def test_memory_is_near_what_was_measured():
    measured = 0.72 * 15.48e9  # docs/benchmarks.md, dense phase
    assert XLM_R.memory(recipe_for("language", "paper")) == pytest.approx(measured, rel=0.15)


def test_the_heads_are_those_of_xlm_r_and_disk_is_what_a_run_asks_for():
    assert XLM_R.head("language") == 842_130
    recipe = recipe_for("language", "paper")
    from test_run_folder import XLM_R_BASE

    found = estimate("language", recipe, XLM_R, Amount(1_000, 256, 10_000), STEADY)
    assert found.disk == bytes_needed(*XLM_R_BASE, recipe)
    assert found.entries == 7_667_712
    assert found.vector == pytest.approx(38.4e6 + 4 * 842_130, rel=0.01)  # docs/benchmarks.md: 38.4 MB without the head


def test_a_base_is_measured_without_its_weights(base, base_folder):
    facts = read_base_facts(str(base_folder))
    assert facts.model == Model.of(base.model)
    assert (facts.longest, facts.here) == (tiny.LONGEST, True)
    assert sum(p.numel() for p in base.classifier(["a", "b", "c"], 0).classifier.parameters()) == facts.model.head(
        "task", 3
    )


@pytest.mark.parametrize("name", ["no-such-base", "/nowhere/at/all"])
def test_a_base_that_is_not_there_is_refused(name):
    with pytest.raises(BaseModelError):
        read_base_facts(name)


def test_steps_and_entries_are_those_of_the_training(base, corpus_file, tmp_path):
    recipe = tiny.language_recipe(epochs=2, max_steps=None)
    size = TextSize.of(read_corpus(corpus_file).lines, base.tokenizer)
    found = estimate("language", recipe, Model.of(base.model), size.amount(recipe, tiny.LONGEST), STEADY)
    events = []
    vector = learn_language(corpus_file, base, recipe, out=tmp_path / "v", on_event=events.append)
    done = {phase: max(e.total for e in events if e.phase == phase) for phase in ("dense", "sparse")}
    assert (done["dense"], done["sparse"]) == pytest.approx((found.dense_steps, found.sparse_steps), abs=1)
    assert found.entries == vector.info["k"]
    on_disk = sum(file.stat().st_size for file in (tmp_path / "v").iterdir())
    assert found.vector < on_disk < found.vector + 100_000  # names, card and history beside


def test_the_size_of_a_large_text_is_reckoned_from_a_sample(base):
    lines = tiny.sentences(50)
    once, often = TextSize.of(lines, base.tokenizer), TextSize.of(lines * 100, base.tokenizer)
    assert often.tokens == pytest.approx(100 * once.tokens, rel=0.05)
    assert (often.lines, often.distinct) == (5_000, once.distinct)


def test_a_table_is_counted(base, table_file):
    table = read_table(table_file)
    recipe = tiny.task_recipe(hold_out=0.25)
    size = TableSize.of(table, None, base.tokenizer)
    assert (size.rows, size.labels, size.pairs) == (96, 2, False)
    assert size.amount(recipe, 32) == Amount(72, 6, 24 * 6.0)  # four words and two special tokens
    assert TableSize.of(table, table, base.tokenizer).amount(recipe, 4) == Amount(96, 4, 96 * 4.0)


def test_files_for_a_vector_that_is_trained_further_have_its_labels(base, table_file):
    table = read_table(table_file)
    other = Table(["the road is blue"], ["Neutral"], False, "other", "0" * 64)
    with pytest.raises(TableError, match=r"labels that .* lacks"):
        TableSize.of(table, None, base.tokenizer, further=[(other, 1)])
    known = ["positive", "negative", "neutral"]
    assert TableSize.of(table, other, base.tokenizer, further=[(other, 1)], labels=known).labels == 3


def test_a_table_that_cannot_be_learned_from_is_refused(base):
    with pytest.raises(TableError, match="nothing to learn"):
        TableSize.of(Table(["a", "b"], ["x", "x"], False, "t", ""), None, base.tokenizer)


def test_a_k_beyond_the_base_is_refused():
    recipe = recipe_for("language", "quick", k=10**9)
    with pytest.raises(RecipeError, match="selects 1,000,000,000 of 277,414,656"):
        estimate("language", recipe, XLM_R, Amount(10, 10, 10), STEADY)


def test_time_grows_with_work_and_ablations_save_a_phase():
    amount = Amount(10_000, 96, 50_000)
    whole = estimate("language", recipe_for("language", "quick"), XLM_R, amount, STEADY)
    half = estimate("language", recipe_for("language", "quick", ablate="no-retrain"), XLM_R, amount, STEADY)
    assert half.sparse_steps == 0
    further = estimate("task", recipe_for("task", "quick", ablate="no-retrain"), XLM_R, amount, STEADY, continues=True)
    assert further.dense_steps == 0 < further.sparse_steps  # the entries of a pruned vector are trained
    assert whole.seconds[0] - 5 == pytest.approx(2 * (half.seconds[0] - 5), rel=0.1)
    assert whole.seconds == (whole.operations / 1e9 + 5, whole.operations / 1e9 + 10)


def test_a_speed_from_trainings_is_narrower_than_one_from_a_trial():
    trial = trial_speed("cpu")
    assert trial.trainings == 0
    assert trial.operations[0] > trial.operations[1] > 1e7
    speed = speed_from([Pace(1e9, 4.0), Pace(1.1e9, 6.0), *[Pace(9e15, 1.0)] * 9][:2])
    assert (speed.trainings, speed.operations[1]) == (2, 1.05e9 / 1.25)
    low, high = speed.seconds(1e12, 10)
    assert low < 1000 < high < 2 * low


@pytest.mark.slow
def test_the_bundled_base_is_known_from_its_configuration():
    facts = read_base_facts("nusantara-e5")
    assert facts.model == Model.of(load_base(ASSETS / "bases" / "nusantara-e5").model)
    assert recipe_for("language", "quick", k=LANGUAGE_SHARE).count(facts.model.trainable) > 200_000
    assert not torch.cuda.is_available() or facts.here
