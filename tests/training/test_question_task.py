"""Task vectors on questions, through the whole pipeline, on a tiny base."""

import pytest
import tiny
import tiny_questions
import torch
from tiny_vectors import same_vector

from deftx.core.errors import RecipeError, TableError, TrainingStopped, VectorError
from deftx.core.events import Listener
from deftx.data.question_rows import hold_out_paragraphs
from deftx.data.squad import read_questions
from deftx.training.question_task import prepare_question_sources, question_objective
from deftx.training.sources import Source
from deftx.training.task import learn_task
from deftx.training.task_objective import Part
from deftx.vectors.vector import SparseVector

LONG = {"max_steps": 50, "evaluate_every": 25, "batch_size": 16, "learning_rate": 1e-2, "k": 3000}
QUIET = Listener(lambda _: None, lambda: False)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("questions")
    return {
        "1.1": tiny_questions.write_squad(folder / "one.json", tiny_questions.paragraphs()),
        "2.0": tiny_questions.write_squad(folder / "two.json", tiny_questions.paragraphs(unanswerable=True)),
    }


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_answers_are_learned_and_described(base, files, tmp_path, version):
    events = []
    learn_task(
        files[version], base, tiny.task_recipe(**LONG), out=tmp_path / "v", language="ind", on_event=events.append
    )
    vector = SparseVector.load(tmp_path / "v")
    scores, corpus = vector.info["scores"], vector.info["corpus"]
    assert (vector.kind, vector.unit, vector.labels) == ("task", "question", ["start", "end"])
    assert scores["answer_f1"]["after"] > 0.95 > scores["answer_f1"]["before"]
    assert scores["exact_match"]["after"] > 0.95
    assert corpus["unit"] == "question"
    assert set(vector.head) == {"qa_outputs.weight", "qa_outputs.bias"}
    assert scores["examples"] == corpus["valid_rows"]
    assert {event.metric for event in events if event.evaluation is not None} == {"answer_f1"}
    assert any("window 384 is cut to that" in event.message for event in events if event.warning)
    assert any("share at most half of their text" in event.message for event in events)
    assert (scores["no_answer"] is None) == (version == "1.1")
    assert corpus["paragraphs"] < len(tiny_questions.paragraphs()) * (2 if version == "2.0" else 1) + 1
    card = (tmp_path / "v" / "README.md").read_text(encoding="utf-8")
    assert "marks the answer to a question" in card
    assert "python -m deftx answer --task" in card
    assert "F1 of the words of answers" in card


def test_a_stopped_run_continues_to_the_same_vector(base, files, tmp_path):
    recipe = tiny.task_recipe(max_steps=8)
    whole = learn_task(files["2.0"], base, recipe, out=tmp_path / "whole")
    steps = []

    def stop():
        return len(steps) > 5

    with pytest.raises(TrainingStopped):
        learn_task(files["2.0"], base, recipe, out=tmp_path / "v", on_event=steps.append, should_stop=stop)
    again = learn_task(files["2.0"], base, recipe, out=tmp_path / "v")
    assert same_vector(whole, again)


def test_the_vector_of_the_language_is_not_in_it_and_several_sources_are_learned(
    base, files, language_vector, tmp_path
):
    recipe = tiny.task_recipe()
    vector = learn_task(files["1.1"], base, recipe, out=tmp_path / "one", source=language_vector, valid=files["1.1"])
    assert vector.info["corpus"]["source"]
    assert (vector.info["corpus"]["rows"], vector.info["corpus"]["valid_rows"]) == (96, 96)
    assert any("the score will be too good" in said for said in vector.info["corpus"]["warnings"])
    both = learn_task(
        [files["1.1"], files["2.0"]], base, recipe, out=tmp_path / "two", source=[language_vector, None], repeat=[1, 2]
    )
    assert [source["repeat"] for source in both.info["corpus"]["trained_on"]] == [1, 2]
    assert both.info["corpus"]["unanswerable"] == 96


