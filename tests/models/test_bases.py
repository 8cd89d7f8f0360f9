"""A base is loaded as it is, training starts from copies of it, and a bad one is refused in plain words."""

import json
import os
import shutil

import hub_server
import pytest
import tiny
import torch
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

from deftx.classify.composition import Classifier
from deftx.core.errors import BaseModelError
from deftx.core.events import Listener
from deftx.models.bases import BUNDLED_BASE, find_base, load_base
from deftx.models.parameters import canonical_parameters, head_parameters, sparse_trainable

EMBEDDINGS = "roberta.embeddings.word_embeddings.weight"


@pytest.fixture
def copied(base_folder, tmp_path):
    """A copy of the tiny base that a test may damage."""
    return shutil.copytree(base_folder, tmp_path / "copied")


def reconfigure(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def test_a_vector_of_the_language_model_fits_the_classifier(base):
    language, classifier = (sparse_trainable(m) for m in (base.language_model(), base.classifier(["a", "b"], seed=0)))
    assert list(language) == list(classifier) == list(base.parameters())
    assert all(language[name].equal(classifier[name]) for name in language)


def test_a_classifier_without_a_head_is_a_copy_with_labels_of_its_own(base):
    plain = base.classifier(["a", "b"], seed=0)
    one, other = base.classifier_without_head(["a", "b"]), base.classifier_without_head(["c", "d"])
    assert [
        name for name, value in sparse_trainable(plain).items() if not value.equal(sparse_trainable(one)[name])
    ] == []
    assert {name: p.requires_grad for name, p in one.named_parameters()} == {
        name: p.requires_grad for name, p in plain.named_parameters()
    }
    assert (one.config.id2label, other.config.id2label) == ({0: "a", 1: "b"}, {0: "c", 1: "d"})
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    assert base.parameters()[EMBEDDINGS].any()  # nobody else's memory
    assert all(value.equal(base.parameters()[name]) for name, value in sparse_trainable(other).items())
    again = base.classifier_without_head(["a", "b"])
    assert all(value.equal(base.parameters()[name]) for name, value in sparse_trainable(again).items())


def test_the_output_embedding_is_a_frozen_copy_outside_head_and_m(base):
    model = base.language_model()
    output = model.get_output_embeddings().weight
    assert output.equal(base.model.get_input_embeddings().weight)
    assert output is not model.get_input_embeddings().weight
    assert not output.requires_grad
    trained = {id(p) for p in (*sparse_trainable(model).values(), *head_parameters(model).values())}
    assert id(output) not in trained
    assert set(head_parameters(model)) == {
        "lm_head.bias", "lm_head.dense.weight", "lm_head.dense.bias", "lm_head.layer_norm.weight",
        "lm_head.layer_norm.bias",
    }  # fmt: skip
    # N of the L1 penalty counts it again (the fixture: 23,716 + 3,200).
    own = sum(p.numel() for p in canonical_parameters(base.model).values())
    assert sum(p.numel() for p in canonical_parameters(model).values()) == own + output.numel()


def test_the_fingerprint_is_that_of_the_encoder_alone(base, base_folder, other_folder, tmp_path):
    classifier = Classifier(base, base.classifier(["a", "b", "c"], seed=3), ["a", "b", "c"], 16)
    classifier.save_pretrained(tmp_path / "classifier")
    again, from_classifier = load_base(base_folder), load_base(tmp_path / "classifier")
    assert base.fingerprint == again.fingerprint == from_classifier.fingerprint
    assert "no trained language-model head" in from_classifier.notes[0]
    assert load_base(other_folder).fingerprint != base.fingerprint


@pytest.mark.parametrize("name", [EMBEDDINGS, "roberta.encoder.layer.1.output.LayerNorm.weight"])
def test_one_changed_weight_changes_the_fingerprint(base_folder, base, name):
    changed = load_base(base_folder)
    with torch.no_grad():
        flat = canonical_parameters(changed.model)[name].view(-1)
        flat[-1] = torch.nextafter(flat[-1], torch.tensor(9.0))
    assert changed.fingerprint != base.fingerprint


def test_the_head_is_the_same_draw_for_the_same_seed_and_leaves_other_draws_alone(base):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (head_parameters(base.classifier(["a", "b"], seed=seed)) for seed in (1, 1, 2))
    assert torch.rand(3).equal(expected)
    assert all(one[name].equal(same[name]) for name in one)
    assert not one["classifier.dense.weight"].equal(other["classifier.dense.weight"])
    assert set(one) == {f"classifier.{part}.{kind}" for part in ("dense", "out_proj") for kind in ("weight", "bias")}


def test_a_base_stored_in_half_precision_is_used_in_float32(base_folder, tmp_path):
    AutoModelForMaskedLM.from_pretrained(base_folder, dtype=torch.bfloat16).save_pretrained(tmp_path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base_folder / file, tmp_path)
    assert {p.dtype for p in load_base(tmp_path).parameters().values()} == {torch.float32}


def test_texts_longer_than_the_base_can_read_are_cut_and_that_is_said(base):
    said = []
    assert base.fitting_length(10_000, Listener(said.append, lambda: False)) == tiny.LONGEST
    assert said[0].warning
    assert str(tiny.LONGEST) in said[0].message
    assert base.fitting_length(8, Listener(said.append, lambda: False)) == 8
    assert len(said) == 1


def test_the_longest_text_really_fits(base):
    model = AutoModelForSequenceClassification.from_config(base.model.config)
    assert model(torch.full((1, tiny.LONGEST), 7)).logits.isfinite().all()


def test_the_bundled_base_is_found_by_name():
    assert find_base(BUNDLED_BASE).endswith(BUNDLED_BASE)
    assert os.path.isfile(os.path.join(find_base(BUNDLED_BASE), "config.json"))


def test_a_base_of_the_hub_has_the_commit_that_was_loaded(base, base_folder, tmp_path, monkeypatch):
    commit = hub_server.put_in_cache(monkeypatch, base_folder, tmp_path, "ana/tiny")
    found = load_base("ana/tiny")
    assert (found.name, found.revision, found.fingerprint) == ("ana/tiny", commit, base.fingerprint)
    assert load_base(base_folder).revision is None


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("xlm-roberta-base", "FacebookAI/xlm-roberta-base"),
        ("bert-base-multilingual-cased", "google-bert/bert-base-multilingual-cased"),
        ("distilbert-base-multilingual-cased", "distilbert/distilbert-base-multilingual-cased"),
        ("camembert-base", "almanach/camembert-base"),
        ("https://huggingface.co/roberta-base", "FacebookAI/roberta-base"),
        ("https://huggingface.co/owner/name", "owner/name"),
        ("owner/name", "owner/name"),
    ],
)
def test_a_short_name_of_the_hub_is_its_repository(name, repository):
    assert find_base(name) == repository


