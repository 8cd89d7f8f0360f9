"""A message quotes what strangers wrote: it must stay readable, in one line, and say what it says."""

import pytest

from deftx.core.errors import LONGEST_MESSAGE, CorpusError, DeftxError, printable


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("a\nb\tc\r\nd", "a b c  d"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("\u2066left\u2069", r"\u2066left\u2069"),
        ("\x1b[31mred\x07", r"\u001b[31mred\u0007"),
        ("cut\ud83din half", r"cut\ud83din half"),
        ("\ufeffmark\0", r"\ufeffmark\u0000"),
        ("می‌خواهم ක්‍ර", "می‌خواهم ක්‍ර"),
        ("ꦱꦒꦸꦁ नमस्ते 𐤀", "ꦱꦒꦸꦁ नमस्ते 𐤀"),
    ],
)
def test_what_would_hide_or_turn_round_is_shown_and_spelling_is_kept(quoted, shown):
    assert printable(quoted) == shown
    assert str(CorpusError(f"{quoted}, line 1: no.")) == f"{shown}, line 1: no."
    shown.encode()


def test_a_name_of_four_thousand_characters_does_not_drown_the_rest():
    message = str(DeftxError(f"The file {'x' * 4_000} does not exist."))
    assert message.startswith("The file xxx")
    assert message.endswith("xxx does not exist.")
    assert len(message) <= LONGEST_MESSAGE
