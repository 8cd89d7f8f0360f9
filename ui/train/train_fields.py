"""The fields of the form: their names and labels, and converting their values to a training request and back."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from deftx.core.errors import RecipeError
from deftx.method.ranks import STRATEGIES
from deftx.training.labelled_files import LabelledFile
from deftx.training.recipes import (
    ABLATIONS,
    METRICS,
    PRECISIONS,
    LanguageRecipe,
    Recipe,
    TaskRecipe,
    recipe_for,
)
from deftx.training.request import HOURS, Refusal, SettingsRefused, TrainingRequest
from deftx.vectors.vector_files import VALUE_TYPES
from ui import strings

Values = Mapping[str, Any]  # the values of the fields, by name

RECIPES = {"language": LanguageRecipe, "task": TaskRecipe}
TYPES = {kind: get_type_hints(recipe) for kind, recipe in RECIPES.items()}
MAIN = ("method", "rank", "keep", "k")  # settings with their own part of the form
ABSENT = ("window", "stride", "n_best")  # of questions, on which the page does not train
FURTHER = range(2, 7)  # numbers of the further labelled files of a task; the first file is ``train``
# All other settings, in the order of the form. An empty field stands for the preset's value.
ADVANCED = tuple(dict.fromkeys(name for types in TYPES.values() for name in types if name not in (*MAIN, *ABSENT)))
CHOICES: dict[str, tuple[str, ...]] = {
    "ablate": tuple(ABLATIONS),
    "precision": tuple(PRECISIONS),
    "values": tuple(VALUE_TYPES),
    "metric": tuple(METRICS),
    "group_by_length": ("true", "false"),
    "trim": ("true", "false"),
}
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")  # 200,000: commas separate thousands; 0,125 is a decimal
POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")  # 200.000: in Spanish and Indonesian, points separate thousands

CODE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")  # as in BCP 47: min, quy, id-Latn

EMPTY: dict[str, Any] = {
    "kind": "language", "name": "", "code": "", "train": None, "valid": "", "source": "", "base": "", "preset": "quick",
    "processes": 1, "push_to": "", "push_private": True, "report_to": "", "method": "deft-x", "rank": "variance", "share": 0.9, "uniform": 100, "keep": "", "k": "",
    "flavor": "", "hours": HOURS, "start": "", "lexicon": "", "repeat": 1,
    **{f"{name}_{number}": none for number in FURTHER for name, none in (("train", ""), ("source", ""), ("repeat", 1))},
    **dict.fromkeys(ADVANCED, ""),
}  # fmt: skip
# Fields with the same name in a request, and those of them that only tasks have.
NAMES = (
    "kind",
    "name",
    "train",
    "valid",
    "source",
    "start",
    "repeat",
    "base",
    "preset",
    "flavor",
    "hours",
    "processes",
    "push_to",
    "report_to",
)
FOR_TASK = ("train", "valid", "source", "start", "repeat")


def has(kind: str, setting: str) -> bool:
    """Return whether training runs of this kind have the setting."""
    return setting in TYPES[kind]


def preset_recipe(kind: str, preset: str, pairs: bool = False) -> Recipe:
    """Return the recipe that empty fields stand for."""
    return recipe_for(kind, preset, pairs=pairs)


def shown(recipe: Recipe, setting: str) -> str:
    """Return a setting's value as it is typed in the form; empty if the recipe has no such setting."""
    value = getattr(recipe, setting, None)
    if setting == "k":
        return f"{100 * value:.3f} %" if value <= 1 else f"{value:,.0f}"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none" if hasattr(recipe, setting) else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def recipe_of(values: Values) -> dict[str, Any]:
    """Return the settings that differ from the preset's.

    Raises:
        SettingsRefused: With every field that cannot be read.
    """
    kind, refused = values.get("kind") or "language", []
    recipe: dict[str, Any] = {}
    preset = preset_recipe(kind, values["preset"])
    if values["method"] != preset.method:
        recipe["method"] = values["method"]
    elif _rank(values) != preset.rank:
        recipe["rank"] = _rank(values)
    for name in ("keep", "k", *ADVANCED):
        text = str(values.get(name) or "").strip()
        if not text or not has(kind, name) or (name in ("keep", "ablate") and "method" in recipe):
            continue
        try:
            recipe[name] = read(kind, name, text)
        except RecipeError as error:
            refused.append(Refusal(name, str(error)))
    if refused:
        raise SettingsRefused(refused)
    if recipe.get("max_steps") is not None and "min_steps" not in recipe and recipe["max_steps"] < preset.min_steps:
        recipe["min_steps"] = recipe["max_steps"]
    return recipe


