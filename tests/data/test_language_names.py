"""Names of languages: in the language asked for, and the code itself for what is no language."""

import pytest

from deftx.data.language_names import language_name, titled


@pytest.mark.parametrize(
    ("code", "in_language", "name"),
    [
        ("ban", "en", "Balinese"),
        ("ban", "es", "balinés"),
        ("min", "id", "Minangkabau"),
        ("quy", "en", "Ayacucho Quechua"),
    ],
)
def test_a_language_is_named_in_the_language_asked_for(code, in_language, name):
    assert language_name(code, in_language) == name
    assert titled(code, in_language) == f"{name} ({code})"


@pytest.mark.parametrize("code", ["", "zzz", "own-words", "<script>", "a" * 300, "两"])
def test_what_is_no_language_is_shown_as_it_is(code):
    assert language_name(code) == code
    assert titled(code) == code
