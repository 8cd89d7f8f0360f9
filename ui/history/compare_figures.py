"""Several training runs in one plot: each has a colour, a dash, a marker and a number at the end of its curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from deftx.jobs import Progress
from ui import strings
from ui.shared import figures

MOST = 6  # training runs that one plot can show readably
COLOURS = tuple(f"var(--run-{number})" for number in range(1, MOST + 1))
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
CLOSEST = 0.06  # of the height: the smallest distance between labels
# Below the plot, where names have its full width; clicking is off because it would hide a curve but not its number.
_LEGEND = {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "itemclick": False, "itemdoubleclick": False}


@dataclass(frozen=True)
class Run:
    """A training run for the plot: its number, its name and its history."""

    number: int
    name: str
    progress: Progress


def comparison(runs: Sequence[Run], kind: str) -> go.Figure | None:
    """Overlay the curves on held-out data, the dense phase left and the sparse phase right; None without any.

    ``kind`` tells the measure: nats for "language", a score from 0 to 1 for "task".
    """
    if not any(run.progress.evaluations.get(phase) for run in runs for phase in figures.PHASES):
        return None
    figure = go.Figure(layout=figures.layout())
    metric = next((run.progress.metric for run in runs if run.progress.metric), "")
    axis = strings.SCORE_AXIS.get(metric, metric) if kind == "task" else strings.HELD_OUT_AXIS
    across = figure.layout.xaxis.to_plotly_json()
    figure.update_layout(
        height=430, margin={"t": 36, "r": 24}, showlegend=True, legend=_LEGEND,
        xaxis={"domain": [0, 0.47]}, xaxis2={**across, "domain": [0.53, 1], "anchor": "y"},
        yaxis={"title": {"text": axis, "font": {"size": 13}}},
    )  # fmt: skip
    for phase, panel in zip(figures.PHASES, ("x", "x2"), strict=True):
        _draw_panel(figure, runs, phase, panel)
    _label_ends(figure, runs)
    return figure


def _draw_panel(figure: go.Figure, runs: Sequence[Run], phase: str, panel: str) -> None:
    name = strings.PHASES[phase][0]
    figure.add_annotation(
        text=strings.PHASE_TITLE.format(phase=name), x=0, y=1, xref=f"{panel} domain", yref="paper", showarrow=False,
        xanchor="left", yanchor="bottom", font={"color": figures.QUIET, "size": 12},
    )  # fmt: skip
    for place, run in enumerate(runs):
        curve = run.progress.evaluations.get(phase, ())
        figure.add_scatter(
            x=[step for step, _ in curve], y=[value for _, value in curve], name=figures.plain(run.name), mode="lines+markers",
            xaxis=panel, showlegend=phase == figures.PHASES[0], line={"color": COLOURS[place], "width": 2, "dash": DASHES[place]},
            marker={"symbol": MARKERS[place], "size": 7},
            hovertemplate=strings.POINT.format(phase=name, step="%{x:,}", value="%{y:.3f}"),
        )  # fmt: skip


def _label_ends(figure: go.Figure, runs: Sequence[Run]) -> None:
    """Write each number at the right of the plot, at the height where its last curve ends."""
    ends = {place: end for place, run in enumerate(runs) if (end := _end(run.progress)) is not None}
    values = [value for run in runs for phase in figures.PHASES for _, value in run.progress.evaluations.get(phase, ())]
    gap = CLOSEST * (max(values) - min(values) or 1.0)
    for place, height in spread(ends, gap).items():
        figure.add_annotation(
            text=f"<b>{runs[place].number}</b>", x=1.01, y=height, xref="paper", yref="y", showarrow=False, xanchor="left",
            font={"color": COLOURS[place], "size": 12},
        )  # fmt: skip


def _end(progress: Progress) -> float | None:
    for phase in reversed(figures.PHASES):
        if curve := progress.evaluations.get(phase):
            return curve[-1][1]
    return None


def spread(heights: dict[int, float], gap: float) -> dict[int, float]:
    """Move heights up by the least amount that makes any two at least ``gap`` apart; the order does not change."""
    moved: dict[int, float] = {}
    lowest = float("-inf")
    for key, height in sorted(heights.items(), key=lambda item: item[1]):
        moved[key] = max(height, lowest)
        lowest = moved[key] + gap
    return moved
