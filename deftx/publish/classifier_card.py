"""The model card of a composed classifier: its vectors, and how to load it with transformers."""

import json
from collections.abc import Sequence
from typing import Any

from deftx.core.names import base_name
from deftx.vectors.card import CITATION, TAGS, code, front_matter, metadata_of
from deftx.vectors.vector import SparseVector

# What a pipeline is given, by whether the task classifies pairs.
_EXAMPLES = {False: '"a sentence in the language"', True: '{"text": "a premise", "text_pair": "a hypothesis"}'}
ABOUT = """A text classifier for a language that had no labelled text: to the weights of a base model, a task vector and language vectors were
added (DeFT-X). It is a plain transformers model and needs nothing else to run."""


def loading_code(source: str) -> str:
    """Return the call of transformers that loads an exported classifier, which then gives the probabilities of ``classify``.

    Without truncation, a pipeline reads longer texts than the classifier, or fails on them.
    """
    return f'pipeline("text-classification", {json.dumps(source, ensure_ascii=False)}, truncation=True)'


def write_classifier_card(
    repository: str,
    task: SparseVector,
    strength: float,
    languages: Sequence[tuple[SparseVector, float]],
    license_id: str | None = None,
    method: str = "sum",
) -> str:
    """Return README.md for a classifier in ``repository``. Text from vectors is escaped."""
    base = task.info["base"]["name"]
    language = languages[0][0].language if languages else task.language
    entries: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": list(TAGS),
        **metadata_of(base, language, license_id),
    }
    known = [one for vector, _ in languages for one in metadata_of("", vector.language, None).get("language", [])]
    if known:
        entries["language"] = list(dict.fromkeys(known))
    parts = [
        front_matter(entries),
        f"# {code(repository.split('/')[-1])}",
        ABOUT,
        "## What it consists of",
        _parts(base, task, strength, languages, method),
        "## How to use it",
        f"""```python
from transformers import pipeline

classify = {loading_code(repository)}
print(classify({_EXAMPLES[task.takes_pairs]}, top_k=None))
```""",
        "This card gives no scores. Those of the vectors are on their cards; to measure this classifier, labelled text in the "
        "language is needed (`python -m deftx evaluate`).",
        "## Citation",
        CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def _parts(
    base: str, task: SparseVector, strength: float, languages: Sequence[tuple[SparseVector, float]], method: str
) -> str:
    rows = [("base model", code(base_name(base))), ("labels", ", ".join(map(code, task.labels)))]
    rows += [("task vector", _vector(task, strength))]
    rows += [("language vector", _vector(vector, scale)) for vector, scale in languages]
    rows += [("merged by", code(method))]
    return "\n".join(f"- {what}: {value}" for what, value in rows)


def _vector(vector: SparseVector, strength: float) -> str:
    return f"{code(vector.name)}, strength {strength:g}, {vector.count:,} changed weights"
