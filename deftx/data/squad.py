"""Reading questions with answers in the JSON of SQuAD, versions 1.1 and 2.0, and writing answers as its script reads them."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import regex

from deftx.core.errors import TableError
from deftx.data.encodings import UTF8, check_encoding
from deftx.data.file_kinds import START, gunzip_start
from deftx.data.hf_datasets import is_dataset
from deftx.data.question_rows import Answer, Question, QuestionTable, counted_questions, fingerprint_of
from deftx.data.reading import find_file
from deftx.data.unpacking import GZIP_MAGIC, InputFile, read_bytes
from deftx.data.writing_systems import GLUED

JSON = ".json"
LARGEST = 2**28  # bytes, unpacked: six times the training file of SQuAD 2.0
# Characters from a wrong offset to the answer that is meant: to the nearest one, and to the only one.
CLOSE, NEAR = 3, 64
PLACES_NAMED = 3  # in a message
QUOTED = 40  # characters of a text in a message
SHAPE = (
    'Expected: {"data": [{"paragraphs": [{"context": "…", "qas": [{"id": "…", "question": "…", "answers": […]}]}]}]}.'
)
UNANSWERED = "no answers"
_LETTER = rf"(?:(?![{GLUED}])[\p{{L}}\p{{M}}\p{{N}}])"  # of a script with spaces between words

# An object with a list ``data`` of objects, which only plain values such as the version may precede.
_LIKE = re.compile(r'\s*\{(?:\s*"[^"]*"\s*:\s*(?:"[^"]*"|[-\w.]+)\s*,)*\s*"data"\s*:\s*\[\s*\{')


def is_question_file(path: Any) -> bool:
    """Return whether a file looks like SQuAD's JSON, by its first characters or its extension."""
    if is_dataset(path) or not os.path.isfile(path):
        return False
    return str(path).lower().removesuffix(".gz").endswith(JSON) or _looks_like_questions(path)


def _looks_like_questions(path: Any) -> bool:
    start = _start(Path(path))
    return bool(_LIKE.match(start.decode("utf-8", "replace").removeprefix("\ufeff")))


def refuse_questions(path: Any) -> None:
    """Raise TableError for a file of questions, where sentences with labels or words with tags are needed."""
    if not is_dataset(path) and os.path.isfile(path) and _looks_like_questions(path):
        raise TableError(
            f"{os.path.basename(path)} has questions with answers, and sentences with labels or words with tags are needed "
            "here. The command task learns from questions: python -m deftx task."
        )


def read_questions(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    need_answers: bool = True,
) -> QuestionTable:
    """Read questions on texts, with the answers that stand in these texts.

    A wrong offset is corrected to the place of the answer that is meant: one close to it, or the only one. A question with an
    empty list of answers, or with ``is_impossible``, has no answer in its text.

    Args:
        path: A file in the JSON of SQuAD 1.1 or 2.0; it may be gzipped.
        columns: Not used: this format has no columns.
        encoding: The encoding of a file that is not UTF-8.
        need_answers: Whether questions that do not say what their answer is are left out.

    Returns:
        The questions in the order of the file, with what was left out and what was repaired.

    Raises:
        TableError: If the file cannot be read, an answer does not stand at its offset, or no question is usable.
    """
    if columns:
        raise TableError(f"{path} has questions in SQuAD's JSON, which has no columns: omit the names of columns.")
    file = _open(path)
    questions, notes = [], Counter()
    for place, context, asked in _asked(_parsed(file, encoding), file.name):
        answers, repaired = _answers(asked, context, place)
        if answers is None and need_answers:
            notes[UNANSWERED] += 1
            continue
        notes["repaired"] += repaired
        name, text = asked.get("id", place), _text(asked, "question", place)
        questions.append(Question(str(name), text, context, tuple(answers or ())))
    return _table(file, questions, notes)


def write_answers(path: str | os.PathLike, answers: Mapping[str, Any]) -> None:
    """Write answers by the id of their question, as SQuAD's script reads them. Raise TableError if that is not possible."""
    try:
        Path(path).write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise TableError(f"{path} cannot be written: {problem.strerror}.") from None


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            start = stream.read(START)
    except OSError as problem:
        raise TableError(f"{path.name} cannot be read: {problem.strerror or problem}.") from None
    return gunzip_start(start) if start.startswith(GZIP_MAGIC) else start


def _open(path: str | os.PathLike) -> InputFile:
    if not os.path.isfile(path):
        return find_file(path, TableError)  # which says what is wrong with the path
    with open(path, "rb") as stream:
        gzipped = stream.read(2) == GZIP_MAGIC
    return InputFile(Path(path), Path(path).name, JSON, gzipped)


