"""A task vector is trained further on a few rows: only its entries and its head change, and a language vector stays out."""

from dataclasses import replace

import pytest
import tiny
import torch

from deftx.classify.composition import compose
from deftx.core.errors import TableError, TrainingStopped, VectorError
from deftx.data.table_rows import Table
from deftx.training.continuing import with_selection_of
from deftx.training.task import learn_task
from deftx.vectors.lt_sft import read_lt_sft, write_lt_sft
from deftx.vectors.vector import SparseVector


def table(rows, name="rows"):
    return Table([text for text, _ in rows], [label for _, label in rows], False, name, "0" * 64)


def pairs():
    rows = tiny.labelled_rows(("day", "night"))
    return Table([(text, text) for text, _ in rows], [label for _, label in rows], True, "rows", "0" * 64)


def further(base, start, where, rows=None, **arguments):
    settings = arguments.pop("settings", {})
    rows = rows or tiny.labelled_rows(("day", "night"))
    return learn_task(table(rows), base, tiny.task_recipe(**settings), out=where, start=start, **arguments)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_only_the_entries_of_the_vector_and_its_head_change(base, task_vector, tmp_path):
    before = SparseVector.load(task_vector)
    after = further(base, task_vector, tmp_path / "out")
    assert same(after.positions, before.positions)
    assert not same(after.values, before.values)
    assert not same(after.head, before.head)
    assert after.info["corpus"]["started_from"] == before.name
    assert f"trained further from the task vector: `{before.name}`" in (tmp_path / "out" / "README.md").read_text(
        "utf-8"
    )
    assert after.info["k"] == before.info["k"]
    assert after.info["rank"]["ranks"] == before.info["rank"]["ranks"]
    assert after.labels == before.labels


def test_it_starts_from_the_composed_classifier(base, task_vector, language_vector, tmp_path):
    """A step too small to change a float32 leaves the vector, with the language vector on and off again."""
    before = SparseVector.load(task_vector)
    rows = tiny.labelled_rows(("day", "night"))
    after = further(
        base, task_vector, tmp_path / "out", rows, source=language_vector, valid=table(rows, "valid"),
        settings={"learning_rate": 1e-9, "max_steps": 1},
    )  # fmt: skip
    for name, values in before.values.items():
        torch.testing.assert_close(after.values[name], values, rtol=0, atol=1e-6)
    predicted = compose(base, task=before, language=language_vector).predict([text for text, _ in rows])
    right = sum(a == label for a, (_, label) in zip(predicted, rows, strict=True)) / len(rows)
    assert after.info["scores"]["accuracy"]["before"] == pytest.approx(right)


def test_the_rows_are_learned(base, task_vector, tmp_path):
    """Rows that say the opposite of what the vector knows turn its answers round."""
    turned = {"good": "negative", "bad": "positive"}
    rows = [(f"the {noun} is {word}", label) for noun in tiny.NOUNS for word, label in turned.items()]
    after = further(
        base, task_vector, tmp_path / "out", rows, settings={"learning_rate": 1e-2, "epochs": 40, "max_steps": 150}
    )
    predicted = compose(base, task=after).predict([text for text, _ in rows])
    assert sum(a == label for a, (_, label) in zip(predicted, rows, strict=True)) > 0.9 * len(rows)


def test_a_stopped_run_goes_on_to_the_same_vector(base, task_vector, language_vector, tmp_path):
    whole = further(base, task_vector, tmp_path / "whole", source=language_vector)
    asked = iter([False, False, False, True])
    with pytest.raises(TrainingStopped):
        further(base, task_vector, tmp_path / "cut", source=language_vector, should_stop=lambda: next(asked, True))
    resumed = further(base, task_vector, tmp_path / "cut", source=language_vector)
    assert same(resumed.values, whole.values)
    assert same(resumed.head, whole.head)


