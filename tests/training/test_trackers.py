"""What trackers received is read back with their own readers, and compared with the events of the run."""

import json
import struct
import sys

import forked
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

from deftx.core.errors import DeftxError, RecipeError, TrainingStopped
from deftx.core.events import Event, WordGuess, ignore
from deftx.training import trackers
from deftx.training.language import learn_language
from deftx.training.recipes import recipe_for
from deftx.training.request import TRACKERS, TrainingRequest
from deftx.training.trackers import TrackedRun, reporting

SETTINGS = {"epochs": 1, "max_steps": 8, "batch_size": 4, "max_length": 16, "evaluate_every": 4, "k": 50}
RECIPE = recipe_for("language", "quick", **SETTINGS)


@pytest.fixture
def report(tmp_path):
    return TrackedRun(tmp_path / "tracked", "Minangkabau", {"base": "tiny", "k": 50})


def read(folder, phase):
    found = EventAccumulator(str(folder / "tensorboard" / phase))
    found.Reload()
    return found


def curve(folder, phase, name):
    return [(one.step, one.value) for one in read(folder, phase).Scalars(name)]


def texts(folder, phase, tag):
    found = read(folder, phase).Tensors(f"{tag}/text_summary")
    return [one.tensor_proto.string_val[0].decode() for one in found]


