"""A task vector is learned from labelled rows, from θ0 or from a source language, and what is odd is said first."""

import json

import pytest
import tiny
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from torch.nn.functional import cross_entropy

from deftx.classify.calibrating import calibrate_on
from deftx.classify.composition import compose
from deftx.core.errors import RecipeError, TableError, TrainingStopped, VectorError
from deftx.core.events import Listener, ignore
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.models.bases import load_base
from deftx.models.parameters import sparse_trainable
from deftx.training.learned import Learned
from deftx.training.recipes import TaskRecipe
from deftx.training.task import learn_task
from deftx.training.text_task import prepare_rows, task_objective
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

QUIET = Listener(ignore, lambda: False)


def table(rows, pairs=False):
    return Table([text for text, _ in rows], [label for _, label in rows], pairs, "rows", "0" * 64)


def learn(base, where, rows=None, **arguments):
    settings = arguments.pop("settings", {})
    return learn_task(table(rows or tiny.labelled_rows()), base, tiny.task_recipe(**settings), out=where, **arguments)


def test_a_task_is_learned_and_its_scores_are_those_of_the_composed_classifier(task_vector, base, table_file):
    vector = SparseVector.load(task_vector)
    scores, recipe = vector.info["scores"], TaskRecipe(**vector.info["recipe"])
    _, valid, _ = prepare_rows(read_table(table_file), None, recipe, QUIET)
    predicted = compose(base, task=vector).predict(valid.texts)
    assert scores["f1"]["after"] == pytest.approx(f1_score(valid.labels, predicted, average="macro"))
    assert scores["accuracy"]["after"] == pytest.approx(accuracy_score(valid.labels, predicted))
    assert scores["examples"] == len(valid.texts)
    assert scores["confusion"] == confusion_matrix(valid.labels, predicted, labels=vector.labels).tolist()
    assert scores["f1"]["after"] > 0.9 > scores["f1"]["before"]


def test_a_temperature_is_fitted_on_the_validation_rows_with_the_source_vector(base, language_vector, tmp_path):
    rows = [(text, label if n % 9 else "positive") for n, (text, label) in enumerate(tiny.labelled_rows() * 3)]
    vector = learn(base, tmp_path / "task", source=language_vector, valid=table(rows))
    classifier = compose(base, task=vector, language=language_vector)
    assert vector.info["calibration"]["examples"] == len(rows)
    assert vector.info["calibration"]["accuracy"] == vector.info["scores"]["accuracy"]["after"]
    assert classifier.temperature == pytest.approx(calibrate_on(classifier, table(rows)).temperature, rel=1e-4)
    assert classifier.temperature != pytest.approx(
        calibrate_on(compose(base, task=vector), table(rows)).temperature, rel=1e-4
    )


def test_the_loss_is_the_mean_cross_entropy_over_rows(base):
    train, valid, _ = prepare_rows(table(tiny.labelled_rows()), None, tiny.task_recipe(), QUIET)
    objective = task_objective(train, valid, ["negative", "positive"], base, tiny.task_recipe(accumulation=2), QUIET)
    parts = objective.micro_batches("dense", 0)
    assert [len(part["labels"]) for part in parts] == [2, 2]
    model = base.classifier(["negative", "positive"], seed=0).eval()
    texts = [base.tokenizer.decode(ids, skip_special_tokens=True) for ids in parts[0]["input_ids"]]
    gold = dict(tiny.labelled_rows())
    assert [gold[text] for text in texts] == [["negative", "positive"][place] for place in parts[0]["labels"]]
    logits = model(**base.tokenizer(texts, return_tensors="pt", padding=True)).logits
    assert objective.loss(model, parts[0]).item() == pytest.approx(cross_entropy(logits, parts[0]["labels"]).item())


def test_a_source_vector_is_started_from_and_taken_out_again(base, base_folder, language_vector, tmp_path, monkeypatch):
    starts, ends = {}, {}

    def noting(learner, *rest):
        starts.update({n: p.detach().clone() for n, p in learner.trainable.items()})
        learned: Learned = original(learner, *rest)
        ends.update({n: p.detach().clone() for n, p in learner.trainable.items()})
        return learned

    from deftx.training import finish

    original = finish.learn
    monkeypatch.setattr(finish, "learn", noting)
    vector = learn(base, tmp_path / "v", source=language_vector)
    source = SparseVector.load(language_vector)
    model = load_base(base_folder).language_model()
    apply_vectors(sparse_trainable(model), [(source, 1.0)])
    assert all(starts[n].equal(p) for n, p in sparse_trainable(model).items())  # θ0 + φ_source
    for name, positions in vector.positions.items():
        phi = (ends[name] - starts[name]).flatten()  # φ_T = θ' − (θ0 + φ_source)
        assert vector.values[name].equal(phi[positions])
    assert vector.info["corpus"]["source"] == "min language vector"


