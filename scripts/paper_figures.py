"""Draw the paper's figures 2 and 3 for the bundled languages: ``scripts/paper_figures.py OUT``.

It writes ``OUT/figures.html``, a self-contained page, and a picture of each figure if there is a browser (with playwright; see
``--chromium``). For other vectors, use ``--languages FOLDER … --task FOLDER``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import plotly.graph_objects as go  # noqa: E402 (the project's root is put in the path above)
from evidence_page import PAGE, colours  # noqa: E402
from plotly.offline import get_plotlyjs  # noqa: E402

from deftx.vectors.overlaps import compare, compare_all  # noqa: E402
from deftx.vectors.shared_weights import Shared  # noqa: E402
from deftx.vectors.vector import SparseVector  # noqa: E402
from ui.overlap import overlap_figures  # noqa: E402

LANGUAGES = ("mad", "bjn", "ban", "ace", "min", "ind")  # in the paper's order, plus the source language
NAMES = ("figure-2", "figure-3")
WIDTH = 760  # width of a picture in pixels


def main() -> int:
    """Write the page and, if there is a browser, the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="output folder")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, metavar="VECTOR", help="language vectors, by name")
    parser.add_argument("--task", default="sentiment", metavar="VECTOR", help="the task vector (sentiment)")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"), help="the browser to use")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    file = chosen.out / "figures.html"
    file.write_text(page(chosen.languages, chosen.task), encoding="utf-8")
    print(file)
    if chosen.chromium.exists():
        print(*take_pictures(file, chosen.chromium), sep="\n")
    else:
        print(f"No pictures: there is no browser at {chosen.chromium}; set another with --chromium.", file=sys.stderr)
    return 0


def page(languages: Sequence[str], task: str) -> str:
    """Return the page with both figures."""
    vectors, names = [SparseVector.load(name) for name in languages], [Path(name).name for name in languages]
    drawn = figures(vectors, names, SparseVector.load(task))
    light, dark = colours()
    places = "\n".join(
        f"<section><h2>{heading}</h2><p>{text}</p><div id='figure-{place}'></div></section>"
        for place, (heading, text, _) in enumerate(drawn)
    )
    # "</" would end the script element that contains the figures.
    content = f"[{', '.join(figure.to_json() for _, _, figure in drawn)}]".replace("</", "<\\/")
    return PAGE.format(
        title="Overlap of the vectors", light=light, dark=dark, plotly=get_plotlyjs(), figures=content, sections=places
    )


def figures(
    vectors: Sequence[SparseVector], names: Sequence[str], task: SparseVector
) -> list[tuple[str, str, go.Figure]]:
    """Return figure 2 (each language and the task) and figure 3 (all pairs of languages)."""
    against = {name: compare(vector, task).total for name, vector in zip(names, vectors, strict=True)}
    pairs = compare_all(vectors)
    chance = Shared.pooled(pair.total for pair in pairs.values()).chance
    return [
        (
            "Figure 2: language vectors and the task vector",
            "Weights that both change, in % of those that either changes. Line: two random masks of these sizes.",
            overlap_figures.bars(against),
        ),
        (
            "Figure 3: the language vectors",
            f"Weights that both change, in % of those that either changes. Two random masks of these sizes: {chance:.1%}.",
            overlap_figures.heatmap(names, pairs, "overlap"),
        ),
    ]


def take_pictures(file: Path, chromium: Path) -> list[Path]:
    """Take a picture of each figure on the page, in light colours."""
    from playwright.sync_api import sync_playwright

    pictures = [file.with_name(f"{name}.png") for name in NAMES]
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=str(chromium), args=arguments)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light", device_scale_factor=1.5)
        page.goto(file.absolute().as_uri())
        page.wait_for_selector(f"#figure-{len(NAMES) - 1} .main-svg")
        for section, picture in zip(page.locator("section").all(), pictures, strict=True):
            section.screenshot(path=picture)
        browser.close()
    return pictures


if __name__ == "__main__":
    sys.exit(main())