def _parsed(file: InputFile, encoding: str | None) -> Any:
    content = read_bytes(file, LARGEST, TableError)
    try:
        text = content.decode(check_encoding(encoding, TableError) if encoding else UTF8).removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        raise TableError(
            f"{file.name}, byte {problem.start}: this is not {encoding or 'UTF-8'} text. Save the file as UTF-8, or give "
            "its encoding with --encoding."
        ) from None
    try:
        found = json.loads(text)
        if "\\u" in text:  # a lone "\ud83d" is valid JSON, but not valid text
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise TableError(f"{file.name}: an escaped character (\\ud…) is incomplete.") from None
    except (ValueError, RecursionError) as problem:
        raise TableError(
            f"{file.name}: this is not JSON ({problem}). {SHAPE} If it has an object in each line, rename it to .jsonl."
        ) from None
    return found


def _asked(found: Any, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the place, the text and the entry of each question."""
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise TableError(f'{name} has no list "data". {SHAPE}')
    for number, article in enumerate(found["data"]):
        for part, paragraph in _listed(article, "paragraphs", f"{name}, data[{number}]"):
            context = _text(paragraph, "context", part)
            for place, asked in _listed(paragraph, "qas", part):
                if not isinstance(asked, dict):
                    raise TableError(
                        f'{place} is no question. Expected: {{"id": "…", "question": "…", "answers": […]}}.'
                    )
                yield place, context, asked


def _listed(entry: Any, key: str, place: str) -> Iterator[tuple[str, Any]]:
    items = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(items, list):
        raise TableError(f'{place} has no list "{key}". {SHAPE}')
    return ((f"{place}.{key}[{number}]", item) for number, item in enumerate(items))


def _text(entry: Any, key: str, place: str) -> str:
    text = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text.strip():
        needed = {"context": "the text in which the answer stands", "question": "what is asked about the text"}[key]
        raise TableError(f'{place} has no "{key}", {needed}. Add it, or remove this entry.')
    return text


def _answers(asked: dict[str, Any], context: str, place: str) -> tuple[list[Answer] | None, int]:
    """Return the answers of a question and how many offsets were corrected; None if it does not say what its answer is."""
    given = asked.get("answers")
    if asked.get("is_impossible") is True or (given == [] and "is_impossible" not in asked):
        return [], 0
    if not given:
        return None, 0
    if not isinstance(given, list):
        raise TableError(f'{place}: "answers" is no list. {SHAPE}')
    found = [_answer(one, context, f"{place}.answers[{number}]") for number, one in enumerate(given)]
    return [answer for answer, _ in found], sum(repaired for _, repaired in found)


def _answer(given: Any, context: str, place: str) -> tuple[Answer, bool]:
    text = given.get("text") if isinstance(given, dict) else None
    start = given.get("answer_start") if isinstance(given, dict) else None
    if not isinstance(text, str) or not text.strip() or isinstance(start, bool) or not isinstance(start, int):
        raise TableError(f'{place}: expected {{"text": "…", "answer_start": 0}}, where the text is not empty.')
    start, text = start + len(text) - len(text.lstrip()), text.strip()
    if start >= 0 and context.startswith(text, start):
        return Answer(text, start), False
    found = _occurrences(text, context)
    nearest = sorted(found, key=lambda one: abs(one - start))[:1]
    for possible, most in ((nearest, CLOSE), (found, NEAR), (found, len(context) + abs(start))):
        reached = [one for one in possible if abs(one - start) <= most]
        if len(reached) == 1:
            return Answer(text, reached[0]), True
    raise TableError(_misplaced(text, start, context, place, found))


def _occurrences(text: str, context: str) -> list[int]:
    """Return where a text stands in another one without being a part of a longer word."""
    pattern = rf"(?<!{_LETTER}(?={_LETTER})){regex.escape(text)}(?!(?<={_LETTER}){_LETTER})"
    return [found.start() for found in regex.finditer(pattern, context, overlapped=True)]


def _misplaced(text: str, start: int, context: str, place: str, found: list[int]) -> str:
    there = context[max(0, start) : max(0, start + len(text))][:QUOTED]
    places = ", ".join(map(str, found[:PLACES_NAMED])) + (" …" if len(found) > PLACES_NAMED else "")
    return (
        f"{place}: the answer “{text[:QUOTED]}” does not stand at answer_start {start} of the context, where “{there}” stands, but "
        f"{f'{len(found):,} times elsewhere (at {places})' if found else 'nowhere in it as whole words'}. answer_start counts "
        "characters from 0, not bytes. Correct it, or remove the question."
    )


def _table(file: InputFile, questions: list[Question], notes: Counter[str]) -> QuestionTable:
    name, dropped, repaired = file.name, notes[UNANSWERED], notes["repaired"]
    said = [*file.notes]
    if dropped:
        said.append(f"{name}: {counted_questions(dropped)} without answers left out.")
    if repaired:
        are = "1 answer stands" if repaired == 1 else f"{repaired:,} answers stand"
        said.append(f"{name}: {are} elsewhere than at answer_start; the offset is corrected.")
    if not questions:
        raise TableError(" ".join([f"{name} has no usable question.", *said]))
    left_out = {UNANSWERED: dropped} if dropped else {}
    return QuestionTable(questions, name, fingerprint_of(questions), left_out, repaired, tuple(said))
