"""Word lists: longest match first, a share at random, case and punctuation as they were."""

import numpy as np
import pytest
import tiny

from deftx.core.errors import TableError
from deftx.data.lexicon import Lexicon, coverage, read_lexicon, translate_corpus, translate_table
from deftx.data.table_rows import Table
from deftx.data.text import Corpus

LEXICON = Lexicon("list.csv", {
    "rumah": ("umah",), "rumah sakit": ("griya sakit",), "tidak": ("nenten", "ten"), "makan-makan": ("ngajeng",),
    "jum'at": ("sukra",), "ñandú": ("churi",), "nak'": ("panak",), "iyi": ("good",), "ılık": ("warm",), "sinir": ("nerve",),
    "sınır": ("border",),
})  # fmt: skip


def translate(text, share=1.0, seed=0):
    return LEXICON.translate(text, share, np.random.default_rng(seed))


def test_the_longest_entry_is_taken_first():
    assert translate("rumah sakit itu rumah") == "griya sakit itu umah"
    assert translate("rumah  sakit") == "griya sakit"  # however wide the space is
    assert translate("rumah, sakit") == "umah, sakit"  # not across punctuation


def test_case_and_everything_between_words_stays():
    assert translate("Rumah! (RUMAH) rumah?\trumah…") == "Umah! (UMAH) umah?\tumah…"
    assert translate("“Makan-makan”, di RUMAH SAKIT.") == "“Ngajeng”, di GRIYA SAKIT."
    assert translate("perumahan rumahku") == "perumahan rumahku"  # whole words only
    assert translate("Jum'at jum’at jum‘at jumʻat jumʼat") == "Sukra sukra sukra sukra sukra"
    assert translate("N\u0303andu\u0301 ÑANDÚ") == "Churi CHURI"  # decomposed accents


def test_a_part_of_a_word_with_hyphens_does_not_match():
    assert translate("rumah-rumah rumah‐rumah rumah‑ku ke-rumah") == "rumah-rumah rumah‐rumah rumah‑ku ke-rumah"
    assert translate("makan-makan makan‑makan") == "ngajeng ngajeng"  # but the whole word does
    assert translate("makan-makan-makan") == "makan-makan-makan"
    assert translate("rumah - rumah, -rumah- rumah–rumah") == "umah - umah, -umah- umah–umah"  # these are dashes


def test_an_apostrophe_at_the_end_belongs_to_the_entry():
    assert translate("nak' Nak’. nak") == "panak Panak. nak"
    assert translate("'rumah' ‘rumah’") == "'umah' ‘umah’"  # quotation marks


def test_capital_letters_of_turkish_match():
    assert translate("İyi iyi İYİ. Ilık ılık ILIK") == "Good good GOOD. Warm warm WARM"
    assert translate("sinir sınır Sınır") == "nerve border Border"  # two words


def test_one_of_several_translations_and_a_share_of_the_places_is_chosen_at_random():
    many = translate(" ".join(["tidak"] * 2_000)).split()
    assert {"nenten", "ten"} == set(many)
    assert 900 < many.count("ten") < 1_100
    some = translate(" ".join(["rumah"] * 2_000), share=0.3).split()
    assert 500 < some.count("umah") < 700
    assert translate("rumah", share=0.0) == "rumah"


def test_rows_depend_on_the_seed_and_their_place_alone():
    rows = Table([f"tidak rumah {n}" for n in range(40)], ["a"] * 40, False, "rows", "0" * 64)
    once, again = (translate_table(rows, [LEXICON], 0.5, 7) for _ in range(2))
    assert once == again
    assert once.fingerprint != rows.fingerprint
    assert translate_table(rows, [LEXICON], 0.5, 8).texts != once.texts
    assert translate_table(rows.keep(range(5)), [LEXICON], 0.5, 7).texts == once.texts[:5]
    assert once.labels == rows.labels


def test_pairs_are_translated_in_both_texts():
    rows = Table([("rumah", "tidak ada")], ["a"], True, "rows", "0" * 64)
    assert translate_table(rows, [LEXICON], 1.0, 0).texts[0] in {("umah", "nenten ada"), ("umah", "ten ada")}


