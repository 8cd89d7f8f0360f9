"""Write the results of a benchmark as a self-contained HTML page: ``scripts/evidence_page.py OUT`` writes ``OUT/evidence.html``.

OUT is the folder of ``python -m deftx benchmark`` with ``scores/*.json``, one per cell, ``costs.json`` and ``about.json``.
"""

import argparse
import json
import re
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import plotly.graph_objects as go  # noqa: E402
from plotly.offline import get_plotlyjs  # noqa: E402

from deftx.evidence.baselines import BASELINES  # noqa: E402
from deftx.evidence.cells import Cost, Scored  # noqa: E402
from deftx.evidence.report import METRIC_TITLES, ReportSettings, Summary, summarise  # noqa: E402

INK, QUIET, RULE, ACCENT = "var(--ink)", "var(--ink-2)", "var(--rule)", "var(--accent)"
ROW_HEIGHT = 34  # pixels

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark;
{light}
}}
@media (prefers-color-scheme: dark) {{ :root {{
{dark}
}} }}
body {{ margin: 0 auto; padding: 24px 16px; max-width: 1100px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }}
section {{ background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px; margin: 20px 0; }}
h1 {{ font-size: 24px; }} h2 {{ font-size: 17px; margin: 0; }} p {{ color: var(--ink-2); margin: 4px 0; max-width: 75ch; }}
</style>
<script>{plotly}</script></head><body>
<h1>{title}</h1>
{sections}
<script>
const figures = {figures};
const colour = (_, name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const draw = () => figures.forEach((figure, place) => {{
  const {{data, layout}} = JSON.parse(JSON.stringify(figure).replace(/var\\((--[\\w-]+)\\)/g, colour));
  layout.font.family = getComputedStyle(document.body).fontFamily;
  Plotly.react('figure-' + place, data, layout, {{responsive: true, displaylogo: false, displayModeBar: false}});
}});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
draw();
</script></body></html>
"""


def main() -> None:
    """Read the folder and write the page into it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of a benchmark")
    out = parser.parse_args().out
    path = out / "evidence.html"
    path.write_text(page(out), encoding="utf-8")
    print(path)


def page(out: Path) -> str:
    """Return the page for a folder; it lists unfinished rows."""
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    costs = json.loads((out / "costs.json").read_text(encoding="utf-8"))
    cells = [Scored.from_dict(json.loads(f.read_text(encoding="utf-8"))) for f in sorted(out.glob("scores/*.json"))]
    found = summarise(cells, ReportSettings(**about), {row: Cost(**cost) for row, cost in costs.items()})
    metric = METRIC_TITLES[found.comparison.metric]
    sections = [
        ("Mean over the target languages", "Dots: mean over languages and seeds. Lines: 95 % bootstrap interval over "
         "the test sentences. Dotted: LT-SFT. Grey: TF-IDF.", means_figure(found, metric)),
        ("Language by language", "Numbers: mean over the seeds. Colour: above or below the mean of the column.",
         grid_figure(found, metric)),
    ]  # fmt: skip
    missing = "; ".join(f"{about['titles'][row]}, {n} of {full} cells" for row, (n, full) in found.unfinished.items())
    places = [
        f"<section><h2>{heading}</h2><p>{text}</p><div id='figure-{i}'></div></section>"
        for i, (heading, text, _) in enumerate(sections)
    ]
    light, dark = colours()
    # "</" would end the script element that contains the figures.
    figures = f"[{', '.join(figure.to_json() for _, _, figure in sections)}]".replace("</", "<\\/")
    return PAGE.format(
        title="DeFT-X: results", light=light, dark=dark, plotly=get_plotlyjs(), figures=figures,
        sections="\n".join([*places, f"<p>Not finished: {escape(missing)}.</p>" if missing else ""]),
    )  # fmt: skip


def colours() -> list[str]:
    """Return the light and the dark colours of the app's style sheet."""
    style = (ROOT / "assets" / "style.css").read_text(encoding="utf-8")
    return [re.search(rf"^{name} \{{\n(.*?)\n\}}", style, re.M | re.S)[1] for name in (":root", r"\.dark")]


def means_figure(found: Summary, metric: str) -> go.Figure:
    """Return a figure with the mean of each row in points with its interval."""
    figure = go.Figure(layout=_layout(len(found.lines)))
    for line in found.lines:
        mean, low, high = (100 * value for value in line.mean)
        hue = QUIET if line.row in BASELINES else ACCENT
        figure.add_scatter(
            x=[mean], y=[escape(line.title)], mode="markers", marker={"color": hue, "size": 10}, showlegend=False,
            error_x={"array": [high - mean], "arrayminus": [mean - low], "color": hue, "thickness": 1.5},
            hovertemplate=f"{mean:.1f} ({low:.1f} to {high:.1f})<extra></extra>",
        )  # fmt: skip
        if line.row == found.comparison.against:
            figure.add_vline(x=mean, line={"color": QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title={"text": f"{metric} (points)", "font": {"size": 13}}, gridcolor=RULE, zeroline=False)
    return figure


def grid_figure(found: Summary, metric: str) -> go.Figure:
    """Return a figure with every row's score in every language, coloured by the distance to the language's mean."""
    scores = [[100 * score for score in line.by_language.values()] for line in found.lines]
    means = [sum(column) / len(column) for column in zip(*scores, strict=True)]
    figure = go.Figure(layout=_layout(len(found.lines)))
    figure.add_heatmap(
        x=list(found.lines[0].by_language) if found.lines else [], y=[escape(line.title) for line in found.lines],
        z=[[score - mean for score, mean in zip(row, means, strict=True)] for row in scores], zmid=0,
        text=scores, texttemplate="%{text:.1f}", xgap=2, ygap=2, showscale=False, textfont={"color": INK},
        colorscale=[[0, "var(--bad-soft)"], [0.5, "var(--track)"], [1, "var(--accent-soft)"]],
        hovertemplate=f"%{{y}}, %{{x}}: %{{text:.1f}} points {metric}, %{{z:+.1f}} to the mean<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(side="top", showgrid=False, ticks="")
    return figure


def _layout(rows: int) -> go.Layout:
    return go.Layout(
        template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=110 + ROW_HEIGHT * rows,
        font={"color": INK, "size": 13, "family": "inherit"}, margin={"l": 8, "r": 12, "t": 36, "b": 8},
        xaxis={"automargin": True}, yaxis={"automargin": True, "autorange": "reversed", "showgrid": False, "ticks": "",
        "zeroline": False},
    )  # fmt: skip


if __name__ == "__main__":
    main()
