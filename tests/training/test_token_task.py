"""Task vectors on words, through the whole pipeline, on a tiny base."""

import pytest
import tiny
import tiny_tokens
import torch
from tiny_vectors import same_vector

from deftx.core.errors import RecipeError, TableError, TrainingStopped
from deftx.core.events import Listener
from deftx.data.sequences import IGNORED
from deftx.data.token_rows import check_tokens
from deftx.data.token_tables import read_tokens
from deftx.models.batches import pad_id
from deftx.training.task import learn_task
from deftx.training.task_objective import Part
from deftx.training.token_objective import piece_targets, word_logits
from deftx.training.token_task import token_objective
from deftx.vectors.vector import SparseVector

LONG = {"max_steps": 60, "evaluate_every": 20, "batch_size": 16, "learning_rate": 5e-3, "k": 3000}
QUIET = Listener(lambda _: None, lambda: False)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    return {
        "entities": tiny_tokens.write_jsonl(folder / "entities.jsonl", tiny_tokens.rows()),
        "parts": tiny_tokens.write_conllu(folder / "parts.conllu", tiny_tokens.rows(tiny_tokens.PARTS)),
    }


@pytest.mark.parametrize(("kind", "metric"), [("entities", "entity_f1"), ("parts", "accuracy")])
def test_tags_are_learned_and_described(base, files, tmp_path, kind, metric):
    events = []
    learn_task(files[kind], base, tiny.task_recipe(**LONG), out=tmp_path / "v", language="ind", on_event=events.append)
    vector = SparseVector.load(tmp_path / "v")
    scores, corpus = vector.info["scores"], vector.info["corpus"]
    assert vector.kind == "task"
    assert vector.tags_words
    assert not vector.takes_pairs
    assert scores[metric]["after"] > 0.95 > scores[metric]["before"]
    assert ("entity_f1" in scores) == (kind == "entities")
    assert corpus["unit"] == "word"
    assert corpus["words"] == 4 * corpus["rows"] == sum(corpus["tags"].values())
    assert scores["examples"] == 4 * corpus["valid_rows"] == 4 * scores["sentences"]
    assert set(vector.head) == {"classifier.weight", "classifier.bias"}
    assert {event.metric for event in events if event.evaluation is not None} == {metric}
    card = (tmp_path / "v" / "README.md").read_text(encoding="utf-8")
    assert "tags the words" in card
    assert 'classifier.tag(["a sentence in the language"])' in card


def test_a_stopped_run_continues_to_the_same_vector(base, files, tmp_path):
    recipe = tiny.task_recipe(max_steps=8)
    whole = learn_task(files["entities"], base, recipe, out=tmp_path / "whole")
    steps = []

    def stop():
        return len(steps) > 5

    with pytest.raises(TrainingStopped):
        learn_task(files["entities"], base, recipe, out=tmp_path / "v", on_event=steps.append, should_stop=stop)
    again = learn_task(files["entities"], base, recipe, out=tmp_path / "v")
    assert same_vector(whole, again)


def test_the_vector_of_the_language_is_not_in_it_and_several_sources_are_learned(
    base, files, language_vector, tmp_path
):
    recipe, other = tiny.task_recipe(), tmp_path / "other.jsonl"
    tiny_tokens.write_jsonl(other, tiny_tokens.rows()[::2])
    vector = learn_task(files["entities"], base, recipe, out=tmp_path / "one", source=language_vector)
    assert vector.info["corpus"]["source"]
    both = learn_task(
        [files["entities"], other], base, recipe, out=tmp_path / "two", source=[language_vector, None], repeat=[1, 2]
    )
    assert [source["repeat"] for source in both.info["corpus"]["trained_on"]] == [1, 2]


def test_what_does_not_fit_is_refused(base, files, table_file, tmp_path):
    recipe = tiny.task_recipe()
    with pytest.raises(TableError, match=r"words with tags, but train\.csv has single texts"):
        learn_task([files["entities"], table_file], base, recipe, out=tmp_path / "v")
    with pytest.raises(TableError, match=r"words with tags, but train\.csv has single texts"):
        learn_task(files["entities"], base, recipe, out=tmp_path / "v", valid=table_file)
    with pytest.raises(TableError, match="mark entities"):
        learn_task(files["entities"], base, recipe, out=tmp_path / "v", valid=files["parts"])
    words = tiny.write_csv(tmp_path / "words.csv", ("word", "translation"), [("good", "fine")])
    with pytest.raises(RecipeError, match="Word lists"):
        learn_task(files["entities"], base, recipe, out=tmp_path / "v", lexicon=words)
    assert not (tmp_path / "v").exists()


def test_validation_sentences_without_entities_have_accuracy_only(base, files, tmp_path):
    train, held = (read_tokens(file) for file in (files["entities"], tiny_tokens.write_jsonl(
        tmp_path / "v.jsonl", [{"tokens": ["the", "day"], "tags": ["O", "O"]}])))  # fmt: skip
    check_tokens(train, held)
    objective = token_objective(
        train, held, base, tiny.task_recipe(metric="accuracy"), QUIET, [Part(range(len(train)))]
    )
    assert objective.scores([["O", "O"]]) == {"accuracy": 1.0}
    with pytest.raises(TableError, match="no entity F1"):
        token_objective(train, held, base, tiny.task_recipe(), QUIET, [Part(range(len(train)))])


def test_the_loss_is_the_mean_over_words_and_ignores_other_pieces(base, files):
    table = read_tokens(files["entities"]).keep(range(8))
    objective = token_objective(table, table, base, tiny.task_recipe(batch_size=8), QUIET, [Part(range(8))])
    model = base.classifier(objective.labels, 1, unit="word").eval()
    (batch,) = objective.micro_batches("dense", 0)
    assert (batch["labels"] != IGNORED).sum() == 8 * 4
    with torch.no_grad():
        ours = objective.loss(model, batch)
        logits = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits.log_softmax(-1)
    words = [(row, place) for row, place in (batch["labels"] != IGNORED).nonzero().tolist()]
    by_hand = -sum(logits[row, place, batch["labels"][row, place]] for row, place in words) / len(words)
    assert ours.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_windows_answer_as_the_whole_sentence_where_it_fits(base, files):
    table = read_tokens(files["entities"]).keep([5])
    objective = token_objective(table, table, base, tiny.task_recipe(), QUIET, [Part(range(1))])
    model = base.classifier(objective.labels, 1, unit="word").eval()
    (window,) = objective.windows
    assert piece_targets(window, [7, 8, 9, 6]) == [IGNORED, 7, 8, 9, 6, IGNORED]
    with torch.no_grad():
        whole = model(torch.tensor([list(window.ids)])).logits[0, list(window.places)]
    (ours,) = word_logits(model, objective.windows, 1, pad_id(base.tokenizer))
    torch.testing.assert_close(ours, whole)


def test_a_long_sentence_is_trained_on_in_windows(base, tmp_path):
    row = {"tokens": ["the", "day"] * 30, "tags": ["DET", "NOUN"] * 30}
    table = read_tokens(tiny_tokens.write_jsonl(tmp_path / "long.jsonl", [row, row]))
    objective = token_objective(table, table, base, tiny.task_recipe(), QUIET, [Part(range(1)), Part(range(1, 2), 3)])
    assert len(objective.train) > 2
    assert sum(target != IGNORED for targets in objective.targets for target in targets) == 120
    assert [len(part.rows) for part in objective.parts] == [len(objective.train) // 2] * 2
    model = base.classifier(objective.labels, 1, unit="word").eval()
    assert [len(tags) for tags in objective.predicted(model)] == [60, 60]
