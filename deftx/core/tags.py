"""Tags of words: the BIO scheme of entities, its repair, and the spans that tags mark."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OUTSIDE = "O"
# BIOES, BMES and BILOU also mark the last word of an entity, and entities of one word; they say no more than BIO does.
_AS_BIO = {"B": "B", "I": "I", "M": "I", "E": "I", "L": "I", "S": "B", "U": "B"}
_LAST = "ELSU"  # of them, those of the last word of an entity
_ENTITY = re.compile(rf"([{''.join(_AS_BIO)}])-(.+)")
_MISSPELT = re.compile(rf"([{''.join(_AS_BIO)}])[-_:](.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """An entity: its type, its first word, and the word after its last."""

    label: str
    start: int
    end: int


def marks_entities(tags: Iterable[str]) -> bool:
    """Return whether tags mark entities: each is O, or a type after B- or I- (or M-, E-, L-, S- or U-), and not all are O."""
    names = set(tags) - {OUTSIDE}
    return bool(names) and all(map(_ENTITY.fullmatch, names))


def spelled(tag: str) -> str:
    """Return a tag as BIO spells it: O for "o" and "0", and B-PER for "b-PER", "B_PER" and "B:PER"; others as they are."""
    entity = _MISSPELT.fullmatch(tag)
    return f"{entity[1].upper()}-{entity[2]}" if entity else OUTSIDE if tag in ("o", "0") else tag


def odd_tags(tags: Iterable[str]) -> set[str]:
    """Return the tags that mark no entity where most different ones do, or B and I where they stand without a type beside O.

    There are none if the tags are classes of words, such as NOUN and VERB.
    """
    read = {tag: spelled(tag) for tag in tags}
    names = set(read.values()) - {OUTSIDE}
    odd = {name for name in names if not _ENTITY.fullmatch(name)}
    without_types = OUTSIDE in read.values() and names <= {"B", "I", "b", "i"}
    return {tag for tag, name in read.items() if name in odd} if without_types or 2 * len(odd) < len(names) else set()


def as_bio(tags: Sequence[str]) -> list[str]:
    """Return the tags of entities in the BIO scheme, in which every entity begins with B-.

    Types begin where conlleval and seqeval see an entity begin: an I- after another type, after none, or after the last word of an
    entity (E-, L-, S- or U-) becomes B-.
    """
    found, before = [], ""
    for tag in tags:
        entity = _ENTITY.fullmatch(tag)
        name = entity[2] if entity else ""
        if entity:
            goes_on = _AS_BIO[entity[1]] == "I" and name == before
            tag = f"{'I' if goes_on else 'B'}-{name}"
        found.append(tag)
        before = "" if entity and entity[1] in _LAST else name
    return found


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities that tags mark, in their order."""
    found: list[Span] = []
    for place, tag in enumerate(as_bio(tags)):
        entity = _ENTITY.fullmatch(tag)
        if entity and entity[1] == "B":
            found.append(Span(entity[2], place, place + 1))
        elif entity:
            found[-1] = Span(entity[2], found[-1].start, place + 1)
    return found
