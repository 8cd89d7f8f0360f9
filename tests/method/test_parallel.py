"""Work that is done side by side comes back in order, and leaves torch's threads as they were."""

import time
from contextlib import closing

import pytest
import torch

from deftx.method.parallel import in_order

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_come_in_order_from_one_thread_each():
    seen = []

    def work(n):
        seen.append(torch.get_num_threads())
        return torch.linalg.eigvalsh(torch.eye(20) * n)[0].item()

    assert list(in_order(work, range(30), CPU)) == list(range(30))
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2


def test_who_stops_early_or_fails_gets_the_threads_back():
    done = []
    with closing(in_order(lambda n: time.sleep(0.01) or done.append(n) or n, range(100), CPU)) as results:
        assert next(results) == 0
    assert len(done) < 50, "what nobody waits for any more is left undone"
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 / n, range(3), CPU))
    assert torch.get_num_threads() == 2


def test_a_large_item_at_the_front_keeps_nobody_waiting():
    done = []

    def work(n):
        while n == 0 and len(done) < 20:
            time.sleep(0.001)
        done.append(n)
        return n

    assert list(in_order(work, range(30), CPU)) == list(range(30))


def test_an_accelerator_works_one_by_one():
    assert list(in_order(lambda n: torch.get_num_threads(), range(3), torch.device("meta"))) == [2, 2, 2]
