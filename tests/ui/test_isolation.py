"""Without these, a stranger's file would be read in the server itself, or go on being read when nobody waits for it."""

import gzip
import os
from types import SimpleNamespace

import gradio as gr
import httpx
import psutil
import pytest
from gradio.context import LocalContext
from job_helpers import wait_for
from misreading import fill_memory, never_end, never_end_after, own_id
from tiny_base import write_corpus

from deftx.core.bounded import Stopped, TooCostly
from ui.corpus import corpus_tab
from ui.corpus.corpora import SAMPLE
from ui.shared import isolation
from ui.shared.isolation import is_small, is_unwanted, read_isolated


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.txt"
    path.write_text("the food is good and the day is fine\n" * 30_000, encoding="utf-8")
    return path


def written(note):
    return note.exists() and note.read_text(encoding="utf-8")


def test_only_small_plain_files_are_read_in_the_server(tmp_path, large):
    small, packed = tmp_path / "small.txt", tmp_path / "packed.csv"
    small.write_text("the food\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(b"text,label\n"))
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"PK\5\6" + b"\0" * 18)
    assert [is_small([path]) for path in (small, packed, large, archive)] == [True, False, False, True]
    assert not is_small([small] * 200_000)
    assert read_isolated([small], own_id) == os.getpid()
    assert read_isolated([large], own_id) != os.getpid()


@pytest.mark.slow
def test_a_text_has_the_same_findings_wherever_it_is_read(studio, tmp_path, monkeypatch):
    name = studio.corpora.add(write_corpus(tmp_path / "a.txt"))
    asked = [SAMPLE, name]
    tokenizer = studio.base().tokenizer

    def found(name):
        facts = studio.facts
        return (
            facts.audit(name),
            facts.unused(name),
            facts.mix(name),
            facts.effects(name, ["short"]),
            facts.nearest(name, tokenizer),
        )

    here = [found(name) for name in asked]
    for module in ("ui.shared.isolation", "ui.corpus.text_facts"):
        monkeypatch.setattr(f"{module}.is_small", lambda files: False)
    for cached in ("_reports", "_effects", "_nearest"):
        getattr(studio.facts, cached).cache_clear()
    monkeypatch.setattr("deftx.data.incoming.read_corpus", None)  # in this process
    assert [found(name) for name in asked] == here
    assert studio.corpora.clean(name, ["repeated"]) == "a-cleaned.txt"
    assert studio.facts.register(name, "xyz", "Words").code == "xyz"


def test_a_file_that_takes_too_long_is_refused_with_a_message(studio, large, monkeypatch):
    monkeypatch.setenv("DEFTX_READING_SECONDS", "1")
    monkeypatch.setattr("ui.corpus.corpora.accept_text", never_end)
    _, said = corpus_tab.store_upload([str(large)])
    assert "longer than 1 s" in said
    assert studio.corpora.names() == []
    assert list(studio.corpora.folder.iterdir()) == []


def test_a_file_that_takes_too_much_memory_is_refused_with_a_message(large, monkeypatch):
    monkeypatch.setenv("DEFTX_READING_MB", "100")
    with pytest.raises(TooCostly, match=r"more than 100\.0 MB"):
        read_isolated([large], fill_memory)


def test_an_event_is_wanted_until_its_page_is_left_or_asks_for_something_else():
    def event(alive=True, session="a", api_visibility="private", fn=None):
        return SimpleNamespace(
            alive=alive, session_hash=session, fn=fn or SimpleNamespace(api_visibility=api_visibility)
        )

    def unwanted(mine, *others):
        events = dict(enumerate([mine, *others]))
        blocks = SimpleNamespace(_queue=SimpleNamespace(event_ids_to_events=events))
        tokens = LocalContext.blocks.set(blocks), LocalContext.event_id.set(0)
        try:
            return is_unwanted()
        finally:
            LocalContext.blocks.reset(tokens[0])
            LocalContext.event_id.reset(tokens[1])

    one, of_program = event(), event(api_visibility="public")
    assert not is_unwanted()  # no event at all
    assert not unwanted(one)
    assert unwanted(event(alive=False))
    assert unwanted(one, event(fn=one.fn))
    assert not unwanted(one, event(fn=one.fn, session="b"), event())
    assert not unwanted(of_program, event(fn=of_program.fn))


def test_a_stopped_audit_leaves_the_page_as_it_is(studio, monkeypatch):
    def stopped(*_):
        raise Stopped("It was stopped.")

    monkeypatch.setattr("ui.corpus.text_facts.report", stopped)
    assert corpus_tab.show(SAMPLE) == (gr.skip(),) * 4


def test_who_leaves_ends_the_process(tmp_path, large):
    note = tmp_path / "pid"
    with gr.Blocks() as page:
        gr.Button().click(lambda: read_isolated([large], never_end_after, note), None, None, api_visibility="private")
    page.queue()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
    try:
        with httpx.Client(base_url=url, timeout=60) as client:
            asked = {"data": [], "fn_index": 0, "session_hash": "mine"}
            client.post("/gradio_api/queue/join", json=asked).raise_for_status()
            with client.stream("GET", "/gradio_api/queue/data?session_hash=mine"):
                wait_for(lambda: written(note), "the process to start", seconds=120)
                child = psutil.Process(int(written(note)))
        child.wait(60)
    finally:
        page.close()
    assert isolation.bounded._turns.acquire(timeout=60)
    isolation.bounded._turns.release()
