"""Every family of encoders keeps the method's contract, from a checkpoint to a classifier that plain transformers loads."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from tiny_families import LONGEST, TINY, TOKENIZERS, make_family
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from deftx.classify.composition import Classifier, compose
from deftx.core.calibration import Calibration, Curve
from deftx.core.errors import BaseModelError
from deftx.core.events import Listener, ignore
from deftx.data.text import Corpus
from deftx.method.parameter_kinds import count_by_part
from deftx.models.bases import Base, load_base
from deftx.models.batches import encode, pad
from deftx.models.families import FAMILIES, Head, language_logits, output_matrix
from deftx.models.parameters import canonical_parameters, encoder_parameters, head_parameters, sparse_trainable
from deftx.training.language import language_objective, learn_language, masked_lm_loss
from deftx.training.task import learn_task
from deftx.training.task_objective import class_logits
from deftx.vectors.overlaps import layer_of
from deftx.vectors.vector import SparseVector

QUIET = Listener(ignore, lambda: False)
PAIRS = [("the day is good", "the night was bad"), ("this", "very fine food"), ("not the road", "the road")]
SHARE = 0.5  # of M: enough that every part of a model has some


@dataclass
class Learned:
    """A base of one family with what was learned on it."""

    folder: Path
    base: Base
    language: SparseVector
    task: SparseVector
    classifier: Classifier


@pytest.fixture(scope="module", params=TINY)
def learned(request, tmp_path_factory):
    """A language vector and a task vector of pairs, composed."""
    here = tmp_path_factory.mktemp("family")
    base = load_base(make_family(request.param, here / "base"))
    rows = [(premise, "the day", label) for premise, label in tiny.labelled_rows()]
    table = tiny.write_csv(here / "pairs.csv", ("premise", "hypothesis", "label"), rows)
    short = {"max_steps": 4, "evaluate_every": 4, "k": SHARE}
    language = learn_language(corpus_of(tiny.sentences(60)), base, tiny.language_recipe(**short), out=here / "language")
    task = learn_task(table, base, tiny.task_recipe(**short), out=here / "task")
    return Learned(here / "base", base, language, task, compose(base, task=task, language=language))


def corpus_of(lines):
    return Corpus(lines, (("corpus.txt", len(lines)),), "0" * 64, {})


def copied(learned, folder):
    return shutil.copytree(learned.folder, folder)


def test_normalisation_layers_stay_put_bit_for_bit(learned):
    start, now = encoder_parameters(learned.base.model), encoder_parameters(learned.classifier.model)
    norms = {name for name in start if "norm" in name.lower()}  # in these families every one of them is called so
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
    assert learned.language.head.keys() == head_parameters(language).keys()
    assert learned.task.head.keys() == head_parameters(classifier).keys()
    for model in (
        language,
        classifier,
    ):  # M, the head, norms and the output matrix: nothing is forgotten, or there twice
        rest = canonical_parameters(model).keys() - sparse_trainable(model).keys() - head_parameters(model).keys()
        assert [n for n in rest if canonical_parameters(model)[n].requires_grad] == []


def test_the_output_embedding_is_that_of_the_base_frozen_and_apart(learned):
    model = learned.base.language_model()
    output = output_matrix(model, model.language_head)
    assert output.equal(output_matrix(learned.base.model, learned.base.model.language_head))
    assert output is not model.get_input_embeddings().weight
    assert not output.requires_grad
    assert id(output) not in {id(p) for p in (*sparse_trainable(model).values(), *head_parameters(model).values())}


def test_masked_positions_have_the_loss_of_plain_transformers(learned):
    plain = AutoModelForMaskedLM.from_pretrained(learned.folder).eval()
    batch = pad([torch.arange(5, 21), torch.arange(9, 18)], learned.base.tokenizer.pad_token_id, "cpu")
    labels = torch.full_like(batch["input_ids"], -100)
    labels[0, 3], labels[0, 15], labels[1, 7] = 7, 30, 12
    for model in (learned.base.model, learned.base.language_model().eval()):
        loss = masked_lm_loss(model, {**batch, "labels": labels})
        assert loss.item() == pytest.approx(plain(**batch, labels=labels).loss.item(), abs=1e-5)


def test_an_exported_classifier_agrees_in_plain_transformers(learned, tmp_path):
    classifier = replace(
        learned.classifier, calibration=Calibration(2.5, 100, 0.8, (0, 0), (1, 1), 0, Curve([1], [0], [0.8]))
    )
    classifier.save_pretrained(tmp_path / "plain")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "plain")
    for texts in (PAIRS, [first for first, _ in PAIRS]):
        columns = map(list, zip(*texts, strict=True)) if texts is PAIRS else [texts]
        with torch.no_grad():
            plain = model(**tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")).logits.softmax(-1)
        torch.testing.assert_close(classifier.classify(texts), plain, atol=1e-5, rtol=0)
    spaced, own = "\nthe day\nis good \r\n", learned.base.tokenizer
    assert tokenizer(spaced)["input_ids"] == own(spaced)["input_ids"] == own("the day is good")["input_ids"]


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
    AutoModelForMaskedLM.from_pretrained(learned.folder, dtype=stored).save_pretrained(copied(learned, tmp_path / "b"))
    base = load_base(tmp_path / "b")
    assert {tensor.dtype for tensor in load_file(tmp_path / "b" / "model.safetensors").values()} == {stored}
    assert {tensor.dtype for tensor in base.model.parameters()} == {torch.float32}
    assert {tensor.dtype for tensor in base.classifier(["a", "b"], seed=0).parameters()} == {torch.float32}
    assert all(p.equal(learned.base.parameters()[n].to(stored).float()) for n, p in base.parameters().items())


def test_a_bare_encoder_starts_its_head_at_random_but_always_the_same(learned, tmp_path):
    AutoModel.from_pretrained(learned.folder).save_pretrained(copied(learned, tmp_path / "bare"))
    prefix = learned.base.model.base_model_prefix
    names = load_file(tmp_path / "bare" / "model.safetensors").keys()
    assert not [name for name in names if name.startswith(f"{prefix}.")]
    if learned.base.model.config.model_type == "rembert":  # untied, of another width: nothing can stand in for it
        with pytest.raises(BaseModelError, match="output embedding is missing"):
            load_base(tmp_path / "bare")
        return
    torch.manual_seed(1)
    one = load_base(tmp_path / "bare")
    torch.manual_seed(2)
    two = load_base(tmp_path / "bare")
    assert one.fingerprint == two.fingerprint == learned.base.fingerprint
    assert all(p.equal(two.model.state_dict()[n]) for n, p in one.model.state_dict().items())
    said = []
    language_objective(corpus_of(tiny.sentences(9)), one, tiny.language_recipe(), Listener(said.append, lambda: False))
    assert "no trained language-model head" in said[0].message
    assert said[0].warning
    words = one.model.get_input_embeddings().weight
    assert output_matrix(one.model, one.model.language_head).equal(words)  # frozen, so never at random


def test_the_longest_text_is_the_longest_that_fits(learned):
    roberta = learned.base.model.config.model_type in ("xlm-roberta", "roberta")
    longest = learned.base.fitting_length(10_000, QUIET)
    assert longest == (LONGEST - 2 if roberta else LONGEST)
    rows = encode(learned.base.tokenizer, ["good " * 99], longest)
    assert len(rows[0]) == longest
    assert class_logits(learned.classifier.model, rows, learned.base.tokenizer.pad_token_id).isfinite().all()


def test_the_mask_is_told_apart_by_parts_and_layers(learned):
    everything = {name: torch.arange(p.numel()) for name, p in learned.base.parameters().items()}
    shares = count_by_part(everything)
    assert min(shares["embeddings"], shares["attention"], shares["feed-forward"]) > 1_000
    assert shares["other"] < 0.06 * sum(shares.values())  # projections beside the layers, where a family has them
    shared_layers = learned.base.model.config.model_type == "albert"
    assert {"embeddings", "layer 0", *(() if shared_layers else ("layer 1",))} <= {layer_of(n) for n in everything}


def test_token_types_reach_the_encoders_that_read_them(learned):
    tokenizer, model = learned.base.tokenizer, learned.classifier.model
    reads = learned.base.model.config.model_type in ("bert", "electra", "albert", "rembert")
    rows = encode(tokenizer, PAIRS, 30)
    batch = pad(rows, tokenizer.pad_token_id, "cpu")
    assert ("token_type_ids" in batch) is reads
    if reads:
        assert (
            batch["token_type_ids"].tolist()
            == tokenizer(*map(list, zip(*PAIRS, strict=True)), padding=True)["token_type_ids"]
        )
        kinds = batch.pop("token_type_ids")
        with torch.no_grad():
            without, with_kinds = model(**batch).logits, model(**batch, token_type_ids=kinds).logits
        assert not torch.allclose(without, with_kinds, atol=1e-4)
        torch.testing.assert_close(class_logits(model, rows, tokenizer.pad_token_id), with_kinds, atol=1e-5, rtol=0)


def test_task_training_reads_token_types(tmp_path, monkeypatch):
    from deftx.training.task_objective import TaskObjective

    base = load_base(make_family("bert", tmp_path / "bert"))
    seen = []
    honest = TaskObjective.loss

    def loss(self, model, batch):
        hook = model.bert.register_forward_pre_hook(lambda m, a, k: seen.append(k["token_type_ids"]), with_kwargs=True)
        try:
            return honest(self, model, batch)
        finally:
            hook.remove()

    monkeypatch.setattr(TaskObjective, "loss", loss)
    rows = [(premise, "the day", label) for premise, label in tiny.labelled_rows()]
    table = tiny.write_csv(tmp_path / "pairs.csv", ("premise", "hypothesis", "label"), rows)
    learn_task(table, base, tiny.task_recipe(max_steps=1, evaluate_every=1), out=tmp_path / "v")
    assert seen
    assert all(types is not None and types.max() == 1 for types in seen)


def test_a_deberta_whose_checkpoint_holds_the_new_head_gets_that_head(tmp_path):
    # The published mDeBERTa-v3 does not say "legacy": false, and transformers would throw its trained head away.
    folder = make_family("deberta-v2, new head", tmp_path / "deberta")
    config = json.loads((folder / "config.json").read_text())
    del config["legacy"]
    (folder / "config.json").write_text(json.dumps(config))
    base, written = load_base(folder), load_file(folder / "model.safetensors")
    assert base.notes == []
    head = head_parameters(base.language_model())
    assert head.keys() == {name for name in written if name.startswith("lm_predictions.")}
    assert all(parameter.equal(written[name]) for name, parameter in head.items())


def test_an_mbert_of_old_names_loads(tmp_path):
    # Checkpoints of 2018 call the weights of normalisation layers gamma and beta.
    folder = make_family("bert", tmp_path / "bert")
    now = load_base(folder)
    weights = load_file(folder / "model.safetensors")
    old = {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t.clone()
        for n, t in weights.items()
    }
    save_file(old, folder / "model.safetensors", metadata={"format": "pt"})
    assert load_base(folder).fingerprint == now.fingerprint


def write_config(folder, kind, **settings):
    TOKENIZERS["words"]().save_pretrained(folder)
    AutoConfig.for_model(kind, **settings).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("marian", {}, r"is an encoder-decoder model \(marian\).*xlm-roberta.*gpt2"),
        ("bert", {"is_decoder": True}, r"is a decoder \(bert\)"),
        ("t5", {}, r"is an encoder-decoder model \(t5\)"),
        ("mbart", {}, r"is an encoder-decoder model \(mbart\)"),
        ("vit", {}, r"has no masked-language model in transformers \(vit\)"),
    ],
)  # fmt: skip
def test_what_is_no_masked_language_encoder_is_refused_in_words(tmp_path, kind, settings, words):
    with pytest.raises(BaseModelError, match=words):
        load_base(write_config(tmp_path, kind, **settings))


def test_a_head_that_cannot_be_applied_to_single_positions_is_refused(tmp_path, monkeypatch):
    folder = make_family("distilbert", tmp_path / "base")
    monkeypatch.setitem(FAMILIES, "distilbert", (Head(("vocab_projector",), "wrong: it lacks the transform"),))
    with pytest.raises(BaseModelError, match="other logits at single positions than the whole model"):
        load_base(folder)


@pytest.mark.parametrize(
    ("kind", "words"), [("fnet", "its encoder does not ignore padding"), ("xlm", "its head pred_layer returns a tuple")]
)
def test_an_architecture_that_does_not_fit_is_refused_with_the_reason(tmp_path, kind, words):
    folder = write_config(tmp_path, kind, vocab_size=90, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                          intermediate_size=32, max_position_embeddings=40)  # fmt: skip
    AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    with pytest.raises(BaseModelError, match=words):
        load_base(folder)


def test_an_architecture_whose_trial_run_fails_is_refused_with_the_reason(tmp_path):
    # X-MOD has one set of adapters a language and does not run before one is chosen.
    folder = write_config(tmp_path, "xmod", vocab_size=90, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                          intermediate_size=32, languages=("en_XX", "id_ID"))  # fmt: skip
    AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    with pytest.raises(BaseModelError, match=r"\(xmod\) cannot be used: a trial run failed: .*language"):
        load_base(folder)


def test_the_table_says_what_a_trial_run_would_observe(tmp_path, monkeypatch):
    known = load_base(make_family("distilbert", tmp_path / "base"))
    monkeypatch.delitem(FAMILIES, "distilbert")
    observed = load_base(tmp_path / "base")
    assert observed.model.language_head.modules == known.model.language_head.modules
    hidden = torch.randn(3, 32)
    assert language_logits(observed.model, hidden).equal(language_logits(known.model, hidden))


@pytest.mark.parametrize("name", ["bert", "xlm-roberta", "modernbert"])
def test_a_text_that_the_tokenizer_cannot_read_is_pointed_out_before_training(tmp_path, name):
    base = load_base(make_family(name, tmp_path / "base"))

    def warnings(lines):
        said = []
        language_objective(corpus_of(lines), base, tiny.language_recipe(), Listener(said.append, lambda: False))
        return [event.message for event in said if event.warning]

    assert [w for w in warnings([f"{line} ꦲꦏ" for line in tiny.sentences(20)]) if "unknown to this base" in w]
    assert not [w for w in warnings(tiny.sentences(20)) if "unknown" in w]
    base.tokenizer.unk_token = None  # as tokenizers of bytes have it
    assert not [w for w in warnings(tiny.sentences(20)) if "unknown" in w]
