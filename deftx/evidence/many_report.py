"""The report on the vectors of many languages: their scores and costs, and how much they overlap."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from deftx.core.files import write_bytes, write_text
from deftx.data.language_names import language_name
from deftx.evidence.costs import is_trained, read_cost
from deftx.evidence.many import Many, Piece
from deftx.vectors.description import language_loss
from deftx.vectors.overlaps import jaccard_matrix
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import INFO

COLUMNS = ("language", "name", "setting", "seed", "lines", "tokens", "loss_before", "loss_after", "entries", "seconds",
           "peak_gb", "failure")  # fmt: skip
MOST_COMPARED = 100  # vectors whose overlaps are computed: n vectors have n (n - 1) / 2 pairs
CELL, MARGIN, FONT = 16, 90, 11  # pixels
PALE, DARK = (247, 251, 255), (8, 48, 107)  # of overlap 0 and of the largest one


@dataclass(frozen=True)
class Line:
    """A row of results.csv."""

    piece: Piece
    values: dict[str, Any]


def write_report(many: Many, groups: Sequence[Sequence[Piece]]) -> dict[str, Any]:
    """Write results.csv, report.md, overlaps.csv and overlaps.png into the output folder, and return the rows."""
    lines = [_line(many, piece) for group in groups for piece in group]
    lines.sort(key=lambda line: (line.piece.setting, line.piece.seed, line.piece.language))
    write_text(many.out / "results.csv", _csv([COLUMNS, *([line.values[name] for name in COLUMNS] for line in lines)]))
    compared = _compared(many, lines, groups)
    names = [piece.language for piece in compared]
    matrix = jaccard_matrix(SparseVector.load(many.folder(piece)) for piece in compared)
    write_text(
        many.out / "overlaps.csv",
        _csv([["", *names], *([name, *row] for name, row in zip(names, matrix, strict=True))]),
    )
    write_bytes(many.out / "overlaps.png", draw_matrix(names, matrix))
    write_text(many.out / "report.md", _markdown(lines, names))
    return {
        "out": str(many.out),
        "rows": [line.values for line in lines],
        "overlaps": {"languages": names, "matrix": matrix},
    }


def _line(many: Many, piece: Piece) -> Line:
    values: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    values |= {
        "language": piece.language,
        "name": language_name(piece.language),
        "setting": piece.setting,
        "seed": piece.seed,
    }
    folder = many.folder(piece)
    if is_trained(folder):
        info, cost = json.loads((folder / INFO).read_text(encoding="utf-8")), read_cost(folder)
        loss = language_loss(info["scores"])
        values |= {"lines": info["corpus"]["lines"], "tokens": info["corpus"].get("tokens", ""), "entries": info["k"],
                   "loss_before": round(loss["before"], 4), "loss_after": round(loss["after"], 4),
                   "seconds": round(cost["dense"] + cost["rest"]), "peak_gb": round(cost["peak_gb"], 2)}  # fmt: skip
    elif many.failure(piece).is_file():
        values["failure"] = many.failure(piece).read_text(encoding="utf-8").strip()
    return Line(piece, values)


def _compared(many: Many, lines: Sequence[Line], groups: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Return the trained vectors of the setting and the seed of the first piece, in the order of the languages."""
    pieces = [line.piece for line in lines]
    same = [one for one in pieces if (one.setting, one.seed) == (groups[0][0].setting, groups[0][0].seed)]
    return [piece for piece in same if is_trained(many.folder(piece))][:MOST_COMPARED]


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _markdown(lines: Sequence[Line], compared: Sequence[str]) -> str:
    done = [line for line in lines if line.values["entries"] != ""]
    rows = [
        f"| {v['name']} (`{v['language']}`) | {v['setting']} | {v['seed']} | {v['lines']} | {v['loss_before']} | "
        f"{v['loss_after']} | {v['seconds']} | {v['failure'].replace('|', '/')} |"
        for v in (line.values for line in lines)
    ]
    return "\n".join([
        f"# {len(done)} of {len(lines)} language vectors", "",
        "The loss is that of held-out text in nats (of masked tokens, or for a decoder of next ones), before and after. results.csv has all columns.", "",
        "| language | settings | seed | lines | loss before | after | seconds | failure |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |", *rows, "",
        f"## Overlaps of {len(compared)} vectors", "",
        "The shared share of the entries that two vectors change, |A ∩ B| / |A ∪ B|, for the first settings and seed"
        f"{f' (the first {MOST_COMPARED} languages)' if len(compared) == MOST_COMPARED else ''}. overlaps.csv has the numbers.",
        "", "![Heat map of the overlaps](overlaps.png)", "",
    ])  # fmt: skip


def draw_matrix(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> bytes:
    """Return a PNG of a symmetric matrix; the colour scale ends at the largest value beside the diagonal."""
    size = len(names)
    picture = Image.new("RGB", (MARGIN + CELL * size + 10, MARGIN + CELL * size + 10), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT)
    largest = max((matrix[i][j] for i in range(size) for j in range(size) if i != j), default=0.0)
    for i, name in enumerate(names):
        place = MARGIN + CELL * i
        draw.text((MARGIN - 4, place + CELL // 2), name[:12], fill="#333333", font=font, anchor="rm")
        _write_upwards(picture, (place, MARGIN - 4), name[:12], font)
        for j in range(size):
            part = 1.0 if i == j or not largest else matrix[i][j] / largest
            colour = tuple(round(pale + (dark - pale) * part) for pale, dark in zip(PALE, DARK, strict=True))
            draw.rectangle((MARGIN + CELL * j, place, MARGIN + CELL * (j + 1) - 2, place + CELL - 2), fill=colour)
    draw.text((4, 4), f"largest: {largest:.3f}", fill="#333333", font=font)
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _write_upwards(picture: Image.Image, corner: tuple[int, int], text: str, font: Any) -> None:
    label = Image.new("RGB", (MARGIN - 24, CELL), "white")
    ImageDraw.Draw(label).text((0, CELL // 2), text, fill="#333333", font=font, anchor="lm")
    turned = label.rotate(90, expand=True)
    picture.paste(turned, (corner[0], corner[1] - turned.height))
