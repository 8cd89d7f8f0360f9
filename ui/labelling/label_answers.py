"""What the buttons of labelling do: start or continue a session, store an answer, files, another classifier, removal."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.labelling.exchange import WRITERS, match, read_rows
from deftx.labelling.session import Session
from deftx.labelling.store import person_name
from deftx.training.request import TrainingRequest
from ui import strings
from ui.classify.combination import Combination
from ui.corpus import corpora, corpus_tab
from ui.current import current_workspace
from ui.labelling import label_views, sessions
from ui.shared import views
from ui.shared.isolation import read_isolated


def restore(kept: object) -> tuple:
    """Continue the session that the browser stored, for a page that opens, in the order of ``LabelTab.restored``."""
    session_id, person = read(kept)
    session = find(session_id)
    opened = gr.Accordion(open=True) if session else gr.skip()
    chosen = {"value": session_id} if session else {}
    return (
        opened, gr.Dropdown(choices=corpus_tab.choices()), gr.Dropdown(choices=choices(), **chosen), person,
        *show(session_id, person),
    )  # fmt: skip


def read(kept: object) -> tuple[str, str]:
    """Return the session and the name that the browser stored; empty texts for anything else."""
    given = kept if isinstance(kept, dict) else {}
    session, person = (given.get(name) for name in ("session", "person"))
    return session if isinstance(session, str) else "", person_name(person) if isinstance(person, str) else ""


def find(session_id: str) -> Session | None:
    """Return a session; None if it is gone."""
    try:
        return sessions.stored().open(session_id)
    except DeftxError:
        return None


def show(session_id: str, person: str) -> tuple:
    """Show the next sentence of a person and the results, in the order of ``LabelTab.shown``."""
    session = find(session_id)
    if session is None:
        return gr.Column(visible=False), "", "", gr.skip()
    people = sessions.stored().judged(session_id)
    judged = people.get(person, {})
    train = strings.LABELLING_IMPROVE if session.task else strings.LABELLING_FIRST
    result = label_views.result(session, people, person)
    return gr.Column(visible=True), label_views.card(session, judged), result, gr.Button(train)


def start_session(
    task: str | None, language: str | None, text: str | None, own: str, count: float | None, person: str
) -> tuple:
    """Start a session and show its first sentence; on an error, show it and keep the current session."""
    try:
        session = sessions.start(task, language or "", text, own or "", count)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.LABELLING_NOT_STARTED, error), gr.skip(), *[gr.skip()] * 4
    kept = {"session": session.id, "person": person_name(person)}
    return kept, "", gr.Dropdown(choices=choices(), value=session.id), *show(session.id, kept["person"])


def open_session(session_id: str | None, person: str) -> tuple:
    """Continue a session of this workspace, under a name."""
    kept = {"session": session_id or "", "person": person_name(person)}
    return kept, "", *show(kept["session"], kept["person"])


def name_person(kept: object, person: str) -> tuple:
    """Continue the current session under another name."""
    session_id, before = read(kept)
    name = person_name(person)
    if not session_id or name == before:
        return tuple(gr.skip() for _ in range(5))
    return {"session": session_id, "person": name}, *show(session_id, name)


def pick(kept: object, picked: str) -> tuple:
    """Store an answer and show the next sentence."""
    session_id, person = read(kept)
    return _refused(
        lambda: sessions.answer(session_id, person, picked) or "", strings.LABELLING_NOT_STORED, session_id, person
    )


def bring(kept: object, file: str) -> tuple:
    """Import the answers in a file. Those that this person has given stand: the file may be older."""
    session_id, person = read(kept)

    def take() -> str:
        current_workspace().admit(Path(file).stat().st_size)
        found = match(sessions.stored().open(session_id), read_isolated([file], read_rows, Path(file)), person)
        stand, own = sessions.stored().judged(session_id).get(person, {}), found.judgements.get(person, [])
        new = {**found.judgements, person: [one for one in own if one.place not in stand]}
        for name, judgements in new.items():
            sessions.stored().record(session_id, name, judgements)
        count = sum(map(len, new.values()))
        said = strings.LABELLING_IMPORTED.format(count=count, others=found.others, own=len(own) - len(new[person]))
        return views.notice(said, kind="good")

    return _refused(take, strings.NOT_READ, session_id, person)


def _refused(act: Callable[[], str], title: str, session_id: str, person: str) -> tuple:
    """Return the message of an action, or that of its refusal, and what is shown afterwards."""
    try:
        said = act()
    except DeftxError as error:
        return views.refusal(title, error), *[gr.skip()] * 4
    return said, *show(session_id, person)


def export(ending: str, kept: object) -> tuple[str | None, str]:
    """Write the answers of all people to a file; return it and a message."""
    workspace = current_workspace()
    try:
        session = sessions.stored().open(read(kept)[0])
        people = sessions.stored().judged(session.id)
    except DeftxError as error:
        return None, views.refusal(strings.NOT_EXPORTED, error)
    name = f"{Path(corpora.title_of(session.text)).stem}-labels{ending}"
    path = workspace.served_files.write(name, lambda target: WRITERS[ending](target, session, people), workspace.owner)
    return str(path), ""


def keep_test(kept: object) -> str:
    """Store the test set among the labelled files."""
    try:
        name = sessions.keep_test(sessions.stored().open(read(kept)[0]))
    except DeftxError as error:
        return views.refusal(strings.LABELLING_NOT_STORED, error)
    return views.notice(strings.LABELLING_TEST_KEPT.format(name=name), kind="good")


def improve(kept: object) -> tuple[str, TrainingRequest | None]:
    """Store the rows to train on; return a message, and the request of the training run or None if there are too few."""
    try:
        request = sessions.improvement(sessions.stored().open(read(kept)[0]))
    except DeftxError as error:
        return views.refusal(strings.LABELLING_NOT_TRAINED, error), None
    if not request.start:
        said = strings.LABELLING_READY_ALONE
    else:
        said = strings.LABELLING_READY if request.valid else strings.LABELLING_READY_HELD_OUT
    return views.notice(said.format(name=request.train), kind="good"), request


def rescore(kept: object, task: str | None, language: str | None) -> tuple[str, str]:
    """Compare the vectors chosen above with those of the session, on the sentences drawn at random."""
    session_id, person = read(kept)
    try:
        session, combination = sessions.stored().open(session_id), Combination.of(task, [(language or "", 1.0)])
        answers, made_of = sessions.predicted(session, combination), sessions.named(combination)
        judged = sessions.stored().judged(session_id).get(person, {})
    except DeftxError as error:
        return views.refusal(strings.NOT_CLASSIFIED, error), ""
    return "", label_views.rescored(session, judged, answers, made_of)


def remove(kept: object) -> tuple:
    """Remove the current session with all answers."""
    session_id, person = read(kept)
    try:
        sessions.stored().remove(session_id)
        said = ""
    except DeftxError as error:
        said = views.refusal(strings.LABELLING_NOT_STORED, error)
    kept = {"session": "", "person": person}
    return kept, said, gr.Dropdown(choices=choices(), value=None), "", *show("", person), *asking(False)


def asking(asks: bool) -> tuple:
    """Show the button that removes a session, or ask whether it is meant."""
    return gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)


def choices() -> list[tuple[str, str]]:
    """List the sessions of the workspace as (label, id), the newest first."""
    return [(_title(one), one.id) for one in sessions.stored().list()]


def _title(session: Session) -> str:
    about = session.made_of or ", ".join(session.labels)
    return strings.LABELLING_SESSION.format(
        text=corpora.title_of(session.text),
        about=about,
        count=len(session.sentences),
        day=datetime.fromtimestamp(session.created).strftime(views.DATE_AND_TIME),
    )
