"""Whose workspace it is: that of the caller inside of a handler, of ``acting_in`` inside of its block, and nobody's elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio_client import Client

from deftx.core.errors import DeftxError
from ui.current import acting_in, current_workspace, serve, served


def named(name):
    """What stands in for a workspace here."""
    return SimpleNamespace(owner=name)


def owner():
    return current_workspace().owner


def typed(words: str) -> str:
    return f"{words} {owner()}"


def test_inside_a_block_it_is_the_block_s_and_afterwards_the_earlier_one():
    with acting_in(named("ana")):
        with pytest.raises(AttributeError), acting_in(named("bob")):
            current_workspace().bob_has_no_such_thing  # noqa: B018
        assert owner() == "ana"
        with acting_in(named("bob")):
            assert owner() == "bob"
        assert owner() == "ana"
    with pytest.raises(LookupError, match="No workspace is current"):
        owner()


def test_a_new_thread_has_none_unless_it_runs_in_a_copy_of_the_context():
    with acting_in(named("ana")), ThreadPoolExecutor(1) as pool:
        with pytest.raises(LookupError, match="No workspace is current"):
            pool.submit(owner).result()
        assert pool.submit(copy_context().run, owner).result() == "ana"
        with pytest.raises(LookupError):  # and leaves none behind in the thread
            pool.submit(owner).result()


def test_handlers_in_threads_at_the_same_time_keep_to_their_own_workspaces():
    together = Barrier(4)

    def answer(name):
        before = owner()
        together.wait(60)
        return before, owner()

    handler = served(answer, lambda values: named(values[0]))
    names = ["ana", "bob", "vic", "root"]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(handler, names)) == [(name, name) for name in names]


def test_a_refused_call_does_not_reach_the_handler():
    def refuse(values):
        raise DeftxError("<b>Please log in again.</b>")

    called = []
    with pytest.raises(gr.Error, match="&lt;b&gt;Please log in again"):
        served(lambda: called.append(1), refuse)()
    assert called == []


def test_a_function_that_pauses_is_refused():
    def pauses():
        yield owner()

    async def waits():
        return owner()

    for function in (pauses, waits):
        with pytest.raises(TypeError, match="would be lost"):
            served(function, lambda values: named("ana"))


@pytest.fixture(scope="module")
def clients():
    """Programs at two pages of one process; each page serves one workspace."""
    pages = []
    for name in ("ana", "bob"):
        with gr.Blocks() as page:
            said, chained = gr.Textbox(), gr.Textbox()
            first = gr.Button().click(owner, None, said, api_name="owner")
            first.then(lambda before: f"{before}, then {owner()}", said, chained, api_name="chained")
            gr.api(typed, api_name="typed")
            gr.Button().click(owner, None, said, api_name="unqueued", queue=False)
        serve(page, lambda values, name=name: named(name))
        page.launch(prevent_thread_lock=True, quiet=True, run_history=False, _frontend=False)
        pages.append(page)
    yield [Client(page.local_url, verbose=False) for page in pages]
    for page in pages:
        page.close()


@pytest.mark.slow
def test_pages_of_one_process_answer_from_their_own_workspaces(clients):
    for client, name in zip(clients, ("ana", "bob"), strict=True):
        assert client.predict(api_name="/owner") == name
        assert client.predict("it was", api_name="/chained") == f"it was, then {name}"
        assert client.predict("it is", api_name="/typed") == f"it is {name}"
        assert client.predict(api_name="/unqueued") == name
    jobs = [
        (client.submit(api_name="/owner"), name)
        for _ in range(3)
        for client, name in zip(clients, ("ana", "bob"), strict=True)
    ]
    assert [job.result(timeout=60) for job, _ in jobs] == [name for _, name in jobs]