def test_a_row_takes_its_words_from_one_of_several_lists():
    other = Lexicon("other.csv", {"rumah": ("omah",), "tidak": ("ora",)})
    rows = Table(["tidak rumah"] * 200, ["a"] * 200, False, "rows", "0" * 64)
    found = set(translate_table(rows, [LEXICON, other], 1.0, 0).texts)
    assert found == {"nenten umah", "ten umah", "ora omah"}


def test_a_corpus_is_translated_line_by_line():
    corpus = Corpus(["rumah", "tidak ada rumah sakit"], (("a.txt", 2),), "0" * 64, {})
    found = translate_corpus(corpus, [LEXICON], 1.0, 0)
    assert found.lines[0] == "umah"
    assert found.lines[1].endswith(" ada griya sakit")
    assert found.fingerprint != corpus.fingerprint
    assert found.sources == corpus.sources


def test_coverage_counts_words_and_not_numbers():
    found = coverage(LEXICON, ["Rumah sakit 24 jam, tidak jauh.", ("rumah", "2024")])
    assert found == (4, 6)
    assert found.share == pytest.approx(4 / 6)
    assert coverage(LEXICON, ["12 34"]).share == 0


@pytest.mark.parametrize("header", [("word", "translation"), ("source", "target"), ("Word ", "Translation", "note")])
def test_a_list_is_read_with_one_translation_a_row(tmp_path, header):
    rows = [("Tidak.", "nenten"), ("tidak", "ten"), ("tidak", "ten"), ("", "x"), ("rumah", ""), ("!", "x"),
            ("rumah  sakit", "griya sakit"), ("nak’", "panak"), ("‘jalan’", "margi"), ("pasar (n.)", "peken"), ("(uma)", "carik"), ("air [kb] ", "yeh [kb]"),
            ("(n.) kayu (kb)", "(kb) taru (n.)"), ("(me)lihat", "(mu)lat")]  # fmt: skip
    path = tiny.write_csv(tmp_path / "list.csv", header, [(*row, "a note")[: len(header)] for row in rows])
    lexicon = read_lexicon(path)
    assert lexicon.entries == {
        "tidak": ("nenten", "ten"), "rumah sakit": ("griya sakit",), "nak'": ("panak",), "jalan": ("margi",),
        "pasar": ("peken",), "uma": ("carik",), "air": ("yeh",), "kayu": ("taru",), "me)lihat": ("(mu)lat",),
    }  # fmt: skip
    assert lexicon.longest == 2
    assert lexicon.fingerprint == read_lexicon(path).fingerprint != LEXICON.fingerprint


def test_what_is_no_word_list_is_refused(tmp_path):
    path = tiny.write_csv(tmp_path / "rows.csv", ("text", "label"), [("the day", "good")])
    with pytest.raises(TableError, match=r"rows\.csv is not a word list.*Found: text, label"):
        read_lexicon(path)
    headless = tiny.write_csv(tmp_path / "headless.csv", ("rumah", "umah"), [("tidak", "ten")])
    with pytest.raises(TableError, match=r"add the line word,translation at the top"):
        read_lexicon(headless)
    with pytest.raises(TableError, match="no usable row"):
        read_lexicon(tiny.write_csv(tmp_path / "empty.csv", ("word", "translation"), [("!", "?"), ("a", "")]))
    (tmp_path / "plain.txt").write_text("rumah umah", encoding="utf-8")
    with pytest.raises(TableError, match="without columns"):
        read_lexicon(tmp_path / "plain.txt")


@pytest.mark.data
def test_the_nusax_lists_cover_a_part_of_the_sentiment_rows():
    import os
    from pathlib import Path

    from deftx.data.tables import read_table

    data = Path(os.environ["DEFTX_DATA"])
    texts = read_table(data / "smsa" / "valid.csv").texts
    for code, entries in (("ban", 300), ("min", 300)):
        lexicon = read_lexicon(data / "lexicons" / f"ind-{code}.csv")
        assert len(lexicon.entries) > entries
        assert 0.05 < coverage(lexicon, texts).share < 0.6
