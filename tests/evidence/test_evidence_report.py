"""Without these, the table could show another row's number, or a row that is not finished as if it were."""

import csv as csv_reader

import numpy as np
import pytest
from sklearn.metrics import f1_score

from deftx.evidence.cells import Cost, Scored
from deftx.evidence.report import ReportSettings, csv, markdown, overlap_markdown, summarise
from deftx.evidence.statistics import joint_difference, joint_interval, wilcoxon_against

LABELS = ["negative", "neutral", "positive"]
LANGUAGES = ["ban", "min"]
TITLES = {"tfidf-word": "Counting words", "variance": "DeFT-X", "lt-sft": "LT-SFT"}
COSTS = {"variance": Cost(4321.4, 1.26)}
RIGHT = {"tfidf-word": 0.5, "variance": 0.9, "lt-sft": 0.6}
GOLD = np.random.default_rng(0).choice(LABELS, 80).tolist()


def cell(row, language, seed):
    generator = np.random.default_rng([seed, *row.encode(), *language.encode()])
    agree = generator.random(len(GOLD)) < RIGHT[row]
    return Scored(row, language, seed, GOLD, np.where(agree, GOLD, generator.choice(LABELS, len(GOLD))).tolist())


def run(rows=("tfidf-word", "variance", "lt-sft")):
    """Three seeds of every row; the one that counts words has no seeds, so it has one cell a language."""
    return [
        cell(row, language, seed)
        for row in rows
        for language in (*LANGUAGES, "ind")
        for seed in ((0,) if row == "tfidf-word" else (1, 2, 3))
    ]


def found_in(cells, titles=TITLES):
    return summarise(cells, ReportSettings(titles, LANGUAGES, "ind", "f1"), COSTS)


def of(cells, row, languages=LANGUAGES):
    return [cell for cell in cells if cell.row == row and cell.language in languages]


def points(cells):
    return 100 * np.mean([f1_score(c.gold, c.predicted, average="macro") for c in cells])


def read_markdown(text):
    return [[part.strip() for part in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]


def test_every_number_of_the_table_is_of_its_row_and_column():
    cells = run()
    head, _, *lines = read_markdown(markdown(found_in(cells)))
    assert head == ["", "ban", "min", "mean", "ind", "against LT-SFT", "p", "seconds", "GB"]
    assert [line[0] for line in lines] == ["Counting words", "DeFT-X", "LT-SFT"]
    for line, row in zip(lines, TITLES, strict=True):
        assert line[1:3] == [f"{points(of(cells, row, [language])):.1f}" for language in LANGUAGES]
        assert line[4] == f"{points(of(cells, row, ['ind'])):.1f}"
        low, high = (100 * end for end in joint_interval(of(cells, row), "f1")[1:])
        assert line[3] == f"{points(of(cells, row)):.1f} ({low:.1f} to {high:.1f})"
    deft_x, lt_sft = lines[1:]
    mean, low, high = (100 * v for v in joint_difference(of(cells, "variance"), of(cells, "lt-sft"), "f1"))
    assert 0 < low < mean < high
    assert deft_x[5] == f"+{mean:.1f} (+{low:.1f} to +{high:.1f})"
    assert deft_x[6] == f"{wilcoxon_against(of(cells, 'variance'), of(cells, 'lt-sft'), 'f1'):.3f}" == "0.031"
    assert deft_x[7:] == ["4,321", "1.3"]
    assert lt_sft[5:] == ["–"] * 4


def test_a_baseline_without_seeds_is_compared_with_every_seed():
    cells = run()
    found = found_in(cells)
    words, lt_sft = found.lines[0], of(cells, "lt-sft")
    repeated = [
        Scored("x", c.language, seed, c.gold, c.predicted) for c in of(cells, "tfidf-word") for seed in (1, 2, 3)
    ]
    assert words.difference == joint_difference(repeated, lt_sft, "f1")
    assert words.p == wilcoxon_against(repeated, lt_sft, "f1")
    assert words.mean == pytest.approx(joint_interval(of(cells, "tfidf-word"), "f1"), abs=1e-12)


def test_a_row_that_lacks_cells_is_left_out_and_named():
    lacking = [c for c in run() if (c.row, c.language, c.seed) not in {("variance", "min", 2), ("variance", "ban", 1)}]
    titles = {**TITLES, "mp": "Marchenko-Pastur"}
    text = markdown(found_in(lacking, titles))
    assert [line[0] for line in read_markdown(text)[2:]] == ["Counting words", "LT-SFT"]
    assert "Not finished: DeFT-X, 4 of 6 cells; Marchenko-Pastur, 0 of 6 cells." in text
    assert "DeFT-X" not in csv(found_in(lacking, titles))
    assert "Not finished" not in markdown(found_in(run()))


def test_without_the_other_row_there_is_nothing_to_compare_with():
    text = markdown(summarise(run(["variance"]), ReportSettings(TITLES, LANGUAGES, None, "f1"), {}))
    line = read_markdown(text)[2]
    assert (len(line), line[4:]) == (8, ["–"] * 4)
    assert "LT-SFT, 0 of 6 cells" in text


def test_rows_can_be_compared_with_another_one_and_by_accuracy():
    found = summarise(run(), ReportSettings(TITLES, LANGUAGES, "ind", "accuracy", "variance", parallel=False), COSTS)
    assert [line.difference is None for line in found.lines] == [False, True, False]
    assert found.lines[2].difference.high < 0
    assert found.lines[1].by_language["min"] == np.mean([c.score("accuracy") for c in of(run(), "variance", ["min"])])


def test_the_csv_has_the_numbers_of_the_table_one_a_column():
    cells = run()
    words, deft_x, _ = csv_reader.DictReader(csv(found_in(cells)).splitlines())
    assert (words["row"], words["seconds"], words["peak_gb"]) == ("tfidf-word", "", "")
    assert (deft_x["title"], deft_x["seconds"], deft_x["peak_gb"]) == ("DeFT-X", "4321.4", "1.26")
    for column, expected in zip(
        ("mean", "mean_low", "mean_high"), joint_interval(of(cells, "variance"), "f1"), strict=True
    ):
        assert float(deft_x[column]) == pytest.approx(100 * expected, abs=0.005)
    assert float(deft_x["ind"]) == pytest.approx(points(of(cells, "variance", ["ind"])), abs=0.005)
    assert float(deft_x["difference_low"]) > 0
    assert float(deft_x["wilcoxon_p"]) == 0.03125  # six of six: 2 / 2⁶


def test_overlaps_are_a_symmetric_matrix_in_percent():
    head, _, *lines = read_markdown(overlap_markdown({("ban", "min"): 0.1234, ("min", "task"): 0.02}))
    assert head == ["", "ban", "min", "task"]
    assert lines == [["ban", "100.0", "12.3", "–"], ["min", "12.3", "100.0", "2.0"], ["task", "–", "2.0", "100.0"]]
