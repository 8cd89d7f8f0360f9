"""Questions on short texts, for the tiny base of ``tiny``, in SQuAD's JSON; the answer is always the good or bad word."""

import json
from pathlib import Path

from tiny import BAD, GOOD, NOUNS


def paragraph(context: str, *asked: tuple[str, str | None], name: str = "q") -> dict:
    """A paragraph with (question, answer) pairs; an answer of None says that there is none."""
    found = []
    for number, (question, answer) in enumerate(asked):
        answers = [] if answer is None else [{"text": answer, "answer_start": context.index(answer)}]
        found.append(
            {"id": f"{name}-{number}", "question": question, "answers": answers, "is_impossible": answer is None}
        )
    return {"context": context, "qas": found}


def paragraphs(unanswerable: bool = False) -> list[dict]:
    """Ninety-six texts with a question each; with ``unanswerable``, as many more in which no word is good or bad."""
    found = []
    for noun in NOUNS:
        for verb in ("is", "was"):
            for place, word in enumerate((*GOOD, *BAD)):
                name = f"{noun}-{verb}-{place}"
                found.append(paragraph(f"this the {noun} {verb} {word} not", ("very the", word), name=name))
                if unanswerable:
                    found.append(
                        paragraph(f"this the {noun} {verb} word{place} not", ("very the", None), name=f"no-{name}")
                    )
    return found


def as_squad(found: list[dict], version: str = "v2.0") -> dict:
    """Paragraphs as the content of a file."""
    return {"version": version, "data": [{"title": "tiny", "paragraphs": found}]}


def write_squad(path: Path, found: list[dict], version: str = "v2.0") -> Path:
    """Write a file."""
    path.write_text(json.dumps(as_squad(found, version)), encoding="utf-8")
    return path
