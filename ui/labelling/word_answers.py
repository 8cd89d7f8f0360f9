"""What the buttons of labelling words do: start or continue a session, store a click, go on, export, remove."""

from datetime import datetime
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.classify.tag_files import write_tagged
from deftx.classify.tagger import tagger
from deftx.core.errors import DeftxError
from deftx.labelling.session import LabellingError
from deftx.labelling.word_session import Correction, WordSession, begin_words, with_label
from deftx.labelling.word_store import WordSessions, as_file
from ui import strings
from ui.classify.combination import Combination
from ui.corpus import corpora
from ui.current import current_workspace
from ui.labelling import word_views
from ui.labelling.sessions import SEED, named
from ui.shared import views

NEXT, BACK, WORD = "next", "back", "word"
NOTHING = {"session": "", "place": 0}  # the session and the sentence that a page shows


def stored() -> WordSessions:
    """Return the sessions of words of the current workspace."""
    return WordSessions(current_workspace().store.root)


def start(task: str | None, language: str | None, text: str | None, count: float | None) -> tuple:
    """Start a session and show its first sentence; on an error, show it and keep the current session."""
    try:
        session = _begin(task, language or "", text, int(count or 0))
        stored().add(session)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.LABELLING_NOT_STARTED, error), gr.skip(), *[gr.skip()] * 4
    kept = {"session": session.id, "place": 0}
    return kept, "", gr.Dropdown(choices=choices(), value=session.id), *show(kept)


def _begin(task: str | None, language: str, text: str | None, count: int) -> WordSession:
    workspace = current_workspace()
    workspace.admit(0)
    if not text:
        raise LabellingError(strings.LABELLING_NEEDS_TEXT)
    combination = Combination.of(task, [(language, 1.0)])
    made = tagger(workspace.composed(combination), workspace.composing.find(combination).task)
    earlier = [one for one in stored().list() if one.text == text and set(one.tags) == set(made.labels)]
    return begin_words(
        workspace.facts.read(text).lines, made.tag, made.labels, text=text, made_of=named(combination), count=count,
        seed=SEED, without=[sentence.text for one in earlier for sentence in one.sentences],
    )  # fmt: skip


def open_session(session_id: str | None) -> tuple:
    """Continue a session of this workspace at the first sentence that is not finished."""
    session = find(session_id or "")
    if session is None:
        return dict(NOTHING), "", *show(NOTHING)
    corrected = stored().corrected(session.id)
    unfinished = (place for place in range(len(session.sentences)) if not _done(corrected, place))
    kept = {"session": session.id, "place": next(unfinished, len(session.sentences))}
    return kept, "", *show(kept)


def find(session_id: str) -> WordSession | None:
    """Return a session; None if it is gone."""
    try:
        return stored().open(session_id)
    except DeftxError:
        return None


def show(kept: dict[str, Any], chosen: str | None = None) -> tuple:
    """Show a sentence and the results: (the area, the labels with one chosen, the sentence, the results)."""
    session = find(kept["session"])
    if session is None:
        return gr.Column(visible=False), gr.skip(), "", ""
    corrected = stored().corrected(session.id)
    labels = [(label, label) for label in session.labels] + ([(strings.NO_NAME, "")] if session.entities else [])
    wanted = chosen if chosen in [value for _, value in labels] else labels[0][1]
    card = word_views.card(session, corrected, kept["place"])
    return gr.Column(visible=True), gr.Radio(choices=labels, value=wanted), card, word_views.result(session, corrected)


def pick(kept: dict[str, Any], label: str | None, picked: str) -> tuple:
    """Store a click ("PLACE:word:NUMBER", "PLACE:next" or "PLACE:back") and show what follows from it."""
    try:
        kept = {**kept, "place": _picked(kept["session"], label or "", picked)}
        said = ""
    except DeftxError as error:
        said = views.refusal(strings.LABELLING_NOT_STORED, error)
    return kept, said, *show(kept, label)


def _picked(session_id: str, label: str, picked: str) -> int:
    """Store a click and return the place of the sentence to show."""
    place, what, number = [*picked.split(":"), "", ""][:3]
    session = stored().open(session_id)
    if not place.isdecimal() or int(place) > len(session.sentences):
        raise LabellingError(strings.LABELLING_UNKNOWN)
    at = int(place)
    if what == BACK:
        return max(0, at - 1)
    current_workspace().admit(0)
    tags = word_views.tags_of(session, stored().corrected(session_id), at)
    if what == NEXT and tags:
        stored().record(session_id, Correction(at, tags, done=True))
        return at + 1
    if what != WORD or not number.isdecimal() or int(number) >= len(tags):
        raise LabellingError(strings.LABELLING_UNKNOWN)
    stored().record(session_id, Correction(at, with_label(tags, int(number), label, session.entities)))
    return at


def export(ending: str, kept: dict[str, Any]) -> tuple[str | None, str]:
    """Write the finished sentences to a file; return it and a message."""
    workspace = current_workspace()
    try:
        session = stored().open(kept["session"])
        found = as_file(session, stored().corrected(session.id))
    except DeftxError as error:
        return None, views.refusal(strings.NOT_EXPORTED, error)
    name = f"{Path(corpora.title_of(session.text)).stem}-corrected{ending}"
    path = workspace.served_files.write(name, lambda target: _written(target, found), workspace.owner)
    return str(path), ""


def _written(target: Path, found: Any) -> Path:
    write_tagged(target, found)
    return target


def keep(kept: dict[str, Any]) -> str:
    """Store the finished sentences among the labelled files, to train on or to score."""
    path, said = export(".conll", kept)
    if path is None:
        return said
    try:
        name = current_workspace().tables.add(path)
    except DeftxError as error:
        return views.refusal(strings.LABELLING_NOT_STORED, error)
    return views.notice(strings.WORDS_KEPT.format(name=name), kind="good")


def remove(kept: dict[str, Any]) -> tuple:
    """Remove the current session with all corrections."""
    said = ""
    try:
        stored().remove(kept["session"])
    except DeftxError as error:
        said = views.refusal(strings.LABELLING_NOT_STORED, error)
    return dict(NOTHING), said, gr.Dropdown(choices=choices(), value=None), *show(NOTHING), *asking(False)


def asking(asks: bool) -> tuple:
    """Show the button that removes a session, or ask whether it is meant."""
    return gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)


def choices() -> list[tuple[str, str]]:
    """List the sessions of the workspace as (label, id), the newest first."""
    return [(_title(one), one.id) for one in stored().list()]


def _title(session: WordSession) -> str:
    return strings.LABELLING_SESSION.format(
        text=corpora.title_of(session.text), about=session.made_of, count=len(session.sentences),
        day=datetime.fromtimestamp(session.created).strftime(views.DATE_AND_TIME),
    )  # fmt: skip


def _done(corrected: dict[int, Correction], place: int) -> bool:
    return place in corrected and corrected[place].done
