"""The scores of a vector in the format of the Hub's model cards: ``metrics`` and ``model-index``."""

from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from deftx.core.units import QUESTION, WORD

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


def _after(score: Any) -> float | None:
    number = score.get("after") if isinstance(score, dict) else None
    return float(number) if isinstance(number, (int, float)) and not isinstance(number, bool) else None