def read(kind: str, name: str, text: str) -> Any:
    """Convert the text of a field to the type of its setting. Raise RecipeError if it cannot be converted."""
    allowed = get_args(TYPES[kind][name]) or (TYPES[kind][name],)
    if text.lower() == "none" and type(None) in allowed:
        return None
    if bool in allowed:
        return text == "true"
    if str in allowed:
        return text
    return _number(text, whole=float not in allowed, share=name == "k")


def to_form(request: TrainingRequest) -> dict[str, Any]:
    """Return the values of all fields for a request; settings that it does not have are empty."""
    found = {name: value for name in NAMES if (value := getattr(request, name))}
    values = {**EMPTY, **found, "code": request.language, "push_private": request.push_private}
    values["lexicon"] = next(iter(request.lexicon), "")
    for number, one in zip(FURTHER, request.further, strict=False):
        values |= {f"train_{number}": one.file, f"source_{number}": one.source, f"repeat_{number}": one.repeat}
    for name, value in request.recipe.items():
        if name == "rank":
            strategy, _, parameter = value.partition(":")
            values |= {"rank": strategy, **_parameter(strategy, parameter)}
        elif name == "method":
            values["method"] = value
        elif name in values:
            values[name] = "" if name == "ablate" and value is None else _typed(value)
    return values


def fits(request: TrainingRequest) -> bool:
    """Return whether the form has a field for every labelled file and word list of a request."""
    lists = [request.lexicon[1:], *(one.lexicon for one in request.further)]
    return len(request.further) <= len(FURTHER) and not any(lists)


def from_form(values: Values, corpus: str | None) -> TrainingRequest:
    """Return the request for the values of the fields and the chosen corpus.

    Raises:
        SettingsRefused: With every field that cannot be read.
    """
    kind = values.get("kind") or "language"
    names = [name for name in NAMES if name not in FOR_TASK or kind == "task"]
    given = {name: _stripped(value) for name in names if (value := values.get(name))}
    code = str(values.get("code") or "").strip()
    refused = [Refusal("code", strings.NO_CODE.format(text=code))] if code and not CODE.fullmatch(code) else []
    if corpus and kind == "language":
        given["corpus"] = (corpus,)
    given["lexicon"] = (values["lexicon"],) if values.get("lexicon") else ()
    if kind == "task" and given.get("train"):
        given["further"] = tuple(further_of(values))
    if given.get("push_to"):
        given["push_private"] = bool(values.get("push_private", True))
    if not given.get("flavor"):
        given.pop("hours", None)
    try:
        given["recipe"] = recipe_of(values)
    except SettingsRefused as error:
        refused += error.refusals
    try:
        request = TrainingRequest(language=code, **given)
    except SettingsRefused as error:
        refused += error.refusals
    if refused:
        raise SettingsRefused(refused)
    return request


def further_of(values: Values) -> Iterator[LabelledFile]:
    """Yield the further labelled files in the values of the fields."""
    for number in FURTHER:
        if file := values.get(f"train_{number}"):
            repeat = values.get(f"repeat_{number}")
            source = values.get(f"source_{number}") or ""
            yield LabelledFile(file=file, source=source, repeat=1 if repeat is None else repeat)


def label(setting: str) -> str:
    """Return the label of a field or setting on the page; other names are returned unchanged."""
    name, _, number = setting.rpartition("_")
    if setting in EMPTY and number.isdecimal():
        labels = {"source": strings.FURTHER_SOURCE, "repeat": strings.FURTHER_REPEAT}
        return " · ".join(filter(None, (strings.FURTHER_FILE.format(number=number), labels.get(name))))
    return strings.SETTINGS.get(setting) or strings.FIELDS.get(setting) or setting


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _rank(values: Values) -> str:
    rank = values["rank"]
    if rank == "variance":
        return f"variance:{values['share'] if values['share'] is not None else ''}"
    return f"uniform:{values['uniform'] or ''}" if rank == "uniform" else STRATEGIES[rank].example


def _parameter(strategy: str, parameter: str) -> dict[str, Any]:
    if strategy == "variance":
        return {"share": float(parameter)}
    return {"uniform": int(parameter)} if strategy == "uniform" else {}


def _typed(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _number(text: str, whole: bool, share: bool) -> float | int:
    if (whole or share) and POINTS.fullmatch(text):
        raise RecipeError(strings.TWO_MEANINGS.format(text=text, plain=text.replace(".", "")))
    plain = text.replace(",", "") if GROUPED.fullmatch(text) else text.replace(",", ".")
    percent = share and plain.endswith("%")
    try:
        number = float(plain.rstrip("% ") if percent else plain)
    except ValueError:
        raise RecipeError(strings.NO_NUMBER.format(text=text)) from None
    if whole and not number.is_integer():
        raise RecipeError(strings.NEEDS_WHOLE.format(text=text))
    if percent:
        return float(f"{number / 100:.12g}")
    return int(number) if whole or (share and number > 1 and number.is_integer()) else number
