"""Plots of a spectrum for plotly: singular values, their shares, and the map of all matrices."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from torch import Tensor

from deftx.analysis.rank_preview import Outcome, WhatIf, place_of
from deftx.analysis.spectra import Spectrum
from deftx.method.noise import cumulative_share, noise_like, unit_noise
from deftx.method.ranks import RESOLUTION, noise_edge
from ui import strings
from ui.shared import figures
from ui.shared.figures import ACCENT, INK, QUIET, RULE

EMBEDDINGS = "embeddings"


def values_figure(spectrum: Spectrum, rank: int) -> go.Figure:
    """Draw the singular values of a matrix and of noise, with the noise edge and the chosen rank."""
    figure = _panel(strings.VALUE_AXIS)
    figure.update_layout(yaxis={"type": "log", "tickformat": None, "exponentformat": "power"})
    values = spectrum.values[: min(spectrum.shape)]
    _curve(figure, _above_rounding(values), strings.THIS_MATRIX, ACCENT, "solid", "%{y:.3g}")
    noise = noise_like(values, spectrum.shape)
    edge = noise_edge(values, spectrum.shape)
    if noise is not None and edge:
        _curve(figure, _above_rounding(noise), strings.PURE_NOISE, QUIET, "dash", "%{y:.3g}")
        figure.add_hline(y=edge, line={"color": INK, "width": 1, "dash": "dot"})
        figure.add_annotation(
            text=strings.NOISE_EDGE.format(value=edge), x=1, xref="paper", xanchor="right", showarrow=False,
            y=math.log10(edge), yanchor="top", font={"color": INK, "size": 12},  # annotations on log axes use powers
        )  # fmt: skip
    _mark_ranks(figure, spectrum, rank, (1.0, 0.92))
    return figure


def shares_figure(spectrum: Spectrum, outcome: Outcome) -> go.Figure:
    """Draw the share of the energy that the first values hold, for the matrix and for noise."""
    figure = _panel(strings.SHARE_AXIS)
    figure.update_layout(yaxis={"range": [0, 1.02], "tickformat": ".0%"})
    values = spectrum.values[: min(spectrum.shape)]
    _curve(figure, cumulative_share(values).tolist(), strings.THIS_MATRIX, ACCENT, "solid", "%{y:.1%}")
    noise = cumulative_share(unit_noise(tuple(spectrum.shape)))
    _curve(figure, noise.tolist(), strings.PURE_NOISE, QUIET, "dash", "%{y:.1%}")
    figure.add_hline(
        y=outcome.energy, line={"color": INK, "width": 1, "dash": "dot"}, annotation_position="bottom right",
        annotation={"text": strings.KEPT_MARK.format(share=outcome.energy), "font": {"color": INK, "size": 12}},
    )  # fmt: skip
    _mark_ranks(figure, spectrum, outcome.rank, (0.1, 0.18))
    return figure


def map_figure(found: WhatIf, measure: str) -> go.Figure:
    """Draw every matrix as a cell, layers in rows and kinds in columns; ``measure`` is a key of strings.MEASURES."""
    layers, kinds = axes_of(found.matrices)
    cells = {place_of(name): (name, one) for name, one in found.matrices.items()}
    rows = [[cells.get((layer, kind)) for kind in kinds] for layer in layers]
    figure = go.Figure(
        go.Heatmap(
            x=list(range(len(kinds))), y=list(range(len(layers))),
            z=[[None if cell is None else _shade(cell[1], measure) for cell in row] for row in rows],
            text=[["" if cell is None else cell_text(cell[1], measure) for cell in row] for row in rows],
            customdata=[["" if cell is None else cell[0] for cell in row] for row in rows],
            texttemplate="%{text}", hoverongaps=False,
            hovertemplate=f"%{{customdata}}<br>{strings.MEASURES[measure]}: %{{text}}<extra></extra>",
            zmin=0, zmax=1, xgap=2, ygap=2, showscale=False, colorscale=[[0, "var(--map-low)"], [1, "var(--map-high)"]],
            textfont={"size": 11, "color": INK},
        ),
        layout=figures.layout(),
    )  # fmt: skip
    plain = {
        "title": None,
        "showgrid": False,
        "ticks": "",
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 11},
    }
    figure.update_layout(
        height=110 + 26 * len(layers), margin={"t": 8},
        xaxis={**plain, "tickvals": list(range(len(kinds))), "ticktext": [_wrapped(kind) for kind in kinds],
               "tickangle": -35, "range": [-0.5, len(kinds) - 0.5]},
        yaxis={**plain, "tickvals": list(range(len(layers))), "ticktext": [layer_name(layer) for layer in layers],
               "autorange": False, "range": [len(layers) - 0.5, -0.5], "tickformat": None},
    )  # fmt: skip
    return figure


def axes_of(matrices: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the layers, embeddings first, and the kinds of matrices in the order of the first layer that has them."""
    places = [place_of(name) for name in matrices]
    layers = sorted({layer for layer, _ in places}, key=_reading_order)
    inside = sorted(places, key=lambda place: _reading_order(place[0]))
    return layers, list(dict.fromkeys(kind for _, kind in inside))


