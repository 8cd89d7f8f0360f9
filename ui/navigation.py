"""The ways between the sections: buttons that lead to another one, and lists that are renewed where a section opens."""

from pathlib import PurePath
from typing import Any

import gradio as gr

from ui import strings
from ui.classify import classify_tab, score_tab
from ui.corpus import corpus_tab
from ui.guide.plan import Plan, checked
from ui.labelling import label_answers
from ui.library import library_tab
from ui.sections import Kept, Sections
from ui.shared import removal, views
from ui.train import train_choices, train_fields, train_form, train_names, train_tab
from ui.watch import watch

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}

# Tabs report the first one as selected when the page opens: that must not replace the stored one.
_MOVED = "seen => seen ? ['%s', {__type__: 'update', active: %s}] : []"


def _scroll_to(part: str) -> str:
    return f"() => {{ document.querySelector('#{part}')?.scrollIntoView({{behavior: 'smooth', block: 'start'}}) }}"


def connect(sections: Sections, kept: Kept) -> None:
    """Connect all of them."""
    _connect_tabs(sections, kept)
    _connect_labelled(sections, kept)
    _connect_guide(sections, kept)
    _connect_labelling(sections, kept)
    _connect_library(sections, kept)


def _connect_tabs(sections: Sections, kept: Kept) -> None:
    """Store the section and the text; connect the buttons that lead to other sections."""

    for name, tab in sections.tab.items():
        script = _MOVED % (name, "true" if name == "history" else "false")
        tab.select(None, sections.watch.seen, [kept.tab, sections.history.timer], js=script, **PRIVATE)
    train = sections.train.form
    lists = [train.text, *(train.fields[name] for name in train_choices.of_fields())]
    sections.tab["train"].select(lambda *chosen: train_tab.renew_lists(chosen), lists, lists, **PRIVATE)
    # The trash, under History, may have restored an item, and another visitor may have added or removed one.
    here = [sections.corpus.choice, *sections.corpus.labelled.choices.values()]
    sections.tab["corpus"].select(lambda *chosen: corpus_tab.renew_lists(chosen), here, here, **PRIVATE)
    lists = [sections.score.table, sections.check.text, sections.label.text]
    sections.tab["test"].select(renew_test, lists, lists, **PRIVATE)
    sections.corpus.choice.change(lambda name: name or "", sections.corpus.choice, kept.corpus, **PRIVATE)
    entered, moving = [train.fields[name] for name in ("kind", "name", "code")], [sections.tabs, kept.tab]
    outputs = [sections.corpus.said, *train.fields.values(), *moving]
    sections.corpus.to_train.click(to_train, [sections.corpus.choice, *entered], outputs, **PRIVATE)
    sections.corpus.to_test.click(lambda: (gr.Tabs(selected="test"), "test"), None, moving, **PRIVATE)

    def use(job: str) -> tuple:
        """Open Test with the vector of the current training run."""
        kind, key = watch.vector_key(job)
        lists = {"task": classify_tab.task_choices(), "language": classify_tab.language_choices()}
        chosen = (
            gr.Dropdown(choices=each, **({"value": key} if name == kind and key else {}))
            for name, each in lists.items()
        )
        return *chosen, gr.Tabs(selected="test"), "test"

    outputs = [sections.test.task, sections.test.language, sections.tabs, kept.tab]
    sections.watch.use.click(use, kept.job, outputs, **PRIVATE).then(**sections.test.classify)


def renew_test(table: str | None, *texts: str | None) -> tuple:
    """Return the lists of Test (labelled files, texts to check and to label); a choice that no longer exists is cleared."""
    listed = corpus_tab.choices()
    return score_tab.renew(table), *(removal.renewed(listed, text, None) for text in texts)


def to_train(text: str | None, kind: str, name: str, code: str) -> tuple:
    """Open Train with the language of the text; without a text, ask for one: (message, *fields, section, its name).

    A form that was filled in for a task starts anew: its settings are not those of a language vector.
    """
    skipped = dict.fromkeys(train_fields.EMPTY, gr.skip())
    if not text:
        return views.notice(strings.CORPUS_NEEDS_TEXT, kind="bad"), *skipped.values(), gr.skip(), gr.skip()
    anew = kind == "task"
    fields = dict(zip(skipped, train_form.filled(train_fields.EMPTY), strict=True)) if anew else skipped
    if anew or not (name or code):
        fields["name"], fields["code"] = train_names.of_text(text)
    return "", *fields.values(), gr.Tabs(selected="train"), "train"


