"""Rows of the tables whose predictions other programs write, such as methods whose packages need an environment of their own."""

import json
from dataclasses import dataclass

from deftx.core.errors import TableError
from deftx.evidence.cells import Scored
from deftx.evidence.labelled import read_tests
from deftx.evidence.run import Run


@dataclass(frozen=True)
class OtherProgram:
    """A row that another program fills: its title, the program and the reference of the method."""

    title: str
    program: str
    reference: str


OTHER_PROGRAMS = {
    "mad-x": OtherProgram("MAD-X 2.0", "benchmarks/madx/run.py", "Pfeiffer et al. 2020 and 2021"),
}


def read_predictions(run: Run) -> list[Scored]:
    """Return the cells of these rows whose files are in the folder of a run; where there are none, there is no row.

    Raises:
        TableError: If a file has the predictions for other rows than those of the test set.
    """
    tests = read_tests(run.setting, run.data, run.languages)
    gold = {language: list(test.labels) for language, test in tests.items()}
    found = []
    for name in OTHER_PROGRAMS:
        for language in run.languages:
            for file in (run.score_file(name, language, seed) for seed in run.seeds):
                if not file.is_file():
                    continue
                cell = Scored.from_dict(json.loads(file.read_text(encoding="utf-8")))
                if cell.gold != gold[language] or len(cell.predicted) != len(cell.gold):
                    raise TableError(
                        f"{file} has predictions for other sentences than the test set of {language}. Delete it, and run "
                        f"{OTHER_PROGRAMS[name].program} again."
                    )
                found.append(cell)
    return found
