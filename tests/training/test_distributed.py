"""Two processes with a micro-batch each learn what one process learns from both."""

import socket

import pytest
import torch
from comparing import assert_equal
from forked import DEFTX, Program

from deftx.core.errors import RecipeError
from deftx.training import distributed
from deftx.vectors.vector import SparseVector

FAST = ("--device", "cpu", "--k", "60", "--set", "precision=float32", "batch_size=4", "max_length=16", "min_steps=0",
        "evaluate_every=3", "learning_rate=0.002", "max_steps=12", "epochs=100")  # fmt: skip


def start(count, arguments):
    """Start a command in so many processes, with the variables that accelerate's launcher sets."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)} if count > 1 else {}
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} if count > 1 else {} for rank in range(count)]
    return [Program(DEFTX, *arguments, **meeting, **rank) for rank in ranks]


def learn(count, arguments, out):
    """Run a training to its end; return the vector and what the first process said."""
    processes = start(count, (*arguments[:2], "--out", out, *arguments[2:]))
    assert [process.wait() for process in processes] == [0] * count, processes[0].stderr
    return SparseVector.load(out), processes[0].stderr


@pytest.fixture
def language(corpus_file, base_folder):
    return ("language", corpus_file, "--base", base_folder, *FAST)


@pytest.fixture
def task(table_file, base_folder):
    return ("task", table_file, "--base", base_folder, *FAST)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["language", "task"])
def test_two_processes_learn_the_vector_of_one(kind, request, tmp_path):
    arguments = (*request.getfixturevalue(kind), "accumulation=2")
    one, _ = learn(1, arguments, tmp_path / "one")
    two, _ = learn(2, arguments, tmp_path / "two")
    assert_equal(one, two)
    assert all((one.head[name] - two.head[name]).abs().max() <= 1e-6 for name in one.head)


@pytest.mark.slow
def test_the_last_batch_of_an_epoch_may_have_fewer_parts_than_processes(base_folder, tmp_path):
    table = tmp_path / "rows.csv"
    rows = [f"{word} number {number},{label}" for number in range(10) for word, label in (("good", "a"), ("bad", "b"))]
    table.write_text("\n".join(["text,label", *rows[:19]]), encoding="utf-8")  # 8 + 8 + 3 rows: 4, 4 and 2 or 3 parts
    arguments = ("task", table, "--base", base_folder, "--valid", table, *FAST, "batch_size=8", "accumulation=4")
    assert_equal(learn(1, arguments, tmp_path / "one")[0], learn(2, arguments, tmp_path / "two")[0])


@pytest.mark.slow
def test_batches_are_cut_for_the_processes_that_are_there(language, tmp_path):
    one, _ = learn(1, (*language, "accumulation=2"), tmp_path / "one")
    two, said = learn(2, language, tmp_path / "two")
    assert "accumulation is 2, so that each of the 2 processes gets an equal part" in said
    assert_equal(one, two)


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(language, tmp_path):
    processes = start(2, (*language[:2], "--out", tmp_path / "two", *language[2:], "batch_size=5"))
    assert 0 not in [process.wait() for process in processes]
    words = "A batch_size of 5 cannot be split into 2 equal parts for 2 processes. Choose a multiple of 2."
    assert words in processes[0].stderr
    assert not (tmp_path / "two" / "run").exists()


@pytest.mark.slow
def test_two_processes_that_are_stopped_go_on_to_the_same_vector(language, tmp_path):
    longer = (*language, "max_steps=120")
    processes = start(2, (*longer[:2], "--out", tmp_path / "stopped", *longer[2:]))
    processes[0].wait_for_line("dense")
    for process in processes:
        process.terminate()
    assert 0 not in [process.wait() for process in processes]
    checkpoint = tmp_path / "stopped" / "run" / "dense" / "checkpoint.safetensors"
    assert checkpoint.is_file(), processes[0].stderr
    stopped, again = learn(2, longer, tmp_path / "stopped")
    assert "The dense phase continues from step" in again
    whole, _ = learn(2, longer, tmp_path / "whole")
    assert stopped.digest() == whole.digest()
    assert all(stopped.head[name].equal(whole.head[name]) for name in whole.head)


def test_which_process_speaks_is_known_before_they_meet(monkeypatch):
    assert distributed.is_main()
    monkeypatch.setenv("RANK", "1")
    assert distributed.is_main()  # somebody else's variable: there is one process
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not distributed.is_main()


def test_without_a_device_it_is_a_gpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [distributed.own_device(device) for device in (None, "")] == ["cpu", "cpu"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [distributed.own_device(device) for device in (None, "", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert distributed.own_device(None) == "cuda:1"


def test_each_process_has_a_gpu_of_its_own_or_says_that_there_is_none(monkeypatch):
    assert distributed.own_device("cuda") == "cuda"  # alone, it takes the first
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert [distributed.own_device(device) for device in ("cpu", "cuda:0")] == ["cpu", "cuda:0"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert distributed.own_device("cuda") == "cuda:1"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(RecipeError, match="Process 2 has no GPU: this machine has 1"):
        distributed.own_device("cuda")
