"""DeFT-X: denoised sparse fine-tuning for classifiers in languages with little text and no labels (arXiv 2505.15090).

The names below are the library's contract; they load torch and transformers only when they are first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME_OF = {
    "BUNDLED_BASE": "deftx.bases",
    "Base": "deftx.bases",
    "Classifier": "deftx.composition",
    "DeftxError": "deftx.errors",
    "Event": "deftx.events",
    "LanguageRecipe": "deftx.recipes",
    "SparseVector": "deftx.vector",
    "TaskRecipe": "deftx.recipes",
    "choose_rank": "deftx.ranks",
    "compose": "deftx.composition",
    "denoise": "deftx.denoising",
    "learn_language": "deftx.language",
    "learn_task": "deftx.task",
    "lift": "deftx.lifting",
    "load_base": "deftx.bases",
    "overlap": "deftx.overlaps",
    "read_lt_sft": "deftx.lt_sft",
    "recipe_for": "deftx.recipes",
    "select_top_k": "deftx.select",
    "singular_values": "deftx.spectrum",
    "trim": "deftx.trimming",
    "write_lt_sft": "deftx.lt_sft",
}
__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'deftx' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
