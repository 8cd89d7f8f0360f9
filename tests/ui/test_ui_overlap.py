"""Overlap on the page: what is compared, what is drawn and said of it, and that nothing is worked out twice."""

import json
import os
from html import escape

import gradio as gr
import pytest
from gradio_client import Client
from tiny_vectors import make_vector

from deftx.core.errors import VectorError
from deftx.core.files import write_json
from deftx.jobs.job import RESULT
from deftx.vectors.overlaps import compare
from deftx.vectors.shared_weights import Shared
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.overlap import overlap_figures, overlap_tab, overlap_views, overlaps
from ui.page import build_page

PARTS = ("vectors", "refused", "heatmap", "all_words", "tasks", "task_words", "first", "second",
         "layers", "kinds", "pair_words", "seen")  # fmt: skip


def put(studio, name, vector):
    """Let a training have made this vector; return its key."""
    job = studio.store.add(vector.kind, name, {})
    vector.save(job.out)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Finished."})
    return f"job:{job.id}"


@pytest.fixture
def trained(studio):
    """Keys of two language vectors, the second going wholly against the first, and a task vector."""
    against = make_vector(0)
    for name in against.positions:
        against.positions[name], against.values[name] = against.positions[name][::2], -against.values[name][::2]
    vectors = {"Minang": make_vector(0), "Bugis": against, "Mood": make_vector(1, kind="task", labels=["a", "b"])}
    return [put(studio, name, vector) for name, vector in vectors.items()]


def look(keys, measure="overlap", first=None, second=None, seen=None):
    return dict(zip(PARTS, overlap_tab.look(keys, measure, first, second, seen or {}), strict=True))


def folder_of(studio, key):
    return studio.store.get(key.removeprefix("job:")).out


def test_every_pair_is_drawn_and_said_with_chance_beside_it(studio, trained):
    shown = look(trained)
    heatmap = json.loads(shown["heatmap"])["data"][0]
    vectors = [SparseVector.load(folder_of(studio, key)) for key in trained]
    assert heatmap["x"] == heatmap["y"] == ["Minang", "Bugis", "Mood"]
    expected = compare(vectors[0], vectors[1]).total
    assert heatmap["z"][0][1] == heatmap["z"][1][0] == pytest.approx(100 * expected.overlap)
    assert heatmap["z"][0][0] is None
    assert heatmap["text"][0][1] == f"{100 * expected.overlap:.1f}"
    bars = json.loads(shown["tasks"])["data"]
    assert bars[0]["y"] == ["Minang", "Bugis"]
    assert bars[1]["x"] == pytest.approx([100 * compare(v, vectors[2]).total.chance for v in vectors[:2]])
    assert escape(strings.OVERLAP_READINGS[expected.reading()]) in shown["all_words"]
    assert f"{100 * expected.overlap:.1f}\u00a0%" in shown["all_words"]
    assert shown["refused"] == ""


def test_the_cells_show_the_measure_that_is_chosen(studio, trained):
    vectors = [SparseVector.load(folder_of(studio, key)) for key in trained[:2]]
    signs = json.loads(look(trained, "signs")["heatmap"])["data"][0]
    expected = compare(*vectors).total
    assert expected.signs == 0.0  # one was made to go the other way
    assert signs["z"][0][1] == 0.0
    assert (signs["zmin"] + signs["zmax"]) / 2 == 50
    times = json.loads(look(trained, "times")["heatmap"])["data"][0]
    assert times["z"][0][1] == pytest.approx(expected.overlap / expected.chance)
    assert set(strings.OVERLAP_MEASURES) == set(overlap_figures.MEASURES)


def test_a_pair_is_shown_by_layer_and_by_kind_with_a_table(studio, trained):
    shown = look(trained)
    assert (shown["first"].value, shown["second"].value) == (trained[0], trained[2])  # a language and the task
    chosen = look(trained, first=trained[1], second=trained[0])
    assert "Bugis and Minang share" in chosen["pair_words"]
    assert json.loads(chosen["layers"])["data"][0]["y"] == ["Embeddings", "Layer 0", "Layer 1"]
    assert json.loads(chosen["kinds"])["data"][0]["y"] == ["Embeddings", "Query", "Output", "Biases"]
    assert chosen["pair_words"].count("<table") == 2
    same = look(trained, first=trained[0], second=trained[0])
    assert strings.CHOOSE_TWO_DIFFERENT in same["pair_words"]
    assert same["layers"] == ""


