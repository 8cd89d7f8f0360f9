"""DeFT-X: denoised sparse fine-tuning for classifiers in languages with little text and no labels (arXiv 2505.15090).

The names below are the public interface. torch and transformers are imported when a name is first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME_OF = {
    "BUNDLED_BASE": "deftx.models.bases",
    "Base": "deftx.models.bases",
    "Classifier": "deftx.classify.composition",
    "DeftxError": "deftx.core.errors",
    "Event": "deftx.core.events",
    "LanguageRecipe": "deftx.training.recipes",
    "SparseVector": "deftx.vectors.vector",
    "TaskRecipe": "deftx.training.recipes",
    "choose_rank": "deftx.method.ranks",
    "compose": "deftx.classify.composition",
    "denoise": "deftx.method.denoising",
    "learn_language": "deftx.training.language",
    "learn_task": "deftx.training.task",
    "lift": "deftx.vectors.lifting",
    "load_base": "deftx.models.bases",
    "overlap": "deftx.vectors.overlaps",
    "read_lt_sft": "deftx.vectors.lt_sft",
    "recipe_for": "deftx.training.recipes",
    "select_top_k": "deftx.method.select",
    "singular_values": "deftx.method.spectrum",
    "trim": "deftx.training.trimming",
    "write_lt_sft": "deftx.vectors.lt_sft",
}
__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'deftx' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
