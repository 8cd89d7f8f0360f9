"""A tiny base with a whole-word vocabulary, text and labelled rows for it, and a task vector: for tests of the page."""

import torch
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaTokenizer

from deftx.data.tables import read_table
from deftx.models.bases import load_base
from deftx.training.recipes import recipe_for
from deftx.training.task import learn_task

WORDS = ["good", "bad", "fine", "awful", "day", "night", "food", "house", "very", "not", "the", "is", "was", "this"]
SHORT = {"epochs": 1, "max_steps": 4, "batch_size": 4, "max_length": 16, "evaluate_every": 4, "k": 50}


def make_base(folder, draw=0):
    """Write an XLM-R of 16 dimensions, drawn at random, and return its folder."""
    torch.manual_seed(draw)
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary = [*special, *((f"▁{word}", -1.0) for word in WORDS), ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary, model_max_length=32).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, pad_token_id=1, type_vocab_size=1,
    )  # fmt: skip
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def write_corpus(path, lines=400):
    """Write lines of random words that the base knows."""
    draw = torch.Generator().manual_seed(1)
    sentences = (" ".join(WORDS[i] for i in torch.randint(len(WORDS), (8,), generator=draw)) for _ in range(lines))
    path.write_text("\n".join(sentences), encoding="utf-8")
    return path


def finish_task_job(store, base, name="Mood"):
    """Put a task training into the store and do it here and now, so that its vector is there to be chosen."""
    table = store.root / "train.csv"
    rows = [
        f"the {noun} is {word},{label}"
        for noun in ("day", "food", "night", "house")
        for word, label in (("good", "positive"), ("fine", "positive"), ("bad", "negative"), ("awful", "negative"))
    ]
    table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return _finish(store, "task", name, base, lambda recipe, job: learn_task(
        read_table(table), load_base(base), recipe, out=job.out, valid=table))  # fmt: skip


def finish_pair_job(store, base, name="Follows"):
    """Do a task training on pairs of sentences here and now."""
    table = store.root / "pairs.csv"
    rows = [
        f"the {noun} is {first},the {noun} is {second},{'yes' if first == second else 'no'}"
        for noun in ("day", "food", "night", "house") for first in ("good", "bad") for second in ("good", "bad")
    ]  # fmt: skip
    table.write_text("\n".join(["premise,hypothesis,label", *rows]), encoding="utf-8")
    return _finish(store, "task", name, base, lambda recipe, job: learn_task(
        read_table(table), load_base(base), recipe, out=job.out, valid=table))  # fmt: skip


def finish_language_job(store, base, corpus, name="Minangkabau"):
    """Put a language training into the store and do it here and now."""
    from deftx.training.language import learn_language

    return _finish(store, "language", name, base, lambda recipe, job: learn_language(
        corpus, load_base(base), recipe, out=job.out, language="min"))  # fmt: skip


def _finish(store, kind, name, base, learn):
    from deftx.core.files import write_json
    from deftx.jobs.job import RESULT

    job = store.add(kind, name, {"base": str(base), "recipe": SHORT})
    learn(recipe_for(kind, "quick", **SHORT), job)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Finished."})
    return store.get(job.id)
