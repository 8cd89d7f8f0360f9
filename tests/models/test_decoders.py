"""Every family of decoders keeps the method's contract, from a checkpoint to a classifier that plain transformers loads."""

import json
import math
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file
from tiny_decoders import DECODER_TOKENIZERS, TINY_DECODERS, make_decoder
from tiny_families import LONGEST
from torch.nn.functional import cross_entropy
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

from deftx.classify.attribution import METHODS, attribute
from deftx.classify.composition import Classifier, compose
from deftx.core.calibration import Calibration, Curve
from deftx.core.errors import BaseModelError, DeftxError
from deftx.core.events import Listener, ignore
from deftx.data.text import Corpus, split
from deftx.method.parameter_kinds import count_by_part, kind_of
from deftx.models.bases import Base, load_base
from deftx.models.batches import encode, pad
from deftx.models.decoders import DECODERS
from deftx.models.families import output_matrix
from deftx.models.parameters import canonical_parameters, encoder_parameters, head_parameters, sparse_trainable
from deftx.publish.classifier_space import write_space
from deftx.publish.exporting import export_folder
from deftx.publish.onnx_folder import write_onnx
from deftx.training.base_facts import read_base_facts
from deftx.training.language import language_objective, learn_language
from deftx.training.model_size import Model
from deftx.training.next_token import next_token_batch, next_token_loss
from deftx.training.task import learn_task
from deftx.training.task_objective import class_logits
from deftx.training.trimming import trimmed_base
from deftx.vectors.overlaps import layer_of
from deftx.vectors.vector import SparseVector

QUIET = Listener(ignore, lambda: False)
PAIRS = [("the day is good", "the night was bad"), ("this", "very fine food"), ("not the road", "the road")]
SENTENCES = [first for first, _ in PAIRS]
SHARE = 0.5  # of M: enough that every part of a model has some
NORMS = re.compile(r"norm|\.ln_")


@dataclass
class Learned:
    """A base of one family with what was learned on it, and the events of learning the language."""

    folder: Path
    base: Base
    language: SparseVector
    task: SparseVector
    classifier: Classifier
    events: list


@pytest.fixture(scope="module", params=TINY_DECODERS)
def learned(request, tmp_path_factory):
    """A language vector and a task vector of pairs, composed."""
    here = tmp_path_factory.mktemp("decoder")
    base = load_base(make_decoder(request.param, here / "base"))
    rows = [(premise, "the day", label) for premise, label in tiny.labelled_rows()]
    table = tiny.write_csv(here / "pairs.csv", ("premise", "hypothesis", "label"), rows)
    short, events = {"max_steps": 4, "evaluate_every": 4, "k": SHARE}, []
    language = learn_language(
        corpus_of(tiny.sentences(60)),
        base,
        tiny.language_recipe(**short),
        out=here / "language",
        on_event=events.append,
    )
    task = learn_task(table, base, tiny.task_recipe(**short), out=here / "task")
    return Learned(here / "base", base, language, task, compose(base, task=task, language=language), events)


def corpus_of(lines):
    return Corpus(lines, (("corpus.txt", len(lines)),), "0" * 64, {})


def copied(learned, folder):
    return shutil.copytree(learned.folder, folder)


def test_the_tested_families_are_those_of_the_table():
    assert {kind for kind, _, _ in TINY_DECODERS.values()} == set(DECODERS)


def test_normalisation_layers_stay_put_bit_for_bit(learned):
    start, now = encoder_parameters(learned.base.model), encoder_parameters(learned.classifier.model)
    norms = {name for name in start if NORMS.search(name)}  # in these families every one of them is called so
    assert norms
    assert start.keys() - learned.base.parameters().keys() == norms
    assert all(now[name].equal(start[name]) for name in norms)
    assert not any(canonical_parameters(learned.base.language_model())[name].requires_grad for name in norms)


def test_a_language_vector_moves_the_word_embeddings_in_the_classifier(learned):
    words = learned.base.model.get_input_embeddings().weight
    (name,) = [name for name, parameter in learned.base.parameters().items() if parameter is words]
    moved = learned.classifier.model.get_input_embeddings().weight
    assert canonical_parameters(learned.classifier.model)[name] is moved
    expected = words.detach().clone().view(-1)
    change = torch.zeros_like(expected)
    for vector in (learned.task, learned.language):
        if name in vector.positions:
            change[vector.positions[name]] += vector.values[name]
    assert len(learned.language.positions[name]) > 0
    assert moved.view(-1).equal(expected + change)


