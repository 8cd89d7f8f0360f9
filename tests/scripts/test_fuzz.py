"""The short form of scripts/fuzz.py: some hundred malformed inputs for every reader, always the same ones."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deftx.core.errors import CorpusError
from scripts import fuzz
from scripts.fuzzing.property import judge
from scripts.fuzzing.readers import READERS
from scripts.fuzzing.samples import Samples

SEED = 7
COUNTS = {"base": 40, "table": 100, "corpus": 150}  # the others, which are quick, 250


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return Samples(tmp_path_factory.mktemp("samples"))


@pytest.mark.filterwarnings("ignore")  # zipfile's, of names that stand twice
@pytest.mark.parametrize("name", READERS)
def test_malformed_input_is_read_or_refused_in_one_clear_message(samples, tmp_path, name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # ids are looked at, never asked for
    counted, faults, _ = fuzz.fuzz(READERS[name], samples, tmp_path, SEED, range(COUNTS.get(name, 250)))
    assert faults == []
    assert counted["refused"] > 10
    assert list(tmp_path.iterdir()) == [] or name == "archive"


@pytest.mark.parametrize("number", [1876, 3442])  # no column at all; places behind the last text of a dictionary
def test_what_the_long_run_found_stays_mended(samples, tmp_path, number):
    assert fuzz.try_one(READERS["table"], samples, tmp_path, 1, number).fault == ""


def test_good_samples_are_read(samples, tmp_path):
    """Were these refused, the damaged ones would prove nothing."""
    from deftx.data.tables import read_table
    from deftx.data.text import read_corpus
    from deftx.vectors.lt_sft import FILE, read_lt_sft
    from deftx.vectors.vector import SparseVector

    for kind, contents in samples.tables.items():
        for content in contents[:1]:
            (tmp_path / f"a{kind}").write_bytes(content)
            assert len(read_table(tmp_path / f"a{kind}")) == 8
    for number, text in enumerate(samples.texts):
        (tmp_path / f"{number}.txt").write_bytes(text)
        assert read_corpus(tmp_path / f"{number}.txt").lines
    for file, content in samples.vector.items():
        (tmp_path / file).write_bytes(content)
    for content in samples.lt_sft:
        (tmp_path / FILE).write_bytes(content)
        assert read_lt_sft(tmp_path, samples.tiny).count == SparseVector.load(tmp_path).count


def test_the_same_seed_draws_the_same_input(samples, tmp_path):
    verdicts = [
        [fuzz.try_one(READERS["settings"], samples, tmp_path, 3, number).refusal for number in range(30)] for _ in "ab"
    ]
    assert verdicts[0] == verdicts[1] != [""] * 30


def _leave(folder):
    (folder / "left.txt").write_text("x")


def _change(folder):
    (folder / "there.txt").write_text("changed")


def _refuse(message):
    raise CorpusError(message)


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (lambda folder: None, ""),
        (lambda folder: _refuse("a.txt, line 3: this is not UTF-8 text."), ""),
        (lambda folder: {}["x"], "KeyError"),
        (lambda folder: sys.exit(1), "SystemExit"),
        (_leave, "left behind"),
        (_change, "changed"),
        (lambda folder: (folder / "there.txt").unlink(), "changed"),
        (lambda folder: _refuse("No."), "says nothing"),
        (lambda folder: _refuse("expected <class 'int'> in the file"), "for programmers"),
        (lambda folder: _refuse("Traceback (most recent call last) of it"), "for programmers"),
    ],
)
def test_every_breach_is_noticed(tmp_path, read, fault):
    (tmp_path / "there.txt").write_text("x")
    assert fault in judge(lambda: read(tmp_path), tmp_path).fault
    assert bool(judge(lambda: read(tmp_path), tmp_path).fault) == bool(fault) or read is _leave or read is _change


def test_a_reader_that_waits_or_works_without_end_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.fuzzing.property.HANGING", (0.2, 0.4))

    def work():
        while True:
            pass

    assert "Hanging" in judge(work, tmp_path).fault
    assert "Hanging" in judge(lambda: time.sleep(5), tmp_path).fault
    assert judge(lambda: None, tmp_path).fault == ""


def test_the_command_tries_one_input_again_and_says_what_became_of_it():
    root = Path(fuzz.__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "scripts/fuzz.py", "settings", "--seed", "3", "--only", "5"],
        cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| settings | 1 |" in done.stdout
    assert "Verdict(refusal=" in done.stdout
