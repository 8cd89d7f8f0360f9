"""Measured scores are read back by huggingface_hub's own classes, from the card and from .eval_results."""

import json

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from tiny_vectors import make_vector

from deftx.core.errors import HubError
from deftx.publish.classifier_card import write_classifier_card
from deftx.publish.measured import Measured, read_measured, write_measured

FOUND = {"metric": "f1", "score": 0.81234, "low": 0.78, "high": 0.84, "n": 400, "labels": ["a", "b"], "confusion": []}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(FOUND))
    return path


def test_the_output_of_evaluate_becomes_a_result_of_a_data_set(file):
    found = read_measured(f"lab/nusax:min={file}")
    assert found == Measured("lab/nusax", "min", "f1", 0.81234, 0.78, 0.84, 400)
    assert read_measured(f"lab/nusax={file}").task == "default"


def test_entries_are_read_back_by_the_hub_s_class(tmp_path, file):
    results = [read_measured(f"lab/nusax:{task}={file}") for task in ("min", "ban")]
    write_measured(tmp_path, [*results, read_measured(f"lab/other={file}")])
    assert {path.name for path in (tmp_path / ".eval_results").iterdir()} == {"lab--nusax.yaml", "lab--other.yaml"}
    written = yaml.safe_load((tmp_path / ".eval_results" / "lab--nusax.yaml").read_text())
    entries = parse_eval_result_entries(written)
    assert [(one.dataset_id, one.task_id, one.value) for one in entries] == [
        ("lab/nusax", "min", 0.8123),
        ("lab/nusax", "ban", 0.8123),
    ]
    assert "400 rows" in entries[0].notes


def test_the_card_has_the_results_in_its_model_index_and_as_a_table(file):
    task = make_vector(kind="task", labels=["a", "b"])
    card = ModelCard(write_classifier_card("ana/mood", task, 1.0, [], results=[read_measured(f"lab/nusax={file}")]))
    (found,) = card.data.eval_results
    assert (found.dataset_type, found.metric_type, found.metric_value) == ("lab/nusax", "f1", 0.8123)
    assert "| `lab/nusax` | 0.8123 |" in card.text
    assert "has no scores" not in card.text
    assert "has no scores" in write_classifier_card("ana/mood", task, 1.0, [])


@pytest.mark.parametrize(
    ("unit", "task"),
    [("text", "text-classification"), ("word", "token-classification"), ("question", "question-answering")],
)
def test_the_results_name_the_task_of_the_model(file, unit, task):
    vector = make_vector(kind="task", labels=["a", "b"], corpus={"unit": unit})
    card = ModelCard(write_classifier_card("ana/mood", vector, 1.0, [], results=[read_measured(f"lab/nusax={file}")]))
    assert [(one.task_type, card.data.pipeline_tag) for one in card.data.eval_results] == [(task, task)]


@pytest.mark.parametrize("text", ["lab/nusax", "nusax/=x", "a b=x", "https://x=y", "lab/nusax:=x"])
def test_another_form_is_refused(text):
    with pytest.raises(HubError, match="must be written as"):
        read_measured(text)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"metric": "f1"}', json.dumps({**FOUND, "score": 81}),
                                     json.dumps({**FOUND, "metric": "bleu"}), "[" * 100_000])  # fmt: skip
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(HubError, match="not the output of"):
        read_measured(f"lab/nusax={path}")
    with pytest.raises(HubError, match="cannot be read"):
        read_measured(f"lab/nusax={path}.missing")
