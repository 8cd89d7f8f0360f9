"""What a page without a server is told to check; the page itself is tested in tests/browser, with packages of npm."""

import json

from deftx.classify.composition import compose
from deftx.models.batches import encode
from deftx.publish import offline_page


def test_the_page_checks_a_truncated_text(base, task_vector, tmp_path, monkeypatch):
    classifier = compose(base, task=task_vector)
    monkeypatch.setattr(offline_page, "onnx_probabilities", lambda _, classifier, texts: classifier.classify(texts))
    offline_page._describe(classifier, tmp_path, "graph.onnx", "x")
    probe = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))["probes"][-1]
    (whole,) = encode(base.tokenizer, [probe["text"]], 2**30)
    assert len(probe["ids"]) == classifier.max_length < len(whole)
