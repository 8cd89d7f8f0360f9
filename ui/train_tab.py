"""Train: what to learn from and how; "Start training" puts a job into the queue and returns at once."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.errors import DeftxError, RecipeError
from deftx.recipes import recipe_for
from ui import strings, views
from ui.corpora import title_of
from ui.studio import Studio

# Settings that stay the preset's while their field is empty: name -> (label, the preset's value as text).
ADVANCED = {
    "learning_rate": (strings.LEARNING_RATE, lambda recipe: f"{recipe.learning_rate:g}"),
    "max_steps": (strings.MAX_STEPS, lambda recipe: f"{recipe.max_steps:,}" if recipe.max_steps else "no limit"),
    "k": (strings.ENTRIES, lambda recipe: f"{100 * recipe.k:.3f}"),
    "seed": (strings.SEED, lambda recipe: str(recipe.seed)),
}


@dataclass(frozen=True)
class TrainForm:
    """The form: its button, its fields by name, and the place for what it answers."""

    start: gr.Button
    fields: dict[str, gr.components.Component]
    answer: gr.HTML


def build_form(corpus: gr.Dropdown) -> TrainForm:
    """Lay the form out and connect what happens within it; ``corpus`` is where the text is chosen."""
    chosen = gr.HTML(corpus_line(None), elem_id="train-corpus")
    fields = _name_fields()
    fields["preset"] = gr.Radio(_choices(strings.PRESETS), value="quick", label=strings.PRESET, elem_id="preset")
    fields["method"] = gr.Radio(_choices(strings.METHODS), value="deft-x", label=strings.METHOD, elem_id="method")
    with gr.Column() as ranks:
        fields |= _rank_fields()
    with gr.Accordion(strings.ADVANCED, open=False, elem_id="advanced"):
        gr.HTML(views.paragraph(strings.ADVANCED_HINT, "quiet"))
        with gr.Row(elem_classes="pair"):
            fields |= _advanced_fields()
    start = gr.Button(strings.START, variant="primary", elem_id="start")
    answer = gr.HTML(elem_id="train-answer")
    private = {"api_visibility": "private", "show_progress": "hidden"}
    corpus.change(corpus_line, corpus, chosen, **private)
    fields["method"].change(lambda method: gr.Column(visible=method == "deft-x"), fields["method"], ranks, **private)
    fields["rank"].change(
        lambda rank: (gr.Number(visible=rank == "variance"), gr.Number(visible=rank == "uniform")),
        fields["rank"], [fields["share"], fields["uniform"]], **private,
    )  # fmt: skip
    fields["preset"].change(
        lambda preset: [gr.Textbox(placeholder=text) for text in placeholders(preset).values()],
        fields["preset"], [fields[name] for name in ADVANCED], **private,
    )  # fmt: skip
    return TrainForm(start, fields, answer)


def _name_fields() -> dict[str, Any]:
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


def _rank_fields() -> dict[str, Any]:
    return {
        "rank": gr.Dropdown(
            _choices(strings.RANKS), value="variance", label=strings.RANK, info=strings.RANK_HINT, elem_id="rank"
        ),
        "share": gr.Number(
            0.9, label=strings.SHARE, info=strings.SHARE_HINT, minimum=0.01, maximum=1, step=0.01,
            elem_id="variance-share",
        ),
        "uniform": gr.Number(
            100, label=strings.UNIFORM_RANK, info=strings.UNIFORM_RANK_HINT, minimum=1, precision=0, visible=False,
            elem_id="uniform-rank",
        ),
    }  # fmt: skip


def _advanced_fields() -> dict[str, Any]:
    return {
        name: gr.Textbox(
            label=label, placeholder=placeholders("quick")[name], max_length=20, min_width=130,
            elem_id=f"setting-{name.replace('_', '-')}",
        )
        for name, (label, _) in ADVANCED.items()
    }  # fmt: skip


def start_training(studio: Studio, corpus: str | None, values: dict[str, Any]) -> tuple[str, str]:
    """Put the job into the queue; return (its id, what to say), the id empty where it was refused."""
    try:
        job = studio.train_language(
            corpus or "", values["name"] or "", values["code"] or "", values["preset"], recipe_of(values)
        )
    except DeftxError as error:
        return "", views.notice(str(error), kind="bad")
    return job.id, views.notice(f"{job.name} {strings.STARTED}", kind="good")


def recipe_of(values: dict[str, Any]) -> dict[str, Any]:
    """Collect the settings that differ from the preset's; RecipeError names a field that holds no number."""
    recipe: dict[str, Any] = {}
    if values["method"] != "deft-x":
        recipe["method"] = values["method"]
    else:
        recipe["rank"] = _rank(values)
    for name, (label, _) in ADVANCED.items():
        text = str(values.get(name) or "").strip()
        if text:
            recipe[name] = _number(label, text, whole=name in ("max_steps", "seed"))
    if "k" in recipe:
        recipe["k"] = float(recipe["k"]) / 100  # the field is in per cent
    if "max_steps" in recipe:
        recipe["min_steps"] = min(recipe["max_steps"], recipe_for("language", values["preset"]).min_steps)
    return recipe


def _rank(values: dict[str, Any]) -> str:
    rank = values["rank"]
    if rank == "variance":
        return f"variance:{values['share'] if values['share'] is not None else ''}"
    return f"uniform:{values['uniform'] or ''}" if rank == "uniform" else rank


def _number(label: str, text: str, whole: bool) -> float | int:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise RecipeError(f"{label}: {text!r} is not a number.") from None
    if whole and not number.is_integer():
        raise RecipeError(f"{label} {strings.NEEDS_WHOLE}")
    return int(number) if whole else number


def placeholders(preset: str) -> dict[str, str]:
    """What a preset has for each advanced setting."""
    recipe = recipe_for("language", preset)
    return {name: text(recipe) for name, (_, text) in ADVANCED.items()}


def corpus_line(name: str | None) -> str:
    """Say which text will be learned from."""
    if not name:
        return views.notice(strings.NO_CORPUS_CHOSEN)
    return views.figures([(strings.TRAIN_ON, title_of(name))])


def _choices(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(text, name) for name, text in words.items()]
