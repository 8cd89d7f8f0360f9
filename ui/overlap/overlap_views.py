"""The explanations of overlaps, and the tables beside the plots."""

from collections.abc import Mapping, Sequence
from html import escape

from deftx.vectors.overlaps import as_matrix
from deftx.vectors.shared_weights import Shared
from ui import strings
from ui.overlap import overlap_figures
from ui.overlap.overlaps import Compared
from ui.shared import views


def meaning() -> str:
    """Explain high and low values to somebody who sees an overlap for the first time."""
    items = "".join(
        f"<li><b>{escape(name)}</b> {escape(text)}</li>" for name, text in strings.OVERLAP_MEANINGS.values()
    )
    return f'<ul class="notes">{items}</ul>'


def reading(parts: Sequence[Shared], said_of: str, **named: str) -> str:
    """State what pairs share in total, compare it with chance, and conclude.

    ``said_of`` is a key of OVERLAP_SAID; its sentence also uses ``named``.
    """
    whole = Shared.pooled(parts)
    said = strings.OVERLAP_SAID[said_of].format(
        overlap=_percent(whole.overlap), chance=_percent(whole.chance), matrix=_percent(whole.chance_by_matrix), **named
    )
    signs = strings.SIGNS_NONE if whole.signs is None else strings.SIGNS_SAID.format(
        both=f"{whole.both:,}", signs=_percent(whole.signs, 0)
    )  # fmt: skip
    verdict = strings.OVERLAP_READINGS[whole.reading()]
    return f'<p class="reading"><b>{escape(verdict)}</b> {escape(said)} {escape(signs)}</p>'


def matrix(compared: Compared, measure: str) -> str:
    """Show the numbers of the heatmap as a table."""
    how = overlap_figures.MEASURES[measure]
    values = as_matrix(len(compared.names), compared.pairs, how.value, [None] * len(compared.names))
    rows = [
        (name, *("–" if value is None else f"{value:.2f}" for value in row))
        for name, row in zip(compared.names, values, strict=True)
    ]
    return _folded(views.table((strings.VECTOR, *compared.names), rows, caption=strings.OVERLAP_MEASURES[measure]))


def parts(groups: Mapping[str, Mapping[str, Shared]]) -> str:
    """Show the numbers of the bar plots as tables, one per plot."""
    return _folded("".join(_parts(what, shares) for what, shares in groups.items()))


def _parts(what: str, shares: Mapping[str, Shared]) -> str:
    heads = (what, strings.OVERLAP_PERCENT, strings.BY_CHANCE_PERCENT, strings.BY_MATRIX_PERCENT,
             strings.SAME_DIRECTION_PERCENT, strings.IN_BOTH)  # fmt: skip
    rows = [
        (name, *(f"{100 * value:.2f}" for value in (part.overlap, part.chance, part.chance_by_matrix)),
         "–" if part.signs is None else f"{100 * part.signs:.1f}", f"{part.both:,}")
        for name, part in shares.items()
    ]  # fmt: skip
    return views.table(heads, rows)


def named_layers(layers: Mapping[str, Shared]) -> dict[str, Shared]:
    """Return layers by the names that a reader sees."""
    return {_layer_name(layer): part for layer, part in layers.items()}


def named_kinds(kinds: Mapping[str, Shared]) -> dict[str, Shared]:
    """Return kinds of weights by the names that a reader sees."""
    return {strings.MATRIX_KINDS[kind]: part for kind, part in kinds.items()}


def _layer_name(layer: str) -> str:
    first, _, number = layer.partition(" ")
    return strings.LAYER_NUMBER.format(number=int(number)) if number else strings.MATRIX_KINDS[first]


def _folded(table: str) -> str:
    return f"<details><summary>{escape(strings.NUMBERS)}</summary>{table}</details>"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"  # a no-break space keeps the unit with its number
