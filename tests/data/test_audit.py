"""Without these, a person would train for hours on text that the model cannot read, or that is not what they think."""

import json

import pytest
from tiny_tokenizer import tiny_tokenizer

from deftx.data.audit import audit, unused
from deftx.data.text import Corpus, fingerprint, read_corpus
from deftx.data.writing_systems import main_writing, script_shares


def corpus(lines, **skipped):
    return Corpus(lines, (("a.txt", len(lines)),), fingerprint(lines), {"empty": 0, "without letters": 0, **skipped})


def sentences(count):
    return [f"ini kalimat nomor {number} yang panjang" for number in range(count)]


def warnings(lines, tokenizer=None, **skipped):
    return " | ".join(audit(corpus(lines, **skipped), tokenizer).warnings)


def test_amounts_are_counted():
    found = audit(corpus(["satu dua", "SATU  dua", "tiga", "a" * 3000]))
    assert (found.lines, found.words, found.characters) == (4, 6, 3021)
    assert (found.duplicates, found.short_lines, found.long_lines) == (1, 4, 1)
    assert found.tokens is found.tokens_per_word is found.unknown_rate is None


def test_a_good_corpus_has_no_warning():
    lines = sentences(1000)
    assert warnings(lines) == ""
    assert warnings(lines, tiny_tokenizer(" ".join(lines))) == ""


def test_tokens_and_unknown_ones_are_counted_without_special_tokens():
    found = audit(corpus(["satu dua tiga", "dua empat", "empat lima"]), tiny_tokenizer("satu dua tiga"))
    assert (found.tokens, found.tokens_per_word) == (7, 1.0)
    assert found.unknown_rate == pytest.approx(3 / 7)
    assert found.unknown_examples == ["empat", "lima"]


def test_unknown_words_are_warned_of_above_two_percent_only():
    lines = sentences(1000)
    words = set(" ".join(lines).split())
    rare, common = words - {f"{n}" for n in range(100)}, words - {f"{n}" for n in range(130)}
    assert "unknown" not in warnings(lines, tiny_tokenizer(" ".join(rare)))  # 100 of 6,000 tokens
    assert "2.2% of the tokens are unknown" in warnings(lines, tiny_tokenizer(" ".join(common)))


def test_no_line_of_the_corpus_is_in_the_result():
    secret = "rahasia besar dari kampung kami semua"
    lines = [secret, "x" * 50, "tanpaspasi" * 5]
    result = json.dumps(audit(corpus(lines), tiny_tokenizer("a")).to_dict())
    assert not any(line in result for line in lines)
    assert all(len(word) <= 20 for word in json.loads(result)["unknown_examples"])


def test_long_unknown_words_are_shown_by_their_characters():
    found = audit(corpus(["ᨅ" * 30]), tiny_tokenizer("a"))
    assert found.unknown_examples == ["ᨅ"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (sentences(999), "small corpus: 999 lines"),
        (sentences(1000) + sentences(300), "23% of the lines repeat"),
        (sentences(1000) + ["это другой язык и другое письмо"] * 300, "Latin 7"),
        ([f"kata {number}" for number in range(1000)], "word list"),
        ([f"{number} " + "kata " * 500 for number in range(1000)], "longer than 2,000 characters"),
    ],
)
def test_what_should_be_looked_at_is_said(lines, said):
    assert said in warnings(lines)


def test_few_long_lines_are_no_small_text():
    assert not audit(corpus(["kata " * 4_000] * 6)).small
    assert "small corpus" not in warnings(["kata " * 4_000] * 6)
    assert audit(corpus(["kata " * 3_000] * 6)).small


def test_many_lines_without_letters_are_said():
    assert "200 lines have no letter" in warnings(sentences(1000), **{"without letters": 200})
    assert "no letter" not in warnings(sentences(1000), **{"without letters": 50})


def test_scripts_are_shares_of_the_letters():
    assert script_shares(["abcé नम 123 ... ʼ"]) == {"Latin": pytest.approx(4 / 6), "Devanagari": pytest.approx(2 / 6)}
    assert script_shares(["漢字かなカナ", "ｱＡ"]) == {
        "Katakana": 3 / 8, "Han": 2 / 8, "Hiragana": 2 / 8, "Latin": 1 / 8,
    }  # fmt: skip
    assert script_shares(["123 ..."]) == {}


def test_japanese_is_not_taken_for_a_mixture():
    assert "mixes" not in warnings([f"{number} これは 日本語の カタカナ 文です" for number in range(1000)])


def test_lines_that_no_training_sees_are_shown_with_their_place_and_stay_out_of_the_audit(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("satu dua\n---\n\n***\n!!!\n???\ntiga\n", encoding="utf-8")
    without, empty = unused(path)
    assert (without.reason, without.lines) == ("without letters", 4)
    assert without.first == (("a.txt", 2, "---"), ("a.txt", 4, "***"), ("a.txt", 5, "!!!"))
    assert (empty.reason, empty.lines, empty.first) == ("empty", 1, (("a.txt", 3, ""),))
    assert "***" not in json.dumps(audit(read_corpus(path)).to_dict())


def test_rows_of_a_table_are_named_by_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,id\nsatu,1\n...,2\n", encoding="utf-8")
    assert unused(path)[0].first == (("a.csv", 3, "..."),)


def test_lengths_are_counts_that_sum_to_the_lines():
    found = audit(corpus(["satu", "satu dua", "kata " * 7]))
    assert [(one.title, one.lines) for one in found.lengths if one.lines] == [("1", 1), ("2", 1), ("7", 1)]
    assert json.loads(json.dumps(found.to_dict()))["lengths"][0] == {"low": 1, "high": 1, "lines": 1}


def test_the_writing_of_a_text_counts_companions_as_one():
    assert main_writing(["漢字ひらがなカタカナ abcd"]) == "Han and its companions"
    assert main_writing(["123"]) is None
