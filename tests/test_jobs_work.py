"""The real trainings as jobs: what the page asks for is what is learned, and a stopped one goes on to the same vector."""

from itertools import count

import pytest
import torch
from job_helpers import scheduler, wait_for_state
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaTokenizer

from deftx.errors import DeftxError, TrainingStopped
from deftx.events import ignore
from deftx.jobs import Store, progress_of, state_of
from deftx.jobs.scheduler import WORKER
from deftx.jobs.work import learn_language, learn_task
from deftx.vector import SparseVector

WORDS = ["good", "bad", "fine", "awful", "day", "night", "food", "house", "very", "not", "the", "is", "was", "this"]
RECIPE = {"epochs": 1, "max_steps": 6, "batch_size": 4, "max_length": 16, "evaluate_every": 3, "k": 50}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """An XLM-R of 16 dimensions, with a vocabulary of whole words."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("base")
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary = [*special, *((f"▁{word}", -1.0) for word in WORDS), ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary, model_max_length=32).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, pad_token_id=1, type_vocab_size=1,
    )  # fmt: skip
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    draw = torch.Generator().manual_seed(1)
    lines = [" ".join(WORDS[i] for i in torch.randint(len(WORDS), (8,), generator=draw)) for _ in range(200)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "train.csv"
    rows = [
        f"the {noun} is {word},{label}"
        for noun in ("day", "food", "night", "house")
        for word, label in (("good", "positive"), ("fine", "positive"), ("bad", "negative"), ("awful", "negative"))
    ]
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return path  # fmt: skip


def test_a_real_worker_learns_a_language_vector(store, base, corpus):
    settings = {"base": str(base), "device": "cpu", "corpus": str(corpus), "language": "min", "recipe": RECIPE}
    job = store.add("language", "l", settings)
    with scheduler(store, command=WORKER):
        job = wait_for_state(store, job, "finished", "failed", seconds=120)
    assert state_of(job).name == "finished", job.log_tail()
    learned = SparseVector.load(job.out).info
    assert (learned["kind"], learned["language"], learned["k"]) == ("language", "min", 50)
    assert {"dense", "sparse"} <= progress_of(job).evaluations.keys()


def test_a_task_is_learned_from_the_vector_of_a_finished_job(store, base, corpus, table):
    shared = {"base": str(base), "device": "cpu", "recipe": RECIPE}
    language = store.add("language", "l", {**shared, "corpus": [str(corpus)]})
    learn_language(language.settings, language.folder, ignore, lambda: False)
    asked = {**shared, "train": str(table), "valid": str(table), "language": "ind", "source": str(language.out)}
    task = store.add("task", "t", asked)
    learn_task(task.settings, task.folder, ignore, lambda: False)
    learned = SparseVector.load(task.out).info
    assert (learned["kind"], learned["language"], learned["labels"]) == ("task", "ind", ["negative", "positive"])
    assert learned["corpus"]["source"]


def test_a_stopped_training_goes_on_to_the_vector_of_an_undisturbed_one(store, base, corpus):
    settings = {"base": str(base), "device": "cpu", "corpus": str(corpus), "recipe": {**RECIPE, "max_steps": 12}}
    undisturbed, stopped = (store.add("language", name, settings) for name in ("undisturbed", "stopped"))
    learn_language(settings, undisturbed.folder, ignore, lambda: False)
    questions = count()
    with pytest.raises(TrainingStopped):
        learn_language(settings, stopped.folder, ignore, lambda: next(questions) == 5)
    learn_language(settings, stopped.folder, ignore, lambda: False)
    one, other = (SparseVector.load(job.out) for job in (undisturbed, stopped))
    assert one.digest() == other.digest()


@pytest.mark.parametrize(
    ("learn", "settings", "words"),
    [
        (learn_language, {}, "which corpus"),
        (learn_task, {}, "which train"),
        (learn_language, {"corpus": "missing.txt"}, "missing.txt"),
        (learn_language, {"corpus": "x.txt", "recipe": {"ranc": "mp"}}, "Did you mean 'rank'"),
        (learn_language, {"corpus": "x.txt", "preset": "quik"}, "Did you mean 'quick'"),
    ],
)
def test_what_a_person_got_wrong_is_said(base, tmp_path, learn, settings, words):
    with pytest.raises(DeftxError, match=words):
        learn({"base": str(base), **settings}, tmp_path, ignore, lambda: False)
