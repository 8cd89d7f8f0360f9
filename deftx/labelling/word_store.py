"""Sessions of corrected words on disk, and what comes out of them: a score, and the corrected sentences as a file."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deftx.classify.tag_files import TaggedFile
from deftx.classify.tagger import marked
from deftx.core.tag_evaluation import ENTITY_F1, TagEvaluation, evaluate_tags, metrics_for
from deftx.core.tags import spans
from deftx.data.table_rows import SINGLE
from deftx.data.unlabelled import Rows
from deftx.data.words_to_tag import ToTag
from deftx.labelling.session import LabellingError
from deftx.labelling.store import Folder
from deftx.labelling.word_session import Correction, WordSession

FOLDER = "labelling-words"

Corrected = dict[int, Correction]  # by place


class WordSessions(Folder[WordSession]):
    """The sessions of words below a folder; every method can be called from any thread."""

    def __init__(self, home: Path) -> None:
        """Use the folder "labelling-words" of ``home``; it is created with the first session."""
        super().__init__(home / FOLDER, WordSession.from_dict)

    def record(self, session_id: str, correction: Correction) -> None:
        """Store the tags of a sentence after a click; the last ones stand.

        Raises:
            LabellingError: If they do not fit the session, or the disk refuses it.
        """
        self._append(session_id, [asdict(correction.check(self.open(session_id)))])

    def corrected(self, session_id: str) -> Corrected:
        """Return the last correction of each sentence.

        Raises:
            LabellingError: If there is no such session.
        """
        session = self.open(session_id)
        read = (_correction(line, session) for line in self._lines(session_id))
        return {one.place: one for one in read if one is not None}


def word_score(session: WordSession, corrected: Mapping[int, Correction]) -> TagEvaluation | None:
    """Score the classifier's tags on the finished sentences drawn at random; None if there are none, or no name to score."""
    places = [place for place, one in corrected.items() if one.done and session.sentences[place].drawn]
    gold, found = [corrected[place].tags for place in places], [session.sentences[place].tags for place in places]
    metric = metrics_for(session.tags)[0]
    if not places or (metric == ENTITY_F1 and not any(map(spans, [*gold, *found]))):
        return None
    return evaluate_tags(metric, gold, found)


def as_file(session: WordSession, corrected: Mapping[int, Correction]) -> TaggedFile:
    """Return the finished sentences in the order of the session, for ``write_tagged``. LabellingError if there are none."""
    places = [place for place in range(len(session.sentences)) if place in corrected and corrected[place].done]
    if not places:
        raise LabellingError("No sentence is finished yet.")
    sentences = [session.sentences[place] for place in places]
    texts = [one.text for one in sentences]
    tagged = [
        marked(one.text, one.words, corrected[place].tags, [1.0] * len(one.words), entities=session.entities)
        for place, one in zip(places, sentences, strict=True)
    ]
    rows = Rows(SINGLE, [[text] for text in texts], texts, list(range(len(texts))), pairs=False)
    return TaggedFile(ToTag(rows), tagged)


def _correction(line: Any, session: WordSession) -> Correction | None:
    try:
        return Correction(line["place"], tuple(line["tags"]), line["done"] is True).check(session)
    except (KeyError, TypeError, LabellingError):
        return None  # changed by hand
