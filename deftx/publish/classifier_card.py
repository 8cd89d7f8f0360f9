"""The card of a composed classifier: how to load it with transformers, its vectors, scores, limits and licences."""

import json
from collections.abc import Sequence
from typing import Any

from deftx.core.names import base_name
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.data.language_names import titled
from deftx.models.answer_spans import LONGEST_ANSWER
from deftx.models.windows import WORD as WORD_PATTERN
from deftx.publish.measured import Measured, measured_data, measured_table
from deftx.publish.score_words import known_score, languages_in_words, validation_in_words
from deftx.publish.spoken import texts_in
from deftx.vectors.card_data import metadata_of
from deftx.vectors.card_markup import CITATION, TAGS, code, front_matter
from deftx.vectors.vector import SparseVector

# What a pipeline is given, by whether the task classifies pairs.
_EXAMPLES = {False: '"a sentence in the language"', True: '{"text": "a premise", "text_pair": "a hypothesis"}'}
PLAIN = "It is a plain transformers model and needs nothing else to run."
NOT_PLAIN = "It is a transformers model, whose class is in the package deftx."
ABOUT = f"""A text classifier for a language that had no labelled text: to the weights of a base model, a task vector and language vectors were
added (DeFT-X). {PLAIN}"""

# What loading an exported classifier of XGLM needs first.
OWN_CLASS = "import deftx.models.xglm  # transformers has no classifier for XGLM\n"

NOT_MEASURED = """This card has no scores of the classifier in the language of the text. To measure them, labelled text in the language is needed
(`python -m deftx evaluate`)."""


ABOUT_WORDS = f"""A model that tags the words of a text, for a language that had no labelled text: to the weights of a base model, a task vector
and language vectors were added (DeFT-X). {PLAIN}"""


ABOUT_QUESTIONS = f"""A model that marks the answer to a question in a text, for a language that had no such questions: to the weights of a base model,
a task vector and language vectors were added (DeFT-X). {PLAIN}"""

_ABOUT = {TEXT: ABOUT, WORD: ABOUT_WORDS, QUESTION: ABOUT_QUESTIONS}
_PIPELINES = {TEXT: "text-classification", WORD: "token-classification", QUESTION: "question-answering"}
_LOADED_BY = {
    TEXT: 'pipeline("text-classification", {source}, truncation=True)',
    WORD: 'pipeline("token-classification", {source}, aggregation_strategy="first")',
    QUESTION: "AutoModelForQuestionAnswering.from_pretrained({source})",
}


def loading_code(source: str, unit: str = TEXT) -> str:
    """Return the call of transformers that loads an exported classifier, which then gives the probabilities of ``classify``.

    Without truncation, a pipeline reads longer texts than the classifier, or fails on them. For a task on words, the
    pipeline gives the marks of ``Tagger.tag``. transformers 5 has no pipeline for questions.
    """
    return _LOADED_BY[unit].format(source=json.dumps(source, ensure_ascii=False))


