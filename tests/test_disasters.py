"""A machine that fails in the middle of a training: it ends as said, and goes on to the very same vector."""

import subprocess
from pathlib import Path

import pytest
from disks import mount_in_memory
from forked import Program

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
SHORT = ("--k", "300", "--set", "precision=float32", "batch_size=4", "max_length=16", "min_steps=0",
         "learning_rate=0.002", "max_steps=60", "evaluate_every=20", "epochs=1000")  # fmt: skip

# The real command, with a checkpoint and a line of progress at every step. Where SLOW names it, denoising or evaluating
# takes as long as it would for a large model; where LIMIT is set, the memory that is there in the dense phase is all.
DRIVER = """
import os, re, resource, sys, time
import torch
import deftx.training.pipeline, deftx.training.schedule
from deftx.cli import main
from deftx.commands import output

torch.set_num_threads(1)
deftx.training.schedule.CHECKPOINT_SECONDS = deftx.training.schedule.EVENT_SECONDS = 0.0
slow = os.environ.get("SLOW")
if slow == "denoise":
    decompose = deftx.training.pipeline.decompose
    deftx.training.pipeline.decompose = lambda weight: (time.sleep(1), decompose(weight))[1]
if slow == "evaluate":
    import deftx.training.language
    loss = deftx.training.language.masked_lm_loss
    deftx.training.language.masked_lm_loss = lambda m, b, *how: (how and time.sleep(1), loss(m, b, *how))[1]

show = output.ProgressLine.__call__
def and_then(self, event):
    show(self, event)
    if os.environ.get("LIMIT") and event.phase == "dense" and event.step >= 5:
        in_use = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (in_use, in_use))
output.ProgressLine.__call__ = and_then
sys.exit(main(sys.argv[1:]))
"""


class Run(Program):
    """A command in a process of its own."""

    def __init__(self, arguments, **settings):
        super().__init__(DRIVER, *arguments, **settings)

    def reach(self, phase):
        """Wait for the first line about a phase."""
        self.wait_for_line(phase)
        return self

    def end(self):
        """Wait for the end; return the exit status and the last line."""
        status = self.wait()
        return status, self.stderr.splitlines()[-1] if self.stderr else ""


@pytest.fixture
def command(corpus_file, base_folder):
    """The same training, whatever folder it goes to."""
    return lambda out: ("language", corpus_file, "--base", base_folder, "--out", out, *SHORT)


@pytest.fixture(scope="module")
def undisturbed(corpus_file, base_folder, tmp_path_factory):
    """The vector of a training to which nothing happened."""
    out = tmp_path_factory.mktemp("undisturbed") / "v"
    assert Run(("language", corpus_file, "--base", base_folder, "--out", out, *SHORT)).end()[0] == 0
    return out


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB in memory, and a function that mounts it anew ("ro" or "rw")."""
    place = tmp_path / "disk"
    place.mkdir()
    assert (reason := mount_in_memory(place)) is None, reason
    yield place, lambda way: subprocess.run(["mount", "-o", f"remount,{way}", place], capture_output=True)
    subprocess.run(["umount", "--lazy", place], check=True)


def same_files(one, other):
    """Compare two vectors byte by byte."""
    names = ("vector.safetensors", "vector.json", "README.md")
    return [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []


def goes_on(command, out, undisturbed):
    """Say whether the same command now ends in the same vector."""
    status, last = Run(command(out)).end()
    assert status == 0, last
    return same_files(out, undisturbed)


def fill(disk):
    """Write until nothing more fits."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return disk / "ballast"


@pytest.mark.root
def test_a_disk_that_fills_up_costs_nothing_once_there_is_room_again(command, undisturbed, small_disk):
    disk, _ = small_disk
    run = Run(command(disk / "v")).reach("dense")
    ballast = fill(disk)
    status, last = run.end()
    assert status == 1
    assert "The disk is full" in last
    assert "continues from its last checkpoint" in last
    assert (disk / "v" / "run" / "dense" / "checkpoint.safetensors").is_file()
    assert list((disk / "v").rglob("*.part")) == []
    ballast.unlink()
    assert goes_on(command, disk / "v", undisturbed)


@pytest.mark.root
def test_a_disk_that_is_full_from_the_start_is_refused_with_what_is_needed(command, small_disk):
    disk, _ = small_disk
    fill(disk)
    status, last = Run(command(disk / "v")).end()
    assert status == 1
    assert "of disk space" in last
    assert "0.0 MB are free" in last
    assert not (disk / "v" / "run" / "dense").exists()


@pytest.mark.root
def test_a_disk_that_becomes_read_only_costs_nothing_once_it_can_be_written(command, undisturbed, small_disk):
    disk, change = small_disk
    run = Run(command(disk / "v")).reach("dense")
    while change("ro").returncode:  # it is busy while a file is open for writing
        assert run.poll() is None
    status, last = run.end()
    assert status == 1
    assert "No permission to read or write" in last
    assert change("rw").returncode == 0
    assert goes_on(command, disk / "v", undisturbed)


@pytest.mark.root
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_trained(command, small_disk):
    disk, change = small_disk
    assert change("ro").returncode == 0
    run = Run(command(disk / "v"))
    status, last = run.end()
    assert status in (1, 2)
    assert str(disk / "v") in last
    assert not any(line.startswith("dense") for line in run.stderr.splitlines())


def test_memory_that_runs_out_ends_with_advice_and_the_checkpoint(command, undisturbed, tmp_path):
    # Without the threshold the allocator would keep what it once had, and nothing would be asked of the system.
    status, last = Run(command(tmp_path / "v"), fresh=True, LIMIT="yes", MALLOC_MMAP_THRESHOLD_="4096").end()
    assert status == 1
    assert "ran out of memory. Choose a smaller batch_size" in last
    assert (tmp_path / "v" / "run" / "dense" / "checkpoint.safetensors").is_file()
    assert goes_on(command, tmp_path / "v", undisturbed)


@pytest.mark.parametrize(("slow", "phase"), [("denoise", "denoise"), ("evaluate", "dense"), ("", "sparse")])
def test_sigterm_is_answered_wherever_it_comes(command, undisturbed, tmp_path, slow, phase):
    run = Run(command(tmp_path / "v"), SLOW=slow).reach(phase)
    run.terminate()
    status, last = run.end()
    assert status == 143, last
    assert "run the same command to continue" in last
    assert goes_on(command, tmp_path / "v", undisturbed)
