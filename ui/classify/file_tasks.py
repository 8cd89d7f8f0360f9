"""Classification of a file of texts, for the page and the endpoint; without its display."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from deftx.accounts.people import EMPTY
from deftx.core.calibration import Calibration, margins
from deftx.core.errors import DeftxError, TableError
from deftx.data.labels import check_kind
from deftx.data.unlabelled import Rows, answer_columns, disarm, read_texts, write_rows
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import takes_pairs
from ui.classify.other_languages import OtherLanguage, other_language
from ui.classify.units import refuse_unless_texts
from ui.library import vector_index
from ui.shared.background import OnShare
from ui.shared.uploads import safe_name
from ui.slices.batches import Attempt
from ui.workspace import Workspace

MOST_TEXTS = 100_000  # more would stay in memory too long; the command line has no limit


@dataclass(frozen=True)
class Classified:
    """A classified file: its rows, the probabilities (texts, labels) and the downloadable file."""

    name: str
    rows: Rows
    labels: list[str]
    probabilities: Tensor
    task: str
    language: str
    folder: TemporaryDirectory  # removed together with the object
    disarmed: int  # cells that a spreadsheet would have read as formulas
    cut: int  # texts of more than ``max_length`` tokens, whose rest is not read
    max_length: int
    refusal: str = ""  # why the CPU did it though a GPU was asked for
    calibration: Calibration | None = None  # of the task vector
    other: OtherLanguage | None = None

    @property
    def predicted(self) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[place] for place in self.probabilities.argmax(-1).tolist()]

    @property
    def counts(self) -> dict[str, int]:
        """Count the texts with each label."""
        counts = Counter(self.predicted)
        return {label: counts[label] for label in self.labels}

    def sure(self, wanted: float) -> list[bool]:
        """Return which answers are so sure that this share of them is right; all without a calibration."""
        if self.calibration is None:
            return [True] * len(self.rows.texts)
        return (margins(self.probabilities.numpy()) >= self.calibration.sure_from(wanted)).tolist()

    def file(self) -> Path:
        """Return the CSV: the file's rows with label and probabilities added, without formulas."""
        path = Path(self.folder.name) / f"{safe_name(self.name)[0]}-classified.csv"
        if not path.exists():
            write_rows(path, self.rows, answer_columns(self.labels, self.probabilities))
        return path


def wants_pairs(workspace: Workspace, task: str) -> bool:
    """Return whether a task vector classifies pairs of sentences; DeftxError if the vector does not exist."""
    return takes_pairs(vector_index.find(workspace.store, "task", task).folder)


def refuse_without_login(workspace: Workspace) -> None:
    """Refuse the files of visitors who have not logged in; they may classify sentences."""
    if workspace.owner == EMPTY:
        raise DeftxError(strings.VISITORS_KEEP_NOTHING)


def classify_file(
    workspace: Workspace, file: Path, columns: Mapping[str, str] | None, combination: Combination, on_share: OnShare
) -> Classified:
    """Classify the texts of a file with a combination of vectors.

    Raises:
        DeftxError: nobody has logged in, the file cannot be read or has too many texts, or the vectors cannot be composed.
    """
    refuse_without_login(workspace)
    chosen = workspace.composing.find(combination)
    refuse_unless_texts(chosen.entries[0].folder)
    with_language = " + ".join(chosen.languages) or strings.NO_LANGUAGE
    rows = read_texts(file, columns=columns)
    if len(rows.texts) > MOST_TEXTS:
        raise TableError(strings.FILE_TOO_LONG.format(name=file.name, count=len(rows.texts), most=MOST_TEXTS))
    check_kind(chosen.task, wants_pairs(workspace, combination.task), file.name, rows.pairs)
    classifier = workspace.composed(combination)
    attempt = workspace.batches.attempt([chosen], rows.texts, on_share) if workspace.batches else Attempt()
    (probabilities,) = attempt.probabilities or (classifier.classify(rows.texts, on_share),)
    folder = TemporaryDirectory(prefix="deftx-classified-")
    return Classified(
        file.name, rows, classifier.labels, probabilities, chosen.task, with_language, folder, disarm(rows)[1],
        len(classifier.cut(rows.texts)), classifier.max_length, attempt.refusal, classifier.calibration,
        other_language(workspace, combination, rows.texts),
    )  # fmt: skip