def test_tensorboard_has_the_numbers_of_every_event(report, base, corpus_file, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.training.schedule.EVENT_SECONDS", 0.0)
    seen = []
    with reporting("tensorboard", report, seen.append) as on_event:
        learn_language(corpus_file, base, RECIPE, out=tmp_path / "out", on_event=on_event)
    for phase in ("dense", "sparse"):
        events = [event for event in seen if event.phase == phase and event.step]
        assert len(events) == 8
        for name in ("loss", "learning_rate"):
            expected = [(event.step, pytest.approx(getattr(event, name), rel=1e-6)) for event in events]
            assert curve(report.folder, phase, name) == expected
        scores = [(e.step, pytest.approx(e.evaluation, rel=1e-6)) for e in events if e.evaluation is not None]
        assert len(scores) == 2
        assert curve(report.folder, phase, "masked_lm_loss") == scores
        first = RECIPE.rate(phase)
        assert curve(report.folder, phase, "learning_rate")[0][1] == pytest.approx(first)
        assert curve(report.folder, phase, "learning_rate")[4][1] == pytest.approx(first / 2)
    assert curve(report.folder, "denoise", "done")[-1][1] == 1.0
    assert [text for text in texts(report.folder, "evaluate", "message") if "with the vector" in text]
    assert "- k: 50" in texts(report.folder, "settings", "settings")[0]


def test_a_resumed_run_has_each_step_once(report, base, corpus_file, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.training.schedule.EVENT_SECONDS", 0.0)
    out, stop = tmp_path / "out", []

    def first_run(event):
        if (event.phase, event.step) == ("sparse", 3):
            stop.append(True)

    with reporting("tensorboard", report, first_run) as on_event, pytest.raises(TrainingStopped):
        learn_language(corpus_file, base, RECIPE, out=out, on_event=on_event, should_stop=lambda: bool(stop))
    # What a killed run reported after its last checkpoint is repeated by the next one.
    with reporting("tensorboard", report, ignore) as on_event:
        on_event(Event("sparse", 4, 8, loss=99.0))
    with reporting("tensorboard", report, ignore) as on_event:
        learn_language(corpus_file, base, RECIPE, out=out, on_event=on_event)
    assert [step for step, _ in curve(report.folder, "dense", "loss")] == list(range(1, 9))
    sparse = curve(report.folder, "sparse", "loss")
    assert [step for step, _ in sparse] == list(range(1, 9))
    assert all(loss < 90 for _, loss in sparse)


def test_a_run_stopped_after_its_dense_phase_keeps_the_curve(report):
    for kept in (False, True):
        with reporting("tensorboard", report, ignore) as on_event:
            for step in () if kept else (1, 2, 3):
                on_event(Event("dense", step, 3, loss=1.0))
            if kept:  # as read_change says it
                on_event(Event("dense", 3, 3, message="The dense phase was finished before."))
            on_event(Event("evaluate", 1, 2, evaluation=0.5, metric="f1", message="Before the training: 0.5."))
    assert [step for step, _ in curve(report.folder, "dense", "loss")] == [1, 2, 3]
    assert [step for step, _ in curve(report.folder, "dense", "done")] == [1, 2, 3]
    assert [step for step, _ in curve(report.folder, "evaluate", "f1")] == [1]


def test_held_out_words_are_not_reported(report):
    guess = WordGuess("before", "hiddenword", "after", "guessed")
    with reporting("tensorboard", report, ignore) as on_event:
        on_event(Event("dense", 1, 2, loss=1.0, evaluation=2.0, metric="f1", message="said", guesses=(guess,)))
    written = b"".join(path.read_bytes() for path in report.folder.rglob("*") if path.is_file())
    assert b"said" in written
    assert b"hiddenword" not in written


def test_nothing_is_written_unless_asked_for(report):
    with reporting("", report, ignore) as on_event:
        on_event(Event("dense", 1, 2, loss=1.0))
    assert on_event is ignore
    assert not report.folder.exists()


def test_an_unknown_tracker_is_refused_with_the_nearest_name(report):
    with pytest.raises(RecipeError, match="Did you mean 'tensorboard'"):
        TrainingRequest(kind="language", report_to="tensorbord")
    with pytest.raises(DeftxError, match="Did you mean 'trackio'"), reporting("trakio", report, ignore):
        pass


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_missing_package_says_how_to_install_it(report, tracker, monkeypatch):
    monkeypatch.setitem(sys.modules, tracker, None)
    with pytest.raises(DeftxError, match=rf'{tracker}, which is missing. Install it: pip install "deftx\[trackers\]"'):
        trackers.open_tracker(tracker, report)
    assert not report.folder.exists()


def test_a_tracker_that_fails_is_left_out_and_said_once(report, monkeypatch):
    class Failing:
        link, closed = "nowhere", False

        def take(self, event):
            raise OSError("disk full")

        def close(self):
            self.closed = True
            raise OSError("disk full")

    failing, seen = Failing(), []
    monkeypatch.setitem(trackers._OPEN, "tensorboard", lambda report: failing)
    with reporting("tensorboard", report, seen.append) as on_event:
        on_event(Event("dense", 1, 2, loss=1.0))
        on_event(Event("dense", 2, 2, loss=1.0))
    assert [event.message for event in seen if event.warning] == [
        "TensorBoard failed and is left out from now on: disk full"
    ]
    assert [event.step for event in seen if event.loss] == [1, 2]
    assert failing.closed


def test_the_command_reports_to_tensorboard_and_says_where(base_folder, corpus_file, tmp_path, capsys):
    from deftx.cli import main

    words = ["language", corpus_file, "--out", tmp_path / "min", "--base", base_folder, "--report-to", "tensorboard",
             "--set", *(f"{name}={value}" for name, value in SETTINGS.items())]  # fmt: skip
    assert main([*map(str, words), "--json"]) == 0
    folder = tmp_path / "min-tracked"
    printed = capsys.readouterr()
    assert json.loads(printed.out)["vector"] == str(tmp_path / "min")
    assert f"This run is reported to TensorBoard: {folder / 'tensorboard'}" in printed.err
    assert curve(folder, "sparse", "masked_lm_loss")[-1][0] == 8
    assert main([*map(str, words[:-11]), "--report-to", "tensorbord"]) == 2


LOG = """
import sys
from pathlib import Path
from deftx.core.events import Event, ignore
from deftx.training.trackers import TrackedRun, reporting
for steps in ((1, 2), (3,)):  # stopped, and resumed
    with reporting(sys.argv[1], TrackedRun(Path(sys.argv[2]), "Minangkabau", {"k": 50}), ignore) as on_event:
        for step in steps:
            on_event(Event("dense", step, 4, loss=1.5 / step, learning_rate=0.5))
"""


@pytest.mark.slow
def test_trackio_has_one_run_with_all_steps(tmp_path):
    done = forked.run(LOG, "trackio", tmp_path / "tracked", TRACKIO_DIR=str(tmp_path / "trackio"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    link = json.loads((tmp_path / "tracked" / trackers.LINK).read_text())
    assert link == {"tracker": "trackio", "link": str(tmp_path / "trackio")}
    code = (
        "import json\nfrom trackio.sqlite_storage import SQLiteStorage as storage\n"
        "print(json.dumps({run: storage.get_logs('deftx', run) for run in storage.get_runs('deftx')}))"
    )
    done = forked.run(code, TRACKIO_DIR=str(tmp_path / "trackio"))
    ((run, logs),) = json.loads(done.stdout).items()
    assert run == TrackedRun(tmp_path / "tracked", "Minangkabau", {}).run
    assert [(one["dense/step"], one["dense/loss"]) for one in logs] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    assert {key.partition("/")[0] for one in logs for key in one} <= {"dense", "step", "timestamp"}


@pytest.mark.slow
def test_weights_and_biases_has_all_steps_and_offline_sends_nothing(tmp_path):
    done = forked.run(LOG, "wandb", tmp_path / "tracked", WANDB_MODE="offline", WANDB_ERROR_REPORTING="false")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    files = sorted((tmp_path / "tracked" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2  # one for each part of the run, with one id
    assert {file.stem.removeprefix("run-") for file in files} == {
        TrackedRun(tmp_path / "tracked", "Minangkabau", {}).run
    }
    assert json.loads((tmp_path / "tracked" / trackers.LINK).read_text())["link"] == str(files[1].parent)
    history = [row for file in files for row in rows_of(file)]
    assert [(row["dense/step"], row["dense/loss"]) for row in history] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    names = {path.name for path in (tmp_path / "tracked").rglob("*") if path.is_file()}
    assert not names & {"requirements.txt", "wandb-metadata.json"}


def rows_of(file):
    """Return the history in a small file of an offline run: after 7 bytes, records with a checksum, a length and a type."""
    content, place, found = file.read_bytes(), 7, []
    while place < len(content):
        _, length, kind = struct.unpack_from("<IHB", content, place)
        assert kind == 1, "a record in several pieces"
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content[place + 7 : place + 7 + length])
        place += 7 + length
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            found.append({"".join(one.nested_key) or one.key: json.loads(one.value_json) for one in items})
    return found
