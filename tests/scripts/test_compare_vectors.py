"""The rows of scripts/compare_vectors.py have the scores of the classifiers that they name."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
from sklearn.metrics import f1_score

import deftx
from deftx.vectors.vector import SparseVector

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compare_vectors.py"


@pytest.fixture
def rows(tmp_path):
    """Labelled sentences, a third of them with the wrong label, in the files of two languages."""
    right = tiny.labelled_rows()[:36]
    mixed = [(text, "negative" if number % 3 == 0 else label) for number, (text, label) in enumerate(right)]
    for language in ("ban", "min"):
        folder = tmp_path / "nusax" / language
        folder.mkdir(parents=True)
        tiny.write_csv(folder / "test.csv", ("text", "label"), mixed)
    return mixed


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_has_the_scores_of_its_vectors(
    rows, base, base_folder, task_vector, language_vector, tmp_path, monkeypatch, capsys
):
    own, task = tmp_path / "of-{}", SparseVector.load(task_vector)
    opposite = {name: -values for name, values in task.values.items()}  # the tiny vector itself changes no label
    vector = replace(SparseVector.load(language_vector), positions=task.positions, values=opposite, shapes=task.shapes)
    language_vector = vector.save(tmp_path / "opposite")
    for language in ("ban", "min"):
        (tmp_path / f"of-{language}").symlink_to(language_vector)
    monkeypatch.setattr(sys, "argv", [
        str(SCRIPT), "nusax", "--data", str(tmp_path), "--languages", "ban", "min", "--base", str(base_folder),
        "--rows", f"none={task_vector}", f"own={task_vector},{own}"])  # fmt: skip
    monkeypatch.setattr(sys, "path", list(sys.path))
    runpy.run_path(str(SCRIPT), run_name="__main__")
    header, _, *lines = map(cells, capsys.readouterr().out.splitlines())
    assert header == ["vectors", "ban", "min", "mean", "against the first", "masked-LM loss"]
    loss = SparseVector.load(language_vector).info["scores"]["masked_lm_loss"]["after"]
    for line, title, language, shown in zip(
        lines, ("none", "own"), (None, language_vector), ("–", f"{loss:.3f}"), strict=True
    ):
        predicted = deftx.compose(base, task=task_vector, language=language).predict([text for text, _ in rows])
        wanted = 100 * f1_score([label for _, label in rows], predicted, average="macro")
        assert line[0] == title
        assert line[1] == line[2] == f"{wanted:.1f}"
        assert line[3].startswith(f"{wanted:.1f} (")
        assert line[5] == shown
    assert lines[0][4] == "–"
    assert lines[1][4] != "–"
    assert lines[0][1] != lines[1][1]
