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
from deftx.publish.score_words import known_score, scores_in_words
from deftx.vectors.vector import SparseVector

TEXTS = ["the food is good", "the night was awful and bitter"]


@pytest.fixture(scope="module")
def parts(task_vector, language_vector):
    return [(SparseVector.load(task_vector), 0.8), (SparseVector.load(language_vector), 1.2)]


@pytest.fixture(scope="module")
def classifier(base, parts):
    return compose(base, task=parts[0][0], strength_task=0.8, languages=parts[1:])


def test_the_unpacked_folder_is_the_same_classifier_for_plain_transformers(classifier, parts, tmp_path):
    packed = export_zip(classifier, tmp_path / "out" / "mood-min.zip", parts)
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


def test_the_readme_has_the_code_and_what_a_reader_must_know(classifier, parts, tmp_path, monkeypatch):
    with zipfile.ZipFile(export_zip(classifier, tmp_path / "mood-min.zip", parts)) as archive:
        archive.extractall(tmp_path)
    readme = (tmp_path / "mood-min" / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)  # the code is run beside the folder
    code = readme.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line]) == 3
    answered = []
    exec(code, {"print": lambda found: answered.extend(found)})
    expected = dict(
        zip(classifier.labels, classifier.classify(["a sentence in the language"])[0].tolist(), strict=True)
    )
    assert {one["label"]: one["score"] for one in answered} == pytest.approx(expected, abs=1e-5)
    task = parts[0][0]
    labels = [f"`{label}`" for label in task.labels]
    for said in (
        "Language: Minangkabau (min).",
        *known_score(task.info),
        *scores_in_words(labels, task.info["scores"]["confusion"])[1:],
        f"labels: {', '.join(labels)}",
        "language `Minangkabau (min)`, strength 1.2",
        f"Only the first {classifier.max_length} tokens",
        "Licence of “`min language vector`”: not stated.",
    ):
        assert said in readme


def test_the_same_classifier_is_the_same_file_and_tells_no_path(classifier, parts, tmp_path):
    one, other = (export_zip(classifier, tmp_path / place / "c.zip", parts).read_bytes() for place in ("a", "b"))
    assert one == other
    assert str(tmp_path).encode() not in one


def test_a_full_disk_is_noticed_before_and_nothing_stays(classifier, parts, tmp_path, monkeypatch):
    full = namedtuple("Usage", "total used free")(10, 10, files.SPARE + 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(DeftxError, match="are free"):
        export_zip(classifier, tmp_path / "out" / "c.zip", parts)
    assert list((tmp_path / "out").iterdir()) == []
