"""Plots of scores and of a confusion matrix; ``score_views`` has their tables."""

from collections.abc import Sequence

import plotly.graph_objects as go

from deftx.core.evaluation import Evaluation
from deftx.evidence.comparison import Line
from ui import strings
from ui.shared.figures import ACCENT, INK, QUIET, RULE, plain

HEAT = "var(--heat)"  # never so dark that a number in a cell becomes unreadable


ROW = 46  # pixels per combination


def intervals_figure(titles: Sequence[str], lines: Sequence[Line]) -> go.Figure:
    """Draw macro-F1, in points of 100, of each combination with its 95 % interval, the first on top, and a line at the reference."""
    found = [line.scores["f1"] for line in lines]
    places = [-place for place in range(len(lines))]
    axis = {"zeroline": False, "linecolor": RULE, "automargin": True}
    figure = go.Figure(
        go.Scatter(
            x=[100 * one.score for one in found], y=places, mode="markers", marker={"color": ACCENT, "size": 9},
            error_x={"type": "data", "array": [100 * (one.high - one.score) for one in found],
                     "arrayminus": [100 * (one.score - one.low) for one in found], "color": ACCENT, "thickness": 2, "width": 5},
            customdata=[(plain(title), 100 * one.low, 100 * one.high) for title, one in zip(titles, found, strict=True)],
            hovertemplate="%{customdata[0]}<br>"
            + "%{x:.1f}<br>"
            + strings.INTERVAL_ENDS.format(low="%{customdata[1]:.1f}", high="%{customdata[2]:.1f}")
            + "<extra></extra>",
        ),
        layout=go.Layout(
            template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=70 + ROW * len(lines),
            font={"color": INK, "size": 13, "family": "inherit"}, margin={"l": 8, "r": 12, "t": 12, "b": 8},
            xaxis={**axis, "gridcolor": RULE, "range": [0, 100], "title": {"text": strings.SCORE_AXIS_POINTS}},
            yaxis={**axis, "showgrid": False, "showticklabels": False, "range": [places[-1] - 0.5, 0.7]},
        ),
    )  # fmt: skip
    for place, title in zip(places, titles, strict=True):
        # Above its point, starting at the left: beside it, long names would leave no room on a phone.
        figure.add_annotation(
            x=0, xref="paper", y=place + 0.32, text=plain(title), showarrow=False, xanchor="left", font={"color": INK}
        )
    reference = next(one for line, one in zip(lines, found, strict=True) if not line.differences)
    figure.add_vline(x=100 * reference.score, line={"color": QUIET, "width": 1, "dash": "dot"})
    return figure


def confusion_figure(found: Evaluation) -> go.Figure:
    """Draw how often each true label (row) was predicted as each label (column); the colour is the share of the row."""
    shares = [[cell / max(sum(row), 1) for cell in row] for row in found.confusion]
    labels = [plain(label) for label in found.labels]
    axis = {"type": "category", "showgrid": False, "zeroline": False, "linecolor": RULE, "automargin": True}
    figure = go.Figure(
        go.Heatmap(
            x=labels, y=labels, z=shares, zmin=0, zmax=1, xgap=2, ygap=2, showscale=False,
            colorscale=[[0, "var(--track)"], [1, HEAT]], customdata=found.confusion,
            hovertemplate=strings.CONFUSION_POINT.format(gold="%{y}", predicted="%{x}", count="%{customdata:,}", share="%{z:.0%}")
            + "<extra></extra>",
        ),
        layout=go.Layout(
            template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
            height=150 + 56 * len(found.labels), font={"color": INK, "size": 13, "family": "inherit"},
            margin={"l": 8, "r": 12, "t": 8, "b": 8},
            xaxis={**axis, "title": {"text": strings.PREDICTED_LABEL}},
            yaxis={**axis, "title": {"text": strings.GOLD_LABEL}, "autorange": "reversed"},
        ),
    )  # fmt: skip
    for row, cells in enumerate(found.confusion):
        for column, count in enumerate(cells):
            # Places and not labels: plotly would read the label "2" as the third place.
            figure.add_annotation(x=column, y=row, text=f"{count:,}", showarrow=False, font={"color": INK, "size": 15})
    return figure
