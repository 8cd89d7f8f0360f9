"""The number of threads for a sentence."""

import pytest
import torch

from deftx.jobs.state import STATES
from ui.classify import few_threads
from ui.classify.few_threads import Threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_sentence_takes_one_thread_while_anything_trains(studio, two_threads, monkeypatch):
    threads, found = Threads(studio.store), []
    studio.store.add("language", "New", {})
    for state in ("waiting", "running", "finished"):
        monkeypatch.setattr(few_threads, "state_of", lambda job, state=state: STATES[state])
        threads.set()
        found.append(torch.get_num_threads())
    assert found == [2, 1, 2]
