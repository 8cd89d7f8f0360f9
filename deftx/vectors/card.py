"""The model card of a vector: front matter for the Hugging Face Hub, then a description."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deftx.core.names import base_name
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.vectors.card_data import metadata_of, results
from deftx.vectors.card_markup import CITATION, TAGS, as_list, as_number, as_table, code, front_matter
from deftx.vectors.description import name_of, unit_of

# Names of scores; each score is {"before": number, "after": number}.
SCORES = {
    "masked_lm_loss": "masked-LM loss on held-out text, in nats (lower is better)",
    "next_token_loss": "next-token loss on held-out text, in nats (lower is better)",
    "f1": "macro-F1 on the validation set (0 to 1)",
    "entity_f1": "F1 of entities on the validation set (0 to 1; type, first and last word must be right)",
    "accuracy": "accuracy on the validation set (0 to 1)",
    "answer_f1": "F1 of the words of answers on the validation set (0 to 1)",
    "exact_match": "exact match of answers on the validation set (0 to 1)",
}
ABOUT = {
    "language": "A language vector: the change that adapting a base model to a language makes to some of its weights. "
    "Added to the base together with a task vector, it carries the task over to the language.",
    "task": "A task vector: the change that learning to classify makes to some of the base model's weights, with the "
    "classification head. Added to the base together with a language vector, it classifies text in that language.",
    WORD: "A task vector: the change that learning to tag words makes to some of the base model's weights, with the "
    "head for the tags. Added to the base together with a language vector, it tags the words of text in that language.",
    QUESTION: "A task vector: the change that learning to answer questions makes to some of the base model's weights, with the "
    "head for the start and the end of the answer. Added to the base together with a language vector, it marks the answer to a "
    "question in a text in that language.",
}
HERE = "THIS FOLDER OR ITS HUB ID"
USE = {
    "language": 'task="TASK VECTOR", language="{here}"',
    "task": 'task="{here}", language="LANGUAGE VECTOR"',
}
USE_BY_COMMAND = {
    "language": '--task "TASK VECTOR" --language "{here}"',
    "task": '--task "{here}" --language "LANGUAGE VECTOR"',
}
CALLS = {
    TEXT: 'classify(["a sentence in the language"])',
    WORD: 'tag(["a sentence in the language"])',
    QUESTION: 'answer([("a question in the language", "a text with the answer")])',
}
COMMANDS = {
    TEXT: 'classify {options} "a sentence in the language"',
    WORD: 'classify {options} "a sentence in the language"',
    QUESTION: 'answer {options} --context FILE "a question in the language"',
}
SPECTRA = """![Singular values of the dense change by kind of weight, with the ranks that were kept]({file})

