"""A composed classifier is θ0 + (s_T·φ_T + s_L·φ_L) with the task's head, here and in plain transformers."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from deftx.classify.attribution import attribute
from deftx.classify.composition import compose
from deftx.core.errors import DeftxError, VectorError
from deftx.models.bases import load_base
from deftx.models.parameters import canonical_parameters, sparse_trainable
from deftx.vectors.vector import SparseVector

LONG = " ".join(tiny.WORDS * 3)
TEXTS = ["the day is good", "the night was awful", "word3", "", LONG]


def test_the_weights_are_the_sum_and_the_head_is_the_tasks(base, task_vector, language_vector):
    task, language = SparseVector.load(task_vector), SparseVector.load(language_vector)
    model = compose(base, task=task, language=language, strength_task=0.5, strength_language=2.0).model
    start = base.parameters()
    for name, parameter in sparse_trainable(model).items():
        summed = np.zeros(tuple(parameter.shape), dtype=np.float32)
        for vector, scale in ((task, 0.5), (language, 2.0)):
            if name in vector.positions:
                summed += scale * vector.dense(name).numpy()
        assert np.array_equal(parameter.detach().numpy(), start[name].detach().numpy() + summed), name
    for name, tensor in task.head.items():
        assert canonical_parameters(model)[name].equal(tensor)


def test_strength_zero_is_the_base_and_without_a_language_only_the_task_is_added(base, task_vector, language_vector):
    none = compose(base, task=task_vector, language=language_vector, strength_language=0.0)
    alone = compose(base, task=task_vector)
    assert none.classify(TEXTS).equal(alone.classify(TEXTS))
    both = compose(base, task=task_vector, language=language_vector)
    assert not both.classify(TEXTS).equal(alone.classify(TEXTS))


def test_probabilities_are_those_of_each_text_alone_in_the_order_given(base, task_vector):
    classifier = compose(base, task=task_vector)
    together = classifier.classify(TEXTS)
    assert together.shape == (5, 2)
    assert together.sum(1).tolist() == pytest.approx([1.0] * 5)
    alone = torch.cat([classifier.classify([text]) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)
    assert classifier.predict(TEXTS[:2]) == ["positive", "negative"]
    assert classifier.classify([]).shape == (0, 2)


def test_the_exported_folder_gives_the_same_in_plain_transformers(base, task_vector, language_vector, tmp_path):
    classifier = compose(base, task=task_vector, language=language_vector)
    classifier.save_pretrained(tmp_path / "plain")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "plain")
    assert model.config.id2label == {0: "negative", 1: "positive"}
    encoded = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
    assert encoded["input_ids"].shape[1] == classifier.max_length == 16
    with torch.no_grad():
        probabilities = model(**encoded).logits.softmax(-1)
    torch.testing.assert_close(probabilities, classifier.classify(TEXTS), atol=1e-6, rtol=0)
    assert base.tokenizer.model_max_length == tiny.LONGEST  # the base's own is untouched


def test_the_exported_folder_needs_nothing_of_this_project(base, task_vector, tmp_path):
    compose(base, task=task_vector).save_pretrained(tmp_path / "plain")
    files = {path.name: path.read_bytes() for path in (tmp_path / "plain").iterdir()}
    assert files.keys() == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert not [name for name, content in files.items() if b"deftx" in content or b"auto_map" in content]


@pytest.mark.parametrize(
    "text", ["the day is good\n", " the day\nis good", "the day\r\nis\x0bgood \x1f", "\u2028the day is good\x85"]
)
def test_outer_spaces_and_line_breaks_are_nothing_here_and_in_the_exported_folder(base, task_vector, tmp_path, text):
    classifier = compose(base, task=task_vector)
    expected = classifier.classify(["the day is good"])
    assert classifier.classify([text]).equal(expected)
    first, second = classifier.classify([(text, text)]), classifier.classify([("the day is good", "the day is good")])
    assert first.equal(second)
    classifier.save_pretrained(tmp_path / "plain")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "plain")
    assert tokenizer(text)["input_ids"] == base.tokenizer("the day is good")["input_ids"]
    assert attribute(classifier, text).words[-1].weight == attribute(classifier, "the day is good").words[-1].weight


def test_an_exported_folder_overwrites_nothing(base, task_vector, tmp_path):
    classifier = compose(base, task=task_vector)
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(DeftxError, match="not an empty folder"):
        classifier.save_pretrained(tmp_path)
    with pytest.raises(DeftxError, match="not an empty folder"):
        classifier.save_pretrained(tmp_path / "kept.txt")
    (tmp_path / "empty").mkdir()
    classifier.save_pretrained(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "kept.txt"]


def test_pairs_are_classified_as_pairs(base, task_vector):
    classifier = compose(base, task=task_vector)
    pairs = [("the day is good", "the night was bad"), ("the road", "the song " * 20)]
    encoded = base.tokenizer(*map(list, zip(*pairs, strict=True)), truncation=True, max_length=16, padding=True,
                             return_tensors="pt")  # fmt: skip
    with torch.no_grad():
        expected = classifier.model(**encoded).logits.softmax(-1)
    torch.testing.assert_close(classifier.classify(pairs), expected, atol=1e-6, rtol=0)


def test_what_is_no_list_of_texts_is_refused(base, task_vector):
    classifier = compose(base, task=task_vector)
    with pytest.raises(DeftxError, match="put a single text into a list"):
        classifier.classify("the day")
    with pytest.raises(DeftxError, match="contain both sentences and pairs"):
        classifier.classify(["the day", ("the day", "the night")])


def test_vectors_of_another_base_are_refused_by_both_names(other_folder, task_vector, language_vector):
    with pytest.raises(VectorError, match=r"made for the base tiny-base, not for .*other-base"):
        compose(load_base(other_folder), task=task_vector, language=language_vector)


def test_vectors_of_the_wrong_kind_are_refused(base, task_vector, language_vector):
    with pytest.raises(VectorError, match="is a language vector; a task vector is needed"):
        compose(base, task=language_vector)
    with pytest.raises(VectorError, match="is a task vector; a language vector is needed"):
        compose(base, task=task_vector, language=task_vector)


def test_a_head_for_other_labels_is_refused(base, task_vector):
    vector = SparseVector.load(task_vector)
    with pytest.raises(VectorError, match="does not fit this base"):
        compose(base, task=replace(vector, info={**vector.info, "labels": ["a", "b", "c"]}))
    with pytest.raises(VectorError, match="does not fit this base"):
        compose(base, task=replace(vector, head={}))


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_strength_that_is_no_number_is_refused(base, task_vector, scale):
    with pytest.raises(DeftxError, match="strength"):
        compose(base, task=task_vector, strength_task=scale)


def test_progress_is_told_changes_nothing_and_can_end_the_work(base, task_vector):
    classifier = compose(base, task=task_vector)
    told = []
    texts = TEXTS * 100  # several batches
    assert classifier.classify(texts, told.append).equal(classifier.classify(texts))
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 1.0

    def enough(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        classifier.classify(texts, enough)


def calibrated(vector: SparseVector, temperature: float) -> SparseVector:
    curve = {"coverage": [1.0], "margin": [0.5], "accuracy": [0.8]}
    known = {
        "temperature": temperature,
        "examples": 100,
        "accuracy": 0.8,
        "error": [0.1, 0.0],
        "loss": [1.0, 0.9],
        "threshold": 0.5,
    }
    return replace(vector, info={**vector.info, "calibration": {**known, "curve": curve}})


@pytest.mark.parametrize("method", ["leave-one-out", "gradient"])
def test_a_temperature_divides_the_logits_everywhere(base, task_vector, language_vector, method):
    task = SparseVector.load(task_vector)
    plain, warm = (compose(base, task=one, language=language_vector) for one in (task, calibrated(task, 2.5)))
    torch.testing.assert_close(warm.classify(TEXTS), (plain.classify(TEXTS).log() / 2.5).softmax(-1), atol=1e-6, rtol=0)
    before, after = (attribute(one, TEXTS[0], method=method) for one in (plain, warm))
    assert after.probability == pytest.approx(float(warm.classify(TEXTS[:1]).max()), abs=1e-6)
    assert [word.weight for word in after.words] == pytest.approx(
        [word.weight / 2.5 for word in before.words], abs=1e-5
    )


def test_a_temperature_is_in_the_exported_weights(base, task_vector, language_vector, tmp_path):
    classifier = compose(base, task=calibrated(SparseVector.load(task_vector), 2.5), language=language_vector)
    head = {name: tensor.clone() for name, tensor in classifier.model.state_dict().items()}
    classifier.save_pretrained(tmp_path / "plain")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain").eval()
    encoded = AutoTokenizer.from_pretrained(tmp_path / "plain")(
        TEXTS, truncation=True, padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        probabilities = model(**encoded).logits.softmax(-1)
    torch.testing.assert_close(probabilities, classifier.classify(TEXTS), atol=1e-6, rtol=0)
    assert all(tensor.equal(head[name]) for name, tensor in classifier.model.state_dict().items())


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan"), "1", None])
def test_a_temperature_that_is_no_number_above_zero_is_refused(base, task_vector, temperature):
    with pytest.raises(VectorError, match="calibration"):
        calibrated(SparseVector.load(task_vector), temperature).validate()