def test_labels_may_be_missing_but_not_new(base, task_vector, tmp_path):
    rows = [*tiny.labelled_rows(("day",)), ("the road is blue", "blue")]
    with pytest.raises(TableError, match="blue"):
        further(base, task_vector, tmp_path / "out", rows)
    with pytest.raises(TableError, match="single texts, but rows has pairs"):
        learn_task(pairs(), base, tiny.task_recipe(), out=tmp_path / "out", start=task_vector)
    spelt = [(text, label.upper()) for text, label in tiny.labelled_rows(("day", "night"))]
    assert further(base, task_vector, tmp_path / "other", spelt).labels == SparseVector.load(task_vector).labels


def test_the_labels_are_those_of_the_vector_for_all_files_and_the_validation_rows(base, task_vector, tmp_path):
    """The vector has three labels, and the first file two of them, so the others are neither refused nor left out."""
    before = SparseVector.load(task_vector)
    labels = [*before.labels, "neutral"]
    head = {n: torch.cat([t, t[:1]]) if len(t) == len(before.labels) else t for n, t in before.head.items()}
    replace(before, head=head, info={**before.info, "labels": labels}).save(tmp_path / "start")
    second = table([("the day is blue", "neutral"), ("the night is good", "positive")], "second")
    valid = table([*tiny.labelled_rows(("road",)), *[("the road is blue", "NEUTRAL")] * 3], "valid")
    said = []
    after = learn_task(
        [table(tiny.labelled_rows(("day", "night"))), second], base, tiny.task_recipe(), out=tmp_path / "out",
        start=tmp_path / "start", valid=valid, on_event=lambda event: said.append(event.message or ""),
    )  # fmt: skip
    assert after.labels == labels
    assert after.info["corpus"]["unknown_labels"] == {}
    assert after.info["corpus"]["valid_rows"] == len(valid.texts)
    assert not any("left out" in message for message in said)


def test_a_language_vector_cannot_be_trained_further_as_a_task(base, language_vector, tmp_path):
    with pytest.raises(VectorError, match="task vector is needed"):
        further(base, language_vector, tmp_path / "out")


def test_an_imported_vector_is_trained_further_and_described_as_what_it_is(base, task_vector, tmp_path):
    """LT-SFT's files list every parameter, those without an entry too, and say nothing about the selection."""
    before = SparseVector.load(task_vector)
    write_lt_sft(before, base, tmp_path / "published")
    imported = read_lt_sft(tmp_path / "published", base, labels=before.labels)
    assert any(not len(found) for found in imported.positions.values())
    imported.save(tmp_path / "imported")
    settings = {"max_steps": 1, "rank": "uniform:3", "ablate": "no-retrain"}
    after = further(base, tmp_path / "imported", tmp_path / "out", settings=settings)
    assert all(len(found) for found in after.positions.values())
    assert (after.info["method"], after.info["rank"]["strategy"]) == ("lt-sft", "none")
    assert after.info["recipe"]["k"] == before.count


def test_the_entries_of_a_pruned_vector_are_trained_and_it_is_no_ablation_any_more(base, task_vector, tmp_path):
    before = SparseVector.load(task_vector)
    recipe = {**before.info["recipe"], "ablate": "no-retrain"}
    replace(before, info={**before.info, "recipe": recipe, "ablate": "no-retrain"}).save(tmp_path / "pruned")
    after = further(base, tmp_path / "pruned", tmp_path / "out", settings={"max_steps": 1})
    assert after.info.get("ablate") is None
    assert after.info["recipe"]["ablate"] is None


def test_the_space_for_checkpoints_is_that_of_all_entries_of_an_unpruned_vector(task_vector):
    vector = SparseVector.load(task_vector)
    recipe = {**vector.info["recipe"], "ablate": "dense-delta", "k": 7}
    chosen = with_selection_of(replace(vector, info={**vector.info, "recipe": recipe}), tiny.task_recipe())
    assert (chosen.ablate, chosen.k) == (None, vector.count)
