"""The theme: Gradio's plainest one with system fonts; all colours are in assets/style.css."""

import gradio as gr

from deftx.core.assets import ASSETS

STYLE = ASSETS / "style.css"
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Liberation Sans", "DejaVu Sans", "sans-serif")
MONOSPACE = ("ui-monospace", "Noto Sans Mono", "Liberation Mono", "DejaVu Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """Return a theme that loads nothing from other sites."""
    return gr.themes.Base(font=FONTS, font_mono=MONOSPACE, radius_size="sm", spacing_size="md", text_size="md")
