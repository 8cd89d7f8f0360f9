"""The labelling sessions of a workspace: starting one, answering, and what they give to training."""

import csv
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath

from deftx.core.errors import DeftxError
from deftx.data.table_rows import LABEL as LABEL_COLUMN
from deftx.data.table_rows import SINGLE
from deftx.labelling.results import consensus, rows
from deftx.labelling.session import LABEL, Judgement, LabellingError, Session, begin, check_labels
from deftx.labelling.store import Sessions
from deftx.training.request import TrainingRequest
from ui import strings
from ui.classify.combination import Combination
from ui.classify.composing import takes_pairs
from ui.classify.units import refuse_unless_texts
from ui.current import current_workspace
from ui.labelling.label_views import LEAST, UNDO
from ui.library import vector_index

# Chosen on Javanese and Sundanese (docs/labelling.md): so few rows need few and small steps from what the classifier knows, and
# none of the checkpoints is chosen, because the scores of 25 sentences could not tell them apart.
FURTHER = {"sparse_learning_rate": 1e-3, "batch_size": 10, "epochs": 6.0, "evaluate_every": 10_000}
# Without a classifier, all has to be learned from these rows; a preset's steps would be over after three.
ALONE = {"batch_size": 8, "epochs": 30.0, "max_steps": 300, "evaluate_every": 50}
SEED = 42
_BETWEEN = re.compile(r"[,;\n]")


def stored() -> Sessions:
    """Return the sessions of the current workspace."""
    return Sessions(current_workspace().store.root)


def start(task: str | None, language: str, text: str | None, own: str, count: float | None) -> Session:
    """Choose sentences of a text and store the session.

    Args:
        task: The key of the task vector whose answers are scored; without effect if there are ``own`` labels.
        language: The key of the language vector; may be empty.
        text: The name of the text.
        own: Labels that the person typed, separated by commas; may be empty.
        count: The number of sentences.

    Raises:
        DeftxError: If something is missing, or if nothing may be stored here.
    """
    workspace = current_workspace()
    workspace.admit(0)
    if not text:
        raise DeftxError(strings.LABELLING_NEEDS_TEXT)
    combination = None if own.strip() else Combination.of(task, [(language, 1.0)])
    labels = check_labels(_BETWEEN.split(own)) if combination is None else labels_of(combination)
    lines, kept = workspace.facts.read(text).lines, stored()
    earlier = [one for one in kept.list() if one.text == text and set(one.labels) == set(labels)]
    vectors = {} if combination is None else {
        "classifiers": [workspace.composed(side).classify for side in _sides(combination)],
        "made_of": named(combination), "task": combination.task, "language": language,
    }  # fmt: skip
    session = begin(
        lines, labels, text=text, count=int(count or 0), seed=SEED,
        without=[sentence.text for one in earlier for sentence in one.sentences], **vectors,
    )  # fmt: skip
    kept.add(session)
    return session


def labels_of(combination: Combination) -> list[str]:
    """Return the labels of a combination's task; DeftxError if it classifies pairs, or no texts."""
    task = current_workspace().composing.find(combination).entries[0]
    if takes_pairs(task.folder):
        raise DeftxError(strings.PAIR_TASK)
    refuse_unless_texts(task.folder)
    return list(vector_index.describe(task.folder).get("labels") or ())


def named(combination: Combination) -> str:
    """Return the names of the vectors of a combination."""
    found = current_workspace().composing.find(combination)
    return " + ".join([found.task, *found.languages])


def _sides(combination: Combination) -> list[Combination]:
    """List what is compared to find doubtful sentences: all vectors, and the task vector alone."""
    return [combination, Combination.of(combination.task)] if combination.languages else [combination]


def answer(session_id: str, person: str, picked: str) -> None:
    """Store what a button means: "PLACE:label:NUMBER", "PLACE:none", "PLACE:skip" or "PLACE:undo".

    Raises:
        DeftxError: If it is none of these, or nothing may be stored here.
    """
    place, mark, number = [*picked.split(":"), "", ""][:3]
    kept = stored()
    if mark == UNDO:
        kept.undo(session_id, person)
        return
    current_workspace().admit(0)
    labels = kept.open(session_id).labels
    known = number.isdecimal() and int(number) < len(labels)
    if not place.isdecimal() or (mark == LABEL and not known):
        raise LabellingError(strings.LABELLING_UNKNOWN)
    kept.record(session_id, person, [Judgement(int(place), mark, labels[int(number)] if mark == LABEL else "")])


def keep_test(session: Session) -> str:
    """Store the judged sentences of the random half as a labelled file and return its name; DeftxError if there are none."""
    found = rows(session, stored().judged(session.id), drawn=True)
    if not found:
        raise LabellingError(strings.LABELLING_TOO_FEW.format(least=1, count=0))
    return _keep(f"{PurePath(session.text).stem}-judged-test", found)


def improvement(session: Session) -> TrainingRequest:
    """Store the rows to train on as a labelled file and return the request of a training run on it.

    They are the judged sentences outside of the random half. That half is the validation file, so the training run tells how
    many of its sentences the present and the new classifier get right. The session's task vector is trained further, with
    its language vector; without a classifier, a task vector is learned from these rows alone.

    Raises:
        DeftxError: If too few sentences are judged, or all have the same label.
    """
    people = stored().judged(session.id)
    if (count := len(consensus(people))) < LEAST:
        raise LabellingError(strings.LABELLING_TOO_FEW.format(least=LEAST, count=count))
    judged, drawn = (rows(session, people, drawn=half) for half in (False, True))
    if len({label for _, label in judged}) < 2:
        raise LabellingError(strings.LABELLING_ONE_LABEL)
    stem, language = PurePath(session.text).stem, session.language
    code = (
        vector_index.code_of(vector_index.find(current_workspace().store, "language", language).folder)
        if language
        else ""
    )
    known = bool(session.task and drawn)
    return TrainingRequest(
        kind="task", name=strings.LABELLING_JOB.format(text=stem), train=_keep(f"{stem}-judged", judged),
        valid=keep_test(session) if known else "", source=language, language=code, start=session.task,
        recipe=FURTHER if session.task else ALONE,
    )  # fmt: skip


def predicted(session: Session, combination: Combination) -> dict[int, str]:
    """Classify the random half with other vectors and return their labels by place; DeftxError for other labels."""
    if set(labels_of(combination)) != set(session.labels):
        raise LabellingError(strings.LABELLING_OTHER_LABELS.format(labels=", ".join(session.labels)))
    places = [place for place, one in enumerate(session.sentences) if one.drawn]
    answers = current_workspace().composed(combination).predict([session.sentences[place].text for place in places])
    return dict(zip(places, answers, strict=True))


def _keep(name: str, found: Sequence[tuple[str, str]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow((*SINGLE, LABEL_COLUMN))
            writer.writerows(found)
        return current_workspace().tables.add(file)
