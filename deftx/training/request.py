"""A training request: what a person asks to be trained, with what, and where.

The page's form, the endpoints, the command line, a settings file and a job all say the same in their own ways; each of
them is turned into a ``TrainingRequest`` and back. A request is checked here: its own fields when it is made, its
settings when its recipe is built.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from deftx.core.errors import RecipeError, unknown_name

if TYPE_CHECKING:
    from deftx.training.recipes import Recipe

HF_JOBS = "hf-jobs"  # as the device of a job: not here, but on Hugging Face Jobs (deftx.jobs.remote)
HOURS = 4.0  # that a remote training gets where nobody says otherwise
FEWEST_HOURS, MOST_HOURS = 0.5, 168.0
NO_FLAVOR = "A training on Hugging Face Jobs needs the name of a machine (flavour), such as l4x1."

# The fields that say what is learned from; the first of each kind is the one that a training cannot do without.
DATA = {"language": ("corpus", "column"), "task": ("train", "valid", "source", "columns", "valid_columns")}
TEXTS = (
    "name",
    "column",
    "train",
    "valid",
    "source",
    "language",
    "base",
    "preset",
    "device",
    "delta",
    "flavor",
    "push_to",
)
MAPPINGS = ("recipe", "columns", "valid_columns")


@dataclass(frozen=True)
class Refusal:
    """One thing that stands in the way: the setting or field to change, and the reason in plain words."""

    field: str
    reason: str


class SettingsRefused(RecipeError):
    """Settings that cannot be used, each with its reason."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(" ".join(refusal.reason for refusal in refusals))
        self.refusals = refusals


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What is to be trained. Files are paths, or names that only the page knows; empty texts are not given.

    Raises:
        SettingsRefused: fields that cannot be used, each by its name.
    """

    kind: str  # "language" or "task"
    name: str = ""  # of the job and its vector
    corpus: tuple[str, ...] = ()  # of a language: the files of raw text
    column: str = ""  # of a language: the column that holds the text, where the files are tables
    train: str = ""  # of a task: the labelled file
    columns: Mapping[str, str] = field(default_factory=dict)  # what ``train`` calls text or label, where it differs
    valid: str = ""  # of a task: a labelled file to judge with; without it rows are held out
    valid_columns: Mapping[str, str] = field(default_factory=dict)
    source: str = ""  # of a task: the language vector to start from
    language: str = ""  # a code, noted in the vector
    base: str = ""
    device: str = ""  # of this machine, as torch calls it; empty: the best there is
    preset: str = "quick"
    recipe: Mapping[str, Any] = field(default_factory=dict)  # the settings that differ from the preset's
    delta: str = ""  # the folder that keeps the change after the dense phase
    flavor: str = ""  # a machine of Hugging Face Jobs, by name; empty: this machine
    hours: float = HOURS  # after which that machine is switched off
    processes: int = 1  # how many GPUs of this machine train together
    push_to: str = ""  # the Hub repository to which the vector is pushed at the end
    push_private: bool = True

    def __post_init__(self) -> None:
        """Check every field by itself."""
        if self.kind not in tuple(DATA):
            raise unknown_name("The kind of training", str(self.kind), DATA)
        if refused := [Refusal(name, reason) for name, reason in self._problems()]:
            raise SettingsRefused(refused)

    @property
    def data(self) -> str:
        """The text or labelled file that is learned from; the first of several, empty where none is given."""
        return self.train or next(iter(self.corpus), "")

    def full_recipe(self, pairs: bool = False) -> "Recipe":
        """Build the recipe: the preset's settings and those of the request; ``pairs``: the task is about pairs of texts.

        Raises:
            SettingsRefused: names every setting that cannot be used by itself, or else the whole.
        """
        from deftx.training.recipes import (  # torch comes with it, and every command reads this module
            PRESETS,
            recipe_for,
        )

        if self.preset not in PRESETS:
            raise SettingsRefused([Refusal("preset", str(unknown_name("The preset", self.preset, PRESETS)))])
        preset = recipe_for(self.kind, self.preset, pairs=pairs)
        try:
            return preset.changed(dict(self.recipe))
        except RecipeError as error:
            alone = [_refusal(preset, name, value) for name, value in self.recipe.items()]
            raise SettingsRefused([one for one in alone if one] or [Refusal("settings", str(error))]) from error

    def to_job(self) -> dict[str, Any]:
        """Give the settings of a job: values of JSON, by the names of the fields; what is not given is left out.

        ``kind`` and ``name`` are not among them: a job has them as they are.
        """
        needed = {"preset", "recipe", *(["hours"] if self.flavor else []), *(["push_private"] if self.push_to else [])}
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("kind", "name")}
        settings = {name: value for name, value in found.items() if name in needed or value != _default(name)}
        settings |= {name: dict(settings[name]) for name in MAPPINGS if name in settings}
        if self.corpus:
            settings["corpus"] = self.corpus[0] if len(self.corpus) == 1 else list(self.corpus)
        return settings | ({"device": HF_JOBS} if self.flavor else {})

    @classmethod
    def from_job(cls, kind: str, settings: Mapping[str, Any], name: str = "") -> "TrainingRequest":
        """Read the settings of a job, also of an older one; what they say beside the fields is left out."""
        given = {one: settings[one] for one in _names(kind) if settings.get(one)}
        if isinstance(given.get("corpus"), str | list):
            given["corpus"] = (given["corpus"],) if isinstance(given["corpus"], str) else tuple(given["corpus"])
        if given.get("push_to"):
            given["push_private"] = bool(settings.get("push_private"))
        if given.get("device") == HF_JOBS and given.get("flavor"):
            del given["device"]
        return cls(kind=kind, name=name, **given)

    def _problems(self) -> Iterator[tuple[str, str]]:
        for name in TEXTS:
            if not isinstance(value := getattr(self, name), str):
                yield name, f"{name} = {value!r} cannot be used: expected a text in quotes."
        for name in MAPPINGS:
            if not isinstance(value := getattr(self, name), Mapping) or not all(isinstance(key, str) for key in value):
                yield name, f"{name} cannot be used: expected settings by name, in braces."
        if not isinstance(self.corpus, tuple) or not all(isinstance(path, str) for path in self.corpus):
            yield "corpus", f"corpus = {self.corpus!r} cannot be used: expected a text in quotes."
        for name in (name for kind, names in DATA.items() if kind != self.kind for name in names):
            if getattr(self, name):
                yield name, f"{name} cannot be used: a training of the kind {self.kind} has no such setting."
        if not _is_number(self.processes, int) or self.processes < 1:
            yield "processes", f"{self.processes!r} is no number of GPUs; expected a whole number, 1 or more."
        if self.device == HF_JOBS and not self.flavor:
            yield "flavor", NO_FLAVOR
        if self.flavor and self.device:
            yield (
                "device",
                f"device is about this machine; leave it away with the machine {self.flavor} of Hugging Face Jobs.",
            )
        if self.flavor and not (_is_number(self.hours, int | float) and FEWEST_HOURS <= self.hours <= MOST_HOURS):
            yield (
                "hours",
                f"A training on Hugging Face Jobs gets {FEWEST_HOURS:g} to {MOST_HOURS:g} hours at most; {self.hours!r} is not that.",
            )


def _names(kind: str) -> list[str]:
    other = {name for one, names in DATA.items() if one != kind for name in names}
    return [one.name for one in fields(TrainingRequest) if one.name not in {"kind", "name", *other}]


def _default(name: str) -> Any:
    one = next(one for one in fields(TrainingRequest) if one.name == name)
    return one.default if one.default_factory is MISSING else one.default_factory()


def _is_number(value: Any, types: Any) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)


def _refusal(preset: "Recipe", name: str, value: Any) -> Refusal | None:
    try:
        preset.changed({name: value})
    except RecipeError as error:
        return Refusal(name, str(error))
    return None
