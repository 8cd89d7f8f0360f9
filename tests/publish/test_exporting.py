"""Taking a classifier away: the unpacked folder gives the same probabilities without this library."""

import shutil
import zipfile
from collections import namedtuple

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from deftx.classify.composition import compose
from deftx.core import files
from deftx.core.errors import DeftxError
from deftx.publish.exporting import export_zip

TEXTS = ["the food is good", "the night was awful and bitter"]


@pytest.fixture(scope="module")
def classifier(base, task_vector, language_vector):
    return compose(base, task=task_vector, language=language_vector, strength_task=0.8, strength_language=1.2)


def test_the_unpacked_folder_is_the_same_classifier_for_plain_transformers(classifier, tmp_path):
    packed = export_zip(classifier, tmp_path / "out" / "mood-min.zip")
    assert [path.name for path in packed.parent.iterdir()] == ["mood-min.zip"]  # nothing else stays
    with zipfile.ZipFile(packed) as archive:
        assert all(name.startswith("mood-min/") for name in archive.namelist())
        archive.extractall(tmp_path / "there")
    folder = tmp_path / "there" / "mood-min"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(**tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt")).logits
    assert list(model.config.id2label.values()) == classifier.labels
    torch.testing.assert_close(logits.softmax(-1), classifier.classify(TEXTS), atol=1e-6, rtol=0)


def test_the_same_classifier_is_the_same_file_and_tells_no_path(classifier, tmp_path):
    one, other = (export_zip(classifier, tmp_path / place / "c.zip").read_bytes() for place in ("a", "b"))
    assert one == other
    assert str(tmp_path).encode() not in one


def test_a_full_disk_is_noticed_before_and_nothing_stays(classifier, tmp_path, monkeypatch):
    full = namedtuple("Usage", "total used free")(10, 10, files.SPARE + 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(DeftxError, match="are free"):
        export_zip(classifier, tmp_path / "out" / "c.zip")
    assert list((tmp_path / "out").iterdir()) == []
