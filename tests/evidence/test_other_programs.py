"""Without these, a table could have a row that nothing has filled, or one that was tested on other sentences."""

import csv

import pytest
import tiny
from sklearn.metrics import f1_score

from deftx.core.errors import TableError
from deftx.data.tables import read_table
from deftx.evidence import results
from deftx.evidence.cells import Scored
from deftx.evidence.other_programs import OTHER_PROGRAMS, read_predictions
from deftx.evidence.run import Run
from deftx.evidence.settings import SETTINGS

NUSAX = SETTINGS["nusax"]


@pytest.fixture
def run(tmp_path):
    """A run of the baselines alone, on two test sets."""
    data = tmp_path / "data"
    for number, name in enumerate(("smsa/train", "nusax/ban/test", "nusax/ind/test")):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.write_csv(data / f"{name}.csv", ("text", "label"), tiny.labelled_rows()[10 * number : 40 + 10 * number])
    (tmp_path / "out").mkdir()
    return Run(NUSAX, (), ("ban", "ind"), (42,), data, tmp_path / "out", "base", ("cpu",), "quick",
               {"language": {}, "task": {}})  # fmt: skip


def predictions(run, language, seed=42):
    gold = list(read_table(run.setting.test_file(run.data, language)).labels)
    return Scored("mad-x", language, seed, gold, [gold[0]] * 15 + gold[15:])


def table(run):
    """Write the table, and return its rows by name."""
    results.write(run, [*results.score_baselines(run), *read_predictions(run)])
    with (run.out / "results.csv").open(encoding="utf-8", newline="") as stream:
        return {row["row"]: row for row in csv.DictReader(stream)}


def test_predictions_of_another_program_are_a_row_and_change_no_other(run):
    before = table(run)
    assert list(before) == ["tfidf-word", "tfidf-char"]
    assert "MAD-X" not in (run.out / "results.md").read_text(encoding="utf-8")
    cells = {language: predictions(run, language) for language in run.languages}
    for cell in cells.values():
        run.keep(cell)
    found = table(run)
    assert found.pop("mad-x")["title"] == OTHER_PROGRAMS["mad-x"].title
    assert found == before
    row = table(run)["mad-x"]
    for language, cell in cells.items():
        assert float(row[language]) == pytest.approx(
            100 * f1_score(cell.gold, cell.predicted, average="macro"), abs=0.01
        )
    assert (row["mean"], row["seconds"]) == (row["ban"], "")


def test_a_row_that_lacks_a_language_is_named_as_not_finished(run):
    run.keep(predictions(run, "ind"))
    assert "mad-x" not in table(run)
    assert "Not finished: MAD-X 2.0, 0 of 1 cells." in (run.out / "results.md").read_text(encoding="utf-8")


def test_predictions_of_another_seed_are_not_in_the_table(run):
    run.keep(predictions(run, "ban", seed=43))
    assert read_predictions(run) == []


@pytest.mark.parametrize("change", [lambda cell: cell.gold.reverse(), lambda cell: cell.predicted.pop()])
def test_predictions_for_other_sentences_are_refused(run, change):
    cell = predictions(run, "ban")
    change(cell)
    run.keep(cell)
    with pytest.raises(
        TableError, match=r"mad-x-ban-42\.json has predictions for other sentences .*madx/run\.py again"
    ):
        table(run)
