"""A picture (PNG) of a vector's spectra for its model card: a line per kind of weight, with a dot at its rank."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deftx.method.parameter_kinds import kind_of, reading_order

FILE = "spectra.png"
WIDTH, HEIGHT = 960, 420  # pixels; a card on the Hub is about 800 wide
LEFT, RIGHT, TOP, BOTTOM = 62, 210, 18, 46
DECADES = 3  # the axis ranges from 1 to 10^-3
TEXT, GRID, PAPER = "#333333", "#dddddd", "#ffffff"
# Okabe and Ito's colours, which colour-blind people can distinguish, and a grey.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000", "#999999")


def draw_spectra(info: Mapping[str, Any]) -> bytes | None:
    """Return a PNG of the singular values in vector.json, or None if there are none (LT-SFT, random masks).

    Values are relative to the largest of each matrix; a line is the median over the matrices of a kind.
    """
    lines = _lines(info.get("singular_values") or {}, (info.get("rank") or {}).get("ranks") or {})
    if not lines:
        return None
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(15)
    _axes(draw, font)
    for place, (kind, (heights, rank, count)) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        _line(draw, heights, rank, colour)
        y = TOP + 4 + 22 * place
        draw.line([(WIDTH - RIGHT + 14, y + 9), (WIDTH - RIGHT + 36, y + 9)], fill=colour, width=3)
        draw.text((WIDTH - RIGHT + 42, y), f"{kind} ({count})", fill=TEXT, font=font)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def write_spectra(info: Mapping[str, Any], folder: Path) -> str | None:
    """Write the picture into a folder and return its file name, or None if there are no singular values."""
    if (picture := draw_spectra(info)) is None:
        return None
    (folder / FILE).write_bytes(picture)
    return FILE


def _lines(values: Mapping[str, Sequence[float]], ranks: Mapping[str, int]) -> dict[str, tuple[np.ndarray, float, int]]:
    """Return for each kind the median values (101,) over shares of the rank, the median share kept, and its size."""
    shares = np.linspace(0, 1, 101)
    kinds: dict[str, list[tuple[np.ndarray, float]]] = {}
    for name, spectrum in values.items():
        sigma = np.asarray(spectrum, dtype=float)
        if len(sigma) > 1 and sigma[0] > 0 and np.isfinite(sigma).all():
            heights = np.interp(shares, np.linspace(0, 1, len(sigma)), sigma / sigma[0])
            kept = min(float(ranks.get(name, len(sigma))) / len(sigma), 1.0)
            kinds.setdefault(kind_of(name).name, []).append((heights, kept))
    return {
        kind: (
            np.median([heights for heights, _ in found], axis=0),
            float(np.median([kept for _, kept in found])),
            len(found),
        )
        for kind, found in sorted(kinds.items(), key=lambda item: reading_order(item[0]))
    }


def _axes(draw: ImageDraw.ImageDraw, font: Any) -> None:
    for decade in range(DECADES + 1):
        y = _at(0, 10.0**-decade)[1]
        draw.line([(LEFT, y), (WIDTH - RIGHT, y)], fill=GRID)
        draw.text((LEFT - 8, y), f"{10.0**-decade:g}", fill=TEXT, font=font, anchor="rm")
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = _at(share, 1)[0]
        draw.line([(x, TOP), (x, HEIGHT - BOTTOM)], fill=GRID)
        draw.text((x, HEIGHT - BOTTOM + 6), f"{share:.0%}", fill=TEXT, font=font, anchor="ma")
    middle = (LEFT + WIDTH - RIGHT) / 2
    draw.text((middle, HEIGHT - 4), "position in the spectrum", fill=TEXT, font=font, anchor="md")


def _line(draw: ImageDraw.ImageDraw, heights: np.ndarray, rank: float, colour: str) -> None:
    draw.line([_at(place / 100, height) for place, height in enumerate(heights)], fill=colour, width=3, joint="curve")
    x, y = _at(rank, float(np.interp(rank, np.linspace(0, 1, 101), heights)))
    draw.ellipse([x - 5, y - 5, x + 5, y + 5], fill=colour, outline=PAPER)


def _at(share: float, height: float) -> tuple[float, float]:
    """Return the position of a share of the rank (0 to 1) and a relative singular value in the picture, in pixels."""
    down = min(-math.log10(max(height, 1e-12)), DECADES) / DECADES
    return LEFT + share * (WIDTH - RIGHT - LEFT), TOP + down * (HEIGHT - BOTTOM - TOP)
