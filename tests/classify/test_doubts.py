"""Doubts about answers, on real sentences: each kind is stated where it should be, and seldom where it should not."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import deftx
from deftx.classify.composition import compose
from deftx.classify.doubts import SENTENCES, Limits, doubts
from deftx.core.errors import DeftxError
from deftx.data.tables import read_table

MINANGKABAU = "Pelayanannyo elok jo ramah, ambo suko bana makan di siko"
ENGLISH = "The food was terrible and I hated it"
CERTAIN = [0.0, 0.05, 0.95]


@pytest.fixture(scope="module")
def classifier():
    return compose(deftx.load_base(deftx.BUNDLED_BASE), task="sentiment", language="min")


def stated(classifier, text, row=CERTAIN, **given):
    return {reason.kind: str(reason) for reason in doubts(classifier, [text], [row], **given)[0]}


def test_nothing_is_said_about_a_good_sentence(classifier):
    assert classifier.languages == ("min",)
    assert stated(classifier, MINANGKABAU) == {}


@pytest.mark.parametrize(
    ("text", "found"), [(ENGLISH, "English"), ("La comida era muy mala y no volveremos nunca a este lugar", "Spanish")]
)
def test_another_language_is_named(classifier, text, found):
    assert stated(classifier, text) == {"language": f"This looks like {found}, not Minangkabau."}


def test_a_close_relative_is_not_named_on_little_evidence(classifier):
    for text in ("Makanan di sini enak", "Hotelnya bagus sekali"):  # Indonesian
        assert "language" not in stated(classifier, text)


def test_a_language_without_a_profile_is_never_contradicted(classifier):
    for languages in (("swa",), ("min", "swa"), ()):
        assert stated(replace(classifier, languages=languages), ENGLISH) == {}
    assert stated(replace(classifier, languages=("min", "eng")), ENGLISH) == {}
    both = stated(replace(classifier, languages=("min", "ban")), ENGLISH)
    assert both == {"language": "This looks like English, not Minangkabau / Balinese."}
    (reason,) = doubts(replace(classifier, languages=("min", "ban")), [ENGLISH], [CERTAIN])[0]
    assert (reason.values["found_code"], reason.values["expected_codes"]) == ("eng", ("min", "ban"))


def test_what_the_base_spells_in_bytes_is_counted(classifier):
    # Balinese letters are bytes for the bundled base; it has single Chinese characters as pieces.
    assert stated(classifier, "ᬳᬓ᭄ᬱᬭᬩᬮᬶ bagus")["unread"] == "The model cannot read 62% of this text."
    assert "unread" not in stated(classifier, "这里的食物很好")
    assert "unread" in stated(classifier, "😀😀👍👍 ❤️❤️ 🎉")
    assert "unread" not in stated(classifier, MINANGKABAU)


def test_another_script_is_named_also_of_a_language_without_a_profile(classifier):
    assert stated(classifier, "这家餐馆的菜很好吃，我们还会再来") == {"script": "The script is Han, not Latin."}
    assert stated(classifier, "Еда была ужасной и официант тоже")["script"] == "The script is Cyrillic, not Latin."
    assert "script" not in stated(classifier, f"{MINANGKABAU} 好吃")
    assert "script" not in stated(replace(classifier, languages=("swa",)), "Еда была ужасной и официант тоже")


def test_few_words_are_too_short_whatever_they_are(classifier):
    assert stated(classifier, "enak") == {"short": "Too short to tell: 1 of at least 3 words."}
    assert stated(classifier, "the food") == {"short": "Too short to tell: 2 of at least 3 words."}
    assert "short" in stated(classifier, "")
    assert "short" not in stated(classifier, ("ambo suko", "bana makan"))  # the words of a pair together


def test_a_narrow_margin_is_not_sure(classifier):
    classifier = replace(classifier, calibration=None)
    said = stated(classifier, MINANGKABAU, [0.48, 0.1, 0.42])
    assert said == {"margin": "Not sure: negative 48%, positive 42%."}
    assert stated(classifier, MINANGKABAU, [0.65, 0.3, 0.05]) == {}
    assert "margin" in stated(classifier, MINANGKABAU, [0.65, 0.3, 0.05], limits=Limits(margin=0.5))


def test_with_a_calibration_the_wanted_accuracy_decides_what_is_not_sure(classifier):
    for wanted in (0.8, 0.85, 0.9):
        least = classifier.calibration.sure_from(wanted)
        for margin in (least - 0.01, least + 0.01):
            shares = [(1 + margin) / 2, (1 - margin) / 2, 0.0]
            assert ("margin" in stated(classifier, MINANGKABAU, shares, limits=Limits(wanted=wanted))) is (
                margin < least
            )


def test_answers_and_texts_must_be_as_many(classifier):
    with pytest.raises(DeftxError, match="2 texts, but probabilities of 1"):
        doubts(classifier, [ENGLISH, ENGLISH], [CERTAIN])


def test_every_kind_has_a_sentence_and_its_values(classifier):
    texts, rows = [ENGLISH, "ᬳᬓ᭄ᬱᬭᬩᬮᬶ bagus", "enak"], [[0.4, 0.35, 0.25], CERTAIN, CERTAIN]
    found = [reason for reasons in doubts(classifier, texts, rows) for reason in reasons]
    assert {reason.kind for reason in found} == SENTENCES.keys()
    assert all("{" not in str(reason) for reason in found)


@pytest.mark.data
@pytest.mark.parametrize("code", ["ace", "ban", "bjn", "ind", "mad", "min"])
def test_sentences_in_the_right_language_are_seldom_doubted(classifier, code):
    """benchmarks/doubts.py prints the figures; Balinese of this source is spelled otherwise than its profile's."""
    data = Path(os.environ["DEFTX_DATA"]) / "nusax"
    right, english = (read_table(data / name / "test.csv").texts for name in (code, "eng"))
    own = replace(classifier, languages=(code,))
    for texts, low, high in ((right, 0.0, 0.02), (english[:200], 0.9, 1.0)):
        said = [{reason.kind for reason in reasons} for reasons in doubts(own, texts, [CERTAIN] * len(texts))]
        assert low <= np.mean(["language" in kinds for kinds in said]) <= high
        assert np.mean(["unread" in kinds or "short" in kinds for kinds in said]) <= 0.02
