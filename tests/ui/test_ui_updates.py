"""What a handler leaves as it is costs nothing, and all else reaches the browser as Gradio itself prepares it."""

import asyncio

import gradio as gr
import pytest

from ui.shared.updates import SKIPPED, Page


def page_of(kind):
    """A page with a text, a list, a number and something that the server keeps, all of which one handler answers for."""
    with kind() as page:
        outputs = [gr.Textbox(), gr.Dropdown(["a", "b"], multiselect=True), gr.Number(), gr.State(1)]
        gr.Button().click(lambda: None, None, outputs)
    return page


def prepared(kind, *answers):
    page = page_of(kind)
    function = next(iter(page.fns.values()))
    session = gr.blocks.SessionState(page)
    return asyncio.run(page.postprocess_data(function, list(answers), session)), session[function.outputs[3]._id]


@pytest.mark.parametrize(
    "answers",
    [
        lambda: (gr.skip(), gr.skip(), gr.skip(), gr.skip()),
        lambda: ("new", gr.skip(), gr.skip(), gr.skip()),
        lambda: (gr.skip(), ["b"], gr.skip(), 2),
        lambda: (gr.skip(), gr.Dropdown(choices=["c"], value=["c"], multiselect=True), 3, gr.skip()),
        lambda: ("new", [], 0, 4),
        lambda: (gr.skip(), gr.skip(), gr.update(value=5, visible=False), gr.skip()),
    ],
)
def test_the_answers_are_those_of_gradio(answers):
    assert prepared(Page, *answers()) == prepared(gr.Blocks, *answers())


def test_no_component_is_made_anew_for_what_stays(monkeypatch):
    page, made = page_of(Page), []
    function = next(iter(page.fns.values()))
    monkeypatch.setattr(gr.Textbox, "__init__", lambda *a, **k: made.append(1))
    answers = [gr.skip(), ["a"], 1, 2]
    assert asyncio.run(page.postprocess_data(function, answers, gr.blocks.SessionState(page)))[0] == SKIPPED
    assert made == []


def test_too_few_answers_are_an_error_as_ever():
    page = page_of(Page)
    with pytest.raises(ValueError, match="enough output values"):
        asyncio.run(page.postprocess_data(next(iter(page.fns.values())), [gr.skip()], None))


def test_an_input_that_is_refused_is_said():
    with Page() as page:
        gr.Button().click(lambda file: file, gr.File(), gr.Textbox())
    function = next(iter(page.fns.values()))
    for given in ({"path": 5}, 3, [3], "a path"):
        with pytest.raises(gr.Error, match="not of the expected kind, or names a file that was not uploaded"):
            asyncio.run(page.preprocess_data(function, [given], gr.blocks.SessionState(page)))