def test_only_what_changed_is_sent_again(studio, trained):
    first = look(trained)
    again = look(trained, seen=first["seen"])
    assert [name for name in PARTS[:-1] if again[name] != gr.skip()] == []
    fewer = look(trained[:2], seen=first["seen"])
    assert fewer["vectors"] == gr.skip()  # a late answer undoes no later choice
    other = look(trained, "signs", seen=first["seen"])
    assert [name for name in PARTS[:-1] if other[name] != gr.skip()] == ["heatmap", "all_words"]


def test_what_cannot_be_compared_is_said(studio, trained):
    assert strings.CHOOSE_TWO_VECTORS in look(trained[:1])["refused"]
    assert strings.CHOOSE_TWO_VECTORS in look(None)["refused"]
    assert strings.NEEDS_BOTH_KINDS in look(trained[:2])["task_words"]
    stranger = put(studio, "Stranger", make_vector(base={"name": "other-base", "fingerprint": "cd" * 32}))
    shown = look([*trained, stranger])
    assert strings.NOT_COMPARED in shown["refused"]
    assert "other-base" in shown["refused"]
    assert shown["heatmap"] == shown["layers"] == ""


def test_a_discarded_training_leaves_the_choice(studio, trained):
    studio.store.discard(trained[1].removeprefix("job:"))
    shown = look(trained)
    assert shown["vectors"].value == [trained[0], trained[2]]
    assert json.loads(shown["heatmap"])["data"][0]["x"] == ["Minang", "Mood"]


def test_pairs_are_worked_out_once_and_anew_when_a_vector_is_replaced(studio, trained, monkeypatch):
    loaded = []
    monkeypatch.setattr(
        overlaps.SparseVector, "load", lambda folder, load=SparseVector.load: (loaded.append(folder), load(folder))[1]
    )
    for _ in range(2):
        look(trained)
        look(trained[:2])
    assert len(loaded) == 3
    os.utime(folder_of(studio, trained[0]) / "vector.json")
    look(trained)
    assert len(loaded) == 6
    look(trained[1:])
    assert len(loaded) == 6


def test_the_page_starts_with_the_bundled_vectors(studio):
    usual = overlap_tab.usual()
    assert usual[-1] == "bundled:sentiment"
    assert "bundled:min" in usual
    shown = look(usual)
    assert len(json.loads(shown["heatmap"])["data"][0]["x"]) == len(usual)
    assert strings.OVERLAP_READINGS["above"] in shown["task_words"]


@pytest.mark.parametrize("key", ["../../etc", "job:none", "bundled:", "/tmp", ""])
def test_vectors_are_found_by_known_keys_only(studio, key):
    with pytest.raises(VectorError, match="not known"):
        studio.overlaps.compare(["bundled:min", key])


def test_there_are_no_more_than_can_be_read(studio, monkeypatch):
    monkeypatch.setattr(overlaps, "MOST", 2)
    with pytest.raises(VectorError, match="at most 2 vectors"):
        studio.overlaps.compare(["bundled:min", "bundled:ban", "bundled:ace"])


def test_names_that_people_gave_are_no_markup_and_no_two_alike(studio):
    keys = [put(studio, "<b>Mood of a very long name", make_vector(draw)) for draw in range(2)]
    shown = look(keys)
    assert json.loads(shown["heatmap"])["data"][0]["x"] == ["&lt;b&gt;Mood of a very… 1", "&lt;b&gt;Mood of a very… 2"]
    assert "<b>Mood" not in shown["all_words"] + shown["pair_words"]


def test_words_for_every_reading_and_every_kind():
    assert set(strings.OVERLAP_READINGS) == {"below", "chance", "above", "far above"}
    nothing = overlap_views.reading([Shared(0, 0, 10, 10, 1_000, 0.1)], "languages")
    assert strings.SIGNS_NONE in nothing
    assert overlap_views.named_layers({"other": Shared(0, 0, 1, 1, 9, 0.1)}).keys() == {"Other"}


@pytest.mark.slow
def test_a_program_asks_for_overlaps_by_key(studio, trained):
    page = build_page(studio)
    page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
    try:
        client = Client(page.local_url, verbose=False)
        found = client.predict([trained[0], trained[2]], api_name="/overlap")
        assert found["vectors"] == [trained[0], trained[2]]
        assert found["overlap"][0][1] == found["pairs"][0]["total"]["overlap"]
        for wrong, reason in (([trained[0]], "two or more"), (["../x", trained[0]], "not known")):
            with pytest.raises(Exception, match=reason):
                client.predict(wrong, api_name="/overlap")
    finally:
        page.close()
