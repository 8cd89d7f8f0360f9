"""A plotly figure that is updated in place: ``gr.Plot`` is rebuilt at every change, which flickers and resets the zoom."""

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
import plotly.graph_objects as go

SCRIPTS = Path(plotly.__file__).resolve().parent / "package_data"

# Colours of the form var(--name) are looked up in the style sheet, again whenever the theme changes.
_DRAW = """
const place = document.createElement('div');
element.replaceChildren(place);
const resolve = text => text.replace(/var\\((--[\\w-]+)\\)/g,
  (_, name) => getComputedStyle(element).getPropertyValue(name).trim());
const draw = () => {
  element.style.display = props.value ? '' : 'none';
  if (!props.value || !window.Plotly) return;
  const figure = JSON.parse(resolve(props.value));
  figure.layout.font.family = getComputedStyle(element).fontFamily;
  Plotly.react(place, figure.data, figure.layout, {responsive: true, displaylogo: false, displayModeBar: false});
  // A cell or point that names something can be chosen by it.
  place.removeAllListeners('plotly_click');
  place.on('plotly_click', event => {
    const name = event.points[0].customdata;
    if (name) trigger('select', {name});
  });
};
watch('value', draw);
new MutationObserver(draw).observe(document.body, {attributes: true, attributeFilter: ['class']});
new ResizeObserver(() => { if (place.data && element.offsetWidth) Plotly.Plots.resize(place); }).observe(element);
draw();
"""


def live_plot(elem_id: str, label: str) -> gr.HTML:
    """Make a component for a figure; its value comes from ``as_value``."""
    gr.set_static_paths([SCRIPTS])
    return gr.HTML(
        "", label=label, elem_id=elem_id, html_template="", js_on_load=_DRAW, apply_default_css=False,
        head=f'<script src="gradio_api/file={SCRIPTS}/plotly.min.js"></script>',
    )  # fmt: skip


def cached_value(draw: Callable[..., go.Figure | None], language: str, *drawn: Any) -> str:
    """Return the figure that ``draw`` makes, computed once for the same inputs and language: many pages ask at the same time."""
    with _drawing:
        return _drawn(draw, language, *drawn)


_drawing = threading.Lock()


@lru_cache(maxsize=64)
def _drawn(draw: Callable[..., go.Figure | None], language: str, *drawn: Any) -> str:
    return as_value(draw(*drawn))


def as_value(figure: go.Figure | None) -> str:
    """Convert a figure for ``live_plot``; nothing is drawn for None."""
    return figure.to_json() if figure is not None else ""
