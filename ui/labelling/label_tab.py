"""Labelling in the section Test: the form that starts or continues a session, the sentence, the results, and files."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from deftx.labelling.session import COUNT, FEWEST, MOST
from deftx.labelling.store import LONGEST_NAME
from ui import strings
from ui.corpus import corpus_tab
from ui.labelling import label_answers
from ui.labelling.label_views import DIGITS, FURTHER
from ui.shared import keys, removal, views
from ui.shared.uploads import READING, TABLE_TYPES

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
READS = {"api_visibility": "private", **READING}
AREA = "label-area"
_BUTTONS = {key: f'[data-key="{key}"]' for key in (*DIGITS, *(key for key, _ in FURTHER.values()))}


@dataclass(frozen=True)
class LabelTab:
    """The components of this part; ``kept`` is which session this browser continues, under which name."""

    kept: gr.BrowserState
    part: gr.Accordion
    text: gr.Dropdown
    sessions: gr.Dropdown
    person: gr.Textbox
    said: gr.HTML
    area: gr.Column
    card: gr.HTML
    result: gr.HTML
    compared: gr.HTML
    improve: gr.Button

    def shown(self) -> list[gr.components.Component]:
        """The outputs of ``show``, in its order."""
        return [self.area, self.card, self.result, self.improve]

    def restored(self) -> list[gr.components.Component]:
        """The outputs of ``restore``, in its order."""
        return [self.part, self.text, self.sessions, self.person, *self.shown()]


@dataclass(frozen=True)
class Actions:
    """The buttons below the sentence."""

    rescore: gr.Button
    test: gr.Button
    exports: dict[str, gr.Button]  # by ending
    downloads: dict[str, gr.DownloadButton]
    bring: gr.UploadButton
    remove: gr.Button
    confirm: gr.Button
    stay: gr.Button


def build(task: gr.Dropdown, language: gr.Dropdown, kept: gr.BrowserState) -> LabelTab:
    """Lay out this part for the vectors chosen in these lists, and connect its events."""
    with gr.Accordion(strings.LABELLING, open=False, elem_id="labelling") as part:
        gr.HTML(views.paragraph(strings.LABELLING_INTRO))
        fields, start = _form()
        said = gr.HTML(elem_id="label-said")
        with gr.Column(visible=False, elem_id=AREA) as area:
            card = gr.HTML(elem_id="label-card", js_on_load=views.PICK + keys.script(AREA, _BUTTONS))
            gr.HTML(views.paragraph(strings.LABELLING_KEYS, "quiet"), elem_id="label-keys")
            result, compared = gr.HTML(elem_id="label-result"), gr.HTML(elem_id="label-compared")
            improve, actions = _actions()
    tab = LabelTab(
        kept, part, fields["text"], fields["sessions"], fields["person"], said, area, card, result, compared, improve
    )
    _connect_form(tab, fields, start, task, language)
    _connect_actions(tab, actions, task, language)
    # A comparison, and the question whether to remove, are of the session before.
    gr.on(
        [start.click, tab.sessions.input, tab.person.input], lambda: ("", *label_answers.asking(False)), None,
        [tab.compared, actions.remove, actions.confirm, actions.stay], **PRIVATE,
    )  # fmt: skip
    gr.on([tab.card.select, actions.bring.upload], None, None, tab.compared, js="() => ''", **PRIVATE)  # other answers
    return tab


def _form() -> tuple[dict[str, Any], gr.Button]:
    fields: dict[str, Any] = {}
    with gr.Row(elem_classes="file"):
        fields["text"] = gr.Dropdown(
            corpus_tab.choices(), value=None, label=strings.LABELLING_TEXT, info=strings.LABELLING_TEXT_HINT, scale=3,
            min_width=220, elem_id="label-text",
        )  # fmt: skip
        fields["own"] = gr.Textbox(
            label=strings.LABELLING_OWN, info=strings.LABELLING_OWN_HINT, max_length=4_000, scale=3, min_width=220,
            elem_id="label-own",
        )  # fmt: skip
    with gr.Row(elem_classes="file"):
        fields["count"] = gr.Number(
            COUNT, label=strings.LABELLING_COUNT, info=strings.LABELLING_COUNT_HINT, precision=0, minimum=FEWEST,
            maximum=MOST, scale=1, min_width=140, elem_id="label-count",
        )  # fmt: skip
        fields["person"] = gr.Textbox(
            label=strings.LABELLING_PERSON, info=strings.LABELLING_PERSON_HINT, max_length=LONGEST_NAME, scale=3,
            min_width=200, elem_id="label-person",
        )  # fmt: skip
        start = gr.Button(strings.LABELLING_START, variant="primary", scale=1, min_width=140, elem_id="label-start")
    fields["sessions"] = gr.Dropdown(
        label_answers.choices(),
        value=None,
        label=strings.LABELLING_OPEN,
        info=strings.LABELLING_OPEN_HINT,
        elem_id="label-sessions",
    )
    return fields, start


def _actions() -> tuple[gr.Button, Actions]:
    with gr.Row(elem_classes="buttons"):
        improve = gr.Button(strings.LABELLING_IMPROVE, variant="primary", elem_id="label-improve")
        rescore = gr.Button(strings.LABELLING_RESCORE, elem_id="label-rescore")
        test = gr.Button(strings.LABELLING_KEEP_TEST, elem_id="label-keep-test")
    with gr.Row(elem_classes="buttons"):
        titles = {".csv": strings.LABELLING_CSV, ".json": strings.LABELLING_JSON}
        exports = {e: gr.Button(title, size="sm", elem_id=f"label-take{e[1:]}") for e, title in titles.items()}
        downloads = {e: gr.DownloadButton(title, visible="hidden", elem_id=f"label-taking{e[1:]}")
                     for e, title in titles.items()}  # fmt: skip
        bring = gr.UploadButton(
            strings.LABELLING_IMPORT, file_types=[*TABLE_TYPES, ".json"], size="sm", elem_id="label-bring"
        )
        remove = gr.Button(strings.LABELLING_REMOVE, size="sm", elem_id="label-remove")
        confirm = gr.Button(
            strings.LABELLING_CONFIRM, size="sm", variant="stop", visible=False, elem_id="label-remove-confirm"
        )
        stay = gr.Button(strings.LABELLING_STAY, size="sm", visible=False, elem_id="label-remove-stay")
    return improve, Actions(rescore, test, exports, downloads, bring, remove, confirm, stay)


def _connect_form(
    tab: LabelTab, fields: dict[str, Any], start: gr.Button, task: gr.Dropdown, language: gr.Dropdown
) -> None:
    asked = [task, language, *(fields[name] for name in ("text", "own", "count", "person"))]
    outputs = [tab.kept, tab.said, tab.sessions, *tab.shown()]
    started = start.click(
        label_answers.start_session,
        asked,
        outputs,
        show_progress="minimal",
        concurrency_id="classify",
        api_visibility="private",
    )
    opened = tab.sessions.input(
        label_answers.open_session, [tab.sessions, tab.person], [tab.kept, tab.said, *tab.shown()], **PRIVATE
    )
    for event in (started, opened):
        # A refusal keeps the focus where it is.
        event.then(None, tab.said, js=f"said => said || ({keys.focus(AREA, scroll=True)})()", **PRIVATE)
    named = [tab.kept, *tab.shown()]
    gr.on([tab.person.blur, tab.person.submit], label_answers.name_person, [tab.kept, tab.person], named, **PRIVATE)
    # A button says for which sentence it stands, so a fast second press is never counted for one that was not seen.
    tab.card.select(_picked, tab.kept, [tab.said, *tab.shown()], trigger_mode="multiple", queue=False, **PRIVATE)
    lists = [tab.text, tab.sessions]

    def renew(text: str | None, session: str | None) -> tuple[gr.Dropdown, gr.Dropdown]:
        listed = removal.renewed(label_answers.choices(), session, None)
        return removal.renewed(corpus_tab.choices(), text, None), listed

    tab.part.expand(renew, lists, lists, **PRIVATE)


def _connect_actions(tab: LabelTab, actions: Actions, task: gr.Dropdown, language: gr.Dropdown) -> None:
    shows = [tab.said, *tab.shown()]
    actions.rescore.click(
        label_answers.rescore, [tab.kept, task, language], [tab.said, tab.compared],
        show_progress="minimal", concurrency_id="classify", api_visibility="private",
    )  # fmt: skip
    actions.test.click(label_answers.keep_test, tab.kept, tab.said, **PRIVATE)
    actions.bring.upload(label_answers.bring, [tab.kept, actions.bring], shows, show_progress_on=[tab.said], **READS)
    for ending, button in actions.exports.items():
        taken = button.click(
            partial(label_answers.export, ending), tab.kept, [actions.downloads[ending], tab.said], **PRIVATE
        )
        taken.success(None, js=views.press(f"label-taking{ending[1:]}"), **PRIVATE)
    asks = [actions.remove, actions.confirm, actions.stay]
    for button, asking in ((actions.remove, True), (actions.stay, False)):
        button.click(partial(label_answers.asking, asking), None, asks, **PRIVATE)
    outputs = [tab.kept, tab.said, tab.sessions, tab.compared, *tab.shown(), *asks]
    actions.confirm.click(label_answers.remove, tab.kept, outputs, **PRIVATE)


def _picked(kept: object, event: gr.EventData) -> tuple:
    return label_answers.pick(kept, str(event.picked))
