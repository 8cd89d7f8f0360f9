"""The HTML of the Library: the table of vectors, the details of one, the trash, the nearest languages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from deftx.analysis.vector_facts import Changed, Spectral
from deftx.data.nearest import Near
from deftx.publish.score_words import validation_in_words
from deftx.vectors.vector_files import CARD
from ui import strings
from ui.language_names import titled
from ui.library import library_facts, readme
from ui.library.library import Item, Trashed
from ui.shared import views

HEADS = ("NAME", "KIND_COLUMN", "LANGUAGE_COLUMN", "BASE", "METHOD", "ENTRIES", "SIZE", "SCORE", "ORIGIN", "ADDED_ON")
SHOWN_NEAR = 8  # languages
MOST_OVERLAPS = 12  # vectors
LARGEST = 1e15  # largest number that is shown: a description can hold any
LONGEST, MOST_SETTINGS = 200, 60  # characters of a setting; number of settings
METRICS = ("masked_lm_loss", "next_token_loss", "f1", "entity_f1", "answer_f1", "exact_match", "accuracy")


def table(items: Sequence[Item], chosen: str) -> str:
    """List every vector found, its name as a button that opens it."""
    if not items:
        return views.paragraph(strings.NO_VECTOR_FOUND, "quiet")
    heads = "".join(f'<th scope="col">{escape(getattr(strings, head))}</th>' for head in HEADS)
    rows = "".join(_row(item, item.key == chosen) for item in items)
    return f'<div class="scroll"><table class="numbers history"><thead><tr>{heads}</tr></thead>{rows}</table></div>'


def _row(item: Item, chosen: bool) -> str:
    info = item.info
    cells = (
        strings.KIND_NAMES.get(info.get("kind"), ""),
        _language(info),
        item.base if item.fits else strings.OTHER_BASE.format(base=item.base),
        method(info),
        entries(info),
        views.size(item.size),
        score(info),
        item.origin,
        day(item.date),
    )
    pressed = "true" if chosen else "false"
    name = (
        f'<button type="button" data-show="{escape(item.key)}" aria-pressed="{pressed}">{escape(item.title)}</button>'
    )
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


def _language(info: Mapping[str, Any]) -> str:
    """Return the language of a vector by name and code."""
    return titled(str(info["language"])) if info.get("language") else "–"


def method(info: Mapping[str, Any]) -> str:
    """Return the method and, if it chooses ranks, the rank strategy."""
    name = strings.METHOD_NAMES.get(info.get("method"), str(info.get("method") or "–"))
    strategy = (info.get("rank") or {}).get("strategy")
    return f"{name}, {strategy}" if strategy and strategy != "none" else name


def entries(info: Mapping[str, Any]) -> str:
    """Return how many weights are changed, and their share."""
    count, weights = info.get("k"), info.get("weights")
    if not count:
        return "–"
    return strings.ENTRIES_SHARE.format(count=f"{count:,}", share=f"{count / weights:.2%}") if weights else f"{count:,}"


def score(info: Mapping[str, Any]) -> str:
    """Return the main score: the masked-LM loss, the macro-F1 or the accuracy with the vector."""
    for metric, (_, after) in scores(info).items():
        return f"{strings.LIBRARY_METRICS_SHORT[metric]} {after}"
    return "–"


def scores(info: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return (before, after) by metric, for values that are numbers."""
    found = info.get("scores") or {}
    pairs = {metric: found.get(metric) for metric in METRICS}
    return {
        metric: (_number(pair.get("before")), _number(pair.get("after")))
        for metric, pair in pairs.items()
        if isinstance(pair, dict) and _number(pair.get("after")) != "–"
    }


def detail(item: Item) -> str:
    """Show everything about one vector except its overlaps: facts, scores, settings, layers, spectra, card."""
    made_for = "" if item.fits else views.notice(strings.FOR_OTHER_BASE.format(base=item.base))
    return (
        f"<h3>{escape(item.title)}</h3>{made_for}{views.figures(_facts(item))}{_scores(item.info)}"
        f"{_layers(library_facts.layers(item))}{_spectrum(library_facts.spectrum(item))}{_settings(item.info)}{_card(item)}"
    )


def _facts(item: Item) -> list[tuple[str, str]]:
    info = item.info
    corpus = info.get("corpus") or {}
    known = {name: corpus.get(name) for name in strings.CORPUS_FACTS if _number(corpus.get(name)) != "–"}
    return [
        (strings.KIND_COLUMN, strings.KIND_NAMES.get(info.get("kind"), "")),
        (strings.LANGUAGE_COLUMN, _language(info)),
        (strings.BASE, item.base),
        (strings.METHOD, method(info)),
        (strings.ENTRIES, entries(info)),
        (strings.SIZE, views.size(item.size)),
        (strings.ORIGIN, item.origin),
        *([(strings.LABELS, ", ".join(map(str, info["labels"])))] if info.get("labels") else []),
        *((strings.CORPUS_FACTS[name], f"{value:,}") for name, value in known.items()),
    ]


