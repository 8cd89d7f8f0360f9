"""Without these, cleaning could lose text that a person wanted, or do something else than the preview said."""

import time

import pytest

from deftx.core.errors import CorpusError
from deftx.data.cleaning import CLEANINGS, clean, preview


def became(name, *lines):
    return [list(result) for result in CLEANINGS[name].apply(lines)]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("lihat https://a.example/b?c=1&copy=2 di sini", ["lihat di sini"]),
        ("www.contoh.example", []),
        ("tulis ke a.b@contoh.example ya", ["tulis ke ya"]),
        ('<p class="x">halo <b>dunia</b></p><!-- rahasia -->', ["halo dunia"]),
        ("garam &amp; gula &#8211; manis", ["garam & gula – manis"]),
        ("a &#" + "9" * 5_000 + "; b", ["a &#" + "9" * 5_000 + "; b"]),
        ("[[Berkas:a.png|kota]] [[Padang]] '''tebal''' {{rujukan|x}}", ["Padang tebal"]),
        ("ดูที่https://example.com/xแล้วกลับมา", ["ดูที่ แล้วกลับมา"]),
        ("Ibu &amp;amp; ayah &amp;nbsp; pai", ["Ibu & ayah pai"]),
        ('{| class="wikitable"', []),
        ("a < b dan c > d, <3", ["a < b dan c > d, <3"]),
        ("R&D itu  dua spasi", ["R&D itu  dua spasi"]),
        ("ma''af 'kata'", ["ma''af 'kata'"]),
        ("<br/>", []),
    ],
)
def test_markup_goes_and_the_words_around_it_stay(line, left):
    assert became("markup", line) == [left]


def test_a_very_long_line_becomes_sentences_without_losing_a_letter():
    line = "Dr. Ani pergi ke pasar. " * 60 + "«Apakah ikan ada hari ini?» Tidak ada lagi di sana! " * 20
    assert len(line) > 2000
    (pieces,) = became("long", line)
    assert pieces[0] == "Dr. Ani pergi ke pasar."
    assert "«Apakah ikan ada hari ini?»" in pieces
    assert " ".join(pieces).split() == line.split()
    assert became("long", "Satu. Dua tiga empat. Lima.") == [["Satu. Dua tiga empat. Lima."]]


def test_signs_of_han_end_a_sentence_without_a_space():
    (pieces,) = became("long", "我们去市场。" * 400)
    assert pieces == ["我们去市场。"] * 400


def test_a_long_line_without_an_end_of_a_sentence_stays_whole():
    assert became("long", "kata " * 500) == [[("kata " * 500).strip()]]


def test_lines_of_another_script_go_and_numbers_stay():
    assert became("script", "satu dua tiga", "это другой", "2024", "kata это") == [
        ["satu dua tiga"],
        [],
        ["2024"],
        ["kata это"],
    ]
    assert became("script", "漢字と", "かな", "ハングル") == [["漢字と"], ["かな"], ["ハングル"]]


def test_short_lines_go_except_where_words_are_not_parted_by_spaces():
    assert became("short", "dua kata", "tiga kata ini", "我们去市场买鱼。", "ไปตลาดซื้อปลา") == [
        [], ["tiga kata ini"], ["我们去市场买鱼。"], ["ไปตลาดซื้อปลา"],
    ]  # fmt: skip


def test_of_repeated_lines_the_first_stays():
    assert became("repeated", "Satu dua", "satu  DUA", "tiga") == [["Satu dua"], [], ["tiga"]]


LINES = [
    "satu dua tiga",
    "Satu dua tiga",
    "judul",
    "это другой язык",
    "lihat www.a.example sekarang juga",
    "www.a.example",
]


def test_the_preview_tells_what_cleaning_then_does():
    chosen = list(CLEANINGS)
    left = clean(LINES, chosen)
    assert left == ["satu dua tiga", "lihat sekarang juga"]
    effects = preview(LINES, chosen)
    assert [effect.cleaning.name for effect in effects] == chosen
    assert len(LINES) - sum(effect.dropped for effect in effects) == len(left)
    assert {e.cleaning.name: (e.dropped, e.changed) for e in effects} == {
        "markup": (1, 1), "long": (0, 0), "script": (1, 0), "short": (1, 0), "repeated": (1, 0),
    }  # fmt: skip
    assert effects[0].examples == (
        ("lihat www.a.example sekarang juga", ("lihat sekarang juga",)),
        ("www.a.example", ()),
    )


def test_a_choice_not_made_shows_what_it_would_do_after_those_made():
    effects = {effect.cleaning.name: effect for effect in preview(LINES, ["short"])}
    assert not effects["repeated"].chosen
    assert (effects["repeated"].lines, effects["repeated"].dropped) == (4, 1)
    assert effects["short"].left == effects["repeated"].left == 4
    assert clean(LINES, ["short"]) == [line for line in LINES if len(line.split()) > 2]


def test_nothing_chosen_changes_nothing():
    assert clean(LINES, []) == LINES


def test_cleaning_again_changes_nothing_more():
    once = clean(LINES * 2, list(CLEANINGS))
    assert clean(once, list(CLEANINGS)) == once


def test_nothing_may_be_left_and_an_unknown_choice_is_refused():
    assert clean(["judul"], ["short"]) == []
    with pytest.raises(CorpusError, match="Did you mean 'repeated'"):
        clean(LINES, ["repeat"])


def test_closing_quotes_stay_with_their_sentence_in_scripts_without_spaces():
    (pieces,) = became("long", "他说：“我们去市场。”我走了。「好！」，他说。" * 200)
    assert pieces == ["他说：“我们去市场。”", "我走了。", "「好！」，他说。"] * 200
    (pieces,) = became("long", '他说："我们去市场。"我走了。"好。"' * 200)
    assert pieces == ['他说："我们去市场。"', "我走了。", '"好。"'] * 200


def test_beginnings_of_comments_that_never_end_take_no_time():
    line = "a <!-- b --> c " + "<!-- " * 20_000
    start = time.monotonic()
    (left,) = became("markup", line)
    assert left[0].startswith("a c <!--")
    assert time.monotonic() - start < 2
