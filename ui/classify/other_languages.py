"""Whether the texts of a file are in another language than the vectors are made for."""

from collections.abc import Sequence
from dataclasses import dataclass

from deftx.classify.composition import codes_of
from deftx.classify.doubts import Limits
from deftx.core.errors import CorpusError
from deftx.data.languages import clear_language
from deftx.data.writing_systems import word_count
from deftx.models.batches import Text
from ui.classify.combination import Combination
from ui.language_names import code_of
from ui.workspace import Workspace

SAMPLE = 200  # texts whose language is identified, spread evenly over the file
LONGEST = 1_000  # characters of a text that are enough to tell its language
# Of samples of 5 texts of NusaX, 3 in 1,000 seemed to be in another language than theirs, and of 6 words of each text, 5.
LEAST = 5


@dataclass(frozen=True)
class OtherLanguage:
    """The code of the language that most texts of a file are in, and those of the languages of the vectors."""

    found: str
    expected: tuple[str, ...]


def other_language(workspace: Workspace, combination: Combination, texts: Sequence[Text]) -> OtherLanguage | None:
    """Return the language of most texts if it is not one of the combination's; None also if that is not clear.

    The combination's languages are those of its language vectors, or without one that of its task vector, as for a single
    sentence (``deftx.classify.doubts``): a task that was learned in Indonesian is no better for Minangkabau if no language is
    chosen. Nothing is said if one of them has no profile, because it could be what is found, or if few texts have enough words.
    """
    try:
        known = workspace.facts.languages()
    except CorpusError:  # a damaged profile; this must not prevent the answers
        return None
    expected = tuple(code_of(code) for code in codes_of(workspace.composing.vectors(combination)))
    lines = [_joined(text) for text in texts[:: -(-len(texts) // SAMPLE)]]
    lines = [line for line in lines if word_count(line) >= Limits.words]
    profiles = set(map(code_of, known.names())) - {""}
    if not expected or not set(expected) <= profiles or len(lines) < LEAST:
        return None
    found = code_of(clear_language(known.mix(lines)))
    return OtherLanguage(found, expected) if found and found not in expected else None


def _joined(text: Text) -> str:
    return (text if isinstance(text, str) else " ".join(text))[:LONGEST]
