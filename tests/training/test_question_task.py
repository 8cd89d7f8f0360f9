"""Task vectors on questions, through the whole pipeline, on a tiny base."""

import pytest
import tiny
import tiny_questions
import torch
from tiny_vectors import same_vector

from deftx.core.errors import RecipeError, TableError, TrainingStopped
from deftx.core.events import Listener
from deftx.data.squad import read_questions
from deftx.training.question_task import question_objective
from deftx.training.task import learn_task
from deftx.training.task_objective import Part
from deftx.vectors.vector import SparseVector

LONG = {"max_steps": 60, "evaluate_every": 20, "batch_size": 16, "learning_rate": 5e-3, "k": 3000}
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
    learn_task(files[version], base, tiny.task_recipe(**LONG), out=tmp_path / "v", language="ind", on_event=events.append)
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
    assert (scores["no_answer"] is None) == (version == "1.1")
