"""A language vector says what it is worth, and the text is masked the same way for every judgement of it."""

import json
import math

import pytest
import tiny
import torch
from torch.nn.functional import cross_entropy

from deftx.core.errors import CorpusError, RecipeError, TrainingError, TrainingStopped
from deftx.core.events import Listener, ignore
from deftx.data.text import Corpus, fingerprint, read_corpus
from deftx.models.bases import load_base
from deftx.models.parameters import sparse_trainable
from deftx.training.language import LanguageObjective, language_objective, learn_language, masked_lm_loss
from deftx.training.recipes import recipe_for
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

QUIET = Listener(ignore, lambda: False)


def corpus_of(lines):
    return Corpus(lines, (("text.txt", len(lines)),), fingerprint(lines), {})


def objective(base, lines=None, **settings):
    return language_objective(corpus_of(lines or tiny.sentences(200)), base, tiny.language_recipe(**settings), QUIET)


def test_the_loss_is_that_of_all_logits_at_the_masked_positions(base):
    (batch,) = objective(base).micro_batches("dense", 0)
    logits = base.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    expected = cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=-100)
    assert masked_lm_loss(base.model, batch).item() == pytest.approx(expected.item(), abs=1e-6)


def test_only_the_logits_of_masked_positions_are_computed(base, monkeypatch):
    (batch,) = objective(base).micro_batches("dense", 0)
    seen = []
    forward = base.model.lm_head.forward
    monkeypatch.setattr(base.model.lm_head, "forward", lambda hidden: seen.append(hidden.shape) or forward(hidden))
    masked_lm_loss(base.model, batch)
    assert seen == [(int((batch["labels"] != -100).sum()), base.model.config.hidden_size)]


