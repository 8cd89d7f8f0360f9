"""Without these, MAD-X could learn from other batches than the vectors, or its answers could be read as other labels.

The environment of adapters is not needed: a function takes its place.
"""

import gzip
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny
import torch
from safetensors.torch import load_file

from deftx.core.errors import DeftxError, TrainingError
from deftx.data.tables import read_table
from deftx.evidence.other_programs import OTHER_PROGRAMS
from deftx.models.bases import load_base

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "madx"
SHORT = ("--set", "precision=float32", "batch_size=8", "max_length=16", "max_steps=3", "evaluate_every=2", "k=300")
LABELS = ["negative", "positive"]


@pytest.fixture(scope="module", autouse=True)
def scripts():
    """The scripts import each other by name, as where they are run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(FOLDER), *sys.path])
        yield


@pytest.fixture
def run_script(scripts):
    import run

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for number, language in enumerate(("ind", "min")):
        file = folder / "corpora" / f"{language}.txt.gz"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress("\n".join(tiny.sentences(60, seed=number)).encode()))
    rows = tiny.labelled_rows()
    for name, part in (("smsa/train", rows), ("smsa/valid", rows[:20]), ("nusax/min/test", rows[20:60]),
                       ("nusax/ind/test", rows[:40])):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.write_csv(folder / f"{name}.csv", ("text", "label"), part)
    return folder


def words(data, base_folder, out, *more):
    return [str(word) for word in ("nusax", "--data", data, "--base", base_folder, "--out", out, "--languages", "min",
                                   "--seeds", "1", "--device", "cpu", "--environment", out / "env", *SHORT, *more)]  # fmt: skip


@pytest.fixture
def learn(run_script, data, base_folder, tmp_path, monkeypatch):
    """Run the script, with a function in place of the environment; return the jobs that it was given."""
    jobs = []

    def work(python, what, folder):
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        jobs.append((what, folder, job))
        if what == "predict":  # the first label of each test set, then the second one, and so on
            rows = {target: load_file(folder / f"{target}.safetensors") for target in job["targets"]}
            found = {target: [n % 2 for n in range(count(tensors))] for target, tensors in rows.items()}
            return {"predicted": found, "seconds": 1.0, "peak_gb": 0.1}
        done = {"seconds": 1.0, "peak_gb": 0.1}
        (folder / "done.json").write_text(json.dumps(done), encoding="utf-8")
        return done

    monkeypatch.setattr(run_script.environment, "prepare", lambda folder: folder / "python")
    monkeypatch.setattr(run_script.environment, "work", work)

    def start(*more):
        jobs.clear()
        monkeypatch.setattr(sys, "argv", ["run.py", *words(data, base_folder, tmp_path / "out", *more)])
        run_script.main()
        return list(jobs)

    return start


def count(tensors):
    return sum(len(tensor) for name, tensor in tensors.items() if name.endswith("input_ids"))


def test_each_adapter_is_learned_once_and_the_answers_are_the_labels_of_the_table(learn, tmp_path, data, capsys):
    jobs = learn()
    assert [(what, folder.name) for what, folder, _ in jobs] == [
        ("language", "ind-42"), ("language", "min-42"), ("task", "task-42"), ("predict", "predictions-42"),
    ]  # fmt: skip
    task, tested = jobs[2][2], jobs[3][2]
    assert task["source"] == str(tmp_path / "out" / "mad-x" / "ind-42" / "adapter")
    assert tested["targets"] == {
        name: str(tmp_path / "out" / "mad-x" / f"{name}-42" / "adapter") for name in ("min", "ind")
    }
    for language in ("min", "ind"):
        cell = json.loads((tmp_path / "out" / "scores" / f"mad-x-{language}-42.json").read_text())
        assert cell["gold"] == list(read_table(data / "nusax" / language / "test.csv").labels)
        assert cell["predicted"] == [LABELS[n % 2] for n in range(len(cell["gold"]))]
    assert f"| {OTHER_PROGRAMS['mad-x'].title} |" in capsys.readouterr().out
    assert learn() == []
    (tmp_path / "out" / "mad-x" / "min-42" / "done.json").unlink()
    (tmp_path / "out" / "scores" / "mad-x-ind-42.json").unlink()
    assert [what for what, _, _ in learn()] == ["language", "predict"]


def test_other_settings_in_the_same_folder_are_refused(learn):
    learn()
    with pytest.raises(SystemExit, match=r"contains the adapters with other settings"):
        learn("--learning-rates", "0.001", "0.001")
    with pytest.raises(SystemExit, match=r"contains the evidence with other settings"):
        learn("--preset", "standard")


def test_the_batches_are_those_of_both_phases_of_the_vectors(learn, run_script, data, base_folder):
    jobs = {folder.name: (folder, job) for _, folder, job in learn()}
    given = run_script.parser().parse_args(words(data, base_folder, Path("none")))
    run, base = run_script.evidence.describe(given), load_base(base_folder)
    for name, (objective, recipe) in {
        "min-42": run_script.exports.language_of(run, base, "min", 42),
        "task-42": run_script.exports.task_of(run, base, 42),
    }.items():
        folder, job = jobs[name]
        found = load_file(folder / "steps.safetensors")
        for step, (phase, number) in enumerate((phase, n) for phase in ("dense", "sparse") for n in range(3)):
            (batch,) = objective.micro_batches(phase, number)
            assert all(found.pop(f"{step}/0/{key}").equal(tensor.int()) for key, tensor in batch.items())
        assert found == {}
        assert (job["k"], job["seed"], job["evaluate_every"]) == (300, 42, recipe.evaluate_every)
    held_out = load_file(jobs["task-42"][0] / "held-out.safetensors")
    assert [LABELS[place] for place in held_out["0/0/labels"].tolist()] == list(objective.gold)


def test_the_models_are_whole_and_their_logits_are_beside_them(learn, run_script, data, base_folder, tmp_path):
    from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

    jobs = {what: job for what, _, job in learn()}
    for what, kind in (("language", AutoModelForMaskedLM), ("task", AutoModelForSequenceClassification)):
        model = kind.from_pretrained(jobs[what]["model"]).eval()
        probe = load_file(Path(jobs[what]["model"]) / "probe.safetensors")
        expected = probe.pop("logits")
        with torch.no_grad():
            torch.testing.assert_close(model(**probe).logits, expected, atol=1e-6, rtol=0)
        names = dict(model.named_parameters(remove_duplicate=False))
        assert set(jobs[what]["head"]) < names.keys()
        assert not any(name.startswith("roberta.") for name in jobs[what]["head"])
    assert jobs["language"]["head_modules"] == ["lm_head"]


@pytest.mark.parametrize(("kind", "parameters", "found"), [("language", 250_000, 247_708), ("task", 400_000, 401_797)])
def test_the_bottleneck_gives_the_number_of_parameters_that_adapters_counts(run_script, kind, parameters, found):
    """Both counts are those of adapters 1.3.0, for 12 layers of 384 units: ``--parameters 250000 400000``."""
    config = SimpleNamespace(hidden_size=384, num_hidden_layers=12)
    bottleneck = int(384 // run_script.reduction(config, kind, parameters))
    invertible = 2 * (2 * 192 * 96 + 192 + 96) if kind == "language" else 0
    assert 11 * (2 * 384 * bottleneck + bottleneck + 384) + invertible == found


def test_every_bottleneck_can_be_reached_and_the_usual_factors_are_the_papers(run_script):
    config = SimpleNamespace(hidden_size=768, num_hidden_layers=12)
    sizes = [11 * (2 * 768 * n + n + 768) for n in range(1, 769)]
    assert [int(768 // run_script.reduction(config, "task", size)) for size in sizes] == list(range(1, 769))
    assert [run_script.reduction(config, kind, None) for kind in ("language", "task")] == [2.0, 1.0]
    assert run_script.reduction(config, "language", 1) == pytest.approx(768)  # a bottleneck of one, not of none


def test_every_requirement_is_pinned_as_in_the_project(run_script):
    lines = [line for line in run_script.environment.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    pinned = run_script.environment.pinned()
    assert [f"{name}=={found}" for name, found in pinned.items()] == lines
    own = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert {name: own[name] for name in ("torch", "safetensors")}.items() <= pinned.items()
    assert {"adapters", "transformers"} < pinned.keys()


def test_an_environment_with_the_pinned_versions_is_left_as_it_is(run_script, monkeypatch):
    environment, commands = run_script.environment, []
    monkeypatch.setattr(environment, "pinned", lambda: {"safetensors": version("safetensors")})
    monkeypatch.setattr(environment, "_run", lambda command, *_: commands.append(command))
    python = environment.prepare(Path(sys.prefix))
    assert (python.is_file(), commands) == (True, [])
    monkeypatch.setattr(environment, "pinned", lambda: {"safetensors": "0.0.1", "no-such-package": "1"})
    with pytest.raises(
        DeftxError, match=r"has safetensors .* in place of 0\.0\.1, no-such-package not there in place of 1"
    ):
        environment.prepare(Path(sys.prefix))
    assert commands == [[str(python), "-m", "pip", "install", "-q", "-r", str(environment.REQUIREMENTS)]]


def test_a_job_that_fails_is_an_error_that_names_its_folder(run_script, monkeypatch, tmp_path):
    monkeypatch.setattr(run_script.environment, "PROGRAM", "-c")  # python -c language FOLDER: an unknown name
    with pytest.raises(TrainingError, match=rf"The job in {re.escape(str(tmp_path))} failed: .*exit status 1"):
        run_script.environment.work(Path(sys.executable), "language", tmp_path)
