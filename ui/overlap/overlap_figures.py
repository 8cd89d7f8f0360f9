"""Plots of overlaps: a heatmap of all pairs (the paper's figure 3) and bars against chance (its figure 2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from deftx.vectors.overlaps import Pairs, as_matrix
from deftx.vectors.shared_weights import Shared
from ui import strings
from ui.shared import figures

CELL, MARGIN = 46, 96  # pixels: a row of the heatmap, and the space for its labels
SMALL_CELL, MOST_WRITTEN = 16, 20  # pixels: a row of a large heatmap; vectors whose numbers are written in the cells
ROW = 30  # pixels: a bar
BLANK, HEAT, AGAINST = "var(--card)", "var(--heat)", "var(--heat-against)"  # pale enough for dark numbers


@dataclass(frozen=True)
class Measure:
    """The measure in the heatmap's cells: its value, its format, and the value where the colour scale is neutral."""

    value: Callable[[Shared], float | None]
    written: str
    neutral: float


def _times(part: Shared) -> float | None:
    return part.overlap / part.chance if part.chance else None


MEASURES = {
    "overlap": Measure(lambda part: 100 * part.overlap, "{:.1f}", 0.0),
    "times": Measure(_times, "{:.1f}", 0.0),
    "signs": Measure(lambda part: None if part.signs is None else 100 * part.signs, "{:.0f}", 50.0),
}


def heatmap(names: Sequence[str], pairs: Pairs, measure: str) -> go.Figure | None:
    """Draw a measure of every two vectors, with the number in each cell; None for fewer than two."""
    return matrix_figure(names, as_matrix(len(names), pairs, MEASURES[measure].value, [None] * len(names)), measure)


def matrix_figure(
    names: Sequence[str], values: Sequence[Sequence[float | None]], measure: str = "overlap"
) -> go.Figure | None:
    """Draw a value for every two names; None for fewer than two. Of many names, the numbers are shown on hover alone."""
    if len(names) < 2:
        return None
    how, names = MEASURES[measure], [figures.plain(name) for name in names]  # plotly reads some tags as markup
    few = len(names) <= MOST_WRITTEN
    figure = go.Figure(layout=figures.layout())
    figure.add_heatmap(
        z=values, x=names, y=names, text=[[_written(how, value) for value in row] for row in values],
        texttemplate="%{text}" if few else None, textfont={"size": 13, "color": figures.INK}, showscale=False,
        xgap=2, ygap=2, hoverongaps=False,
        hovertemplate="%{y} – %{x}: %{text}<extra></extra>", **_colours(how, values),
    )  # fmt: skip
    figure.update_layout(
        height=MARGIN + (CELL if few else SMALL_CELL) * len(names), margin={"t": 8, "r": 8},
        xaxis={"side": "top", "title": {"text": ""}, "ticks": "", "type": "category"},
        yaxis={"title": {"text": ""}, "ticks": "", "autorange": "reversed", "showgrid": False, "type": "category"},
    )  # fmt: skip
    return figure


def _written(how: Measure, value: float | None) -> str:
    return "" if value is None else how.written.format(value)


def _colours(how: Measure, values: Sequence[Sequence[float | None]]) -> dict:
    found = [value for row in values for value in row if value is not None] or [how.neutral]
    if not how.neutral:
        return {"colorscale": [[0, BLANK], [1, HEAT]], "zmin": 0, "zmax": max(found) or 1}
    reach = max(
        10.0, *(abs(value - how.neutral) for value in found)
    )  # a range of at least ten points, so that tiny differences get no colour
    return {
        "colorscale": [[0, AGAINST], [0.5, BLANK], [1, HEAT]],
        "zmin": how.neutral - reach,
        "zmax": how.neutral + reach,
    }


def bars(parts: Mapping[str, Shared]) -> go.Figure | None:
    """Draw the overlap in each part as a bar, with a mark at chance; None if there are no parts."""
    if not parts:
        return None
    names, shares = [figures.plain(name) for name in parts], [100 * part.overlap for part in parts.values()]
    chances = [100 * part.chance for part in parts.values()]
    figure = go.Figure(layout=figures.layout())
    figure.add_bar(
        x=shares, y=names, orientation="h", name=strings.OVERLAP, marker={"color": HEAT}, width=0.55,
        text=[f"{share:.1f}" for share in shares], textposition="none", hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=chances, y=names, mode="markers", name=strings.BY_CHANCE, hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        marker={"symbol": "line-ns", "size": 17, "line": {"width": 3, "color": figures.INK}, "color": figures.INK},
    )  # fmt: skip
    # Beside the longer of bar and mark, so that neither crosses the number.
    figure.add_scatter(
        x=[max(pair) for pair in zip(shares, chances, strict=True)], y=names, mode="text", showlegend=False,
        text=[f"  {share:.1f}" for share in shares], textposition="middle right", hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    figure.update_layout(
        height=110 + ROW * len(parts), margin={"t": 40, "r": 40},
        xaxis={"title": {"text": strings.OVERLAP_AXIS, "font": {"size": 13}}, "showgrid": True},
        yaxis={"title": {"text": ""}, "autorange": "reversed", "ticks": "", "showgrid": False, "type": "category"},
        legend={"y": 1.0},
    )  # fmt: skip
    return figure