def test_a_misspelt_short_name_is_noticed_and_a_folder_of_that_name_comes_first(base_folder, tmp_path, monkeypatch):
    with pytest.raises(BaseModelError, match="Did you mean 'xlm-roberta-base'"):
        find_base("xlm-roberta-bas")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(base_folder, "xlm-roberta-base")
    assert find_base("xlm-roberta-base") == "xlm-roberta-base"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_size": 64}, "cannot be loaded"),
        ({"vocab_size": 500}, "cannot be loaded"),
        ({"hidden_size": "wide"}, "cannot be loaded"),
        ({"num_hidden_layers": 3}, "lack roberta.encoder.layer.2"),
        ({"model_type": "bert"}, r"lack bert\.embeddings"),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}, "custom code"),
    ],
)
def test_a_base_at_odds_with_itself_is_refused(copied, settings, words, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("transformers asked whether to run code"))
    reconfigure(copied, **settings)
    with pytest.raises(BaseModelError, match=words):
        load_base(copied)


def test_a_cut_off_or_missing_file_is_refused(copied):
    os.truncate(copied / "model.safetensors", 5_000)
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        load_base(copied)
    (copied / "model.safetensors").unlink()
    with pytest.raises(BaseModelError, match=r"no file named model\.safetensors"):
        load_base(copied)
    (copied / "config.json").unlink()
    with pytest.raises(BaseModelError, match=r"no config\.json"):
        load_base(copied)


def test_a_base_without_its_tokenizer_is_refused(copied):
    (copied / "tokenizer.json").unlink()
    with pytest.raises(BaseModelError, match="tokenizer"):
        load_base(copied)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(copied, base):
    tokenizer = type(base.tokenizer).from_pretrained(copied)
    tokenizer.add_tokens(["surplus"])
    tokenizer.save_pretrained(copied)
    with pytest.raises(BaseModelError, match="tokens, its model only"):
        load_base(copied)


@pytest.mark.parametrize(("name", "words"), [("nusantara-e", "Did you mean"), ("/no/such/folder", "not known")])
def test_a_base_that_is_not_there_is_named(name, words):
    with pytest.raises(BaseModelError, match=words):
        load_base(name)
