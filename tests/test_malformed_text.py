"""What people type, names, ids of the Hub, columns, cards, combinations, is taken up or refused, and comes out harmless."""

import re

import good_files
import malformed
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reading_checks import assert_read_or_refused

from deftx.core.errors import printable
from deftx.core.names import base_name
from deftx.data.labels import rename_labels
from deftx.data.spreadsheet import FORMULA, harmless
from deftx.data.table_rows import Table
from deftx.hub import text as hub_text
from deftx.method.ranks import choose_rank
from deftx.publish.importing import Wishes, bring_from_hub
from deftx.publish.own_vectors import OwnVectors, clean, safe_name
from deftx.vectors.card_markup import code
from ui.classify.combination import Combination
from ui.library import readme
from ui.shared import uploads

typed = malformed.texts | st.sampled_from(malformed.NAMES)
# What a card may become: these tags, with these attributes alone.
HARMLESS = re.compile(
    r"</?(p|h[1-6]|ul|ol|li|table|thead|tbody|tr|td|th|code|pre|blockquote|em|strong|br|hr)( /)?>"
    r'|<(td|th) style="text-align:(left|right|center)">|<code class="language-[^"<>]*">|<ol start="\d+">'
)


@given(typed)
def test_names(text):
    line = clean(text, 80)
    assert len(line) <= 80
    assert line == printable(line)
    for name in (safe_name(text), *uploads.safe_name(text)):
        assert not re.search(r"[/\\\x00-\x1f<>:\"]|^\.\.", name)
        assert len(name) <= 80
    quoted = code(text)
    assert "\n" not in quoted
    assert quoted.count("`") == 2
    assert quoted[1:-1].isprintable()
    base_name(text)


@given(malformed.lines().map(lambda content: content.decode("utf-8", "replace")) | typed)
def test_cards(text):
    rest = HARMLESS.sub("", readme.render(text))
    assert "<" not in rest
    assert ">" not in rest


@given(typed)
def test_cells(text):
    written = harmless(text)
    try:
        float(text)
    except ValueError:
        assert not written.startswith(FORMULA)
    assert written.lstrip("'") == text.lstrip("'")


@given(typed)
def test_what_is_asked_for_by_name(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        assert_read_or_refused(
            {},
            lambda folder: hub_text.find_files(text),
            lambda folder: bring_from_hub(OwnVectors(folder), text, "", lambda: good_files.BASE, Wishes()),
            lambda folder: OwnVectors(folder).get(text),
            lambda folder: choose_rank(torch.tensor([3.0, 2.0, 1.0, 0.5, 0.2, 0.1]), (8, 6), text),
            lambda folder: rename_labels(Table(["a"], ["x"], False, "a.csv", ""), {text: text[::-1]}),
        )


@given(malformed.json_values, malformed.json_values, malformed.json_values, malformed.json_values, typed)
def test_combinations(task, language, strength, parameter, method):
    assert_read_or_refused(
        {}, lambda folder: Combination.of(task, [(language, strength)], strength, method, {method: parameter})
    )
