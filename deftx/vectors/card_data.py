"""The metadata of a model card in the format of the Hub: base model, language, licence, ``metrics`` and ``model-index``."""

import re
from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from deftx.core.errors import HubError
from deftx.core.names import HUB_NAME
from deftx.core.units import QUESTION, WORD

LANGUAGE_CODE = re.compile(r"[a-z]{2,3}")  # the Hub takes ISO 639 codes only
LICENSE = re.compile(r"[a-z0-9.-]+")
TASKS = {
    "language": ("fill-mask", "Masked language modelling"),
    "next_token_loss": ("text-generation", "Language modelling"),  # of language vectors with this score
    "task": ("text-classification", "Text classification"),
    WORD: ("token-classification", "Token classification"),
    QUESTION: ("question-answering", "Question answering"),
}
METRICS = {
    "masked_lm_loss": ("loss", "Masked-LM loss, in nats"),
    "next_token_loss": ("loss", "Next-token loss, in nats"),
    "f1": ("f1", "Macro-F1"),
    "entity_f1": ("seqeval", "F1 of entities"),
    "answer_f1": ("f1", "F1 of answers"),
    "exact_match": ("exact_match", "Exact match of answers"),
    "accuracy": ("accuracy", "Accuracy"),
}

# The evaluation data is a part of the training data, and not a data set on the Hub.
HELD_OUT = {
    "language": ("held-out", "Held-out lines of the training text"),
    "task": ("validation", "Validation rows of the training data"),
    WORD: ("validation", "Validation sentences of the training data"),
    QUESTION: ("validation", "Validation questions of the training data"),
}


def results(kind: str, name: str, scores: dict[str, Any]) -> dict[str, Any]:
    """Return ``metrics`` and ``model-index`` for the scores in vector.json; empty if there are none.

    ``kind`` is that of the vector, or the unit of a task vector that does not classify texts. ``name`` is the name of the repository. Only numeric scores of METRICS are included.
    """
    found = {key: number for key in METRICS if (number := _after(scores.get(key))) is not None}
    if not found:
        return {}
    task, task_name = TASKS[next((key for key in found if key in TASKS), kind)]
    dataset, dataset_name = HELD_OUT[kind]
    listed = [
        EvalResult(
            task_type=task, task_name=task_name, dataset_type=dataset, dataset_name=dataset_name,
            metric_type=METRICS[key][0], metric_name=METRICS[key][1], metric_value=round(number, 4),
        )
        for key, number in found.items()
    ]  # fmt: skip
    data = ModelCardData(model_name=name, eval_results=listed, metrics=[METRICS[key][0] for key in found]).to_dict()
    return {key: data[key] for key in ("metrics", "model-index")}


def checked_license(text: str | None) -> str | None:
    """Return a licence in the Hub's spelling ("cc-by-4.0" for "CC BY 4.0"), or None if it is empty.

    Raises:
        HubError: If it cannot be written in this way.
    """
    written = _in_the_hubs_spelling(text)
    if written and not LICENSE.fullmatch(written):
        raise HubError(
            f"{text!r} is not the id of a licence. Write it as the Hub does: cc-by-4.0, mit or apache-2.0, for example."
        )
    return written or None


def _in_the_hubs_spelling(license_id: str | None) -> str:
    return "-".join((license_id or "").lower().split())


def metadata_of(base: Mapping[str, Any], language: str | None, license_id: str | None) -> dict[str, Any]:
    """Return metadata for the Hub; values that are not in the Hub's format are omitted.

    ``base`` has the name of the base, and the revision if it is from the Hub; other bases are omitted too.
    """
    found: dict[str, Any] = {}
    if base.get("revision") and HUB_NAME.fullmatch(base["name"]):
        found["base_model"] = base["name"]
    if LANGUAGE_CODE.fullmatch(language or ""):
        found["language"] = [language]
    if LICENSE.fullmatch(written := _in_the_hubs_spelling(license_id)):
        found["license"] = written
    return found


def _after(score: Any) -> float | None:
    number = score.get("after") if isinstance(score, dict) else None
    return float(number) if isinstance(number, (int, float)) and not isinstance(number, bool) else None
