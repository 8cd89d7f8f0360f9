"""What a stranger wrote into a name reaches the page within a message: as text, for Gradio lays messages out as HTML."""

import gradio as gr
import pytest
from tiny_base import write_corpus

from deftx.core.errors import DeftxError
from deftx.training.request import TrainingRequest
from ui.corpus.corpora import SAMPLE
from ui.shared.errors import refusals


def test_a_message_is_text_and_no_markup():
    with pytest.raises(gr.Error) as caught, refusals():
        raise DeftxError("The text '<img src=x onerror=alert(1)>' & \u202ecod.x\nis not known.")
    assert caught.value.message == "The text '&lt;img src=x onerror=alert(1)&gt;' &amp; \\u202ecod.x is not known."


def test_what_nobody_can_put_right_is_passed_on_as_it_is():
    with pytest.raises(ZeroDivisionError), refusals():
        raise ZeroDivisionError


def test_a_name_that_is_typed_becomes_one_printable_line(studio, tmp_path):
    name = f"Mi\nnang\u202ekabau\0 {'x' * 4_000}"
    job = studio.train(TrainingRequest(
        kind="language", corpus=(studio.corpora.add(write_corpus(tmp_path / "text.txt")),), name=name,
        language="m\ni\u202en",
    ))  # fmt: skip
    assert job.name.startswith("Mi nang kabau xxx")
    assert len(job.name) == 80
    assert job.settings["language"] == "m i n"
    with pytest.raises(DeftxError, match="name"):
        studio.train(TrainingRequest(kind="language", corpus=(SAMPLE,), name="\u202e\n\0"))
