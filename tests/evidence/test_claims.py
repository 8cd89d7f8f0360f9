"""Claims: one owner at a time, taken over when the owner is gone, whichever of many processes asks."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deftx.core.errors import DeftxError, RecipeError, TrainingStopped
from deftx.evidence.claims import Claims
from deftx.evidence.shared_work import Shard, Work, keep_settings, read_shard, share


def test_a_claim_has_one_owner_until_it_is_released(tmp_path):
    mine, other = Claims(tmp_path), Claims(tmp_path)
    assert mine.take("a")
    assert not other.take("a")
    assert other.take("b")
    mine.release("a")
    assert other.take("a")
    assert not mine.take("a")


def test_only_one_of_many_gets_a_claim_and_an_abandoned_one(tmp_path):
    for generation in range(3):
        claims = [Claims(tmp_path, patience=60) for _ in range(16)]
        barrier = threading.Barrier(16)

        def take(one, barrier=barrier):
            barrier.wait()
            return one.take("a")

        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(take, claims)) == 1
        os.utime(tmp_path / f"a.{generation + 1}", (0, 0))  # the owner is gone


def test_the_heartbeat_keeps_a_claim(tmp_path):
    mine, other = Claims(tmp_path, heartbeat=0.05, patience=30), Claims(tmp_path, patience=30)
    with mine.kept_alive():
        assert mine.take("a")
        old = time.time() - 1_000
        os.utime(tmp_path / "a.1", (old, old))
        deadline = time.monotonic() + 30
        while (tmp_path / "a.1").stat().st_mtime < old + 500:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert not other.take("a")
        assert mine.lost() == []
    assert other.take("a"), "the claims are released at the end"


def test_who_was_suspended_for_too_long_learns_that_another_goes_on(tmp_path):
    mine, other = Claims(tmp_path, heartbeat=1_000), Claims(tmp_path)
    assert mine.take("a")
    os.utime(tmp_path / "a.1", (1, 1))
    assert other.take("a")
    assert mine.lost() == ["a"]
    mine.release("a")
    assert other.lost() == []
    assert not Claims(tmp_path).take("a"), "the release was of the old claim"


def test_the_age_of_a_claim_does_not_depend_on_this_machines_clock(tmp_path, monkeypatch):
    assert Claims(tmp_path).take("a")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert not Claims(tmp_path).take("a")


@pytest.mark.parametrize(("index", "count"), [(1, 1), (1, 3), (2, 3), (3, 3), (7, 7)])
def test_a_shard_begins_with_its_part_and_has_all(index, count):
    items = list(range(10))
    order = Shard(index, count).order(items)
    assert sorted(order) == items
    assert order[: len(items[index - 1 :: count])] == items[index - 1 :: count]


def test_the_first_pieces_of_all_shards_are_all_pieces():
    parts = [Shard(index, 4).order(list(range(10)))[:2] for index in range(1, 5)]
    assert len({item for part in parts for item in part}) == 8


def test_shards_are_read_from_the_option_or_from_slurm(monkeypatch):
    assert read_shard("3/8") == Shard(3, 8)
    assert read_shard(None) == Shard(1, 1)
    for text in ("0/3", "4/3", "1", "a/b", "1/0", "-1/2", "1/2/3", ""):
        with pytest.raises(DeftxError, match="--shard must be I/N"):
            read_shard(text)
    for name, value in (("ID", "14"), ("MIN", "10"), ("STEP", "2"), ("COUNT", "5")):
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    assert read_shard(None) == Shard(3, 5)
    assert read_shard("1/2") == Shard(1, 2)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "odd")
    assert read_shard(None) == Shard(1, 1)


def touch(path, place):
    path.write_text(place)
    return place


def exists(path):
    return path.exists()


def test_work_waits_for_what_it_needs_and_for_what_others_do(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    other = Claims(tmp_path / "claims")
    assert other.take("c")
    threading.Timer(1.0, third.touch).start()  # the other command finishes it
    work = Work([second, first, third], lambda path: path.name, exists, lambda path: path != second or first.exists(),
                Claims(tmp_path / "claims"), wait=0.05)  # fmt: skip
    assert list(share(work, touch, ["cpu"])) == [(first, "cpu"), (second, "cpu")]
    assert third.exists()


def test_a_command_that_lost_its_work_stops(tmp_path):
    claims = Claims(tmp_path / "claims", heartbeat=1_000)
    work = Work([tmp_path / "a"], lambda path: path.name, exists, lambda path: True, claims, wait=0.05)

    def take_over():
        while not (tmp_path / "claims" / "a.1").exists():
            time.sleep(0.01)
        os.utime(tmp_path / "claims" / "a.1", (1, 1))
        assert Claims(tmp_path / "claims").take("a")

    threading.Thread(target=take_over).start()
    with pytest.raises(TrainingStopped, match="Another command has continued a"):
        list(share(work, wait_long, ["cpu"]))


def wait_long(path, place):
    time.sleep(600)


def test_a_folder_keeps_the_settings_of_its_first_command(tmp_path):
    keep_settings(tmp_path / "out", "vectors", {"preset": "quick"})
    keep_settings(tmp_path / "out", "vectors", {"preset": "quick"})
    with pytest.raises(RecipeError, match="preset: quick before, paper now"):
        keep_settings(tmp_path / "out", "vectors", {"preset": "paper"})
