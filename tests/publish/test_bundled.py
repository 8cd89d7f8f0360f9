"""Out of the box a sentence of five languages is classified: what comes with the project is there, whole, small, and fits."""

import json
from pathlib import Path

import pytest
from forked import run
from tiny_vectors import make_vector, same_vector

from deftx import BUNDLED_BASE, load_base
from deftx.vectors.vector import SparseVector

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("ind", "mad", "bjn", "ban", "ace", "min")
NAMES = (*LANGUAGES, "sentiment")
LIMIT = 64_000_000  # bytes of all assets together


@pytest.fixture(scope="module")
def base():
    return load_base(BUNDLED_BASE)


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_vector_fits_the_bundled_base_and_says_what_it_achieves(name, base):
    vector = SparseVector.load(name)
    vector.check_base(base)
    assert vector.kind == ("task" if name == "sentiment" else "language")
    scores = vector.info["scores"]
    if vector.kind == "language":
        assert vector.info["language"] == name
        assert scores["masked_lm_loss"]["after"] < scores["masked_lm_loss"]["before"]
    else:
        assert scores["f1"]["after"] > 0.8
    folder = ROOT / "assets" / "vectors" / name
    assert "## What it achieves" in (folder / "README.md").read_text(encoding="utf-8")
    assert json.loads((folder / "vector.json").read_text(encoding="utf-8"))["spectrum_shapes"]


def test_all_that_is_bundled_is_small_enough_to_be_cloned():
    assert sum(file.stat().st_size for file in (ROOT / "assets").rglob("*") if file.is_file()) <= LIMIT


def bundle(evidence, out):
    return run(ROOT / "scripts" / "bundle_vectors.py", evidence, "--out", out)


@pytest.mark.slow
def test_vectors_of_a_comparison_are_bundled_as_they_are(tmp_path):
    evidence, out = tmp_path / "evidence", tmp_path / "vectors"
    folders = {name: f"language-{name}-variance-42" for name in LANGUAGES}
    folders["sentiment"] = "task-ind-variance-from-source-42"
    for draw, folder in enumerate(folders.values()):
        make_vector(draw).save(evidence / "vectors" / folder)
        (evidence / "vectors" / folder / "cost.json").write_text("{}")
    assert bundle(evidence, out).returncode == 0
    for draw, name in enumerate(folders):
        assert same_vector(SparseVector.load(out / name), make_vector(draw))
        assert sorted(file.name for file in (out / name).iterdir()) == [
            "README.md",
            "vector.json",
            "vector.safetensors",
        ]


@pytest.mark.slow
def test_nothing_is_replaced_where_one_is_missing(tmp_path):
    evidence, out = tmp_path / "evidence", tmp_path / "vectors"
    make_vector(0).save(evidence / "vectors" / "language-ind-variance-42")
    make_vector(1).save(out / "ind")
    done = bundle(evidence, out)
    assert done.returncode == 1
    assert "language-mad-variance-42" in done.stderr
    assert same_vector(SparseVector.load(out / "ind"), make_vector(1))