def test_vectors_have_exactly_k_entries_and_every_head_parameter(learned):
    language, classifier = learned.base.language_model(), learned.base.classifier(["a", "b"], seed=0)
    k = round(SHARE * sum(p.numel() for p in learned.base.parameters().values()))
    assert learned.language.count == learned.task.count == k
    assert not learned.language.head  # the language head of a decoder is its output embedding
    assert learned.task.head.keys() == head_parameters(classifier).keys() == {"score.weight"}
    for model in (language, classifier):
        rest = canonical_parameters(model).keys() - sparse_trainable(model).keys() - head_parameters(model).keys()
        assert [n for n in rest if canonical_parameters(model)[n].requires_grad] == []


def test_every_matrix_of_the_change_is_denoised(learned):
    matrices = {name for name, parameter in learned.base.parameters().items() if parameter.dim() == 2}
    for vector in (learned.language, learned.task):
        assert vector.info["singular_values"].keys() == vector.info["rank"]["ranks"].keys() == matrices


def test_the_output_embedding_is_that_of_the_base_frozen_and_apart(learned):
    model = learned.base.language_model()
    output = output_matrix(model, model.language_head)
    assert output.equal(output_matrix(learned.base.model, learned.base.model.language_head))
    assert output is model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    assert not output.requires_grad
    assert id(output) not in {id(p) for p in (*sparse_trainable(model).values(), *head_parameters(model).values())}


def test_the_loss_at_all_positions_is_that_of_plain_transformers(learned):
    plain = AutoModelForCausalLM.from_pretrained(learned.folder).eval()
    batch = next_token_batch([torch.arange(5, 21), torch.arange(9, 18)], learned.base)
    assert (batch["labels"] != -100).sum() == 15 + 8
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    expected = plain(**inputs, labels=batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)).loss.item()
    for model in (learned.base.model, learned.base.language_model().eval()):
        assert next_token_loss(model, batch).item() == pytest.approx(expected, abs=1e-5)


def test_the_end_token_is_predicted_where_it_is_also_the_padding(learned):
    end = learned.base.tokenizer.pad_token_id
    batch = next_token_batch([torch.tensor([7, 8, end, 9]), torch.tensor([7, end])], learned.base)
    assert batch["labels"].tolist() == [[8, end, 9, -100], [end, -100, -100, -100]]


def test_the_held_out_loss_is_by_token_and_named_so(learned):
    objective = language_objective(corpus_of(tiny.sentences(60)), learned.base, tiny.language_recipe(), QUIET)
    scores = learned.language.info["scores"]
    logits = [learned.base.model(input_ids=one[None].long()).logits[0, :-1] for one in objective.held_out]
    total = sum(
        cross_entropy(rows, one[1:].long(), reduction="sum").item()
        for rows, one in zip(logits, objective.held_out, strict=True)
    )
    tokens = sum(len(one) - 1 for one in objective.held_out)
    assert scores["examples"] == tokens
    assert scores["next_token_loss"]["before"] == pytest.approx(total / tokens, abs=1e-4)
    assert "masked_lm_loss" not in scores
    assert scores["on"].startswith("tokens of held-out text")
    assert not any("masked" in event.message or event.guesses for event in learned.events)
    assert {event.metric for event in learned.events if event.evaluation is not None} == {"next_token_loss"}