def layer_name(layer: str) -> str:
    """Return the displayed name of a layer; layers are counted from 0, as in the names of parameters."""
    kind, _, number = layer.partition(" ")
    return strings.LAYER_NAME.format(number=number) if number else strings.PLACES.get(kind, kind)


def cell_text(one: Outcome, measure: str) -> str:
    """Return the text of a map cell."""
    if measure == "rank":
        return str(one.rank)
    if measure == "energy":
        return f"{one.energy:.0%}"
    return "–" if one.against_noise is None else f"{one.against_noise:.0%}"


def _shade(one: Outcome, measure: str) -> float | None:
    """Return the shade of a cell, from 0 to 1: a rank counts as a share of the full rank."""
    if measure == "noise":
        return None if one.against_noise is None else min(1.0, one.against_noise)
    return one.energy if measure == "energy" else one.rank / max(1, min(one.shape))


def _reading_order(layer: str) -> tuple[int, int]:
    kind, _, number = layer.partition(" ")
    return (EMBEDDINGS, "layer", "other").index(kind), int(number or 0)


def _wrapped(kind: str) -> str:
    return kind.replace("_embeddings", "").removesuffix(".dense")


def _panel(title: str) -> go.Figure:
    figure = go.Figure(layout=figures.layout())
    figure.update_layout(
        height=340,
        xaxis={"title": {"text": strings.INDEX_AXIS, "font": {"size": 13}}},
        yaxis={"title": {"text": title, "font": {"size": 13}}, "gridcolor": RULE},
    )
    return figure


def _curve(figure: go.Figure, values: list, name: str, colour: str, dash: str, value: str) -> None:
    figure.add_scatter(
        x=list(range(1, len(values) + 1)), y=values, name=name, mode="lines",
        line={"color": colour, "width": 2, "dash": dash}, hovertemplate=f"{name}<br>%{{x:,}}: {value}<extra></extra>",
    )  # fmt: skip


def _above_rounding(values: Tensor) -> list[float | None]:
    least = RESOLUTION * float(values[0]) if len(values) else 0.0
    return [
        value if value > least else None for value in values.tolist()
    ]  # smaller values are rounding errors (ranks.py)


def _mark_ranks(figure: go.Figure, spectrum: Spectrum, rank: int, heights: tuple[float, float]) -> None:
    """Draw the chosen rank, and the rank of the training if it differs, with labels away from the curves."""
    marks = [(rank, strings.RANK_MARK.format(rank=rank), ACCENT, "solid", heights[0])]
    if spectrum.chosen is not None and spectrum.chosen != rank:
        trained = strings.RANK_TRAINED.format(rank=spectrum.chosen)
        marks.append((spectrum.chosen, trained, "var(--run-2)", "dash", heights[1]))
    middle = len(spectrum.values) / 2
    for x, text, colour, dash, height in marks:
        figure.add_vline(x=x, line={"color": colour, "width": 1.5, "dash": dash})
        figure.add_annotation(
            x=x, y=height, yref="paper", text=text, showarrow=False, yanchor="top", font={"color": colour, "size": 12},
            xanchor="left" if x < middle else "right", xshift=4 if x < middle else -4,
        )  # fmt: skip
