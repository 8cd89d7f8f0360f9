"""Without these, two spellings that look the same would be two words, and a tag in a text a sign of the model."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deftx.data.characters import DECOMPOSED, ENTITIES, HIDDEN, as_seen, as_text_only, describe

SAME = [
    ("ran\u00adcak", "rancak"),  # soft hyphen
    ("ran\u200bcak", "rancak"),  # zero-width space
    ("\ufeffrancak", "rancak"),
    ("a\u200cb", "ab"),  # a joiner between Latin letters
    ("ne\u0301gatif", "négatif"),
    ("a &amp; b &lt;3 &#233; &nbsp;x", "a & b <3 é  x"),
    ("Ibu &amp;amp; ayah", "Ibu & ayah"),  # escaped twice
    ("AT&T; R&D", "AT&T; R&D"),
    ("elok\u200c\u200cjo", "elokjo"),
    ("a\u034f\u200cb", "ab"),
    ("\ufeff\u200cab", "ab"),
    ("a\u200b\u200db", "ab"),
    ("ne\u0301\u200cgatif", "négatif"),
]
KEPT = [
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: the joiner is part of the spelling
    "\u0915\u094d\u200d\u0937",  # Devanagari
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family of emoji
    "\u0e01\u200b\u0e02",  # Thai: the end of a word
    # The same in Cham, Batak, Makasar, Buginese, Tai Le, Tai Viet, New Tai Lue, Rejang and Sundanese.
    "\uaa00\u200b\uaa01", "\u1bc0\u200b\u1bc1", "\U00011ee0\u200b\U00011ee1", "\u1a00\u200b\u1a01", "\u1950\u200b\u1951",
    "\uaa80\u200b\uaa81", "\u1980\u200b\u1981", "\ua930\u200b\ua931", "\u1b83\u200b\u1b84",
]  # fmt: skip


@pytest.mark.parametrize(("text", "seen"), SAME)
def test_a_text_is_what_a_reader_sees(text, seen):
    assert as_seen(text) == seen


@pytest.mark.parametrize("text", KEPT)
def test_characters_that_carry_something_stay(text):
    assert as_seen(text) == text


@pytest.mark.parametrize("text", [text for text, _ in SAME] + KEPT)
def test_reading_twice_changes_nothing_more(text):
    assert as_seen(as_seen(text)) == as_seen(text)
    assert unicodedata.is_normalized("NFC", as_seen(text))


@given(st.text(list(" aeあか1|มนيە") + list("\u0301\u3099\u034f\u00ad\u200b\u200c\u200d\u200e\ufeff"), max_size=12))
def test_invisible_characters_are_removed_in_one_pass(text):
    assert as_seen(as_seen(text)) == as_seen(text)


def test_changes_are_counted_by_what_was_changed():
    changes = Counter()
    for text in ("ran\u00adcak", "ran\u00adcak &amp;", "plain", "e\u0301"):
        as_seen(text, changes)
    assert changes == {HIDDEN: 2, ENTITIES: 1, DECOMPOSED: 1}
    assert "invisible characters in 2 lines" in describe(changes)
    assert describe(Counter()) == ""


def test_special_tokens_in_a_text_are_text():
    assert as_text_only("a <s>b</s> <mask>", ["<s>", "</s>", "<mask>"]) == "a < s>b< /s> < mask>"
