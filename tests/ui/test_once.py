"""A memory that computes equal calls once: without it, the answer and its words would classify a sentence twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.shared.once import Once


def test_equal_calls_at_the_same_time_compute_once():
    begun, go, asked = threading.Event(), threading.Event(), []

    def slow(text):
        asked.append(text)
        begun.set()
        go.wait()
        return text.upper()

    once = Once(slow, 8)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(once, "a")
        begun.wait()
        second = pool.submit(once, "a")
        go.set()
        assert (first.result(), second.result(), once("b")) == ("A", "A", "B")
    assert asked == ["a", "b"]


def test_an_error_is_not_kept_and_only_so_many_results_are():
    asked = []

    def sometimes(number):
        asked.append(number)
        if len(asked) == 1:
            raise ValueError("first")
        return number

    once = Once(sometimes, 1)
    with pytest.raises(ValueError, match="first"):
        once(1)
    assert [once(1), once(1), once(2), once(1)] == [1, 1, 2, 1]
    assert asked == [1, 1, 2, 1]
