"""The guided path: its five steps, the way from one to the next, and what the browser keeps of it over a reload."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ui import strings
from ui.guide import choices_panel, language_step, plan, task_step, text_step, train_step, try_step
from ui.guide.language_step import LanguageStep
from ui.guide.plan import Plan, checked
from ui.guide.task_step import TaskStep
from ui.guide.text_step import TextStep
from ui.guide.train_step import TrainStep
from ui.guide.try_step import TryStep
from ui.shared import debounce, views
from ui.shared.uploads import READING

PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}
READS = {**PRIVATE, **READING}
LANGUAGE, TEXT, TASK, TRAIN, TRY = range(1, plan.STEPS + 1)


@dataclass(frozen=True)
class Guide:
    """The components of the path."""

    kept: gr.BrowserState
    path: gr.Walkthrough
    language: LanguageStep
    text: TextStep
    task: TaskStep
    train: TrainStep
    attempt: TryStep

    def shown(self) -> list[gr.components.Component]:
        """The outputs of ``show``, in its order."""
        return [
            self.kept, self.path, self.language.ready, self.language.name, self.text.paste, self.text.said,
            self.text.ready, self.task.task,
            self.task.table, self.task.name, self.train.preset, self.train.said, *self.progress(), self.attempt.made_of,
            self.attempt.lines, self.attempt.estimate, self.attempt.estimated,
        ]  # fmt: skip

    def with_message(self, shown: tuple[Any, ...], place: gr.components.Component, said: str) -> tuple[Any, ...]:
        """Return what ``show`` returned, with a message in one of its places."""
        return tuple(said if part is place else value for part, value in zip(self.shown(), shown, strict=True))

    def progress(self) -> list[gr.components.Component]:
        """The outputs of ``show_progress``, in its order."""
        return [self.train.progress, self.train.start, self.train.go, self.train.timer]


def build(kept: gr.BrowserState) -> Guide:
    """Lay out the path and connect its steps; ``kept`` is what the browser stores of it."""
    gr.HTML(views.paragraph(strings.GUIDE_INTRO))
    with gr.Walkthrough(selected=1, elem_id="guide") as path:
        parts = []
        for place, builder in enumerate(
            (language_step.build, text_step.build, task_step.build, train_step.build, try_step.build), start=1
        ):
            with gr.Step(strings.GUIDE_STEPS[place - 1], id=place):
                parts.append(builder())
    guide = Guide(kept, path, *parts)
    _connect_language(guide)
    _connect_text(guide)
    _connect_task(guide)
    _connect_train(guide)
    _connect_try(guide)
    return guide


def show(found: Plan, everything: bool = False) -> tuple[Any, ...]:
    """Show a plan: the step it is at, and what depends on it, in the order of ``Guide.shown``.

    With ``everything``, the earlier steps are shown too, for a page that opens.
    """

    def at(step: int) -> bool:
        return found.step == step or (everything and step < found.step)

    return (
        found.kept(),
        gr.Walkthrough(selected=found.step),
        gr.Radio(choices=language_step.choices(), value=found.vector or None) if at(LANGUAGE) else gr.skip(),
        found.name if at(LANGUAGE) else gr.skip(),
        "" if found.text else gr.skip(),  # what stands there is not yet used
        text_step.show(found) if at(TEXT) else gr.skip(),
        text_step.offer(found) if at(TEXT) else gr.skip(),
        gr.Radio(choices=task_step.choices(), value=_chosen_task(found)) if at(TASK) else gr.skip(),
        gr.Dropdown(choices=task_step.tables()["train"], value=found.table) if at(TASK) else gr.skip(),
        found.task_name if at(TASK) else gr.skip(),
        found.preset if at(TRAIN) else gr.skip(),
        train_step.outlook(found) if at(TRAIN) else gr.skip(),
        *(show_progress(found) if at(TRAIN) else (gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=False))),
        try_step.made_of(found) if at(TRY) else gr.skip(),
        try_step.own_lines(found) if at(TRY) else gr.skip(),
        gr.Button(visible=bool(found.text)) if at(TRY) else gr.skip(),
        "" if at(TRY) else gr.skip(),
    )


def show_progress(found: Plan) -> tuple[Any, ...]:
    """Show the training runs of a plan, in the order of ``Guide.progress``."""
    working, wanted = train_step.working(found), bool(found.requests())
    return (
        train_step.progress(found),
        gr.Button(interactive=wanted),
        gr.Button(visible=not wanted and not working),
        gr.Timer(active=working),
    )


def restore(kept: object) -> tuple[Any, ...]:
    """Show what the browser stored, for a page that opens."""
    return show(checked(kept), everything=True)


def _chosen_task(found: Plan) -> str:
    if found.table:
        return task_step.OWN
    return found.task or task_step.choices()[0][1]


def _leading(step: int, change: Callable[..., Plan] = lambda found: found) -> Callable[..., tuple[Any, ...]]:
    """Return a handler that changes the stored plan by the values of a step, and shows the step it leads to."""

    def lead(kept: object, *values: Any) -> tuple[Any, ...]:
        return show(replace(change(Plan.read(kept), *values), step=step))

    return lead


def _connect_language(guide: Guide) -> None:
    step, attempt = guide.language, guide.attempt

    def ready(key: str) -> tuple[Any, ...]:
        """Go straight to the last step with a ready language and the best ready task, and classify a sentence."""
        found = Plan(step=TRY, vector=key, task=task_step.best())
        sentence = language_step.example(key)
        return *show(found), sentence or gr.skip(), try_step.answer(found, sentence)

    step.ready.input(ready, step.ready, [*guide.shown(), attempt.text, attempt.answer], **PRIVATE)
    typed = debounce.debounced([step.name], "guide-typed")
    typed.change(language_step.say, step.name, step.said, trigger_mode="always_last", **QUIET)
    for trigger in (step.go.click, step.name.submit):
        trigger(_leading(TEXT, language_step.named), [guide.kept, step.name], guide.shown(), **QUIET)


def _connect_text(guide: Guide) -> None:
    step = guide.text

    def taking(take: Callable[..., tuple[Plan, str]]) -> Callable[..., tuple[Any, ...]]:
        def taken(kept: object, *values: Any) -> tuple[Any, ...]:
            before = checked(kept)
            found, said = take(before, *values)
            # The field is emptied once its text is used: what stands there later is another text.
            return found.kept(), said, text_step.offer(found), "" if found.text != before.text else gr.skip()

        return taken

    def fix(kept: object, event: gr.EventData) -> tuple[Any, ...]:
        return taking(text_step.fixed)(kept, str(event.picked))

    outputs, shows = [guide.kept, step.said, step.ready, step.paste], {"show_progress_on": [step.said]}
    step.use.click(taking(text_step.pasted), [guide.kept, step.paste], outputs, **shows, **READS)
    step.upload.upload(taking(text_step.uploaded), [guide.kept, step.upload], outputs, **shows, **READS)
    step.sample.click(taking(text_step.sampled), guide.kept, outputs, **shows, **READS)
    step.said.select(fix, guide.kept, outputs, **shows, **READS)

    def to_task(kept: object, pasted: str) -> tuple[Any, ...]:
        """Go on with the text; one that stands in the field and is not yet used is taken first, so that nothing is lost."""
        before, said = checked(kept), views.notice(strings.GUIDE_NEEDS_TEXT, kind="bad")
        found, said = text_step.pasted(before, pasted) if pasted.strip() else (before, said)
        if found.text and (found != before or not pasted.strip()):
            # A little text is shown once, with what to expect of it.
            return show(found.changed(step=TEXT if pasted.strip() and text_step.is_little(found) else TASK))
        return guide.with_message(show(found.changed(step=TEXT)), step.said, said)

    def to_ready(found: Plan) -> Plan:
        return text_step.with_ready(found).changed(task=found.task or task_step.best())

    step.ready.click(_leading(TRY, to_ready), guide.kept, guide.shown(), **QUIET)
    step.go.click(to_task, [guide.kept, step.paste], guide.shown(), **READS)
    step.choices.look.click(lambda kept: choices_panel.look(checked(kept)), guide.kept, step.choices.answer, **READS)


def _connect_task(guide: Guide) -> None:
    step = guide.task
    step.task.change(lambda task: gr.Column(visible=task == task_step.OWN), step.task, step.own, **QUIET)
    step.table.change(task_step.show, step.table, step.said, **READS)

    def go(kept: object, task: str | None, table: str | None, name: str) -> tuple[Any, ...]:
        refused = task_step.refusal(table) if task == task_step.OWN else ""
        if refused:  # the choices stay as they are
            return *[gr.skip() for _ in guide.shown()], refused
        found = task_step.chosen(checked(kept), task, table, name)
        return *show(found.changed(step=TRAIN)), gr.skip()

    step.go.click(go, [guide.kept, step.task, step.table, step.name], [*guide.shown(), step.said], **PRIVATE)


def _connect_train(guide: Guide) -> None:
    step = guide.train

    def with_preset(kept: object, preset: str) -> tuple[Any, ...]:
        return show(checked(kept).changed(preset=preset, step=TRAIN))

    def start(kept: object, preset: str) -> tuple[Any, ...]:
        found, said = train_step.start(checked(kept).changed(preset=preset))
        shown = show(found.changed(step=TRAIN))
        return guide.with_message(shown, step.progress, said) if said else shown

    def look(kept: object) -> tuple[Any, ...]:
        return show_progress(checked(kept))

    step.preset.input(with_preset, [guide.kept, step.preset], guide.shown(), **QUIET)
    step.start.click(start, [guide.kept, step.preset], guide.shown(), concurrency_limit=None, **PRIVATE)
    # Only the progress: the person may look at another step meanwhile.
    step.timer.tick(look, guide.kept, guide.progress(), concurrency_limit=None, **QUIET)
    step.go.click(_leading(TRY), guide.kept, guide.shown(), **QUIET)


def _connect_try(guide: Guide) -> None:
    step = guide.attempt

    def classify(kept: object, text: str) -> str:
        return try_step.answer(Plan.read(kept), text)

    def pick(kept: object, event: gr.EventData) -> tuple[str, str]:
        line = str(event.picked)
        return line, classify(kept, line)

    for trigger in (step.classify.click, step.text.submit):
        trigger(classify, [guide.kept, step.text], step.answer, trigger_mode="always_last", **QUIET)
    step.lines.select(pick, guide.kept, [step.text, step.answer], **QUIET)
    step.estimate.click(
        lambda kept: try_step.estimate(checked(kept)), guide.kept, step.estimated,
        show_progress_on=[step.estimated], **PRIVATE,
    )  # fmt: skip
    step.again.click(lambda: show(Plan()), None, guide.shown(), **QUIET)
