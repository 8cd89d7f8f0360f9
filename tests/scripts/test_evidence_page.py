"""Without this, the page of a finished benchmark could lack a row or need the network to be read."""

import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from deftx.evidence.cells import Scored

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "evidence_page.py"
TITLES = {"tfidf-word": "Counting words", "lt-sft": "LT-SFT", "variance": "DeFT-X, 90 %", "mp": "Half <done>"}


def write_run(out):
    """Write a folder as a benchmark leaves it: two seeds, two languages, one row that lacks a cell."""
    (out / "scores").mkdir()
    gold = ["negative", "positive"] * 20
    for row, right in (("tfidf-word", 0.6), ("lt-sft", 0.7), ("variance", 0.9), ("mp", 0.8)):
        for language in ("ban", "min", "ind"):
            for seed in (1, 2):
                if (row, language, seed) in {("mp", "min", 2), ("tfidf-word", "min", 2)}:
                    continue
                agree = np.random.default_rng([seed, *row.encode()]).random(len(gold)) < right
                predicted = [label if yes else "neutral" for label, yes in zip(gold, agree, strict=True)]
                cell = Scored(row, language, seed, gold, predicted)
                (out / "scores" / f"{row}-{language}-{seed}.json").write_text(json.dumps(cell.to_dict()))
    (out / "costs.json").write_text(json.dumps({"variance": {"seconds": 61.5, "peak_gb": 1.25}}))
    about = {"titles": TITLES, "languages": ["ban", "min"], "reference_language": "ind", "metric": "f1"}
    (out / "about.json").write_text(json.dumps({**about, "parallel": True}))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    write_run(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), str(out)])
        patch.setattr(sys, "path", list(sys.path))
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return (out / "evidence.html").read_text(encoding="utf-8")


def test_the_page_shows_every_finished_row_and_names_the_others(page):
    means, scores = json.loads(re.search(r"const figures = (.*);\n", page)[1])
    assert [trace["y"] for trace in means["data"]] == [["Counting words"], ["LT-SFT"], ["DeFT-X, 90 %"]]
    assert scores["data"][0]["y"] == ["Counting words", "LT-SFT", "DeFT-X, 90 %"]
    assert scores["data"][0]["x"] == ["ban", "min"]
    assert "Not finished: Half &lt;done&gt;, 3 of 4 cells." in page
    for trace in means["data"]:  # 0 to 100, the interval around the mean
        low, high = trace["error_x"]["arrayminus"][0], trace["error_x"]["array"][0]
        assert low > 0 < high
        assert 30 < trace["x"][0] < 100


def test_the_page_needs_nothing_beside_it_and_knows_light_and_dark(page):
    assert len(page) > 1_000_000  # plotly.js stands in it
    assert not re.search(
        r"<(script|link|img)[^>]+(src|href)=", page.split("<script>")[0] + page.rsplit("</script>")[-2]
    )
    assert re.search(r":root \{ color-scheme: light dark;\n\s*--paper: #f7f8f8", page)
    assert re.search(r"prefers-color-scheme: dark\) \{ :root \{\n\s*--paper: #14181b", page)
