"""Commands as jobs: submitit runs them on this machine, through kills and requeues; its Slurm script is looked at alone."""

import json
import os
import signal
import sys

import psutil
import pytest
from job_helpers import wait_for

from deftx.cli import build_parser, main
from deftx.commands import cluster
from deftx.commands.cluster import CommandJob, Place, command_of, submit
from deftx.core.errors import DeftxError, RecipeError

# A stand-in for ``many``: it counts to 20 for each piece that it claims, keeps each step, and can be stopped.
COUNT = """
import os, signal, sys, time
from pathlib import Path
from deftx.evidence.claims import Claims

out, names, stopped = Path(sys.argv[1]), sys.argv[2:], []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
claims = Claims(out / "claims", heartbeat=0.1, patience=3)
with claims.kept_alive():
    while left := [name for name in names if not (out / name).exists()]:
        for name in left:
            if (out / name).exists() or not claims.take(name):
                continue
            steps = out / f"{name}.steps"
            while len(done := steps.read_text().split() if steps.exists() else []) < 20:
                with steps.open("a") as file:
                    file.write(f"{os.getpid()}\\n")
                time.sleep(0.05)
                if stopped:
                    sys.exit(143)
            with (out / name).open("x"):  # fails where another one has finished it
                pass
            claims.release(name)
        time.sleep(0.1)
"""


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """Submit jobs that count, each with its own order of the pieces."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))

    def start(*orders):
        commands = [[sys.executable, "-c", COUNT, str(tmp_path), *order] for order in orders]
        jobs = submit([CommandJob(command) for command in commands], Place("local", tmp_path / "logs", 1.0), "count")
        started.extend(jobs)
        return jobs

    started = []
    yield start
    for job in started:
        for process in (*children(job._process.pid, recursive=True), job._process):
            process.kill()


def children(process, recursive=False):
    try:
        return psutil.Process(process).children(recursive)
    except psutil.NoSuchProcess:
        return []


def running(job):
    """Return submitit's process of a job and the command in it, once the command runs."""

    def look():
        tasks = children(job._process.pid)
        commands = children(tasks[0].pid) if tasks else []
        return (tasks[0], commands[0]) if commands else None

    return wait_for(look, "the command of the job")


def steps(folder, name):
    path = folder / f"{name}.steps"
    return path.read_text().split() if path.exists() else []


@pytest.mark.slow
def test_a_job_at_its_time_limit_is_requeued_and_goes_on_from_what_is_kept(counting, tmp_path):
    (job,) = counting(["a"])
    task, command = running(job)
    wait_for(lambda: len(steps(tmp_path, "a")) > 3, "some steps")
    task.send_signal(signal.SIGUSR2)  # as Slurm and submitit do before the limit
    wait_for((tmp_path / "a").exists, "the end of the requeued job")
    job.wait()
    assert job.exception() is None
    done = steps(tmp_path, "a")
    assert len(done) == 20
    assert len(set(done)) == 2
    assert done[0] == str(command.pid)
    assert "Requeued job" in job.paths.stderr.read_text() + job.paths.stdout.read_text()


@pytest.mark.slow
def test_what_a_killed_job_began_another_one_finishes(counting, tmp_path):
    (first,) = counting(["a", "b", "c"])
    _, command = running(first)
    wait_for(lambda: len(steps(tmp_path, "a")) > 3, "some steps")
    command.kill()
    (second,) = counting(["c", "b", "a"])
    second.wait()
    assert second.exception() is None
    assert all((tmp_path / name).exists() for name in "abc")
    assert [len(steps(tmp_path, name)) for name in "abc"] == [20, 20, 20]
    first.wait()
    assert "The command ended with -9" in str(first.exception())


def test_a_command_that_fails_is_a_job_that_failed(tmp_path):
    (job,) = submit([CommandJob([sys.executable, "-c", "raise SystemExit(2)"])], Place("local", tmp_path, 1.0), "x")
    job.wait()
    assert "The command ended with 2" in str(job.exception())


