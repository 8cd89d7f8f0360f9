"""Manual check: a person judges answers on sentences of a text, because without labels there is no score."""

from dataclasses import dataclass
from typing import NamedTuple

import gradio as gr

from deftx.classify.self_check import Check, CheckError, Vector, begin, draw, is_saved, load, save, vector_of
from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import check_views
from ui.classify.check_views import KEYS, LABEL, UNDO
from ui.corpus import corpus_tab
from ui.current import current_workspace
from ui.labelling.label_views import DIGITS
from ui.library import vector_index
from ui.shared import keys, removal, views

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
SEED = 42
_BUTTONS = {key: f'[data-key="{key}"]' for key in (*DIGITS, *KEYS.values())}


@dataclass(frozen=True)
class CheckTab:
    """The components of this part; ``kept`` is the current check, which is stored only in this browser."""

    kept: gr.BrowserState
    part: gr.Accordion
    text: gr.Dropdown
    area: gr.Column
    card: gr.HTML
    result: gr.HTML
    save: gr.Button

    def shown(self) -> list[gr.components.Component]:
        """The outputs of ``show``, in its order."""
        return [self.area, self.card, self.result, self.save]


def build(task: gr.Dropdown, language: gr.Dropdown, kept: gr.BrowserState) -> CheckTab:
    """Lay out this part for the vectors chosen in these lists, and connect its events; ``kept`` stores the current check."""
    with gr.Accordion(strings.CHECK, open=False, elem_id="check") as part:
        gr.HTML(views.paragraph(strings.CHECK_INTRO))
        with gr.Row(elem_classes="file"):
            text = gr.Dropdown(
                corpus_tab.choices(), value=None, label=strings.CHECK_TEXT, info=strings.CHECK_TEXT_HINT,
                scale=3, min_width=220, elem_id="check-text",
            )  # fmt: skip
            seed = gr.Number(
                SEED, label=strings.CHECK_SEED, info=strings.CHECK_SEED_HINT, precision=0, minimum=0, scale=1,
                min_width=140, elem_id="check-seed",
            )  # fmt: skip
            start = gr.Button(strings.CHECK_START, variant="primary", scale=1, min_width=140, elem_id="check-start")
        said = gr.HTML(elem_id="check-said")
        with gr.Column(visible=False, elem_id="check-area") as area:
            card = gr.HTML(elem_id="check-card", js_on_load=views.PICK + keys.script("check-area", _BUTTONS))
            gr.HTML(views.paragraph(strings.CHECK_KEYS, "quiet"), elem_id="check-keys")
            result = gr.HTML(elem_id="check-result")
            keep = gr.Button(strings.CHECK_SAVE, visible=False, elem_id="check-save")
        earlier = gr.HTML(elem_id="check-earlier")
    tab = CheckTab(kept, part, text, area, card, result, keep)
    asked = [task, language]
    listed = {"fn": show_earlier, "inputs": asked, "outputs": earlier, **PRIVATE}
    started = start.click(
        start_check, [*asked, text, seed, kept], [kept, said, *tab.shown()],
        show_progress="minimal", concurrency_id="classify", api_visibility="private",
    )  # fmt: skip
    started.then(None, js=keys.focus("check-area"), **PRIVATE).then(**listed)
    # A click judges the sentence on the screen: it sends that state along, so a fast click is neither lost nor counted
    # for a sentence that the person has not seen.
    card.select(_picked, kept, [kept, *tab.shown(), said], trigger_mode="multiple", queue=False, **PRIVATE)
    keep.click(save_check, kept, said, **PRIVATE).then(**listed)
    gr.on([task.change, language.change, part.expand], **listed)
    part.expand(lambda chosen: removal.renewed(corpus_tab.choices(), chosen, None), text, text, **PRIVATE)
    return tab


def restore(content: object) -> tuple:
    """Restore the current check that the browser stored, for a page that opens."""
    check = read(content)
    opened = gr.Accordion(open=True) if check else gr.skip()
    return opened, gr.Dropdown(choices=corpus_tab.choices()), *show(check)


def read(content: object) -> Check | None:
    """Read what the browser stored; None if it is empty or not a check."""
    try:
        return Check.from_dict(content) if content else None
    except CheckError:
        return None


