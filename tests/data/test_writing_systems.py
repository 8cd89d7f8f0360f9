"""Without these, a script could be called by the first word of its letters' names, and Thai be taken for a word list."""

import pytest

from deftx.data.writing_systems import piece_spans, script_shares, word_count


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


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("the food,  is very\tgood", ["the", "food,", "is", "very", "good"]),
        ("อาหารที่นี่ อร่อย", ["อ", "า", "ห", "า", "ร", "ที่", "นี่", "อ", "ร่", "อ", "ย"]),
        ("我们去市场。买ABC鱼", ["我", "们", "去", "市", "场。", "买", "ABC", "鱼"]),
        ("བོད་ཡིག་གི་སྐད།", ["བོད་", "ཡིག་", "གི་", "སྐད།"]),
        ("ሰላም፡ለዓለም ሁሉ", ["ሰላም፡", "ለዓለም", "ሁሉ"]),
        ("ᬅᬓᬸᬮᬸᬂ", ["ᬅ", "ᬓᬸ", "ᬮᬸᬂ"]),
        ("great👍👍 中", ["great👍👍", "中"]),
    ],
)
def test_pieces_are_words_or_whole_letters_and_lose_nothing(line, pieces):
    assert [line[start:end] for start, end in piece_spans(line)] == pieces
    assert "".join(pieces) == "".join(line.split())