def test_evaluation_masks_are_always_the_same_and_training_masks_follow_the_seed(base):
    one, same, other = objective(base, seed=1), objective(base, seed=1), objective(base, seed=2)
    held_out = one.held_out
    assert one.evaluate(base.model) == one.evaluate(base.model) == same.evaluate(base.model)
    # The same held-out text is masked alike whatever the seed of the training.
    moved = LanguageObjective(base, other.recipe, other.train, held_out)
    assert moved.evaluate(base.model) == one.evaluate(base.model)
    first, again = (o.micro_batches("dense", 3)[0] for o in (one, same))
    assert all(first[key].equal(again[key]) for key in first)
    rest = [o.micro_batches(phase, 3)[0]["labels"] for o, phase in ((other, "dense"), (one, "sparse"))]
    assert not any(labels.shape == first["labels"].shape and labels.equal(first["labels"]) for labels in rest)
    later = one.micro_batches("dense", 3 + -(-len(one.train) // 4))[0]["labels"]  # the next pass
    assert not (later.shape == first["labels"].shape and later.equal(first["labels"]))


def test_training_masks_change_with_the_seed_on_the_same_rows(base):
    masks = []
    for seed in (1, 2):
        recipe = tiny.language_recipe(seed=seed, batch_size=64)
        train = objective(base).train[:8]
        (batch,) = LanguageObjective(base, recipe, train, train).micro_batches("dense", 0)
        masks.append((batch["labels"] != -100).float().mean().item())
        masks.append(batch["labels"].sort(0).values)
    assert not masks[1].equal(masks[3])
    assert 0.05 < masks[0] < 0.3


def test_random_tokens_are_pieces_and_not_rows_that_fill_the_embeddings_up(base_folder):
    base = load_base(base_folder)
    pieces = len(base.tokenizer)
    assert pieces == base.model.config.vocab_size
    base.model.resize_token_embeddings(pieces + 50)
    parts = objective(base, mask_share=0.9, batch_size=64).micro_batches("dense", 0)
    drawn = torch.cat([part["input_ids"][part["labels"] != -100] for part in parts])
    assert len(drawn.unique()) > 10
    assert int(drawn.max()) < pieces


def test_the_same_rows_in_two_portions_give_almost_the_same_loss(base):
    losses = []
    for accumulation in (1, 2):
        parts = objective(base, batch_size=32, accumulation=accumulation, mask_share=0.5).micro_batches("dense", 0)
        assert len(parts) == accumulation
        losses.append(sum(masked_lm_loss(base.model, part).item() for part in parts) / len(parts))
    assert losses[0] == pytest.approx(losses[1], abs=0.1)


def test_the_reported_losses_are_those_of_the_base_and_of_the_vector(base, base_folder, corpus_file, language_vector):
    vector = SparseVector.load(language_vector)
    scores = vector.info["scores"]
    judge = language_objective(read_corpus(corpus_file), base, tiny.language_recipe(max_steps=12), QUIET)
    assert scores["masked_lm_loss"]["before"] == pytest.approx(judge.evaluate(base.model), abs=1e-6)
    model = load_base(base_folder).language_model()
    apply_vectors(sparse_trainable(model), [(vector, 1.0)])
    with torch.no_grad():
        for name, tensor in vector.head.items():
            model.get_parameter(name).copy_(tensor)
    assert scores["masked_lm_loss"]["after"] == pytest.approx(judge.evaluate(model.eval()), abs=1e-6)
    assert scores["masked_lm_loss"]["after"] < scores["masked_lm_loss"]["before"]
    assert scores["examples"] == judge.evaluation_tokens


def test_the_vector_says_how_it_came_about_and_keeps_no_line_of_the_corpus(language_vector, base, corpus_file):
    info = SparseVector.load(language_vector).info
    assert (info["kind"], info["language"], info["k"], info["seed"], info["filled"]) == ("language", "min", 60, 42, 0)
    assert info["base"] == {"name": "tiny-base", "revision": None, "fingerprint": base.fingerprint}
    assert sum(info["mask"].values()) == 60
    assert info["rank"]["strategy"] == "variance:0.9"
    assert info["rank"]["ranks"].keys() == info["singular_values"].keys() == info["spectrum_shapes"].keys()
    assert info["corpus"]["lines"] == 200
    assert info["recipe"]["l1"] == 0.1
    assert {"losses", "evaluations", "best_step", "best_score", "step"} == set(info["scores"]["history"]["sparse"])
    text = "".join(path.read_text(errors="replace") for path in language_vector.iterdir())
    assert not [line for line in corpus_file.read_text().splitlines() if line in text]
    assert not (language_vector / "run").exists()


def test_a_preset_by_name_is_a_recipe(base, corpus_file, tmp_path):
    note = tmp_path / "v" / "run" / "settings.json"
    with pytest.raises(TrainingStopped):
        learn_language(corpus_file, base, "quick", out=tmp_path / "v", should_stop=note.is_file)
    settings = json.loads(note.read_text())
    assert settings == {**settings, **recipe_for("language", "quick").to_dict()}
    with pytest.raises(RecipeError, match="Did you mean 'quick'"):
        learn_language(corpus_file, base, "quik", out=tmp_path / "w")


@pytest.mark.parametrize("lines", [["the day is good"], ["the day is good"] * 5, ["the day", "the night was bad"]])
def test_a_corpus_shorter_than_a_batch_trains_with_what_there_is(base, tmp_path, lines):
    said = []
    vector = learn_language(corpus_of(lines), base, tiny.language_recipe(), out=tmp_path / "v", on_event=said.append)
    assert vector.count == 60
    warned = [event.message for event in said if event.warning]
    assert ("one distinct line" in " ".join(warned)) is (len(set(lines)) == 1)


def test_a_corpus_without_usable_text_is_refused_before_anything_is_written(base, tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n---\n")
    with pytest.raises(CorpusError, match="no usable text"):
        learn_language(tmp_path / "empty.txt", base, tiny.language_recipe(), out=tmp_path / "v")
    assert not (tmp_path / "v").exists()


def test_a_script_that_the_base_cannot_read_is_warned_of(base, tmp_path):
    said = []
    lines = [f"{line} ꦲꦏ" for line in tiny.sentences(20)]
    learn_language(corpus_of(lines), base, tiny.language_recipe(), out=tmp_path, on_event=said.append)
    assert [e for e in said if e.warning and "unknown to this base" in e.message]


def test_every_phase_is_told_in_its_order(base, corpus_file, tmp_path):
    said = []
    learn_language(corpus_file, base, tiny.language_recipe(), out=tmp_path, on_event=said.append)
    phases = list(dict.fromkeys(event.phase for event in said if event.total))
    assert phases == ["tokenise", "evaluate", "dense", "denoise", "select", "sparse"]
    assert all(e.seconds_left is not None and e.loss is not None for e in said if e.phase in ("dense", "sparse"))
    assert said[-1].phase == "evaluate"
    assert said[-1].evaluation is not None
    measured = [event for event in said if event.evaluation is not None]
    assert {event.metric for event in measured} == {"masked_lm_loss"}
    assert [(e.phase, e.step) for e in (measured[0], measured[-1])] == [("evaluate", 1), ("evaluate", 2)]


def test_a_diverging_training_ends_in_words_and_its_folder_stays(base, corpus_file, tmp_path, monkeypatch):
    monkeypatch.setattr("deftx.training.schedule.CHECKPOINT_SECONDS", 0.0)
    honest, losses = LanguageObjective.loss, iter(range(100))
    wrong = lambda self, model, batch: honest(self, model, batch) * (1.0 if next(losses) < 4 else math.nan)  # noqa: E731
    monkeypatch.setattr(LanguageObjective, "loss", wrong)
    with pytest.raises(TrainingError, match="Lower the learning rate"):
        learn_language(corpus_file, base, tiny.language_recipe(), out=tmp_path / "v")
    assert (tmp_path / "v" / "run" / "dense" / "checkpoint.safetensors").is_file()
    assert not (tmp_path / "v" / "vector.json").exists()


def test_a_kept_delta_of_another_corpus_is_refused(base, corpus_file, tmp_path):
    recipe = tiny.language_recipe()
    learn_language(corpus_file, base, recipe, out=tmp_path / "a", delta=tmp_path / "delta")
    with pytest.raises(RecipeError, match=r"corpus: .* before, .* now"):
        learn_language(corpus_of(tiny.sentences(50)), base, recipe, out=tmp_path / "b", delta=tmp_path / "delta")


def test_a_text_is_translated_word_by_word_for_a_language_without_one(base, tmp_path):
    lines, lexicon, said = tmp_path / "related.txt", tmp_path / "list.csv", []
    lines.write_text("\n".join(tiny.sentences(60)), encoding="utf-8")
    tiny.write_csv(lexicon, ("word", "translation"), [(word, f"word{n}") for n, word in enumerate(tiny.GOOD)])
    vector = learn_language(lines, base, tiny.language_recipe(), out=tmp_path / "v", lexicon=lexicon,
                            on_event=said.append)  # fmt: skip
    names = dict(zip(tiny.GOOD, ("word0", "word1", "word2"), strict=True))
    by_hand = tmp_path / "by-hand.txt"
    translated = [" ".join(names.get(word, word) for word in line.split()) for line in tiny.sentences(60)]
    by_hand.write_text("\n".join(translated), encoding="utf-8")
    same = learn_language(by_hand, base, tiny.language_recipe(), out=tmp_path / "w")
    assert vector.digest() == same.digest()
    assert any("list.csv translates" in event.message for event in said)
    assert vector.info["corpus"]["lexicons"] == ["list.csv"]
    assert "translated word by word with: `list.csv`" in (tmp_path / "v" / "README.md").read_text(encoding="utf-8")
    assert "lexicons" not in same.info["corpus"]
