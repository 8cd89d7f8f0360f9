"""The form: its fields, their layout, and which of them a choice shows."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.jobs import push
from deftx.method.ranks import STRATEGIES
from deftx.training.request import TRACKERS
from deftx.training.setting_descriptions import MEANINGS
from ui import strings
from ui.corpus import labelled_upload
from ui.current import current_workspace
from ui.shared import label_form, views
from ui.shared.uploads import TABLE_TYPES
from ui.train import further_form, remote, train_choices, train_fields
from ui.train.train_fields import ADVANCED, CHOICES, EMPTY


@dataclass(frozen=True)
class Form:
    """The fields by name, and the parts that a choice shows or hides."""

    text: gr.Dropdown
    fields: dict[str, gr.components.Component]
    uploads: dict[str, gr.UploadButton]  # for train and valid
    columns: labelled_upload.ColumnForm  # for files whose encoding or columns are not clear
    labels: label_form.LabelForm  # for a validation file with other labels than the training file
    use_labels: gr.Button
    for_language: gr.Column
    for_task: gr.Column
    ranks: gr.Column
    further: further_form.FurtherForm

    def shaped(self) -> list[gr.blocks.Block]:
        """The outputs of ``shape``, in its order."""
        parts = [self.for_language, self.for_task, self.ranks]
        return [*parts, *(self.fields[name] for name in ("name", "share", "uniform", "keep", "k", *ADVANCED))]


def build() -> Form:
    """Lay out the fields."""
    workspace = current_workspace()
    fields: dict[str, Any] = {
        "kind": gr.Radio(_choices(strings.KINDS), value="language", label=strings.KIND, elem_id="kind")
    }
    with gr.Column() as for_language:
        text = gr.Dropdown([], value=None, label=strings.TRAIN_ON, info=strings.TRAIN_ON_HINT, elem_id="train-text")
    with gr.Column(visible=False) as for_task:
        found, uploads = _files()
        fields |= found
        fields["start"] = further_form.build_start()
        found, part, rows = further_form.build_files()
        fields |= found
        columns = labelled_upload.build("train")
        labels = label_form.build("train")
        with labels.place:
            use_labels = gr.Button(strings.USE_LABELS, size="sm", elem_id="train-use-labels")
    fields["lexicon"], further = further_form.build_words(part, rows)
    fields |= _names()
    fields |= remote.fields()
    fields["preset"] = gr.Radio(_choices(strings.PRESETS), value="quick", label=strings.PRESET, elem_id="preset")
    with gr.Accordion(strings.METHOD_SETTINGS, open=False, elem_id="method-settings"):
        found, ranks = _method(workspace.gpus)
        fields |= found
    with gr.Accordion(strings.ADVANCED, open=False, elem_id="advanced"):
        gr.HTML(views.paragraph(strings.ADVANCED_HINT, "quiet"))
        with gr.Row(elem_classes="pair"):
            fields |= {name: _advanced(name) for name in ADVANCED if name not in fields}
    ordered = {name: fields[name] for name in EMPTY}
    return Form(text, ordered, uploads, columns, labels, use_labels, for_language, for_task, ranks, further)


def _method(gpus: int) -> tuple[dict[str, Any], gr.Column]:
    """Lay out the base and the settings of the method; also return the part that only denoising needs."""
    fields: dict[str, Any] = {
        "base": gr.Dropdown(
            train_choices.base_choices(), value="", label=strings.BASE, info=strings.BASE_HINT, allow_custom_value=True, elem_id="base"
        ),
        "trim": _advanced("trim"),
        "processes": gr.Number(
            1, label=strings.FIELDS["processes"], info=strings.FIELD_HINTS["processes"], minimum=1, maximum=max(1, gpus),
            precision=0, visible=gpus > 1, elem_id="processes",
        ),
        "method": gr.Radio(_choices(strings.METHODS), value="deft-x", label=strings.METHOD, elem_id="method"),
    }  # fmt: skip
    with gr.Column() as ranks:
        fields |= _ranks()
    fields["k"] = _text_field("k", "language")
    return fields | _push() | _reports(), ranks


def shape(kind: str, preset: str, method: str, rank: str, pairs: bool = False) -> tuple:
    """Show the fields for the current choices, with the preset's values in grey, in the order of ``Form.shaped``."""
    recipe, language = train_fields.preset_recipe(kind, preset, pairs), kind == "language"
    denoises = method == "deft-x"
    name = (
        (strings.LANGUAGE_NAME, strings.LANGUAGE_NAME_HINT) if language else (strings.TASK_NAME, strings.TASK_NAME_HINT)
    )
    return (
        gr.Column(visible=language),
        gr.Column(visible=not language),
        gr.Column(visible=denoises),
        gr.Textbox(label=name[0], info=name[1]),
        gr.Number(visible=rank == "variance"),
        gr.Number(visible=rank == "uniform"),
        *(gr.Textbox(placeholder=train_fields.shown(recipe, setting)) for setting in ("keep", "k")),
        *(_shape_of(setting, recipe, kind, denoises) for setting in ADVANCED),
    )


def _shape_of(setting: str, recipe: Any, kind: str, denoises: bool) -> Any:
    visible = train_fields.has(kind, setting) and (denoises or setting != "ablate")
    value = train_fields.shown(recipe, setting)
    if setting in CHOICES:
        return gr.Dropdown(choices=_setting_choices(setting, value), visible=visible)
    return gr.Textbox(placeholder=value, visible=visible)


