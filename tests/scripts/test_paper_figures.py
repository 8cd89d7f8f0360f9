"""Without this, the figures that the docs show could stop being redrawn, or be of other numbers than the command's."""

import json
import re
import runpy
from pathlib import Path

import pytest

from deftx.vectors.overlaps import overlap
from deftx.vectors.vector import SparseVector

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "paper_figures.py"
NAMES = ("min", "ban", "ace")


@pytest.fixture(scope="module")
def drawn():
    page = runpy.run_path(str(SCRIPT))["page"](NAMES, "sentiment")
    return page, json.loads(re.search(r"const figures = (\[.*\]);\n", page)[1])


def test_figure_2_is_each_language_against_the_task(drawn):
    _, (bars, _) = drawn
    task = SparseVector.load("sentiment")
    assert bars["data"][0]["y"] == list(NAMES)
    assert bars["data"][0]["x"] == pytest.approx([100 * overlap(SparseVector.load(name), task) for name in NAMES])
    assert bars["data"][0]["x"][0] > bars["data"][1]["x"][0] > 0  # chance


def test_figure_3_is_every_language_with_every_other(drawn):
    _, (_, heatmap) = drawn
    cells = heatmap["data"][0]
    assert cells["x"] == cells["y"] == list(NAMES)
    assert cells["z"][1][2] == cells["z"][2][1] == pytest.approx(100 * overlap(*map(SparseVector.load, NAMES[1:])))
    assert cells["text"][0][0] == ""


def test_the_page_needs_no_network_and_has_its_colours(drawn):
    page, _ = drawn
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert {"--heat", "--accent", "--ink"} <= set(re.findall(r"(--[\w-]+):", page.split("</style>")[0]))
