"""Plots for plotly; colours are CSS variables, so that one figure fits the light and the dark theme."""

from html import escape
from typing import Any

import plotly.graph_objects as go

from deftx.jobs import Progress
from deftx.jobs.progress import Curve
from ui import strings

PHASES = ("dense", "sparse")
SMOOTHING = 0.9  # weight of the past in the moving average
INK, QUIET, RULE, ACCENT = "var(--ink)", "var(--ink-2)", "var(--rule)", "var(--accent)"


def plain(text: str) -> str:
    """Return a text that plotly shows as it is: it reads some tags as markup, and does not decode quotes."""
    return escape(text, quote=False)


def loss_figure(progress: Progress, kind: str = "language", smooth: bool = False) -> go.Figure | None:
    """Draw the loss of both phases on one time line; None before the first measurement.

    A task's validation score has its own panel above the loss, because scores and nats share no axis. With ``smooth``, the
    training loss is a moving average, with the measured values as a thin line.
    """
    if not any(progress.losses.get(phase) or progress.evaluations.get(phase) for phase in PHASES):
        return None
    scores = kind == "task"
    figure = go.Figure(layout=layout())
    if scores:
        _add_score_panel(figure, progress.metric)
    start = 0
    for phase in PHASES:
        end = _draw_phase(figure, progress, phase, start, scores, smooth)
        if end > start:
            figure.add_annotation(
                x=start, y=1, yref="paper", text=strings.PHASE_TITLE.format(phase=strings.PHASES[phase][0]), showarrow=False,
                xanchor="left", yanchor="bottom", font={"color": QUIET, "size": 12},
            )  # fmt: skip
            if start:
                figure.add_vline(x=start, line={"color": QUIET, "width": 1, "dash": "dot"})
        start = end
    if not scores:
        _mark_base(figure, progress)
    return figure


def _add_score_panel(figure: go.Figure, metric: str) -> None:
    figure.update_layout(
        height=440,
        yaxis={"domain": [0, 0.42]},
        yaxis2={
            **figure.layout.yaxis.to_plotly_json(),
            "domain": [0.56, 1],
            "range": [0, 1.02],
            "title": {"text": strings.SCORE_AXIS.get(metric, metric), "font": {"size": 13}},
        },
    )


def _mark_base(figure: go.Figure, progress: Progress) -> None:
    """Draw the held-out loss of the base alone as a horizontal line, if it was measured."""
    for step, value in progress.evaluations.get("evaluate", ()):
        if step == 1:
            figure.add_hline(
                y=value, line={"color": INK, "width": 1, "dash": "dash"},
                annotation={"text": f"{strings.BASE_ALONE} {value:.3f}", "font": {"color": INK, "size": 12}},
                annotation_position="top right",
            )  # fmt: skip


def smoothed(curve: Curve) -> Curve:
    """Return the exponential moving average of a curve; the first values are not drawn towards zero (Kingma and Ba 2015)."""
    total, weight, averages = 0.0, 0.0, []
    for step, value in curve:
        total = SMOOTHING * total + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        averages.append((step, total / weight))
    return tuple(averages)


def _draw_phase(
    figure: go.Figure, progress: Progress, phase: str, start: int, scores: bool, smooth: bool = False
) -> int:
    """Draw the curves of a phase, with steps counted from ``start``; return where the phase ends so far."""
    judged = strings.SCORE_AXIS.get(progress.metric, progress.metric) if scores else strings.HELD_OUT_LOSS
    axis, unit = ("y2", "") if scores else ("y", " nats")
    losses, evaluations = progress.losses.get(phase, ()), progress.evaluations.get(phase, ())
    if smooth:
        _draw(figure, phase, start, losses, strings.TRAIN_LOSS_RAW, line={"color": QUIET, "width": 0.75}, opacity=0.5)
    trained = strings.TRAIN_LOSS_SMOOTH if smooth else strings.TRAIN_LOSS
    drawn = smoothed(losses) if smooth else losses
    _draw(figure, phase, start, drawn, trained, line={"color": QUIET, "width": 1.5})
    _draw(
        figure, phase, start, evaluations, judged, unit, mode="lines+markers", yaxis=axis,
        line={"color": ACCENT, "width": 2}, marker={"size": 7},
    )  # fmt: skip
    return max([start, *(start + step for step, _ in (*losses, *evaluations))])


def _draw(
    figure: go.Figure, phase: str, start: int, curve: Curve, name: str, unit: str = " nats", mode: str = "lines",
    yaxis: str = "y", **style: Any,
) -> None:  # fmt: skip
    point = strings.POINT.format(phase=strings.PHASES[phase][0], step="%{x:,}", value="%{y:.3f}")
    figure.add_scatter(
        x=[start + step for step, _ in curve], y=[value for _, value in curve], name=name, mode=mode, legendgroup=name,
        showlegend=phase == PHASES[0], hovertemplate=point + unit, yaxis=yaxis, **style,
    )  # fmt: skip


def layout() -> go.Layout:
    """Return the layout that all plots share."""
    axis = {"gridcolor": RULE, "zeroline": False, "linecolor": RULE, "ticks": "outside", "tickcolor": RULE,
            "automargin": True}  # fmt: skip
    return go.Layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "size": 13, "family": "inherit"},
        height=320,
        margin={"l": 8, "r": 12, "t": 56, "b": 8},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.1, "yanchor": "bottom"},
        xaxis={
            **axis,
            "title": {"text": strings.STEPS_AXIS, "font": {"size": 13}},
            "rangemode": "tozero",
            "showgrid": False,
        },
        yaxis={**axis, "title": {"text": strings.LOSS_AXIS, "font": {"size": 13}}, "tickformat": ".2f"},
        hovermode="closest",
        uirevision="kept",  # a live update does not change the reader's zoom
    )
