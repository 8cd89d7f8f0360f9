"""The plot of a text for plotly; ``audit_view`` has its table."""

import plotly.graph_objects as go

from deftx.data.audit import Audit
from ui import strings
from ui.shared.figures import ACCENT, INK, RULE


def length_figure(found: Audit) -> go.Figure:
    """Draw the number of lines by number of words."""
    axis = {"gridcolor": RULE, "zeroline": False, "linecolor": RULE, "ticks": "outside", "tickcolor": RULE,
            "automargin": True}  # fmt: skip
    titles = [one.title for one in found.lengths]
    figure = go.Figure(
        go.Bar(
            x=titles, y=[one.lines for one in found.lengths], marker={"color": ACCENT},
            hovertemplate=f"%{{x}} {strings.LENGTH_AXIS}: %{{y:,}} {strings.LINES_AXIS}<extra></extra>",
        ),
        layout=go.Layout(
            template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=240, bargap=0.15,
            font={"color": INK, "size": 13, "family": "inherit"}, margin={"l": 8, "r": 12, "t": 8, "b": 8},
            xaxis={**axis, "type": "category", "showgrid": False, "title": {"text": strings.LENGTH_AXIS}, "nticks": 5},
            yaxis={**axis, "title": {"text": strings.LINES_AXIS}, "tickformat": ",d", "rangemode": "tozero"},
            uirevision="kept",
        ),
    )  # fmt: skip
    return figure
