"""The settings of a training run: defaults, meanings, and sources of the defaults.

"Appendix" and "section" refer to the paper, arXiv 2505.15090; "LT-SFT" is the published code of cambridgeltl/composable-sft.
Presets list only the differences to the paper's settings.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args, get_type_hints, overload

from deftx.core.errors import RecipeError, one_of, unknown_name
from deftx.method.ranks import check_strategy
from deftx.vectors.vector_files import VALUE_TYPES

# k / |M| of XLM-R base, as a fraction, so that it gives exactly the paper's k (appendix C).
LANGUAGE_SHARE = 7_667_712 / 277_414_656  # 2.764 %
TASK_SHARE = 14_155_776 / 277_414_656  # 5.103 %

METHODS = {
    "deft-x": "denoise δ by SVD before the k largest entries are selected (Algorithm 1)",
    "lt-sft": "select the k largest entries of δ as it is (Ansell et al. 2022): the baseline",
    "random": "select k entries at random: a control for the size of the mask",
}
ABLATIONS = {
    "no-residual": "Ŵ = L: drop the sparse higher-order part (table 5, without higher-order components)",
    "dense-delta": "use the denoised δ itself as φ (table 5, without magnitude pruning and sparse fine-tuning)",
    "no-retrain": "prune the denoised δ and stop (table 5, without sparse fine-tuning)",
}
PRECISIONS = {
    "auto": "bfloat16 where the device computes it natively, else float32",
    "float32": "float32 throughout",
    "bfloat16": "bfloat16 products, float32 weights and sums",
}
METRICS = {"f1": "macro-F1", "accuracy": "accuracy"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings common to language and task training."""

    method: str = "deft-x"  # a key of METHODS
    rank: str = "variance:0.9"  # section 4.2: the smallest rank with 90 % of the variance
    keep: float = 0.05  # section 4.2: the share of each matrix's residual entries to keep
    ablate: str | None = None  # a key of ABLATIONS
    k: float = LANGUAGE_SHARE  # up to 1: a share of M; above: a number of entries
    seed: int = 42  # LT-SFT: the Trainer's default seed
    learning_rate: float = 5e-5  # appendix C; decays linearly to 0, no warm-up
    sparse_learning_rate: float | None = None  # of the sparse phase, where it differs: few entries need larger steps
    batch_size: int = 8  # appendix C; sequences or rows per optimiser step
    accumulation: int = 1  # micro-batches per batch; a step's loss is the mean of theirs
    max_length: int = 256  # tokens, special ones included
    epochs: float = 100  # passes over the training text, in each phase
    min_steps: int = 0  # smallest number of optimiser steps per phase
    max_steps: int | None = None  # largest number of optimiser steps per phase
    dense_epochs: float | None = None  # passes in the dense phase, where it differs (LT-SFT's NusaX script: 3 of 10)
    evaluate_every: int = 1_000  # optimiser steps between two evaluations
    l1: float = 0.0  # λ of the L1 penalty λ·Σ|θ − θ0|/N; 0 is LT-SFT as released (its penalty had no effect)
    precision: str = "auto"  # of matrix products: a key of PRECISIONS; weights are always float32
    clip: float = 1.0  # LT-SFT: the Trainer's default bound on the gradient norm
    lexicon_share: float | None = None  # of the words that a word list has, replaced; None: word_lists.py
    values: str = "float32"  # how φ is stored: a key of VALUE_TYPES

    def __post_init__(self) -> None:
        """Raise RecipeError for an invalid setting, naming the setting, its value and the allowed values."""
        for setting in fields(self):
            _check_type(setting.name, getattr(self, setting.name), get_type_hints(type(self))[setting.name])
        if self.method not in METHODS:
            raise unknown_name("The method", self.method, METHODS)
        if self.precision not in PRECISIONS:
            raise unknown_name("The precision", self.precision, PRECISIONS)
        if self.values not in VALUE_TYPES:
            raise unknown_name("The type of values", self.values, VALUE_TYPES)
        if self.ablate is not None and self.ablate not in ABLATIONS:
            raise unknown_name("The ablation", self.ablate, ABLATIONS)
        if self.ablate is not None and self.method != "deft-x":
            raise RecipeError("Ablations remove a part of deft-x; choose method deft-x, or no ablation.")
        check_strategy(self.rank)
        for name, low, high in _RANGES:
            value = getattr(self, name, None)
            if value is not None and not low <= value <= high:
                raise RecipeError(f"{name} = {value} is out of range: it must be between {low:g} and {high:g}.")
        if self.k > 1 and self.k != round(self.k):
            raise RecipeError(f"k = {self.k} is neither a share (up to 1) nor an integer number of entries.")
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise RecipeError(f"max_steps = {self.max_steps} is below min_steps = {self.min_steps}.")
        if self.batch_size % self.accumulation:
            raise RecipeError(f"batch_size = {self.batch_size} cannot be split into {self.accumulation} equal parts.")

    def count(self, trainable: int) -> int:
        """Return k, the number of entries to select.

        Args:
            trainable: |M|, the number of entries to select from.

        Raises:
            RecipeError: If k is below 1 or above |M|.
        """
        k = round(self.k * trainable) if self.k <= 1 else int(self.k)
        if not 1 <= k <= trainable:
            raise RecipeError(f"k = {self.k:g} selects {k:,} of {trainable:,} entries; choose from 1 to {trainable:,}.")
        return k

    def steps(self, examples: int, phase: str) -> int:
        """Return the number of optimiser steps of a phase.

        Args:
            examples: The number of training sequences or rows.
            phase: "dense" or "sparse".
        """
        epochs = self.dense_epochs if phase == "dense" and self.dense_epochs is not None else self.epochs
        by_epochs = round(epochs * -(-examples // self.batch_size))
        return max(1, self.min_steps, min(by_epochs, self.max_steps or by_epochs))

    def rate(self, phase: str) -> float:
        """Return the learning rate at the first step of a phase, "dense" or "sparse"."""
        own = self.sparse_learning_rate if phase == "sparse" else None
        return self.learning_rate if own is None else own

    def changed(self, settings: dict[str, Any]) -> Self:
        """Return a recipe with some settings changed.

        Args:
            settings: The new values by name.

        Raises:
            RecipeError: If a name is unknown or a value is invalid.
        """
        known = {f.name for f in fields(self)}
        for name in settings:
            if name not in known:
                raise unknown_name("The setting", name, known)
        return replace(self, **settings)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings by name, for vector.json and to compare runs."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """Masked-language modelling on raw text (appendix C, "Language adaptation")."""

    k: float = LANGUAGE_SHARE
    l1: float = 0.1
    min_steps: int = 30_000
    max_steps: int | None = 100_000
    hold_out: float = 0.05  # share of the lines held out for validation
    mask_share: float = 0.15  # LT-SFT: share of tokens to predict; 80 % of them are masked, 10 % random, 10 % unchanged
    trim: bool = False  # train on the base trimmed to the text (Ushio et al. 2023), then lift the vector to the base


@dataclass(frozen=True, kw_only=True)
class TaskRecipe(Recipe):
    """Classification of sentences or pairs, tags of words, and answers (appendix C, "Task adaptation"; here the settings for sentiment)."""

    k: float = TASK_SHARE
    batch_size: int = 16
    max_length: int = 128  # LT-SFT's scripts; not given in the paper
    epochs: float = 10
    evaluate_every: int = 250
    metric: str = "f1"  # chooses the best checkpoint: a key of METRICS
    hold_out: float = 0.1  # share of the rows held out for validation if there is no validation file
    window: int | None = None  # tokens of a question and a part of its text; None: question_windows.WINDOW
    stride: int | None = None  # tokens of a text that two windows share; None: question_windows.STRIDE
    n_best: int | None = None  # answers compared for a question; None: answer_spans.MOST_ANSWERS
    group_by_length: bool = False  # batches of similar length: less padding, another order than the paper's

    def __post_init__(self) -> None:
        """Check the shared settings and the metric."""
        super().__post_init__()
        if self.metric not in METRICS:
            raise unknown_name("The metric", self.metric, METRICS)


_RANGES = (
    ("keep", 0, 1), ("k", 1e-9, 2**40), ("seed", 0, 2**31 - 1), ("learning_rate", 1e-9, 1.0),
    ("sparse_learning_rate", 1e-9, 1.0), ("batch_size", 1, 4096), ("accumulation", 1, 4096), ("max_length", 8, 8192), ("epochs", 1e-3, 1e5), ("dense_epochs", 1e-3, 1e5),
    ("min_steps", 0, 1e8), ("max_steps", 1, 1e8), ("evaluate_every", 1, 1e8), ("l1", 0, 1e6), ("clip", 1e-6, 1e6),
    ("window", 16, 8192), ("stride", 0, 8192), ("n_best", 1, 1000), ("hold_out", 1e-4, 0.5), ("mask_share", 0.01, 0.9), ("lexicon_share", 0, 1),
)  # fmt: skip

# The paper's settings for natural language inference that differ from those for sentiment.
PAIR_SETTINGS = {"batch_size": 32, "epochs": 5, "evaluate_every": 625, "metric": "accuracy"}
# With the rates for texts, pairs are not learned: the loss stays at that of guessing (docs/evidence.md#americasnli).
QUICK_PAIRS = {
    "learning_rate": 7e-5, "sparse_learning_rate": 1.5e-3, "max_steps": 400, "evaluate_every": 200, "metric": "accuracy",
}  # fmt: skip

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # Minutes on two CPU cores with the bundled base (docs/base.md). The paper's learning rate is too low for so few steps.
    "quick": {
        "language": {"learning_rate": 5e-4, "sparse_learning_rate": 2e-3, "batch_size": 16, "max_length": 64,
                     "epochs": 3, "min_steps": 0, "max_steps": 150, "evaluate_every": 75, "hold_out": 0.02},
        "task": {"learning_rate": 2e-4, "sparse_learning_rate": 3e-3, "batch_size": 32, "max_length": 96,
                 "epochs": 3, "max_steps": 200, "evaluate_every": 100, "group_by_length": True},
    },
    # Under an hour on one GPU at XLM-R base size.
    "standard": {
        "language": {"batch_size": 32, "epochs": 20, "min_steps": 1_000, "max_steps": 6_000, "evaluate_every": 250},
        "task": {"epochs": 5},
    },
    "paper": {"language": {}, "task": {}},
}  # fmt: skip


@overload
def recipe_for(
    kind: Literal["language"], preset: str = "quick", *, pairs: bool = False, **settings: Any
) -> LanguageRecipe: ...
@overload
def recipe_for(kind: Literal["task"], preset: str = "quick", *, pairs: bool = False, **settings: Any) -> TaskRecipe: ...
@overload
def recipe_for(
    kind: str, preset: str = "quick", *, pairs: bool = False, **settings: Any
) -> LanguageRecipe | TaskRecipe: ...
def recipe_for(
    kind: str, preset: str = "quick", *, pairs: bool = False, **settings: Any
) -> LanguageRecipe | TaskRecipe:
    """Return the recipe of a preset for ``kind`` ("language" or "task"), with some settings changed.

    Args:
        kind: "language" or "task".
        preset: "quick", "standard" or "paper".
        pairs: Whether a task classifies pairs of texts.
        **settings: Settings that differ from the preset.

    Raises:
        RecipeError: If the preset or a setting is unknown, or a value is invalid.
    """
    if preset not in PRESETS:
        raise unknown_name("The preset", preset, PRESETS)
    recipe = LanguageRecipe() if kind == "language" else TaskRecipe()
    for_pairs = QUICK_PAIRS if preset == "quick" else PAIR_SETTINGS
    return recipe.changed({**PRESETS[preset][kind], **(for_pairs if pairs and kind == "task" else {}), **settings})


def _check_type(name: str, value: Any, annotation: Any) -> None:
    allowed = get_args(annotation) or (annotation,)
    if isinstance(value, bool) is not (bool in allowed) or not isinstance(
        value, (*allowed, int) if float in allowed else allowed
    ):
        raise RecipeError(f"{name} = {value!r} cannot be used: expected {one_of([t.__name__ for t in allowed])}.")
