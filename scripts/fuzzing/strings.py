"""What people type: names, ids of the Hub, columns, cards, combinations; taken up by the functions that the page calls."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deftx.core.errors import printable
from deftx.core.names import base_name
from deftx.data.labels import rename_labels
from deftx.data.spreadsheet import FORMULA, harmless
from deftx.data.tables import Table
from deftx.hub import text as hub_text
from deftx.method.ranks import choose_rank
from deftx.publish.importing import Wishes, bring_from_hub
from deftx.publish.own_vectors import OwnVectors, clean, safe_name
from deftx.vectors.card import code
from scripts.fuzzing.making import NAMES, lines
from scripts.fuzzing.mutation import WORDS, any_json, damage
from ui.classify.combination import Combination
from ui.library import readme
from ui.shared import uploads

DRAWN = (
    *WORDS,
    *NAMES,
    "a/b",
    "owner/name",
    "https://huggingface.co/a/b",
    "datasets/a/b",
    "../a",
    "a/..",
    "x" * 4_000,
    "a b/c",
)
# What a card may become: these tags, with these attributes alone.
_HARMLESS = re.compile(
    r"</?(p|h[1-6]|ul|ol|li|table|thead|tbody|tr|td|th|code|pre|blockquote|em|strong|br|hr)( /)?>"
    r'|<(td|th) style="text-align:(left|right|center)">|<code class="language-[^"<>]*">|<ol start="\d+">'
)


class Unsafe(AssertionError):
    """Something came out that could do harm."""


def prepare(draw: random.Random, samples: Any, folder: Path) -> Callable[[], Any]:
    """Choose a text and what takes it."""
    text = draw.choice(DRAWN) if draw.random() < 0.5 else _damaged(draw)
    return draw.choice(
        (
            lambda: _names(text),
            lambda: _card(lines(draw).decode("utf-8", "replace") + text),
            lambda: _cell(text),
            lambda: hub_text.find_files(text),
            lambda: bring_from_hub(OwnVectors(folder), text, "", lambda: samples.tiny, Wishes()),
            lambda: OwnVectors(folder).get(text),
            lambda: choose_rank(samples.singular, (8, 6), text),
            lambda: rename_labels(Table(["a"], ["x"], False, "a.csv", ""), {text: text[::-1]}),
            lambda: Combination.of(
                any_json(draw), [(any_json(draw), any_json(draw))], any_json(draw), text, {text: any_json(draw)}
            ),
        )
    )


def _damaged(draw: random.Random) -> str:
    return damage(draw, draw.choice(DRAWN).encode("utf-8", "replace")).decode("utf-8", "replace")


def _names(text: str) -> None:
    line = clean(text, 80)
    _need(len(line) <= 80 and line == printable(line), line)
    for name in (safe_name(text), *uploads.safe_name(text)):
        _need(not re.search(r"[/\\\x00-\x1f<>:\"]|^\.\.", name) and len(name) <= 80, name)
    _need("\n" not in code(text) and code(text).count("`") == 2 and code(text)[1:-1].isprintable(), code(text))
    base_name(text)


def _card(text: str) -> None:
    laid_out = readme.render(text)
    rest = _HARMLESS.sub("", laid_out)
    _need("<" not in rest and ">" not in rest, rest)


def _cell(text: str) -> None:
    written = harmless(text)
    try:
        float(text)
    except ValueError:
        _need(not written.startswith(FORMULA), written)
    _need(written.lstrip("'") == text.lstrip("'"), written)


def _need(holds: bool, shown: str) -> None:
    if not holds:
        raise Unsafe(shown[:200])