def write_classifier_card(
    repository: str,
    task: SparseVector,
    strength: float,
    languages: Sequence[tuple[SparseVector, float]],
    license_id: str | None = None,
    method: str = "sum",
    max_length: int | None = None,
    results: Sequence[Measured] = (),
    imports: str = "",
) -> str:
    """Return README.md for a classifier in ``repository``, a Hub id or a folder. Text from vectors is escaped.

    ``max_length`` is the number of tokens that it reads of a text; ``results`` are scores on data sets of the Hub, ``imports``
    is a line of Python that must come first.
    """
    base = task.info["base"]["name"]
    language = languages[0][0].language if languages else task.language
    entries: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": _PIPELINES[task.unit],
        "tags": list(TAGS),
        **metadata_of(task.info["base"], language, license_id),
    }
    known = [one for vector, _ in languages for one in metadata_of({}, vector.language, None).get("language", [])]
    if known:
        entries["language"] = list(dict.fromkeys(known))
    entries |= measured_data(repository, results, task.unit)
    parts = [
        front_matter(entries),
        f"# {code(repository.split('/')[-1])}",
        _about(task, imports),
        texts_in("en")["IN_LANGUAGES"].format(languages=", ".join(_languages(task, languages)) or "not stated"),
        "## How to use it",
        _usage(repository, task, imports),
        "## What it consists of",
        _parts(base, task, strength, languages, method),
        "## How well it works",
        *_scores(task, results),
        "## Limits",
        _limits(max_length if task.unit == TEXT else None),
        "## Licence",
        _licences([task, *(vector for vector, _ in languages)], license_id),
        "## Citation",
        CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def _languages(task: SparseVector, languages: Sequence[tuple[SparseVector, float]]) -> list[str]:
    return languages_in_words(dict.fromkeys([vector.language for vector, _ in languages] or [task.language]))


def _about(task: SparseVector, imports: str) -> str:
    about = _ABOUT[task.unit]
    return about.replace(PLAIN, NOT_PLAIN) if imports else about


def _usage(repository: str, task: SparseVector, imports: str) -> str:
    if task.unit == QUESTION:
        return _usage_of_questions(repository)
    if task.unit == TEXT:
        return f"""```python
{imports}from transformers import pipeline

classify = {loading_code(repository)}
print(classify({_EXAMPLES[task.takes_pairs]}, top_k=None))
```"""
    return f"""```python
import regex
from transformers import pipeline

tag = {loading_code(repository, WORD)}
words = regex.findall(r"{WORD_PATTERN}", "a sentence in the language")
print(tag(" ".join(words)))
```

Words have a space between them, punctuation too. A pipeline joins neighbours with the same tag, and reads a long text in
windows only with `stride=32`."""


def _usage_of_questions(repository: str) -> str:
    source = json.dumps(repository, ensure_ascii=False)
    return f"""```python
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

model, tokenizer = {loading_code(repository, QUESTION)}, AutoTokenizer.from_pretrained({source})
question, text = "a question in the language", "a text with the answer"
inputs = tokenizer(question, text, return_tensors="pt", return_offsets_mapping=True)
spans = inputs.pop("offset_mapping")[0].tolist()
of_text = torch.tensor([part == 1 for part in inputs.sequence_ids(0)])
with torch.no_grad():
    found = model(**inputs)
scores = found.start_logits[0][:, None] + found.end_logits[0][None]
possible = (of_text[:, None] & of_text[None]).triu().tril({LONGEST_ANSWER - 1})
start, end = divmod(int(scores.masked_fill(~possible, -torch.inf).argmax()), len(spans))
print(text[spans[start][0] : spans[end][1]].strip())
```

These lines read a text that fits into one window. `Answerer.answer` of DeFT-X reads longer ones in windows, and compares the answer
with "no answer" (the first token) where the task has learned such questions."""


def _parts(
    base: str, task: SparseVector, strength: float, languages: Sequence[tuple[SparseVector, float]], method: str
) -> str:
    rows = [("base model", code(base_name(base))), ("labels", ", ".join(map(code, task.labels)))]
    rows += [("task vector", _vector(task, strength))]
    rows += [("language vector", _vector(vector, scale)) for vector, scale in languages]
    rows += [("merged by", code(method))]
    return "\n".join(f"- {what}: {value}" for what, value in rows)


def _vector(vector: SparseVector, strength: float) -> str:
    language = f", language {code(titled(vector.language))}" if vector.language else ""
    return f"{code(vector.name)}{language}, strength {strength:g}, {vector.count:,} changed weights"


def _scores(task: SparseVector, results: Sequence[Measured]) -> list[str]:
    said = validation_in_words({**task.info, "labels": [code(label) for label in task.labels]})
    known = [" ".join(known_score(task.info)), "\n".join(f"- {sentence}" for sentence in said[1:])] if said else []
    return [
        *(["This classifier, on labelled data sets of the Hub:", measured_table(results)] if results else []),
        *filter(None, known),
        *([] if results else [NOT_MEASURED]),
    ]


def _limits(max_length: int | None) -> str:
    says = texts_in("en")
    lines = [says["LIMIT_SINGLE"], says["LIMIT_LABELS"]]
    lines += [says["LIMIT_LENGTH"].format(tokens=max_length)] if max_length else []
    return "\n".join(f"- {line}" for line in lines)


def _licences(vectors: Sequence[SparseVector], license_id: str | None) -> str:
    says = texts_in("en")
    stated = [(code(one.name), one.info.get("license")) for one in vectors]
    lines = [f"This classifier: {code(license_id)}."] if license_id else []
    lines += [
        says["LICENSE"].format(name=name, license=code(given) if given else says["NOT_STATED"])
        for name, given in stated
    ]
    return "\n".join(f"- {line}" for line in (*lines, "The base model and the texts have licences of their own."))
