"""Without these, a script could be called by the first word of its letters' names, and Thai be taken for a word list."""

import pytest

from deftx.data.writing_systems import script_shares, word_count


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("ᱥᱟᱱᱛᱟᱲᱤ", "Ol Chiki"),
        ("ߒߞߏ", "Nko"),
        ("ᨠᩣ", "Tai Tham"),
        ("中文", "Han"),
        ("ʻabc", "Latin"),
        ("ꯃꯤꯇꯩ", "Meetei Mayek"),
    ],
)
def test_scripts_have_unicodes_names(text, script):
    assert next(iter(script_shares([text]))) == script


@pytest.mark.parametrize(
    ("line", "least", "most"),
    [
        ("Rancak bana hotel ko.", 4, 4),
        ("อาหารที่นี่อร่อยมากและบริการเป็นกันเอง", 8, 20),
        ("ᬅᬓᬸᬮᬸᬂᬳᬶᬦᬶᬩᬮᬶ", 3, 10),
        ("ሰላም፡ለዓለም፡ሁሉ", 3, 3),
        ("བོད་ཡིག་གི་སྐད།", 4, 4),
        ("这里的食物非常好吃", 4, 5),
        ("", 0, 0),
    ],
)
def test_words_are_counted_where_no_spaces_are_written(line, least, most):
    assert least <= word_count(line) <= most
