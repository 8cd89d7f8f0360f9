"""The look: Gradio's plainest theme with the fonts of the system; all colours are in assets/style.css."""

from pathlib import Path

import gradio as gr

STYLE = Path(__file__).resolve().parent.parent / "assets" / "style.css"
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Liberation Sans", "DejaVu Sans", "sans-serif")
MONOSPACE = ("ui-monospace", "Noto Sans Mono", "Liberation Mono", "DejaVu Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """Return a theme that loads nothing from elsewhere."""
    return gr.themes.Base(font=FONTS, font_mono=MONOSPACE, radius_size="sm", spacing_size="md", text_size="md")
