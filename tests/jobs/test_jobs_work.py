"""The real trainings as jobs: what the page asks for is what is learned, and a stopped one goes on to the same vector."""

from itertools import count

import pytest
import tiny
from job_helpers import scheduler, wait_for_state

import deftx.training.task
from deftx.core.errors import DeftxError, TrainingStopped
from deftx.core.events import ignore
from deftx.data.tables import read_table
from deftx.jobs import Store, progress_of, state_of, work
from deftx.jobs.scheduler import WORKER
from deftx.jobs.work import learn_language, learn_task
from deftx.training.recipes import recipe_for
from deftx.vectors.vector import SparseVector

RECIPE = {"epochs": 1, "max_steps": 6, "batch_size": 4, "max_length": 16, "evaluate_every": 3, "k": 50}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.mark.slow
def test_a_real_worker_learns_a_language_vector(store, base_folder, corpus_file):
    settings = {
        "base": str(base_folder),
        "device": "cpu",
        "corpus": str(corpus_file),
        "language": "min",
        "recipe": RECIPE,
    }
    job = store.add("language", "l", settings)
    with scheduler(store, command=WORKER):
        job = wait_for_state(store, job, "finished", "failed", seconds=120)
    assert state_of(job).name == "finished", job.log_tail()
    learned = SparseVector.load(job.out).info
    assert (learned["kind"], learned["language"], learned["k"]) == ("language", "min", 50)
    assert {"dense", "sparse"} <= progress_of(job).evaluations.keys()


def test_a_task_is_learned_from_the_vector_of_a_finished_job(store, base_folder, corpus_file, table_file):
    shared = {"base": str(base_folder), "device": "cpu", "recipe": RECIPE}
    language = store.add("language", "l", {**shared, "corpus": [str(corpus_file)]})
    learn_language(language.settings, language.folder, ignore, lambda: False)
    asked = {
        **shared,
        "train": str(table_file),
        "valid": str(table_file),
        "language": "ind",
        "source": str(language.out),
    }
    task = store.add("task", "t", asked)
    learn_task(task.settings, task.folder, ignore, lambda: False)
    learned = SparseVector.load(task.out).info
    assert (learned["kind"], learned["language"], learned["labels"]) == ("task", "ind", ["negative", "positive"])
    assert learned["corpus"]["source"]


def test_a_stopped_training_goes_on_to_the_vector_of_an_undisturbed_one(store, base_folder, corpus_file):
    settings = {
        "base": str(base_folder),
        "device": "cpu",
        "corpus": str(corpus_file),
        "recipe": {**RECIPE, "max_steps": 12},
    }
    undisturbed, stopped = (store.add("language", name, settings) for name in ("undisturbed", "stopped"))
    learn_language(settings, undisturbed.folder, ignore, lambda: False)
    questions = count()
    with pytest.raises(TrainingStopped):
        learn_language(settings, stopped.folder, ignore, lambda: next(questions) == 5)
    learn_language(settings, stopped.folder, ignore, lambda: False)
    one, other = (SparseVector.load(job.out) for job in (undisturbed, stopped))
    assert one.digest() == other.digest()


def test_several_labelled_files_and_a_word_list_are_learned_from_and_a_stop_changes_nothing(
    store, base_folder, base, language_vector, tmp_path
):
    header, rows = ("text", "label"), tiny.labelled_rows()
    first = tiny.write_csv(tmp_path / "a.csv", header, rows)
    second = tiny.write_csv(tmp_path / "b.csv", ("review", "label"), tiny.labelled_rows(("day", "night")))
    words = tiny.write_csv(tmp_path / "words.csv", ("word", "translation"), [("good", "sweet"), ("house", "road")])
    settings = {
        "base": str(base_folder), "device": "cpu", "recipe": {**RECIPE, "precision": "float32"}, "train": str(first), "valid": str(first),
        "lexicon": [str(words)],
        "further": [{"file": str(second), "columns": {"text": "review"}, "source": str(language_vector), "repeat": 3}],
    }  # fmt: skip
    tables = [read_table(first), read_table(second, columns={"text": "review"})]
    direct = deftx.training.task.learn_task(
        tables, base, recipe_for("task", "quick", **settings["recipe"]), out=tmp_path / "direct", valid=tables[0],
        source=[None, language_vector], repeat=[1, 3], lexicon=[[words], None],
    )  # fmt: skip
    job = store.add("task", "t", settings)
    questions = count()
    with pytest.raises(TrainingStopped):
        learn_task(job.settings, job.folder, ignore, lambda: next(questions) == 5)
    learn_task(job.settings, job.folder, ignore, lambda: False)
    found = SparseVector.load(job.out)
    assert found.digest() == direct.digest()
    assert [one["repeat"] for one in found.info["corpus"]["trained_on"]] == [1, 3]
    assert found.info["corpus"]["trained_on"][0]["lexicons"] == ["words.csv"]


