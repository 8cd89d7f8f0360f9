"""The sentences to try first: each says that something is good, and the bundled vectors agree."""

import pytest

from deftx.classify.composition import compose
from deftx.models.bases import BUNDLED_BASE, load_base
from ui import strings
from ui.classify.examples import _sentences, example_in, meaning_of

CODES = ("ace", "ban", "bjn", "ind", "mad", "min")


@pytest.fixture(scope="module")
def base():
    return load_base(BUNDLED_BASE)


@pytest.mark.parametrize("code", CODES)
def test_an_example_is_answered_rightly(base, code):
    classifier = compose(base, task="sentiment", language=code)
    assert classifier.predict([example_in(code)]) == ["positive"]


def test_every_example_has_its_meaning_in_the_other_languages_of_the_page():
    assert tuple(_sentences()) == CODES
    for code in CODES:
        for language in strings.SPOKEN:
            assert bool(meaning_of(example_in(code), language)) is not ((code, language) == ("ind", "id"))
    assert (example_in("swa"), meaning_of("Something else.", "en")) == ("", "")