def from_tables(table: str | None, valid: str | None, text: str | None) -> tuple:
    """Open Train with a task on these labelled files: (text, *fields, section, its name)."""
    code = train_names.language_of_table(table)
    name = PurePath(table).stem if table else ""
    # Everything else starts anew: settings of an earlier run, such as the vector it went on from, are out of sight.
    values = {
        **train_fields.EMPTY, "kind": "task", "train": table or None, "valid": valid or "", "name": name, "code": code,
    }  # fmt: skip
    text_list = gr.Dropdown(choices=corpus_tab.choices(), value=text)
    return text_list, *train_form.filled(values), gr.Tabs(selected="train"), "train"


def _connect_labelled(sections: Sections, kept: Kept) -> None:
    """Lead from the labelled files to the form of a task, with the files, a name and the language of the text filled in."""
    labelled, train = sections.corpus.labelled, sections.train
    chosen = [labelled.choices["train"], labelled.choices["valid"], sections.corpus.choice]
    labelled.to_train.click(from_tables, chosen, [*train.inputs(), sections.tabs, kept.tab], **PRIVATE)


def _connect_guide(sections: Sections, kept: Kept) -> None:
    """Lead from the guided path to the sections: to all settings of a training run, to judging answers and to labelling."""
    test, train = sections.test, sections.train

    def judge(guided: object) -> tuple:
        found = checked(guided)
        return (
            gr.Dropdown(choices=classify_tab.task_choices(), value=found.task_key() or None),
            gr.Dropdown(choices=classify_tab.language_choices(), value=found.language_key()),
            gr.Accordion(open=True),
            gr.Dropdown(choices=corpus_tab.choices(), value=found.text or None),
            gr.Tabs(selected="test"),
            "test",
        )

    attempt = sections.guide.attempt
    for button, part, name in ((attempt.judge, sections.check, "check"), (attempt.label, sections.label, "labelling")):
        outputs = [test.task, test.language, part.part, part.text, sections.tabs, kept.tab]
        judged = button.click(judge, sections.guide.kept, outputs, **PRIVATE)
        judged.then(None, js=_scroll_to(name), **PRIVATE)

    def settings(guided: object) -> tuple:
        found = checked(guided)
        values = {**train_fields.EMPTY, **_form_of(found)}
        text = gr.Dropdown(choices=corpus_tab.choices(), value=found.text or None)
        return text, *train_form.filled(values), gr.Tabs(selected="train"), "train"

    moving = [*train.inputs(), sections.tabs, kept.tab]
    sections.guide.train.settings.click(settings, sections.guide.kept, moving, **PRIVATE)


def _connect_labelling(sections: Sections, kept: Kept) -> None:
    """Lead from judged sentences to the form of a task, with a labelled file of them and everything else filled in."""
    label, train = sections.label, sections.train
    outputs = [label.said, *train.inputs(), sections.tabs, kept.tab]

    def improve(session: object) -> tuple:
        said, request = label_answers.improve(session)
        if request is None:
            return said, *[gr.skip()] * (len(outputs) - 1)
        values = {**train_fields.EMPTY, **train_fields.to_form(request)}
        return said, gr.skip(), *train_form.filled(values), gr.Tabs(selected="train"), "train"

    label.improve.click(
        improve, label.kept, outputs, show_progress="minimal", concurrency_id="classify", api_visibility="private"
    )


def _form_of(found: Plan) -> dict[str, Any]:
    """Return the values of the form under Train for the first training run of a plan; empty if there is none."""
    wanted = found.requests()
    return train_fields.to_form(wanted[0]) if wanted else {}


def _connect_library(sections: Sections, kept: Kept) -> None:
    """Let the vector shown in the Library be used in Test."""
    library = sections.library
    library_tab.connect(library, sections.tab["library"], sections.corpus.choice)
    outputs = [sections.test.task, sections.test.language, sections.tabs, kept.tab]

    def use(key: str) -> tuple:
        """Choose a vector in Test, in the list of its kind, and open Test."""
        lists = classify_tab.task_choices(), classify_tab.language_choices()
        chosen = (
            gr.Dropdown(choices=each, value=key) if key in dict(map(reversed, each)) else gr.skip() for each in lists
        )
        return *chosen, gr.Tabs(selected="test"), "test"

    def use_near(event: gr.EventData) -> tuple:
        return use(str(event.key))

    library.use.click(use, library.chosen, outputs, **PRIVATE)
    library.nearest.answer.select(use_near, None, outputs, **PRIVATE)