def test_an_exported_classifier_agrees_in_plain_transformers(learned, tmp_path):
    classifier = replace(
        learned.classifier, calibration=Calibration(2.5, 100, 0.8, (0, 0), (1, 1), 0, Curve([1], [0], [0.8]))
    )
    classifier.save_pretrained(tmp_path / "plain")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "plain")
    for texts in (PAIRS, SENTENCES):
        columns = map(list, zip(*texts, strict=True)) if texts is PAIRS else [texts]
        with torch.no_grad():
            plain = model(**tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")).logits.softmax(-1)
        torch.testing.assert_close(classifier.classify(texts), plain, atol=1e-5, rtol=0)
    classify = pipeline("text-classification", str(tmp_path / "plain"), truncation=True, device="cpu")
    found = [{one["label"]: one["score"] for one in each} for each in classify(SENTENCES, top_k=None, batch_size=3)]
    for each, expected in zip(found, classifier.classify(SENTENCES).tolist(), strict=True):
        assert [each[label] for label in classifier.labels] == pytest.approx(expected, abs=1e-5)


def test_the_last_token_that_is_not_padding_decides(learned):
    rows = encode(learned.base.tokenizer, PAIRS, LONGEST)
    model, padding = learned.classifier.model, learned.base.tokenizer.pad_token_id
    together = class_logits(model, rows, padding)
    for row, logits in zip(rows, together, strict=True):
        with torch.no_grad():
            hidden = model.base_model(input_ids=torch.tensor([row])).last_hidden_state
        torch.testing.assert_close(logits, model.score(hidden[0, -1]), atol=1e-5, rtol=0)


def test_the_texts_of_a_pair_have_a_special_token_between_them(learned):
    tokenizer = learned.base.tokenizer
    made = tokenizer(*map(list, zip(*PAIRS, strict=True)))
    for number, ids in enumerate(made["input_ids"]):
        parts = made.sequence_ids(number)
        between = parts.index(1) - 1
        assert parts[between] is None
        assert parts[between - 1] == 0
        assert ids[between] in (tokenizer.eos_token_id, tokenizer.bos_token_id)


def test_the_tokenizer_pads_on_the_right_with_a_token_that_the_model_knows(learned):
    tokenizer, config = learned.base.tokenizer, learned.base.model.config
    assert tokenizer.padding_side == "right"
    assert config.pad_token_id == tokenizer.pad_token_id == learned.classifier.model.config.pad_token_id
    own = DECODER_TOKENIZERS[next(t for k, _, t in TINY_DECODERS.values() if k == config.model_type)]()
    assert tokenizer.pad_token == (own.pad_token or own.eos_token)


def test_a_text_without_tokens_is_classified_and_so_is_a_text_whose_only_word_is_left_out(learned):
    found = learned.classifier.classify(["", "good", " \u200b"])
    assert found.isfinite().all()
    assert found[0].equal(found[2])
    for method in METHODS:
        (word,) = attribute(learned.classifier, "good", method=method).words
        assert word.word == "good"
        assert math.isfinite(word.weight)
    assert attribute(learned.classifier, "").words == ()


def test_the_words_that_mattered_are_those_of_the_text(learned):
    text = "the day is good"
    found = attribute(learned.classifier, text)
    assert [word.word for word in found.words] == text.split()
    without = learned.classifier.classify(["the day is"])[0, learned.classifier.labels.index(found.label)]
    assert found.words[-1].without == pytest.approx(float(without), abs=1e-5)


def test_names_are_those_that_save_pretrained_writes(learned, tmp_path):
    assert canonical_parameters(learned.base.model).keys() == load_file(learned.folder / "model.safetensors").keys()
    learned.classifier.save_pretrained(tmp_path / "plain")
    written = load_file(tmp_path / "plain" / "model.safetensors").keys()
    assert canonical_parameters(learned.classifier.model).keys() == written


def test_the_base_is_untouched(learned):
    fresh = load_base(learned.folder)
    before, after = fresh.model.state_dict(), learned.base.model.state_dict()
    assert [name for name in before if not before[name].equal(after[name])] == []
    assert fresh.fingerprint == learned.base.fingerprint == learned.language.info["base"]["fingerprint"]


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_a_checkpoint_in_half_precision_is_used_in_float32(learned, tmp_path, stored):
    AutoModelForCausalLM.from_pretrained(learned.folder, dtype=stored).save_pretrained(copied(learned, tmp_path / "b"))
    base = load_base(tmp_path / "b")
    assert {tensor.dtype for tensor in load_file(tmp_path / "b" / "model.safetensors").values()} == {stored}
    assert {tensor.dtype for tensor in base.model.parameters()} == {torch.float32}
    assert {tensor.dtype for tensor in base.classifier(["a", "b"], seed=0).parameters()} == {torch.float32}


def test_a_bare_decoder_predicts_with_its_word_embeddings(learned, tmp_path):
    AutoModel.from_pretrained(learned.folder).save_pretrained(copied(learned, tmp_path / "bare"))
    base = load_base(tmp_path / "bare")
    assert base.fingerprint == learned.base.fingerprint
    output = output_matrix(base.model, base.model.language_head)
    assert output.equal(base.model.get_input_embeddings().weight)
    untied = not learned.base.model.config.tie_word_embeddings
    assert any("output embedding is missing" in note for note in base.notes) is untied


def test_the_longest_text_is_the_longest_that_fits(learned):
    assert learned.base.fitting_length(10_000, QUIET) == LONGEST
    rows = encode(learned.base.tokenizer, ["good " * 99], LONGEST)
    assert len(rows[0]) == LONGEST
    assert class_logits(learned.classifier.model, rows, learned.base.tokenizer.pad_token_id).isfinite().all()


def test_the_mask_is_told_apart_by_parts_and_layers(learned):
    everything = {name: torch.arange(p.numel()) for name, p in learned.base.parameters().items()}
    shares = count_by_part(everything)
    assert min(shares["embeddings"], shares["attention"], shares["feed-forward"]) > 1_000
    assert shares["other"] == 0
    assert {layer_of(name) for name in everything} == {"embeddings", "layer 0", "layer 1"}
    kinds = {kind_of(name).name for name in everything}
    assert not kinds & {"attention", "feed-forward", "LayerNorm", "other"}  # every matrix has a kind of its own


def test_an_estimate_counts_the_logits_of_all_positions(learned):
    model, recipe = Model.of(learned.base.model), tiny.language_recipe()
    facts = read_base_facts(str(learned.folder))
    assert facts.model == model
    assert facts.longest == LONGEST
    assert model.memory(recipe) > replace(model, all_positions=False).memory(recipe)
    assert model.memory(tiny.task_recipe()) == replace(model, all_positions=False).memory(tiny.task_recipe())


def test_a_trimmed_decoder_predicts_the_kept_tokens_alike(learned):
    lines = tiny.sentences(20)
    small = trimmed_base(learned.base, lines)  # it compares the logits itself
    assert small.model.config.vocab_size < learned.base.model.config.vocab_size
    text = encode(small.tokenizer, [lines[0]], LONGEST)[0]
    assert small.tokenizer.decode(text) == learned.base.tokenizer.decode(
        encode(learned.base.tokenizer, [lines[0]], 40)[0]
    )


@pytest.mark.parametrize(("name", "ends"), [("gpt2", True), ("bloom", True), ("llama", False), ("xglm", False)])
def test_lines_are_told_apart_by_a_special_token(tmp_path, name, ends):
    base = load_base(make_decoder(name, tmp_path / "base"))
    said, recipe = [], tiny.language_recipe()
    lines, _ = split(tiny.sentences(30), recipe.hold_out, recipe.seed)
    objective = language_objective(corpus_of(tiny.sentences(30)), base, recipe, Listener(said.append, lambda: False))
    tokens = torch.cat(objective.train).tolist()
    mark = base.tokenizer.eos_token_id if ends else base.tokenizer.bos_token_id
    assert tokens.count(mark) == len(lines)
    assert (tokens[-1] if ends else tokens[0]) == mark
    assert not [event.message for event in said if event.warning]


def test_tags_of_words_are_refused(tmp_path):
    base = load_base(make_decoder("llama", tmp_path / "base"))
    with pytest.raises(BaseModelError, match=r"decoder \(llama\) reads from left to right"):
        base.classifier(["O", "B-PER"], seed=0, unit="word")


def test_a_tokenizer_without_padding_and_end_token_is_refused(tmp_path):
    folder = make_decoder("llama", tmp_path / "base")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(BaseModelError, match="has no padding or end token"):
        load_base(folder)


def test_a_model_that_reads_what_follows_is_no_decoder(tmp_path):
    DECODER_TOKENIZERS["begins"]().save_pretrained(tmp_path)
    config = AutoConfig.for_model("xlnet", vocab_size=90, d_model=32, n_layer=1, n_head=2, d_inner=32)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(BaseModelError, match="depend on later tokens"):
        load_base(tmp_path)


def test_a_decoder_without_a_classifier_is_refused(tmp_path):
    DECODER_TOKENIZERS["begins"]().save_pretrained(tmp_path)
    AutoConfig.for_model("mamba").save_pretrained(tmp_path)
    with pytest.raises(BaseModelError, match=r"no sequence classifier in transformers \(mamba\)"):
        load_base(tmp_path)


def test_the_card_of_xglm_says_what_must_be_imported(tmp_path):
    base = load_base(make_decoder("xglm", tmp_path / "base"))
    table = tiny.write_csv(tmp_path / "rows.csv", ("text", "label"), tiny.labelled_rows())
    task = learn_task(table, base, tiny.task_recipe(max_steps=1, evaluate_every=1), out=tmp_path / "task")
    classifier = compose(base, task=task)
    export_folder(classifier, tmp_path / "plain", [(task, 1.0)])
    card = (tmp_path / "plain" / "README.md").read_text(encoding="utf-8")
    assert "import deftx.models.xglm" in card
    assert "needs nothing else" not in card
    with pytest.raises(DeftxError, match="transformers has no classifier for xglm"):
        write_space(classifier, tmp_path / "space", title="x")


def test_padding_does_not_reach_the_texts(learned):
    rows = encode(learned.base.tokenizer, SENTENCES, LONGEST)
    padding = learned.base.tokenizer.pad_token_id
    batch = pad(rows, padding, "cpu")
    wider = pad([*rows, encode(learned.base.tokenizer, ["good " * 30], LONGEST)[0]], padding, "cpu")
    with torch.no_grad():
        one, other = learned.classifier.model(**batch).logits, learned.classifier.model(**wider).logits[:-1]
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_a_vector_learned_on_the_trimmed_decoder_fits_the_whole_one(tmp_path):
    base = load_base(make_decoder("qwen3", tmp_path / "base"))
    recipe = tiny.language_recipe(max_steps=2, evaluate_every=2, trim=True, k=SHARE)
    vector = learn_language(corpus_of(tiny.sentences(40)), base, recipe, out=tmp_path / "language")
    vector.check_base(base)
    assert vector.shapes["model.embed_tokens.weight"] == tuple(base.model.get_input_embeddings().weight.shape)


@pytest.mark.slow
def test_a_graph_of_onnx_gives_the_same_probabilities(learned, tmp_path):
    assert write_onnx(learned.classifier, tmp_path / "onnx").difference < 1e-5
