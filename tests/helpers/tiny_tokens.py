"""Sentences whose words have tags, for the tiny base of ``tiny``, in every format that can be read."""

import json
from pathlib import Path

from tiny import BAD, GOOD, NOUNS

ENTITIES = {"the": "O", "is": "O", "was": "O", **dict.fromkeys(NOUNS, "B-THING"), **dict.fromkeys((*GOOD, *BAD), "O")}
PARTS = {"the": "DET", "is": "AUX", "was": "AUX", **dict.fromkeys(NOUNS, "NOUN"), **dict.fromkeys((*GOOD, *BAD), "ADJ")}


def sentences() -> list[list[str]]:
    """Ninety-six sentences of four words."""
    return [["the", noun, verb, word] for noun in NOUNS for verb in ("is", "was") for word in (*GOOD, *BAD)]


def rows(tags: dict[str, str] = ENTITIES) -> list[dict[str, list[str]]]:
    """The sentences with tags by word; an entity goes on in a good or bad word after "was"."""
    found = [{"tokens": words, "tags": [tags[word] for word in words]} for words in sentences()]
    for row in found:
        if tags is ENTITIES and row["tokens"][2] == "was":
            row["tags"][2:] = ["B-MOOD", "I-MOOD"]
    return found


def write_jsonl(path: Path, found: list[dict]) -> Path:
    """Write JSON lines."""
    path.write_text("\n".join(map(json.dumps, found)), encoding="utf-8")
    return path


def write_conll(path: Path, found: list[dict]) -> Path:
    """Write a word and its tag in each line, separated by a space."""
    blocks = ["\n".join(f"{word} {tag}" for word, tag in zip(row["tokens"], row["tags"], strict=True)) for row in found]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


def write_conllu(path: Path, found: list[dict]) -> Path:
    """Write CoNLL-U with comments, a range of words and an empty node."""
    lines = []
    for number, row in enumerate(found):
        lines += [f"# sent_id = {number}", f"# text = {' '.join(row['tokens'])}", "1-2\tboth\t" + "\t".join("_" * 8)]
        for place, (word, tag) in enumerate(zip(row["tokens"], row["tags"], strict=True), 1):
            lines.append("\t".join((str(place), word, word, tag, *"_" * 6)))
        lines += ["4.1\tunseen\t" + "\t".join("_" * 8), ""]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
