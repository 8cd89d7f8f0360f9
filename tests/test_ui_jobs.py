"""Trainings on the page: the queue, the trash, disk space, and what is shown while a training runs."""

import gradio as gr
import pytest
from tiny_base import make_base

from deftx.jobs import Store, Turn
from ui import watch, watch_views
from ui.studio import Studio


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def studio(base, tmp_path):
    return Studio(str(base), Store(tmp_path / "home"))


@pytest.fixture
def buttons(studio):
    """What the page offers for a job: the ids of the buttons that are shown."""
    with gr.Blocks():
        components = watch.build(gr.HTML(), gr.Dropdown(), gr.Dropdown()).outputs()
    places = {place: c.elem_id for place, c in enumerate(components) if isinstance(c, gr.Button)}

    def offered(job):
        answers = watch.look(studio, job.id, "")
        return {name for place, name in places.items() if answers[place].visible}

    return offered


def names(jobs):
    return [job.name for job in jobs]


# The queue


def test_waiting_trainings_are_moved_by_buttons_that_appear_where_they_can_act(studio, buttons):
    a, b, c = (studio.store.add("language", name, {}) for name in "abc")
    assert buttons(a) & {"first", "earlier", "later"} == {"later"}
    assert buttons(b) & {"first", "earlier", "later"} == {"earlier", "later"}
    assert buttons(c) & {"first", "earlier", "later"} == {"first", "earlier"}
    watch.act(studio, "first", c.id)
    assert names(studio.store.queue()) == ["c", "a", "b"]
    watch.act(studio, "later", a.id)
    assert names(studio.store.queue()) == ["c", "b", "a"]
    watch.act(studio, "earlier", b.id)
    assert names(studio.store.queue()) == ["b", "c", "a"]
    studio.store.request_stop(c.id)
    assert not buttons(c) & {"first", "earlier", "later"}
    with pytest.raises(gr.Error, match="does not wait"):
        watch.act(studio, "later", c.id)


def test_place_and_start_are_shown_and_an_unknown_start_is_called_so(studio):
    a, b = (studio.store.add("language", name, {}) for name in "ab")
    _, listed, shown, *_ = watch.look(studio, b.id, "")
    assert "No. 2 in the queue, start not known yet" in shown
    assert listed.index("No. 1") < listed.index("No. 2")  # those that wait stand in their order
    assert f'data-job="{a.id}"' in listed


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "starts at once"),
        (20, "less than a minute"),
        (200, "about 3 min"),
        (4_000, "about 1 h 07 min"),
        (None, "not known yet"),
    ],
)
def test_an_estimate_is_said_as_roughly_as_it_is_known(seconds, said):
    assert said in watch_views.when(Turn(3, seconds))
