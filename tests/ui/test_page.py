"""The page as a whole: what it says of the machine it runs on."""

import pytest

from ui import strings
from ui.page import build_page


def said(page):
    """What the page says of its storage, in the order of its languages."""
    return [block.value for block in page.blocks.values() if getattr(block, "elem_id", None) == "not-lasting"]


@pytest.mark.parametrize("lasting", [True, False])
def test_data_that_will_not_last_is_said_in_every_language_and_only_where_it_is_true(studio, lasting):
    studio.lasting = lasting
    found = said(build_page(studio))
    assert len(found) == (0 if lasting else len(strings.SPOKEN))
    for text, code in zip(found, strings.SPOKEN, strict=False):
        with strings.speaking(code):
            assert strings.NOT_LASTING in text


def test_only_so_many_files_are_read_at_the_same_time(studio):
    reading = [handler for handler in build_page(studio).fns.values() if handler.concurrency_id == "reading"]
    assert {handler.concurrency_limit for handler in reading} == {2}
    assert {"audit", "train_task"} <= {handler.api_name for handler in reading}
    assert len(reading) >= 2 + 4 * len(
        strings.SPOKEN
    )  # each page's upload, its encoding and column, and the shown text


@pytest.mark.slow
def test_events_without_progress_have_their_status_at_one_component_that_is_never_shown(studio):
    page = build_page(studio)
    hidden = [handler for handler in page.fns.values() if handler.show_progress == "hidden"]
    assert len(hidden) > 100
    places = {place for handler in hidden for place in handler.show_progress_on}
    assert len(places) == len(strings.SPOKEN)
    assert all(handler.show_progress_on[0].page == handler.page for handler in hidden)
    assert not any(place.visible for place in places)
    assert {"full", "minimal"} == {
        handler.show_progress for handler in page.fns.values() if not handler.show_progress_on
    }
