"""Plots, as plotly describes them; colours are CSS variables, so one figure serves light and dark alike."""

import plotly.graph_objects as go

from deftx.jobs import Progress
from ui import strings

PHASES = ("dense", "sparse")
INK, QUIET, RULE, ACCENT = "var(--ink)", "var(--ink-2)", "var(--rule)", "var(--accent)"


def loss_figure(progress: Progress) -> go.Figure | None:
    """Draw the loss of both phases on one time line; None before anything was measured."""
    if not any(progress.losses.get(phase) or progress.evaluations.get(phase) for phase in PHASES):
        return None
    figure = go.Figure(layout=_layout())
    start = 0
    for phase in PHASES:
        end = _draw_phase(figure, progress, phase, start)
        if end > start:
            figure.add_annotation(
                x=start, y=1, yref="paper", text=f"{strings.PHASES[phase][0]} phase", showarrow=False,
                xanchor="left", yanchor="bottom", font={"color": QUIET, "size": 12},
            )  # fmt: skip
            if start:
                figure.add_vline(x=start, line={"color": QUIET, "width": 1, "dash": "dot"})
        start = end
    return figure


def _draw_phase(figure: go.Figure, progress: Progress, phase: str, start: int) -> int:
    """Add the two curves of a phase, the steps counted from ``start``; return where the phase ends so far."""
    kinds = (
        (strings.TRAIN_LOSS, progress.losses.get(phase, ()), "lines", QUIET, "solid"),
        (strings.HELD_OUT_LOSS, progress.evaluations.get(phase, ()), "lines+markers", ACCENT, "solid"),
    )
    end = start
    for name, curve, mode, colour, dash in kinds:
        steps = [start + step for step, _ in curve]
        end = max([end, *steps])
        figure.add_scatter(
            x=steps, y=[value for _, value in curve], name=name, mode=mode, legendgroup=name,
            showlegend=phase == PHASES[0], line={"color": colour, "width": 1.5 if mode == "lines" else 2, "dash": dash},
            marker={"size": 7}, hovertemplate=f"{strings.PHASES[phase][0]}, step %{{x:,}}: %{{y:.3f}} nats",
        )  # fmt: skip
    return end


def _layout() -> go.Layout:
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
        uirevision="kept",  # a live update leaves the reader's zoom alone
    )