@pytest.mark.slow
def test_many_as_two_jobs_trains_every_language_and_writes_one_report(base_folder, corpus_file, tmp_path, capsys):
    folder, table, out = tmp_path / "corpora", tmp_path / "settings.csv", tmp_path / "out"
    folder.mkdir()
    for code in ("ban", "jav", "min"):
        (folder / f"{code}.txt").write_bytes(corpus_file.read_bytes())
    table.write_text("name,max_steps,batch_size,max_length,evaluate_every,k\nshort,4,4,16,2,50\n")
    words = ["many", folder, "--out", out, "--table", table, "--base", base_folder, "--device", "cpu", "--on", "local",
             "--array", "2", "--json"]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["jobs"]) == 2
    wait_for((out / "report.md").exists, "the report", seconds=300)
    assert "3 of 3 language vectors" in (out / "report.md").read_text()
    assert {path.name for path in (out / "vectors").iterdir()} == {f"{code}-short-42" for code in ("ban", "jav", "min")}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A machine with Slurm's programs, which keep the script of a job and run nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, says in (("srun", ""), ("sbatch", f"cp $1 {tmp_path}/script; echo Submitted batch job 77")):
        (programs / name).write_text(f"#!/bin/sh\n{says}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path / "script"


def corpora(tmp_path):
    folder = tmp_path / "corpora"
    folder.mkdir()
    for code in ("ban", "min"):
        (folder / f"{code}.txt").write_text("Saya membaca buku.\n" * 50)
    return folder


def test_many_is_submitted_as_an_array_with_its_limits(slurm, tmp_path, capsys):
    words = ["many", str(corpora(tmp_path)), "--on", "slurm", "--out", str(tmp_path / "out"), "--array", "3", "--hours",
             "12", "--languages", "ban", "min", "--slurm", "partition=gpu", "--slurm", "gpus_per_node=1", "--json"]  # fmt: skip
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"jobs": ["77_0", "77_1", "77_2"], "logs": str(tmp_path / "out" / "cluster")}
    script = slurm.read_text()
    for line in ("--array=0-2%3", "--time=720", "--partition=gpu", "--gpus-per-node=1", "--requeue",
                 "--signal=USR2@120", "--job-name=deftx-many"):  # fmt: skip
        assert f"#SBATCH {line}\n" in script, line
    assert not (tmp_path / "out" / "vectors").exists()


def test_each_job_has_the_same_command_and_its_own_shard(tmp_path):
    words = ["many", "corpora", "--on=slurm", "--seeds", "2", "--array", "8", "--out", "o u t", "--slurm", "mem=32GB",
             "--languages", "ban", "min", "--hours", "3"]  # fmt: skip
    command = command_of(words, 3, 8)
    assert command[:3] == [sys.executable, "-m", "deftx"]
    found, expected = (vars(build_parser().parse_args(one)) for one in (command[3:], words))
    own = {"on": None, "array": None, "hours": None, "slurm": [], "shard": "3/8"}
    assert found == {**expected, **own}


@pytest.mark.parametrize(("words", "message"), [
    (["--on", "slrum"], "Did you mean 'slurm'"),
    (["--array", "3"], "--array applies only to jobs; add --on slurm"),
    (["--hours", "3"], "--hours applies only to jobs"),
    (["--on", "local", "--slurm", "partition=gpu"], "--slurm applies only to --on slurm"),
    (["--on", "slurm", "--slurm", "gpu"], "write it like partition=gpu"),
    (["--on", "slurm", "--slurm", "partitoin=gpu"], "Did you mean 'partition'"),
    (["--on", "slurm", "--shard", "1/2"], "--shard is chosen for each job"),
    (["--on", "slurm", "--array", "0"], "--array must be 1 or more"),
    (["--on", "slurm", "--hours", "0.03"], "--hours must be more than two minutes"),
])  # fmt: skip
def test_options_that_cannot_be_used_are_refused_in_one_line(slurm, tmp_path, capsys, words, message):
    assert main(["many", str(corpora(tmp_path)), "--out", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not slurm.exists()


def test_where_there_is_no_slurm_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["many", str(corpora(tmp_path)), "--out", str(tmp_path / "out"), "--on", "slurm"]) == 1
    assert "The jobs could not be submitted" in capsys.readouterr().err


def test_a_missing_package_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(DeftxError, match=r'submitit, which is missing. Install it: pip install "deftx\[slurm\]"'):
        submit([], Place("slurm", tmp_path, 1.0), "x")


def test_numbers_of_slurm_are_numbers():
    assert cluster.settings_of(["gpus_per_node=2", "gres=gpu:a100:1"]) == {"gpus_per_node": 2, "gres": "gpu:a100:1"}
    with pytest.raises(RecipeError):
        cluster.settings_of(["gpu"])
