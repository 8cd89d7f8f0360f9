"""onnxruntime gives the probabilities of the composed classifier with an exported graph, for any number of texts."""

import json
import logging

import numpy as np
import onnxruntime
import pytest
import torch
from tiny import sentences
from transformers import AutoTokenizer

import deftx
from deftx.classify.composition import compose
from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.core.errors import DeftxError
from deftx.publish import onnx_folder
from deftx.publish.onnx_folder import GRAPH, QUANTISED, onnx_probabilities, write_onnx


@pytest.fixture(scope="module")
def written(base_folder, task_vector, language_vector, tmp_path_factory):
    """The folder that the command writes, and what it prints."""
    folder = tmp_path_factory.mktemp("onnx") / "mood"
    words = ["export", "--task", str(task_vector), "--language", str(language_vector), "--base", str(base_folder)]
    assert main([*words, "--onnx", "--int8", "--out", str(folder)]) == EXIT_OK
    return folder


@pytest.fixture(scope="module")
def classifier(base, task_vector, language_vector):
    return compose(base, task=task_vector, language=language_vector)


def test_weights_in_a_file_beside_the_graph_are_in_the_sizes(classifier, tmp_path, monkeypatch):
    save = torch.onnx.ONNXProgram.save  # a model of more than 2 GB is saved like this in any case
    monkeypatch.setattr(torch.onnx.ONNXProgram, "save", lambda *given: save(*given, external_data=True))
    parts = write_onnx(classifier, tmp_path / "mood")
    there = {path.relative_to(tmp_path / "mood").as_posix(): path.stat().st_size
             for path in (tmp_path / "mood" / "onnx").iterdir()}  # fmt: skip
    assert parts.sizes == there
    assert len(there) == 2


def test_an_export_leaves_the_levels_of_logs_as_they_were(classifier, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    before = logging.getLogger("torch.onnx").level
    write_onnx(classifier, tmp_path / "mood", int8=True)
    assert (logging.getLogger().level, logging.getLogger("torch.onnx").level) == (logging.INFO, before)


@pytest.mark.slow
def test_onnxruntime_gives_the_probabilities_of_the_classifier(written, classifier):
    texts = [" ".join(text.split()[: 1 + place % 8]) for place, text in enumerate(sentences(100, seed=3))]
    expected = classifier.classify(texts)
    torch.testing.assert_close(onnx_probabilities(written / GRAPH, classifier, texts), expected, atol=1e-5, rtol=0)
    for count in (1, 2, 7):
        found = onnx_probabilities(written / GRAPH, classifier, texts[:count])
        torch.testing.assert_close(found, expected[:count], atol=1e-5, rtol=0)
    assert expected.std(0).max() > 1e-3  # the texts differ


def test_the_lines_of_the_card_run_with_the_folder_alone(written, classifier, monkeypatch):
    monkeypatch.chdir(written)
    lines = (written / "README.md").read_text().split("```python\n")[1].split("```")[0]
    printed = []
    exec(lines, {"print": printed.append})
    expected = classifier.classify(["a sentence in the language"])
    torch.testing.assert_close(torch.from_numpy(printed[0]).softmax(-1), expected, atol=1e-5, rtol=0)


def test_eight_bits_are_near_and_smaller(written, classifier):
    texts = sentences(20, seed=3)
    found = onnx_probabilities(written / QUANTISED, classifier, texts)
    difference = (found - classifier.classify(texts)).abs().max()
    assert 0 < difference < 0.1
    assert (written / QUANTISED).stat().st_size < (written / GRAPH).stat().st_size


def test_the_folder_has_what_transformers_reads(written, classifier):
    tokenizer = AutoTokenizer.from_pretrained(written)
    session = onnxruntime.InferenceSession(written / GRAPH)
    assert [one.name for one in session.get_outputs()] == ["logits"]
    inputs = tokenizer(["the food is good"], return_tensors="np")
    assert {one.name for one in session.get_inputs()} <= inputs.keys()
    assert list(json.loads((written / "config.json").read_text())["id2label"].values()) == classifier.labels
    assert session.run(None, {n.name: inputs[n.name].astype(np.int64) for n in session.get_inputs()})[0].shape == (1, 2)


def test_a_graph_that_computes_something_else_is_not_written(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_folder, "_export", lambda classifier, path: path.write_bytes(b""))
    monkeypatch.setattr(onnx_folder, "onnx_probabilities", lambda *given: torch.full((3, 2), 0.9))
    with pytest.raises(DeftxError, match="gives other probabilities"):
        write_onnx(classifier, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_int8_is_for_onnx_and_nothing_is_overwritten(written, base_folder, task_vector, tmp_path, capsys):
    words = ["export", "--task", str(task_vector), "--base", str(base_folder)]
    assert main([*words, "--int8", "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    assert "--onnx" in capsys.readouterr().err
    assert main([*words, "--onnx", "--out", str(written)]) == EXIT_BAD_INPUT
    assert "is not an empty folder" in capsys.readouterr().err


@pytest.mark.slow
def test_the_bundled_classifier_has_the_same_probabilities_for_100_sentences(tmp_path):
    classifier = compose(deftx.load_base(deftx.BUNDLED_BASE), task="sentiment", language="min")
    texts = [
        f"{word} {'indak ' * (place % 9)}lamak {place}"
        for place, word in enumerate(["Makanannyo", "Pelayanannyo"] * 50)
    ]
    write_onnx(classifier, tmp_path / "out")
    found = onnx_probabilities(tmp_path / "out" / GRAPH, classifier, texts)
    torch.testing.assert_close(found, classifier.classify(texts), atol=1e-5, rtol=0)