def filled(values: train_fields.Values) -> list:
    """Return updates that set fields, in the order of ``Form.fields``, and refresh their lists.

    A field missing in ``values`` does not change; a file or vector that no longer exists leaves its field empty.
    """
    workspace = current_workspace()
    lists = train_choices.of_fields()
    lists["flavor"] = remote.choices(workspace)
    if "processes" in values:  # from a machine with more GPUs than this one
        values = {**values, "processes": max(1, min(int(values["processes"] or 1), workspace.gpus))}
    if not push.is_offered() and values.get("push_to"):  # from a machine with permission to push
        values = {**values, "push_to": ""}
    if not workspace.reports and values.get("report_to"):
        values = {**values, "report_to": ""}
    return [_filled(name, values, lists.get(name)) for name in EMPTY]


def _filled(name: str, values: train_fields.Values, choices: list[tuple[str, str]] | None) -> Any:
    if choices is None:
        return gr.update(value=values[name]) if name in values else gr.skip()
    seen = {"visible": len(choices) > 1} if name == "flavor" else {}
    if name not in values:
        return gr.Dropdown(choices=choices, **seen)
    known = [key for _, key in choices]
    return gr.Dropdown(choices=choices, value=values[name] if values[name] in known else EMPTY[name], **seen)


def _files() -> tuple[dict[str, Any], dict[str, gr.UploadButton]]:
    fields, uploads = {}, {}
    for name, choices in train_choices.listed().items():
        with gr.Row(equal_height=False, elem_classes="file"):
            fields[name] = gr.Dropdown(
                choices, value=EMPTY[name], label=strings.FIELDS[name], info=strings.FIELD_HINTS[name], scale=4,
                min_width=180, elem_id=f"order-{name}",
            )  # fmt: skip
            uploads[name] = gr.UploadButton(
                strings.UPLOAD_TABLE,
                file_types=TABLE_TYPES,
                size="sm",
                scale=1,
                min_width=110,
                elem_id=f"upload-{name}",
            )
    fields["source"] = gr.Dropdown(
        train_choices.source_choices(), value="", label=strings.FIELDS["source"], info=strings.FIELD_HINTS["source"],
        elem_id="source",
    )  # fmt: skip
    return fields, uploads


def _names() -> dict[str, Any]:
    with gr.Row(elem_classes="pair"):
        name = gr.Textbox(
            label=strings.LANGUAGE_NAME, info=strings.LANGUAGE_NAME_HINT, max_length=60, scale=3, min_width=160,
            elem_id="language-name",
        )  # fmt: skip
        code = gr.Textbox(
            label=strings.LANGUAGE_CODE, info=strings.LANGUAGE_CODE_HINT, max_length=20, scale=2, min_width=110,
            elem_id="language-code",
        )  # fmt: skip
    return {"name": name, "code": code}


def _ranks() -> dict[str, Any]:
    return {
        "rank": gr.Dropdown(
            [(strings.RANKS.get(name, name), name) for name in STRATEGIES], value="variance", label=strings.RANK, info=strings.RANK_HINT, elem_id="rank"
        ),
        "share": gr.Number(
            0.9, label=strings.SHARE, info=strings.SHARE_HINT, minimum=0.01, maximum=1, step=0.01,
            elem_id="variance-share",
        ),
        "uniform": gr.Number(
            100, label=strings.UNIFORM_RANK, info=strings.UNIFORM_RANK_HINT, minimum=1, precision=0, visible=False,
            elem_id="uniform-rank",
        ),
        "keep": _text_field("keep", "language"),
    }  # fmt: skip


def _push() -> dict[str, Any]:
    offered = push.is_offered()
    with gr.Row(elem_classes="pair", visible=offered):
        to = gr.Textbox(
            label=strings.FIELDS["push_to"], info=strings.FIELD_HINTS["push_to"], max_length=120, scale=3, min_width=180,
            visible=offered, elem_id="train-push-to",
        )  # fmt: skip
        private = gr.Checkbox(
            True, label=strings.PUSH_PRIVATE, info=strings.PUSH_PRIVATE_HINT, scale=2, min_width=160, visible=offered,
            elem_id="train-push-private",
        )  # fmt: skip
    return {"push_to": to, "push_private": private}


def _reports() -> dict[str, Any]:
    choices = [(strings.NO_TRACKER, ""), *((title, name) for name, title in TRACKERS.items())]
    return {
        "report_to": gr.Dropdown(
            choices, value="", label=strings.FIELDS["report_to"], info=strings.FIELD_HINTS["report_to"],
            visible=current_workspace().reports, elem_id="train-report-to",
        )
    }  # fmt: skip


def _text_field(setting: str, kind: str, visible: bool = True) -> gr.Textbox:
    recipe = train_fields.preset_recipe(kind, "quick")
    return gr.Textbox(
        label=strings.SETTINGS[setting], info=strings.of_library(MEANINGS[setting]), placeholder=train_fields.shown(recipe, setting),
        max_length=30, min_width=150, visible=visible, elem_id=f"setting-{setting.replace('_', '-')}",
    )  # fmt: skip


def _advanced(setting: str) -> gr.components.Component:
    kind = "language" if train_fields.has("language", setting) else "task"
    if setting not in CHOICES:
        return _text_field(setting, kind, visible=kind == "language")
    value = train_fields.shown(train_fields.preset_recipe(kind, "quick"), setting)
    return gr.Dropdown(
        _setting_choices(setting, value), value="", label=strings.SETTINGS[setting], info=strings.of_library(MEANINGS[setting]),
        min_width=150, visible=kind == "language", elem_id=f"setting-{setting.replace('_', '-')}",
    )  # fmt: skip


def _setting_choices(setting: str, value: str) -> list[tuple[str, str]]:
    return [(strings.AS_PRESET.format(value=value), ""), *((name, name) for name in CHOICES[setting])]


def _choices(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(text, name) for name, text in words.items()]
