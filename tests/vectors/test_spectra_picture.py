"""The picture of spectra on a card is drawn from the numbers of vector.json."""

import io

import numpy as np
from PIL import Image, ImageColor
from tiny_vectors import make_vector

from deftx.vectors.spectra_picture import (
    BOTTOM,
    COLOURS,
    FILE,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    draw_spectra,
    write_spectra,
)
from deftx.vectors.vector import SparseVector

QUERY = "roberta.encoder.layer.{}.attention.self.query.weight"


def info(spectrum, ranks=None):
    values = {QUERY.format(layer): spectrum for layer in range(3)}
    return {"singular_values": values, "rank": {"strategy": "uniform:2", "ranks": ranks or {}}}


def coloured(picture, colour=COLOURS[0]):
    """Say where on the plot the pixels of a colour are: (x, y) of each."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))[:, : WIDTH - RIGHT + 8]
    ys, xs = np.nonzero((pixels == ImageColor.getrgb(colour)).all(-1))
    return xs, ys


def test_a_spectrum_that_falls_faster_is_drawn_lower():
    lows = []
    for decay in (0.5, 2.0):
        xs, ys = coloured(draw_spectra(info(list(np.geomspace(1, 10**-decay, 40)))))
        assert xs.min() <= LEFT + 2
        assert xs.max() >= WIDTH - RIGHT - 2
        lows.append(ys.max())
        # The end of the line lies at its decades of three.
        assert abs(ys[xs >= WIDTH - RIGHT - 2].mean() - (TOP + decay / 3 * (HEIGHT - BOTTOM - TOP))) < 6
    assert lows[0] < lows[1]


def test_the_dot_marks_the_rank_that_was_kept():
    ranks = {QUERY.format(layer): 10 for layer in range(3)}
    xs, ys = coloured(draw_spectra(info([1.0] * 40, ranks)))
    middle = LEFT + 0.25 * (WIDTH - RIGHT - LEFT)
    assert abs(xs[ys == ys.max()].mean() - middle) < 3  # the line is flat: what hangs below it is the dot


def test_there_is_no_picture_of_nothing(tmp_path):
    for nothing in ({}, info([]), info([0.0, 0.0]), info([1.0]), info([float("nan"), 1.0])):
        assert draw_spectra(nothing) is None
        assert write_spectra(nothing, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_bundled_vector_s_picture_is_small_and_the_same_every_time(tmp_path):
    vector = SparseVector.load("min")
    assert write_spectra(vector.info, tmp_path) == FILE
    assert (tmp_path / FILE).stat().st_size < 60_000
    assert (tmp_path / FILE).read_bytes() == draw_spectra(vector.info)
    assert draw_spectra(make_vector().info) is None