def test_no_answer_is_possible_only_if_it_is_learned(base, tmp_path):
    """The only question without an answer is among those that are held out."""
    found = tiny_questions.paragraphs()
    found[0] = tiny_questions.paragraph("this the day is word0 not", ("very the", None), name="alone")
    table = read_questions(tiny_questions.write_squad(tmp_path / "rows.json", found))
    seed = next(seed for seed in range(500) if hold_out_paragraphs(table, 0.02, seed)[1].unanswerable)
    recipe = tiny.task_recipe(hold_out=0.02, seed=seed)
    _, valid, findings = prepare_question_sources([Source(table)], None, recipe, QUIET)
    assert (valid.unanswerable, findings["unanswerable"]) == (1, 0)


def test_what_does_not_fit_is_refused(base, files, table_file, task_vector, tmp_path):
    recipe = tiny.task_recipe()
    with pytest.raises(TableError, match=r"one\.json has questions with answers, but train\.csv has single texts"):
        learn_task([files["1.1"], table_file], base, recipe, out=tmp_path / "v")
    with pytest.raises(TableError, match=r"single texts, but .* has questions with answers"):
        learn_task(table_file, base, recipe, out=tmp_path / "v", valid=files["1.1"])
    words = tiny.write_csv(tmp_path / "words.csv", ("word", "translation"), [("good", "fine")])
    with pytest.raises(
        RecipeError, match=r"Word lists replace words of sentences; one\.json has questions with answers"
    ):
        learn_task(files["1.1"], base, recipe, out=tmp_path / "v", lexicon=words)
    with pytest.raises(VectorError, match="whole texts"):
        learn_task(files["1.1"], base, recipe, out=tmp_path / "v", start=task_vector)
    assert not (tmp_path / "v").exists()


def objective_of(base, path, **settings):
    table = read_questions(path)
    return question_objective(table, table, base, tiny.task_recipe(**settings), QUIET, [Part(range(len(table)))])


def test_the_loss_is_that_of_transformers_whatever_the_padding(base, tmp_path):
    short, longer = "the day is good", "the night was very very very bad not"
    path = tiny_questions.write_squad(
        tmp_path / "q.json",
        [tiny_questions.paragraph(short, ("very", "good")), tiny_questions.paragraph(longer, ("very the", "bad"))],
    )
    objective = objective_of(base, path, batch_size=2)
    model = base.classifier(objective.labels, 1, unit="question").eval()
    (batch,) = objective.micro_batches("dense", 0)
    assert (batch["attention_mask"] == 0).any()
    with torch.no_grad():
        ours = objective.loss(model, batch)
        theirs = [
            model(
                torch.tensor([list(ids)]), start_positions=torch.tensor([start]), end_positions=torch.tensor([end])
            ).loss
            for ids, (start, end) in zip(objective.train, objective.targets, strict=True)
        ]
    assert ours.item() == pytest.approx(sum(theirs).item() / 2, rel=1e-5)


def test_an_answer_that_no_window_holds_is_pointed_out(base, tmp_path):
    long = " ".join(["the day"] * 30)
    rows = [
        tiny_questions.paragraph(long, ("very", long)),
        tiny_questions.paragraph("the day is good", ("very", "good")),
    ]
    table, said = read_questions(tiny_questions.write_squad(tmp_path / "q.json", rows)), []
    listener = Listener(lambda event: said.append(event.message), lambda: False)
    objective = question_objective(table, table, base, tiny.task_recipe(), listener, [Part(range(2))])
    assert [target != (0, 0) for target in objective.targets] == [False] * (len(objective.targets) - 1) + [True]
    assert any("1 question with an answer that no window of 32 tokens holds" in message for message in said)


def test_windows_of_several_sources_keep_their_parts(base, tmp_path):
    long = " ".join(["the day"] * 30) + " good"
    path = tiny_questions.write_squad(tmp_path / "q.json", [tiny_questions.paragraph(long, ("very", "good"))] * 2)
    table = read_questions(path)
    parts = [Part(range(1)), Part(range(1, 2), 3)]
    objective = question_objective(table, table, base, tiny.task_recipe(), QUIET, parts)
    assert [len(part.rows) for part in objective.parts] == [len(objective.train) // 2] * 2
    assert sum(target != (0, 0) for target in objective.targets) == 2  # one window of each has the answer
    model = base.classifier(objective.labels, 1, unit="question").eval()
    assert all(len(found.spans) == 20 for found in objective.valid_logits(model))
