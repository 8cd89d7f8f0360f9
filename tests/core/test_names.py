"""Names made of what people write: whole words of every script, and nothing that leads elsewhere."""

import unicodedata

import pytest

from deftx.core.names import LONGEST_BYTES, is_plain, plain_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("हिन्दी समाचार", "हिन्दी-समाचार"),
        ("தமிழ் செய்தி", "தமிழ்-செய்தி"),
        ("မြန်မာ", "မြန်မာ"),
        ("Kʼiche' (nuevo)", "Kʼiche-nuevo"),
        ("cafe\u0301", "café"),  # a letter and its accent are the letter that has it
        ("a\u202eb\u0000c/..\\d", "a-b-c-d"),
        ("\u0901\u0901x", "x"),  # a mark that stands on nothing
        ("\u0901\u0301", ""),
        ("--- ...", ""),
        ("\ud800a", "a"),
    ],
)
def test_words_stay_whole_and_all_else_becomes_hyphens(text, name):
    assert plain_name(text, 80) == name
    assert is_plain(name) == bool(name)


@pytest.mark.parametrize("name", ["", "..", ".trash", "a/b", "a b", "-a", "_a", "\u0901a", "a\u202e", "a\n"])
def test_what_no_plain_name_is(name):
    assert not is_plain(name)


def test_signs_are_kept_where_they_are_wanted():
    assert plain_name("a_b-c", 80) == "a-b-c"
    assert plain_name("a_b-c", 80, "_") == "a_b-c"


@pytest.mark.parametrize("letter", ["x", "é", "க", "𐍈", "𑀓𑀸"])
def test_a_name_is_one_that_a_disk_takes(letter, tmp_path):
    name = plain_name(letter * 4_000, 80)
    assert 1 < len(name) <= 80
    assert len(name.encode()) <= LONGEST_BYTES
    assert unicodedata.is_normalized("NFC", name)
    (tmp_path / f"..{name}-1234.json.part").touch()