def test_without_a_source_it_starts_from_the_base(base, tmp_path, monkeypatch):
    from deftx.training import finish

    original, starts = finish.learn, {}
    noting = lambda learner, *rest: starts.update(learner.trainable) or original(learner, *rest)  # noqa: E731
    monkeypatch.setattr(finish, "learn", noting)
    with pytest.raises(TrainingStopped):
        learn(base, tmp_path / "v", should_stop=(tmp_path / "v" / "run" / "settings.json").is_file)
    assert all(starts[n].equal(p) for n, p in base.parameters().items())


def test_the_wrong_source_is_refused(base, base_folder, other_folder, task_vector, language_vector, tmp_path):
    with pytest.raises(VectorError, match="is a task vector; a language vector is needed"):
        learn(base, tmp_path / "v", source=task_vector)
    with pytest.raises(VectorError, match="other-base"):
        learn(load_base(other_folder), tmp_path / "v", source=language_vector)
    assert not (tmp_path / "v").exists()


def test_a_kept_delta_of_another_source_is_refused(base, language_vector, tmp_path):
    learn(base, tmp_path / "a", delta=tmp_path / "delta", source=language_vector)
    with pytest.raises(RecipeError, match="source"):
        learn(base, tmp_path / "b", delta=tmp_path / "delta")


def test_pairs_are_learned_and_the_preset_takes_the_settings_for_pairs(base, tmp_path):
    rows = [((f"the {noun} is {word}", "the day is good"), label)
            for noun in tiny.NOUNS for words, label in ((tiny.GOOD, "yes"), (tiny.BAD, "no")) for word in words]  # fmt: skip
    vector = learn_task(table(rows, True), base, tiny.task_recipe(metric="accuracy"), out=tmp_path / "v")
    assert vector.info["corpus"]["pairs"] is True
    assert vector.labels == ["no", "yes"]
    note = tmp_path / "w" / "run" / "settings.json"
    with pytest.raises(TrainingStopped):
        learn_task(table(rows, True), base, "paper", out=tmp_path / "w", should_stop=note.is_file)
    settings = json.loads(note.read_text())
    assert (settings["batch_size"], settings["epochs"], settings["metric"]) == (32, 5, "accuracy")


def test_what_is_odd_about_the_rows_is_said_before_training(base, tmp_path):
    said = []
    rows = [*tiny.labelled_rows(), tiny.labelled_rows()[0]]
    valid = table([*tiny.labelled_rows()[:6], ("the road is word3", "neither")])
    learn(base, tmp_path / "v", rows, valid=valid, on_event=said.append)
    first_step = next(n for n, event in enumerate(said) if event.phase == "dense")
    warnings = " ".join(event.message for event in said[:first_step] if event.warning)
    assert "labels that rows lacks (neither): 1 row left out" in warnings
    assert "whose text is also in" in warnings
    assert "equal to an earlier one" in warnings


def test_a_single_class_is_refused(base, tmp_path):
    with pytest.raises(TableError, match="nothing to learn"):
        learn(base, tmp_path / "v", [("the day", "good"), ("the night", "good")])


def test_a_label_that_only_stands_on_ambiguous_texts_does_not_end_the_training():
    rows = [("the day", "a"), ("the day", "c"), *[("the night", "a")] * 2, *[("the house", "a")] * 2,
            ("the road", "b"), ("the song", "b")]  # fmt: skip
    lost = []
    for seed in range(12):
        train, valid, _ = prepare_rows(table(rows), None, tiny.task_recipe(seed=seed, hold_out=0.3), QUIET)
        assert set(valid.labels) <= set(train.labels)
        lost.append("c" not in train.labels)
    assert any(lost)  # in some of them the only row of "c" is held out


def test_rows_longer_than_the_base_can_read_are_cut_and_that_is_said(base, tmp_path):
    said = []
    rows = [(f"{text} " * 20, label) for text, label in tiny.labelled_rows()]
    learn(base, tmp_path / "v", rows, settings={"max_length": 128}, on_event=said.append)
    assert [event for event in said if event.warning and "reads at most 32 tokens" in event.message]


def test_grouping_by_length_learns_from_the_same_rows(base):
    rows = [(f"{text} {'very ' * (n % 5)}good", label) for n, (text, label) in enumerate(tiny.labelled_rows())]
    train, valid, _ = prepare_rows(table(rows), None, tiny.task_recipe(), QUIET)
    counts = []
    for grouped in (False, True):
        recipe = tiny.task_recipe(group_by_length=grouped)
        objective = task_objective(train, valid, ["negative", "positive"], base, recipe, QUIET)
        steps = range(-(-len(train.texts) // recipe.batch_size))
        seen = [row[row != 1].tolist() for s in steps for row in objective.micro_batches("dense", s)[0]["input_ids"]]
        counts.append(sorted(seen))
    assert counts[0] == counts[1]
    assert len(counts[0]) == len(train.texts)


def test_the_classifiers_head_is_stored_in_full(task_vector):
    head = SparseVector.load(task_vector).head
    assert {name: tuple(tensor.shape) for name, tensor in head.items()} == {
        "classifier.dense.weight": (32, 32), "classifier.dense.bias": (32,), "classifier.out_proj.weight": (2, 32),
        "classifier.out_proj.bias": (2,),
    }  # fmt: skip
    assert all(tensor.dtype == torch.float32 for tensor in head.values())