def _scores(info: Mapping[str, Any]) -> str:
    rows = [(strings.LIBRARY_METRICS[metric], *pair) for metric, pair in scores(info).items()]
    heads = (strings.SCORE, strings.BEFORE, strings.AFTER)
    if not rows:
        return views.paragraph(strings.NO_SCORE, "quiet")
    said = views.in_words(validation_in_words(info, strings.language()))
    measured = views.paragraph(strings.TASK_MEASURED, "quiet") if info.get("kind") == "task" else ""
    return said + measured + views.table(heads, rows)


def _layers(changed: Mapping[str, Changed]) -> str:
    rows = [(_layer(name), f"{one.count:,}", f"{one.of:,}", f"{one.share:.2%}") for name, one in changed.items()]
    heads = (strings.LIBRARY_LAYER, strings.CHANGED_WEIGHTS, strings.OF_WEIGHTS, strings.LIBRARY_SHARE)
    return _folded(strings.LAYERS_TITLE, views.table(heads, rows))


def _layer(name: str) -> str:
    group, _, number = name.partition(" ")
    return strings.LIBRARY_LAYERS[group].format(number=number)


def _spectrum(found: Spectral | None) -> str:
    if found is None:
        return views.paragraph(strings.NO_SPECTRUM, "quiet")
    said = strings.SPECTRUM_SUMMARY.format(
        matrices=found.matrices, rank=f"{found.rank:g}", full=f"{found.full_rank:g}", energy=f"{found.energy:.1%}"
    )
    return views.paragraph(said, "quiet")


def _settings(info: Mapping[str, Any]) -> str:
    recipe = info.get("recipe") or {}
    rows = [
        (strings.SETTINGS.get(name, str(name)[:LONGEST]), "–" if value is None else str(value)[:LONGEST])
        for name, value in list(recipe.items())[:MOST_SETTINGS]
    ]
    return _folded(strings.ITS_SETTINGS, views.table((strings.SETTING, strings.SETTING_VALUE), rows)) if rows else ""


def _card(item: Item) -> str:
    card = readme.read_card(item.folder / CARD)
    return _folded(strings.CARD, f'<div class="readme">{card}</div>') if card else ""


def overlaps(found: Sequence[tuple[str, float]]) -> str:
    """Show the largest of the overlaps, which come first, as bars."""
    if not found:
        return views.paragraph(strings.NO_OTHERS, "quiet")
    shown = found[:MOST_OVERLAPS]
    return views.bars(shown, caption=strings.LIBRARY_OVERLAPS.format(shown=len(shown), count=len(found)))


def trash(found: Sequence[Trashed]) -> str:
    """List removed vectors, each with a button that restores it."""
    if not found:
        return views.paragraph(strings.VECTOR_TRASH_EMPTY, "quiet")
    rows = "".join(
        f'<tr><th scope="row">{escape(one.title)}</th><td>{day(one.at)}</td><td>{day(one.until)}</td>'
        f'<td><button type="button" data-restore="{escape(one.key)}">{escape(strings.RESTORE)}</button></td></tr>'
        for one in found
    )
    heads = (strings.NAME, strings.DISCARDED_AT, strings.REMOVED_AT, "")
    row = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return f'<div class="scroll"><table class="numbers"><thead><tr>{row}</tr></thead>{rows}</table></div>'


def nearest(found: Sequence[Near], vectors: Mapping[str, Sequence[Item]]) -> str:
    """Show the nearest languages, what they share with the text, and their vectors."""
    heads = (strings.LANGUAGE_COLUMN, strings.LETTERS_SHARED, "", strings.PIECES_SHARED, strings.ITS_VECTORS)
    row = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(_near(one, vectors.get(one.code, ())) for one in found[:SHOWN_NEAR])
    known = strings.NEAREST_NOTE if any(one.pieces is not None for one in found) else strings.NEAREST_NO_PIECES
    table = f'<div class="scroll"><table class="numbers nearest"><thead><tr>{row}</tr></thead>{body}</table></div>'
    return table + views.paragraph(known, "quiet")


def _near(near: Near, vectors: Iterable[Item]) -> str:
    buttons = " ".join(
        f'<button type="button" data-use="{escape(item.key)}">{escape(strings.USE_IN_TEST.format(title=item.title))}</button>'
        for item in vectors
    )
    pieces = "–" if near.pieces is None else f"{near.pieces:.1%}"
    return (
        f'<tr><th scope="row">{escape(near.name)} ({escape(near.code)})</th><td>{near.letters:.1%}</td>'
        f"<td>{views.bar(near.letters)}</td><td>{pieces}</td><td>{buttons or escape(strings.NO_VECTOR_OF_IT)}</td></tr>"
    )


def day(seconds: float | None) -> str:
    """Format a day; a dash if it is unknown."""
    return "–" if seconds is None else datetime.fromtimestamp(seconds).strftime(views.DATE)


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"


def _number(value: Any) -> str:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    return f"{value:.3f}" if usable else "–"
