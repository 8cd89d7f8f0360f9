"""Requests that wait are classified together by language, the oldest first; the queue is bounded."""

import threading

import pytest
import torch

from deftx.serving.batching import Batcher, Busy


class Held:
    """A classifier that notes what it is given, and waits before it answers until it may."""

    def __init__(self):
        self.calls, self.started, self.go = [], threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, texts, language):
        self.calls.append((language, list(texts)))
        self.started.release()
        self.go.acquire(timeout=60)
        if "broken" in texts:
            raise ValueError("broken text")
        return torch.tensor([[float(len(text))] for text in texts])


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def batcher(held):
    batcher = Batcher(held, waiting=20, together=4)
    yield batcher
    for _ in range(50):
        held.go.release()
    batcher.close()


def start(batcher, held):
    """Submit a first text and wait until it is being classified, so that all further ones wait."""
    (future,) = batcher.submit([("min", ["first"])])
    assert held.started.acquire(timeout=60)
    return future


def test_what_waits_is_classified_by_language_and_answered_in_order(batcher, held):
    first = start(batcher, held)
    requests = [("ban", ["a"]), ("min", ["bb", "ccc"]), ("ban", ["dddd"]), (None, ["e"]), ("min", ["ff"])]
    futures = [batcher.submit([request])[0] for request in requests]
    for _ in range(4):
        held.go.release()
    assert [future.result(60).flatten().tolist() for future in futures] == [[1], [2, 3], [4], [1], [2]]
    assert first.result(60).tolist() == [[5.0]]
    assert held.calls[1:] == [("ban", ["a", "dddd"]), ("min", ["bb", "ccc", "ff"]), (None, ["e"])]


def test_a_batch_ends_with_the_request_that_fills_it(batcher, held):
    start(batcher, held)
    futures = [batcher.submit([("min", [str(n)] * 3)])[0] for n in range(3)]
    for _ in range(3):
        held.go.release()
    for future in futures:
        future.result(60)
    assert [len(texts) for _, texts in held.calls] == [1, 6, 3]


def test_an_error_reaches_those_of_its_batch_alone_and_the_thread_goes_on(batcher, held):
    start(batcher, held)
    bad, same = batcher.submit([("min", ["broken"]), ("min", ["x"])])
    (good,) = batcher.submit([("ban", ["yy"])])
    for _ in range(3):
        held.go.release()
    for future in (bad, same):
        with pytest.raises(ValueError, match="broken text"):
            future.result(60)
    assert good.result(60).tolist() == [[2.0]]


def test_the_queue_takes_all_of_a_request_or_nothing(batcher, held):
    start(batcher, held)
    batcher.submit([("min", ["x"] * 15)])
    with pytest.raises(Busy, match="15 texts wait already"):
        batcher.submit([("min", ["x"] * 2), ("ban", ["x"] * 4)])
    assert batcher.waiting == 15
    batcher.submit([("min", ["x"] * 2), ("ban", ["x"] * 3)])
    assert batcher.waiting == 20


def test_a_request_that_was_given_up_is_not_classified(batcher, held):
    start(batcher, held)
    gone, stays = batcher.submit([("min", ["gone"])])[0], batcher.submit([("min", ["stays"])])[0]
    assert gone.cancel()
    held.go.release()
    held.go.release()
    assert stays.result(60).tolist() == [[5.0]]
    assert held.calls[-1] == ("min", ["stays"])


def test_closing_answers_what_waits_and_refuses_the_rest(held):
    batcher = Batcher(held)
    start(batcher, held)
    (waits,) = batcher.submit([("min", ["x"])])
    held.go.release()
    held.go.release()
    batcher.close()
    assert waits.result(0).tolist() == [[1.0]]
    with pytest.raises(Busy):
        batcher.submit([("min", ["x"])])
