"""Without these, a text in the wrong language would pass for the right one, or a person's lines end up in a profile."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from deftx.core.errors import CorpusError
from deftx.data import languages
from deftx.data.languages import (
    BUNDLED,
    UNKNOWN,
    Languages,
    clear_language,
    learn_profile,
    load_languages,
    ngrams,
    register,
    save,
)
from deftx.data.tables import read_table
from deftx.data.text import read_corpus

SYLLABLES = {"aa": "ka na ta pi lo su mi", "bb": "brez ghol vark dren stil", "cc": "nga wu oi ee ya xo"}


def made_up(code, lines, seed=0):
    """Lines of random words of one made-up language."""
    draw = np.random.default_rng(seed)
    syllables = SYLLABLES[code].split()
    return [" ".join("".join(draw.choice(syllables, 3)) for _ in range(12)) for _ in range(lines)]


def profile(code):
    return learn_profile(code, code.upper(), made_up(code, 300), made_up(code, 60, seed=1))


@pytest.fixture(scope="module")
def known():
    return Languages((profile("aa"), profile("bb")), threshold=-4.0, noise=10.0)


def test_ngrams_are_of_letters_alone():
    assert ngrams("A1 b!") == [" ", "a", " ", "b", " ", " a", "a ", " b", "b ", " a ", "a b", " b ", " a b", "a b "]
    assert ngrams("2024 – !") == ngrams("' '") == []


@pytest.mark.parametrize("code", ["aa", "bb"])
def test_lines_of_a_known_language_are_named(known, code):
    found = Counter(map(known.identify, made_up(code, 40, seed=2)))
    assert found[code] >= 38


def test_lines_of_another_language_and_lines_without_letters_are_unknown(known):
    assert {known.identify(line) for line in made_up("cc", 40)} == {UNKNOWN}
    assert known.identify("123 456") == UNKNOWN


def test_a_language_left_out_is_unknown(known):
    assert {known.without("aa").identify(line) for line in made_up("aa", 40, seed=2)} == {UNKNOWN}


@pytest.mark.parametrize(
    ("mix", "code"),
    [
        ({"min": 0.5, UNKNOWN: 0.4, "ind": 0.1}, "min"),
        ({"min": 0.5, "ind": 0.4}, ""),
        ({UNKNOWN: 0.7, "min": 0.3}, ""),
        ({}, ""),
    ],
)
def test_a_language_is_clear_if_it_prevails_and_enough_is_known(mix, code):
    assert clear_language(mix) == code


@pytest.mark.data
@pytest.mark.parametrize("code", ["ace", "ban", "bjn", "eng", "ind", "jav", "mad", "min", "sun"])
def test_the_language_of_a_labelled_file_is_clear(code):
    texts = read_table(Path(os.environ["DEFTX_DATA"]) / "nusax" / code / "test.csv").texts[:100]
    assert clear_language(load_languages().mix(texts)) == code


def test_a_mix_is_the_share_of_lines_also_in_a_long_text(known):
    lines = [*made_up("aa", 30), *made_up("bb", 10)]
    assert known.mix(lines) == {"aa": 0.75, "bb": 0.25}
    assert known.mix(lines * 100) == pytest.approx({"aa": 0.75, "bb": 0.25}, abs=0.02)


def test_a_registered_text_is_known_from_then_on_and_not_stored(tmp_path):
    lines = made_up("cc", 400)
    register(tmp_path / "languages", "ccc", "Made up", lines)
    found = load_languages(tmp_path / "languages")
    assert found.names()["ccc"] == "Made up"
    assert found.mix(made_up("cc", 60, seed=5)).get("ccc", 0) > 0.9
    stored = (tmp_path / "languages" / "ccc.json").read_text(encoding="utf-8")
    assert max(map(len, json.loads(stored)["counts"])) <= 4
    assert not any(word in stored for line in lines for word in line.split())


@pytest.mark.parametrize("code", ["", "../a", "Indonesian", "a", "unknown", "in d"])
def test_what_is_no_code_is_refused(tmp_path, code):
    with pytest.raises(CorpusError, match="not a language code"):
        register(tmp_path / "languages", code, "", made_up("aa", 300))
    assert not (tmp_path / "languages").exists()


def test_too_small_a_text_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="too few"):
        register(tmp_path, "aaa", "", made_up("aa", 20))
    with pytest.raises(CorpusError, match="too few letters"):
        register(tmp_path, "aaa", "", ["1 2"] * 300)


def test_a_damaged_profile_is_named(tmp_path):
    (tmp_path / "xyz.json").write_text('{"code": "xyz"}')
    with pytest.raises(CorpusError, match=r"xyz\.json is damaged"):
        load_languages(tmp_path)


def test_what_is_saved_is_read_back_alike(known, tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "BUNDLED", tmp_path / "x.json.gz")
    save(known, languages.BUNDLED)
    languages._bundled.cache_clear()
    try:
        again = load_languages()
        assert (again.profiles, again.threshold, again.noise) == (known.profiles, known.threshold, known.noise)
    finally:
        languages._bundled.cache_clear()


def test_the_profiles_that_come_along_are_small_and_hold_no_words_of_a_text():
    assert BUNDLED.stat().st_size < 1_000_000
    found = load_languages()
    assert {"ind", "min", "eng", "spa"} <= set(found.names())
    assert all(len(ngram) <= 4 for one in found.profiles for ngram in one.counts)


def test_the_sample_is_indonesian():
    from ui.corpus.corpora import SAMPLE_FILE

    mix = load_languages().mix(read_corpus(SAMPLE_FILE).lines)
    assert next(iter(mix)) == "ind"


def test_the_lead_over_a_language_needs_more_evidence_where_there_is_less_text():
    languages = load_languages()
    text = "The food was terrible and I hated it"
    code, lead = languages.lead(text, ["min"])
    assert code == "eng"
    assert 0.2 < lead < languages.lead(f"{text}, and the rooms were dirty and cold", ["min"])[1]
    assert languages.lead(text, ["min", "eng"])[1] < 0
    assert languages.lead("这里", ["min"]) == languages.lead("123", ["min"]) == (UNKNOWN, 0.0)


@pytest.mark.data
@pytest.mark.parametrize(("code", "least"), [("ace", 0.85), ("eng", 0.9), ("ind", 0.75), ("mad", 0.85), ("sun", 0.8)])
def test_sentences_of_another_source_are_named(code, least):
    path = Path(os.environ["DEFTX_DATA"]) / "nusax" / code / "test.csv"
    with open(path, encoding="utf-8", newline="") as file:
        mix = load_languages().mix([row["text"] for row in csv.DictReader(file)])
    assert mix[code] > least