def test_a_task_vector_is_trained_further_and_a_language_vector_is_learned_from_a_word_list(
    store, base_folder, task_vector, corpus_file, table_file, tmp_path
):
    shared = {"base": str(base_folder), "device": "cpu", "recipe": RECIPE}
    job = store.add("task", "t", {**shared, "train": str(table_file), "start": str(task_vector)})
    learn_task(job.settings, job.folder, ignore, lambda: False)
    assert SparseVector.load(job.out).info["corpus"]["started_from"] == SparseVector.load(task_vector).name
    words = tiny.write_csv(tmp_path / "words.csv", ("word", "translation"), [("the", "good")])
    other = store.add("language", "l", {**shared, "corpus": str(corpus_file), "lexicon": [str(words)]})
    learn_language(other.settings, other.folder, ignore, lambda: False)
    assert SparseVector.load(other.out).info["corpus"]["lexicons"] == ["words.csv"]


def test_labelled_files_keep_the_names_of_their_own_columns(store, base_folder, tmp_path):
    rows = tiny.labelled_rows()
    settings = {
        "base": str(base_folder), "device": "cpu", "recipe": RECIPE,
        "train": str(tiny.write_csv(tmp_path / "a.csv", ("sentence", "class"), rows)),
        "valid": str(tiny.write_csv(tmp_path / "b.csv", ("review", "label"), rows)),
        "columns": {"text": "sentence", "label": "class"}, "valid_columns": {"text": "review"},
    }  # fmt: skip
    job = store.add("task", "t", settings)
    learn_task(settings, job.folder, ignore, lambda: False)
    assert SparseVector.load(job.out).labels == ["negative", "positive"]


def test_a_job_that_was_killed_after_its_vector_was_written_is_finished(store, base_folder, corpus_file):
    settings = {"base": str(base_folder), "device": "cpu", "corpus": str(corpus_file), "recipe": RECIPE}
    job, said = store.add("language", "l", settings), []
    learn_language(settings, job.folder, ignore, lambda: False)
    before = (job.out / "vector.json").stat()
    learn_language(settings, job.folder, said.append, lambda: False)
    assert not said
    assert (job.out / "vector.json").stat() == before


@pytest.mark.parametrize(
    ("learn", "settings", "words"),
    [
        (learn_language, {}, "setting corpus"),
        (learn_task, {}, "setting train"),
        (learn_language, {"corpus": "missing.txt"}, "missing.txt"),
        (learn_language, {"corpus": "x.txt", "recipe": {"ranc": "mp"}}, "Did you mean 'rank'"),
        (learn_language, {"corpus": "x.txt", "preset": "quik"}, "Did you mean 'quick'"),
    ],
)
def test_what_a_person_got_wrong_is_said(base_folder, tmp_path, learn, settings, words):
    with pytest.raises(DeftxError, match=words):
        learn({"base": str(base_folder), **settings}, tmp_path, ignore, lambda: False)


@pytest.mark.parametrize(("gpu", "device"), [(True, "cuda"), (False, "cpu")])
def test_a_job_without_a_device_uses_a_gpu_if_there_is_one(
    tmp_path, base_folder, corpus_file, monkeypatch, gpu, device
):
    asked = []

    def load_base(name, device):
        asked.append(device)
        raise DeftxError("asked")

    monkeypatch.setattr(work, "load_base", load_base)
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    with pytest.raises(DeftxError, match="asked"):
        learn_language({"base": str(base_folder), "corpus": str(corpus_file)}, tmp_path, ignore, lambda: False)
    assert asked == [device]