Singular values of the change before denoising, each matrix relative to its largest; a line is the median over the matrices of a kind.
Dots mark the ranks that were kept. All values are in `vector.json`."""


@dataclass(frozen=True)
class Publication:
    """What a card on the Hub contains in addition: repository, license, data sets, and the file name of a picture."""

    repository: str
    license: str | None = None
    datasets: tuple[str, ...] = ()
    picture: str | None = None


def write_card(info: Mapping[str, Any], count: int, published: Publication | None = None) -> str:
    """Return README.md for a vector of ``count`` entries with this ``vector.json``.

    User input is escaped for Markdown, HTML and YAML.
    """
    parts = [
        front_matter(_metadata(info, published)),
        f"# {code(name_of(info))}",
        ABOUT[_evaluated(info)],
        _what(info, count),
        "## How it was made",
        _how(info),
        *(["## What it achieves", scores] if (scores := _scores(info.get("scores") or {})) else []),
        "## How to use it",
        _usage(info, published.repository if published else HERE),
        *(["## Its spectra", SPECTRA.format(file=published.picture)] if published and published.picture else []),
        *(["## Which weights change", mask] if (mask := _mask(info.get("mask") or {})) else []),
        "## Citation",
        CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(info: Mapping[str, Any], published: Publication | None) -> dict[str, Any]:
    license_id = (published and published.license) or str(info.get("license") or "")
    entries = {
        "library_name": "deftx",
        "tags": list(TAGS),
        **metadata_of(info["base"], info.get("language"), license_id),
    }
    if published and published.datasets:
        entries["datasets"] = list(published.datasets)
    return {
        **entries,
        **(results(_evaluated(info), published.repository, info.get("scores") or {}) if published else {}),
    }


def _evaluated(info: Mapping[str, Any]) -> str:
    unit = unit_of(info)
    return info["kind"] if unit == TEXT else unit


def _what(info: Mapping[str, Any], count: int) -> str:
    base = info["base"]
    lines = [
        ("base model", code(base_name(base["name"]))),
        ("its revision", code(base["revision"]) if base.get("revision") else ""),
        ("fingerprint of its weights", code(base["fingerprint"])),
        ("language", code(info["language"]) if info.get("language") else ""),
        ("labels", ", ".join(code(label) for label in info.get("labels") or [])),
        ("changed weights", f"{count:,}"),
    ]
    return as_list(lines)


def _how(info: Mapping[str, Any]) -> str:
    lines = [
        ("method", code(info["method"]) if info.get("method") else ""),
        ("left out of the method", code(info["ablate"]) if info.get("ablate") else ""),
        ("rank strategy", code(info["rank"]["strategy"]) if (info.get("rank") or {}).get("strategy") else ""),
        ("k, the number of selected weights", as_number(info.get("k"))),
        ("of them filled up from the change before denoising", as_number(info.get("filled") or None)),
        ("seed", as_number(info.get("seed"), "d")),
        *(("labelled file", _source(source)) for source in _items((info.get("corpus") or {}).get("trained_on"))),
        (
            "trained further from the task vector",
            _codes([started] if (started := (info.get("corpus") or {}).get("started_from")) else None),
        ),
        ("text translated word by word with", _codes((info.get("corpus") or {}).get("lexicons"))),
        *((f"corpus, {code(name)}", as_number(value)) for name, value in (info.get("corpus") or {}).items()),
    ]
    return as_list(lines) + "\n\nEvery setting, and every singular value, is in `vector.json`."


def _source(source: Any) -> str:
    """Return a labelled file of a task with its number of rows, its passes, its language vector and its word lists."""
    if not isinstance(source, Mapping):
        return ""
    repeat, lists = source.get("repeat"), _codes(source.get("lexicons"))
    parts = [
        code(source.get("file")),
        f"{as_number(source.get('rows'))} rows",
        f"{as_number(repeat)} passes in an epoch" if repeat != 1 else "",
        f"with the vector {code(source['source'])}" if source.get("source") else "",
        f"with words of {lists}" if lists else "",
    ]
    return ", ".join(part for part in parts if part)


def _codes(names: Any) -> str:
    return ", ".join(map(code, _items(names)))


def _items(value: Any) -> list:
    return value if isinstance(value, list) else []


def _scores(scores: dict[str, Any]) -> str:
    rows = [
        (SCORES.get(name, code(name)), as_number(values.get("before"), ".4f"), as_number(values.get("after"), ".4f"))
        for name, values in scores.items()
        if isinstance(values, dict)
    ]
    return as_table(("score", "before", "after"), [row for row in rows if row[1] or row[2]])


def _mask(mask: dict[str, int]) -> str:
    total = sum(mask.values())
    rows = [(code(kind), f"{count:,}", f"{count / total:.1%}") for kind, count in mask.items() if total]
    return as_table(("kind of weight", "changed weights", "share"), rows)


def _usage(info: Mapping[str, Any], here: str) -> str:
    base = json.dumps(base_name(info["base"]["name"]))
    unit = unit_of(info)
    return f"""```python
import deftx

base = deftx.load_base({base})
classifier = deftx.compose(base, {USE[info["kind"]].format(here=here)})
print(classifier.{CALLS[unit]})
```

or `python -m deftx {COMMANDS[unit].format(options=USE_BY_COMMAND[info["kind"]].format(here=here))}`."""
