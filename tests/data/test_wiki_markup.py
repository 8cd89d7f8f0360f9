"""Wiki markup is noticed, and removed without the words that readers of the page see."""

import pytest

from deftx.data.audit import audit
from deftx.data.cleaning import clean
from deftx.data.text import Corpus
from deftx.data.wiki_markup import has_blocks, wiki_lines, without_wiki_markup

SENTENCES = [f"Padang adolah kota nan rancak di tapi lauik nomor {number}" for number in range(1_000)]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("{{Infobox kota|nama={{lang|min|Padang}}|luas=695}}Padang adolah kota.", "Padang adolah kota."),
        ("a {{b {{c {{d}} }} }} e", "a e"),
        ('{| class="wikitable" style="width:50%"', ""),
        ("| 12 || 13 || 14", ""),
        ("| nama = Padang", ""),
        ("|-", ""),
        ("! Nama !! Luas", ""),
        ("{{Infobox kota", ""),
        ("}}", ""),
        ("[[Berkas:X.jpg|jmpl]] Kota gadang", "Kota gadang"),
        ("[[ไฟล์:X.png|thumb|ข้อความ [[ลิงก์|อื่น]]]] เมือง", "เมือง"),
        ("[[Category:Kota di Sumatera]]", ""),
        ("[[Thể loại:Thành phố|X]] [[Kategori:Kota]]", ""),
        ("[[en:Padang]]", ""),
        ("__NOTOC__", ""),
        ("#REDIRECT [[Padang]]", ""),
        ("''Rendang'' adolah '''masakan''' ''rumah''nyo", "Rendang adolah masakan rumahnyo"),
        ("== Sijarah ==", "Sijarah"),
        ("* satu dua", "satu dua"),
        ("[https://example.com Caliak siko] untuak lanjuik", "Caliak siko untuak lanjuik"),
        ("teks<ref name=x>Buku 1</ref> lanjut<ref name=y/>.", "teks lanjut ."),
        ("[[Padang (kota)|]] jo [[Bukittinggi|kota]] jo [[Solok]]", "Padang jo kota jo Solok"),
    ],
)
def test_markup_goes_and_what_readers_see_stays(line, left):
    assert " ".join(without_wiki_markup(line).split()) == left


@pytest.mark.parametrize(
    "line",
    [
        "ma''af 'kata'",
        "!Kung !Xóõ",
        "a < b dan c > d, <3",
        "harga = 3",
        "[1] dan {2}",
        "harga | murah",
        "__kata__ penting",
        "Ezra 4:2",
    ],
)
def test_text_that_is_none_stays(line):
    assert without_wiki_markup(line) == line


def test_clicks_are_not_taken_for_tables_of_a_text_that_has_none():
    lines = ["|Xam ka !ei ǂenn", "!Kung || !Xóõ | kota", "||Ani jo |Gui nan rancak"]
    assert clean([*SENTENCES, *lines], ["markup"]) == [*SENTENCES, *lines]
    for edge in ('{| class="wikitable"', "{{Infobox kota"):
        assert clean([*SENTENCES, edge, *lines], ["markup"]) == SENTENCES


@pytest.mark.parametrize(
    "line", ["{{a" * 50_000, "[[a|" * 50_000, "{|" * 50_000, " ''a" * 50_000, "<ref>" * 20_000, "=" * 9_999]
)
def test_a_hostile_line_ends(line):
    assert isinstance(without_wiki_markup(line), str)
    assert wiki_lines([line]) in (0, 1)
    assert has_blocks([line]) in (False, True)


def test_the_audit_says_so_and_the_cleaning_it_names_helps():
    marked = ["[[Padang]] adolah {{kota}} nan rancak", "'''Solok''' jo [[Bukittinggi|kota]] nan lain"] * 20
    said = audit(corpus([*SENTENCES, *marked])).warnings
    assert [warning for warning in said if "40 lines have wiki markup" in warning]
    assert not audit(corpus(clean([*SENTENCES, *marked], ["markup"]))).warnings
    assert not audit(corpus([*SENTENCES, *marked[:10]])).warnings


def corpus(lines):
    return Corpus(lines, (("a.txt", len(lines)),), "", {})
