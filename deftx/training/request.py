"""A training request: what to train, on which data, with which settings, and where.

The page's form, the endpoints, the command line, settings files and jobs each have their own form of a request; all are
converted to a ``TrainingRequest`` and back. It checks its fields when it is created, and its settings when its recipe is
built.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from deftx.core.errors import RecipeError, unknown_name
from deftx.training.labelled_files import LabelledFile, lexicon_problem, repeat_problem

if TYPE_CHECKING:
    from deftx.training.recipes import LanguageRecipe, Recipe, TaskRecipe

HF_JOBS = "hf-jobs"  # the device of jobs that run on Hugging Face Jobs (deftx.jobs.remote)
ZERO_GPU = "zero-gpu"  # the device of jobs that run in calls to a GPU on ZeroGPU (deftx.jobs.slices)
HOURS = 4.0  # default time limit
FEWEST_HOURS, MOST_HOURS = 0.5, 168.0
# Where a training run can be reported to (deftx.training.trackers), with the name of each.
TRACKERS = {"tensorboard": "TensorBoard", "trackio": "Trackio", "wandb": "Weights & Biases"}
NO_FLAVOR = "A training run on Hugging Face Jobs needs the name of a machine (flavor), such as l4x1."

# The fields of the training data; the first one of each kind is required.
DATA = {
    "language": ("corpus", "column"),
    "task": ("train", "valid", "source", "columns", "valid_columns", "repeat", "further", "start"),
}
TEXTS = (
    "name", "column", "train", "valid", "source", "start", "language", "base", "preset", "device", "delta", "flavor", "push_to",
    "report_to",
)  # fmt: skip
MAPPINGS = ("recipe", "columns", "valid_columns")


@dataclass(frozen=True)
class Refusal:
    """A reason not to start: the setting or field to change, and a message."""

    field: str
    reason: str


class SettingsRefused(RecipeError):
    """Settings that cannot be used, each with a reason."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(" ".join(refusal.reason for refusal in refusals))
        self.refusals = refusals


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """A training request. Files are paths, or names of the page; an empty string means "not given".

    Raises:
        SettingsRefused: With every invalid field.
    """

    kind: str  # "language" or "task"
    name: str = ""  # of the job and its vector
    corpus: tuple[str, ...] = ()  # for a language: the files of raw text
    column: str = ""  # for a language: the column of the text, if the files are tables
    train: str = ""  # for a task: the labelled file
    columns: Mapping[str, str] = field(default_factory=dict)  # names of the columns in ``train``, if they differ
    valid: str = ""  # for a task: a labelled file for validation; by default, rows of ``train``
    valid_columns: Mapping[str, str] = field(default_factory=dict)
    source: str = ""  # for a task: the language vector to start from, that of ``train``
    repeat: int = 1  # for a task: passes over ``train`` in an epoch
    further: tuple[LabelledFile, ...] = ()  # for a task: labelled files besides ``train``
    start: str = ""  # for a task: the task vector that is trained further
    lexicon: tuple[str, ...] = ()  # word lists for the corpus, or for the rows of ``train``
    language: str = ""  # a code, stored in the vector
    base: str = ""
    device: str = ""  # of this machine, as in torch, or ZERO_GPU; empty: a GPU if there is one
    preset: str = "quick"
    recipe: Mapping[str, Any] = field(default_factory=dict)  # the settings that differ from the preset's
    delta: str = ""  # the folder of δ
    flavor: str = ""  # name of a machine of Hugging Face Jobs; empty: this machine
    hours: float = HOURS  # time limit of that machine
    processes: int = 1  # number of GPUs of this machine to train on
    push_to: str = ""  # the Hub repository to push the vector to at the end
    push_private: bool = True
    report_to: str = ""  # the tracker that receives the events

    def __post_init__(self) -> None:
        """Check each field."""
        if self.kind not in tuple(DATA):
            raise unknown_name("The kind of training", str(self.kind), DATA)
        if refused := [Refusal(name, reason) for name, reason in self._problems()]:
            raise SettingsRefused(refused)

    @property
    def data(self) -> str:
        """The file of training data, the first one of several; empty if none is given."""
        return self.train or next(iter(self.corpus), "")

    @property
    def labelled(self) -> list[LabelledFile]:
        """The labelled files of a task, the first one first."""
        first = LabelledFile(
            file=self.train, columns=self.columns, source=self.source, repeat=self.repeat, lexicon=self.lexicon
        )
        return [first, *self.further] if self.train else []

    def full_recipe(self, pairs: bool = False) -> "LanguageRecipe | TaskRecipe":
        """Return the recipe: the preset, changed by the settings of the request.

        Args:
            pairs: Whether the task classifies pairs of texts.

        Raises:
            SettingsRefused: With every invalid setting, or with "settings" if only their combination is.
        """
        # It imports torch, and every command imports this module.
        from deftx.training.recipes import PRESETS, recipe_for

        if self.preset not in PRESETS:
            raise SettingsRefused([Refusal("preset", str(unknown_name("The preset", self.preset, PRESETS)))])
        preset = recipe_for(self.kind, self.preset, pairs=pairs)
        try:
            return preset.changed(dict(self.recipe))
        except RecipeError as error:
            alone = [_refusal(preset, name, value) for name, value in self.recipe.items()]
            raise SettingsRefused([one for one in alone if one] or [Refusal("settings", str(error))]) from error

    def to_job(self) -> dict[str, Any]:
        """Return the settings of a job as JSON values by field name; fields that are not given are omitted.

        ``kind`` and ``name`` are omitted too, because a job stores them separately.
        """
        needed = {"preset", "recipe", *(["hours"] if self.flavor else []), *(["push_private"] if self.push_to else [])}
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("kind", "name")}
        settings = {name: value for name, value in found.items() if name in needed or value != _default(name)}
        settings |= {name: dict(settings[name]) for name in MAPPINGS if name in settings}
        if self.lexicon:
            settings["lexicon"] = list(self.lexicon)
        if self.further:
            settings["further"] = [one.to_dict() for one in self.further]
        if self.corpus:
            settings["corpus"] = self.corpus[0] if len(self.corpus) == 1 else list(self.corpus)
        return settings | ({"device": HF_JOBS} if self.flavor else {})

    @classmethod
    def from_job(cls, kind: str, settings: Mapping[str, Any], name: str = "") -> "TrainingRequest":
        """Return the request in the settings of a job, which an older version may have written.

        Args:
            kind: "language" or "task".
            settings: The settings of the job; unknown ones are ignored.
            name: The name of the job.

        Raises:
            SettingsRefused: With every invalid setting.
        """
        given = {one: settings[one] for one in _names(kind) if settings.get(one)}
        if isinstance(given.get("corpus"), str | list):
            given["corpus"] = (given["corpus"],) if isinstance(given["corpus"], str) else tuple(given["corpus"])
        given |= tuples_of(given)
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
        yield from self._problems_of_data()
        if isinstance(self.report_to, str) and self.report_to and self.report_to not in TRACKERS:
            yield "report_to", str(unknown_name("The tracker", self.report_to, TRACKERS))
        for name in (name for kind, names in DATA.items() if kind != self.kind for name in names):
            if getattr(self, name) != _default(name):
                yield name, f"{name} cannot be used: a {self.kind} training run has no such setting."
        if not _is_number(self.processes, int) or self.processes < 1:
            yield "processes", f"{self.processes!r} is not a number of GPUs; expected an integer, 1 or more."
        if self.device == HF_JOBS and not self.flavor:
            yield "flavor", NO_FLAVOR
        if self.flavor and self.device:
            yield (
                "device",
                f"device applies only to this machine; omit it with the machine {self.flavor} of Hugging Face Jobs.",
            )
        if self.flavor and not (_is_number(self.hours, int | float) and FEWEST_HOURS <= self.hours <= MOST_HOURS):
            yield (
                "hours",
                f"The time limit on Hugging Face Jobs must be {FEWEST_HOURS:g} to {MOST_HOURS:g} hours, not {self.hours!r}.",
            )

    def _problems_of_data(self) -> Iterator[tuple[str, str]]:
        if reason := repeat_problem(self.repeat):
            yield "repeat", reason
        if reason := lexicon_problem(self.lexicon):
            yield "lexicon", reason
        if not isinstance(self.further, tuple) or not all(isinstance(one, LabelledFile) for one in self.further):
            yield "further", f"further = {self.further!r} cannot be used: expected a list of labelled files."
            return
        yield from (("further", reason) for one in self.further for reason in one.problems())
        if self.further and not self.train:
            yield "further", "Further labelled files need a first one."


def tuples_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the word lists and the further labelled files in JSON values as a request has them.

    Raises:
        SettingsRefused: If a labelled file cannot be read.
    """
    found = {"lexicon": tuple(given["lexicon"])} if isinstance(given.get("lexicon"), list) else {}
    if not isinstance(given.get("further"), list):
        return found
    try:
        return {**found, "further": tuple(map(LabelledFile.from_dict, given["further"]))}
    except RecipeError as error:
        raise SettingsRefused([Refusal("further", str(error))]) from error


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
