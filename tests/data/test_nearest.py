"""Nearest languages: what is compared, and that relatives are found in real text."""

import gzip
import importlib
import os
from collections import Counter
from pathlib import Path

import pytest
import tiny

from deftx.core.errors import CorpusError
from deftx.data.languages import Languages, Profile, load_languages
from deftx.data.nearest import _bundled as bundled
from deftx.data.nearest import common, count_pieces, nearest, piece_profiles, save, shares, spread
from deftx.models.bases import BUNDLED_BASE, load_base


def profile(code, **counts):
    return Profile(code, code.upper(), counts, sum(counts.values()), 0.0, 1.0)


def test_a_share_in_common_is_one_for_the_same_and_nothing_for_strangers():
    one = {"a": 0.5, "b": 0.5}
    assert common(one, one) == 1
    assert common(one, {"c": 1.0}) == 0
    assert common(one, {"a": 0.25, "c": 0.75}) == 0.25


def test_the_nearest_comes_first_and_letters_are_what_is_compared():
    known = Languages((profile("xx", z=4), profile("yy", a=2, b=2), profile("zz", a=4)), 0.0, 1.0)
    found = nearest(["a b", "ab 12"], known)
    assert [near.code for near in found] == ["yy", "zz", "xx"]
    assert found[0].pieces is None
    assert found[-1].letters == 0


@pytest.mark.parametrize("lines", [[], ["12 34", "..."]])
def test_a_text_without_letters_is_refused(lines):
    with pytest.raises(CorpusError, match="no letters"):
        nearest(lines, load_languages())


def test_of_a_long_text_lines_are_taken_from_all_over():
    assert spread(range(10), 20) == list(range(10))
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]


def test_pieces_are_counted_without_the_special_ones(base):
    counted = count_pieces(["the day is good", "the the"], base.tokenizer)
    assert counted == Counter({"▁the": 3, "▁day": 1, "▁is": 1, "▁good": 1})


def test_pieces_are_known_for_one_tokenizer_alone(base, tmp_path, monkeypatch):
    import deftx.data.nearest as module

    assert piece_profiles(base.tokenizer) == {}
    save({"min": Counter({"▁the": 3, "▁day": 1})}, base.tokenizer, tmp_path / "pieces.json.gz")
    again = tmp_path / "again.json.gz"
    save({"min": Counter({"▁the": 3, "▁day": 1})}, base.tokenizer, again)
    assert again.read_bytes() == (tmp_path / "pieces.json.gz").read_bytes()
    monkeypatch.setattr(module, "PIECES", again)
    bundled.cache_clear()
    try:
        assert piece_profiles(base.tokenizer) == {"min": {"▁the": 0.75, "▁day": 0.25}}
        found = nearest(tiny.sentences(20), load_languages(), base.tokenizer)
        assert {near.code for near in found if near.pieces is not None} == {"min"}
    finally:
        bundled.cache_clear()


def test_a_damaged_file_of_pieces_is_named(tmp_path, monkeypatch, base):
    import deftx.data.nearest as module

    monkeypatch.setattr(module, "PIECES", tmp_path / "pieces.json.gz")
    (tmp_path / "pieces.json.gz").write_bytes(b"x")
    bundled.cache_clear()
    try:
        with pytest.raises(CorpusError, match=r"pieces\.json\.gz"):
            piece_profiles(base.tokenizer)
    finally:
        bundled.cache_clear()


@pytest.mark.slow
def test_what_comes_with_the_project_is_of_the_bundled_base_and_holds_no_text():
    tokenizer = load_base(BUNDLED_BASE).tokenizer
    known = piece_profiles(tokenizer)
    assert set(known) == set(load_languages().names())
    vocabulary = tokenizer.get_vocab()
    assert all(piece in vocabulary for pieces in known.values() for piece in pieces)
    assert all(0.5 < sum(pieces.values()) < 1 + 1e-9 for pieces in known.values())
    assert shares(Counter(a=1, b=3)) == {"a": 0.25, "b": 0.75}


@pytest.mark.data
def test_relatives_of_held_out_minangkabau_are_found(monkeypatch):
    """The lines were never counted; without its own profile, the three nearest are its closest relatives here."""
    data = Path(os.environ["DEFTX_DATA"])
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "scripts"))
    script = importlib.import_module("piece_profiles")
    _, held = script.split_lines(data, "min")
    with gzip.open(data / "corpora" / "min.txt.gz", "rt", encoding="utf-8") as file:
        assert set(held[:5]) <= {line.strip() for line in file}
    found = nearest(held[:100], load_languages(), load_base(BUNDLED_BASE).tokenizer)
    assert found[0].code == "min"
    assert max(found, key=lambda near: near.pieces).code == "min"
    relatives = [near.code for near in found if near.code != "min"][:3]
    assert set(relatives) <= set(script.FAMILIES["Malayic"])
