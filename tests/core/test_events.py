"""Events survive their line of JSON, and durations read as a person says them."""

import pytest

from deftx.core.events import Event, event_from_json, read_duration


@pytest.mark.parametrize(
    "event",
    [
        Event("dense", 3, 10, loss=1.5, seconds_left=12.0),
        Event("sparse", 10, 10, loss=0.0, evaluation=0.0, seconds_left=0.0),
        Event("tokenise", message='a "quoted" line\nand ꦲꦏ', warning=True),
    ],
)
def test_an_event_comes_back_as_it_was(event):
    line = event.to_json()
    assert "\n" not in line
    assert event_from_json(line) == event


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "unknown"), (0, "0 s"), (8.4, "8 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7_500, "2 h 05 min")],
)
def test_a_duration_is_read_out(seconds, words):
    assert read_duration(seconds) == words
