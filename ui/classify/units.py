"""What the task vectors of the page answer about, and the refusal of those that classify no texts."""

from pathlib import Path

from deftx.core.errors import DeftxError
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.vectors import description
from ui import strings
from ui.library import vector_index


def unit_of(task: Path) -> str:
    """Return what the task vector of this folder answers about: one of UNITS."""
    return description.unit_of(vector_index.describe(task))


def refuse_unless_texts(task: Path) -> None:
    """Refuse the task vector of this folder unless it classifies texts."""
    refusals = {WORD: strings.WORD_TASK, QUESTION: strings.QUESTION_TASK}
    if (unit := unit_of(task)) != TEXT:
        raise DeftxError(refusals[unit])
