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