def start_check(
    task: str | None, language: str | None, text: str | None, seed: float | None, content: object = None
) -> tuple:
    """Draw sentences and classify them; on an error, show it and keep the current check.

    A check of the same sentences that is not finished goes on, and the result of another one is saved, so that no judgement
    is lost.
    """
    before = read(content)
    try:
        drawn = _drawn(task, language or "", text, int(seed or 0))
        goes_on = before is not None and not before.done and drawn == Drawn.of(before)
        said = _kept(before) if before and not goes_on else ""
        check = before if before and goes_on else _classified(drawn, task or "", language or "")
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.CHECK_NOT_STARTED, error), *[gr.skip()] * 4
    return check.to_dict(), said, *show(check)


class Drawn(NamedTuple):
    """What a check is about: equal sentences for the same vectors are one check."""

    task: Vector
    language: Vector | None
    corpus: str
    seed: int
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, check: Check) -> "Drawn":
        """Return that of a check that was begun."""
        return cls(check.task, check.language, check.corpus, check.seed, check.sentences)


def _drawn(task: str | None, language: str, text: str | None, seed: int) -> Drawn:
    if not task:
        raise DeftxError(strings.NO_TASK)
    if not text:
        raise DeftxError(strings.CHECK_NEEDS_TEXT)
    return Drawn(*vectors_of(task, language), text, seed, draw(current_workspace().facts.read(text).lines, seed=seed))


def _classified(drawn: Drawn, task: str, language: str) -> Check:
    workspace = current_workspace()
    answers = workspace.predict(drawn.sentences, task, language)
    return begin(answers=answers, labels=workspace.scoring.labels_of(task), **drawn._asdict())


def _kept(before: Check) -> str:
    """Save what was judged before, unless as much is saved already, for example in another tab; return what to say."""
    if not before.accuracy() or is_saved(current_workspace().store.root, before):
        return ""
    try:
        return _saved(before)
    except DeftxError as error:
        raise DeftxError(strings.CHECK_BEFORE_NOT_KEPT.format(reason=error)) from error


def vectors_of(task: str, language: str) -> tuple[Vector, Vector | None]:
    """Return the names of two vectors by key; VectorError for a key that does not exist."""
    named = (("task", task), ("language", language))
    store = current_workspace().store
    entries = [vector_index.find(store, kind, key) if key else None for kind, key in named]
    return tuple(vector_of(entry.folder, entry.label) if entry else None for entry in entries)


def _picked(content: object, event: gr.EventData) -> tuple:
    return *pick(content, str(event.picked)), ""  # what was said of an earlier state no longer holds


def pick(content: object, button: str) -> tuple:
    """Judge the current sentence by the value of a button, or undo the last judgement; another value changes nothing."""
    check = read(content)
    if check is None:
        return None, *show(None)
    labels = {f"{LABEL}{number}": label for number, label in enumerate(check.labels)}
    if button in labels:
        check = check.choose(labels[button])
    elif button in KEYS:
        check = check.undo() if button == UNDO else check.mark(button)
    return check.to_dict(), *show(check)


def show(check: Check | None) -> tuple:
    """Return everything that depends on the marks, in the order of ``CheckTab.shown``."""
    if check is None:
        return gr.Column(visible=False), "", "", gr.skip()
    judged = check.accuracy() is not None
    return (
        gr.Column(visible=True),
        check_views.card(check),
        check_views.result(check),
        gr.Button(visible=judged, variant="primary" if check.done else "secondary"),
    )


def save_check(content: object) -> str:
    """Save the result with its vectors."""
    try:
        return _saved(Check.from_dict(content))
    except DeftxError as error:
        return views.refusal(strings.CHECK_NOT_KEPT, error)


def _saved(check: Check) -> str:
    workspace = current_workspace()
    workspace.admit(0)
    save(workspace.store.root, check)
    return views.notice(strings.CHECK_KEPT.format(names=check_views.names(check)), kind="good")


def show_earlier(task: str | None, language: str | None) -> str:
    """List the saved checks of this combination of vectors."""
    if not task:
        return ""
    try:
        vectors = [vector for vector in vectors_of(task, language or "") if vector]
    except DeftxError:
        return ""  # shown where the sentence is classified
    found = load(current_workspace().store.root, *(vector.fingerprint for vector in vectors))
    return check_views.earlier([one for one in found if (one["language"] is None) == (not language)])
