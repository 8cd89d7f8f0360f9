"""PEFT itself loads an exported adapter on the base, with the logits of the composed classifier; and back."""

import json
from dataclasses import replace

import hub_server
import pytest
import tiny_families
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import deftx
from deftx.classify.composition import compose
from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.core.errors import DeftxError, VectorError
from deftx.models.bases import load_base
from deftx.models.parameters import head_parameters
from deftx.publish.peft_folder import BASE, write_peft
from deftx.publish.peft_import import read_peft
from deftx.vectors.vector import SparseVector

TEXTS = ["the food is good", "the night was awful and bitter", "this is not very sweet"]


@pytest.fixture(scope="module")
def vectors(task_vector, language_vector):
    return [(SparseVector.load(task_vector), 0.8), (SparseVector.load(language_vector), 1.2)]


@pytest.fixture(scope="module")
def folder(base, vectors, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peft") / "mood"
    write_peft(base, vectors, folder)
    return folder


def loaded(base_folder, folder, labels):
    base = AutoModelForSequenceClassification.from_pretrained(base_folder, num_labels=labels, dtype=torch.float32)
    return PeftModel.from_pretrained(base, folder).eval()


@torch.no_grad()
def logits(model, folder, texts=TEXTS):
    return model(**AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")).logits


def drawn(base, kind, labels=(), share=0.02, skip=("bias",)):
    """A vector with random entries, in the weights of half of the layers or in everything."""
    draw = torch.Generator().manual_seed(len(kind))
    positions, values, shapes = {}, {}, {}
    for name, parameter in base.parameters().items():
        if not any(part in name for part in skip):
            count = max(1, int(share * parameter.numel()))
            positions[name] = torch.randperm(parameter.numel(), generator=draw)[:count].sort().values
            values[name] = torch.randn(count, generator=draw) / 10
            shapes[name] = tuple(parameter.shape)
    model = base.classifier(list(labels), seed=1) if labels else base.model
    head = {name: tensor.detach().clone() for name, tensor in head_parameters(model).items()}
    about = {"name": base.name, "revision": base.revision, "fingerprint": base.fingerprint}
    return SparseVector(positions, values, head, shapes, {"kind": kind, "labels": list(labels), "base": about})


def test_peft_gives_the_logits_of_the_composed_classifier(base, base_folder, vectors, folder):
    composed = compose(base, task=vectors[0][0], strength_task=0.8, languages=vectors[1:])
    found = logits(loaded(base_folder, folder, len(composed.labels)), folder)
    expected = logits(composed.model, folder)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    plain = AutoModelForSequenceClassification.from_pretrained(base_folder, num_labels=len(composed.labels))
    assert (logits(plain.eval(), folder) - expected).abs().max() > 1e-3  # the adapter has an effect


@pytest.mark.parametrize("name", ["bert", "modernbert", "albert", "deberta-v2"])
@pytest.mark.parametrize("skip", [("bias", "embeddings"), ()], ids=["matrices alone", "everything"])
def test_it_does_for_every_kind_of_base(name, skip, tmp_path):
    base = load_base(tiny_families.make_family(name, tmp_path / "base"))
    task = drawn(base, "task", ("a", "b", "c"), skip=skip)
    parts = write_peft(base, [(task, 1.0), (drawn(base, "language", skip=skip), 1.0)], tmp_path / "out")
    composed = compose(base, task=task, language=drawn(base, "language", skip=skip))
    found = logits(loaded(tmp_path / "base", tmp_path / "out", 3), tmp_path / "out")
    torch.testing.assert_close(found, logits(composed.model, tmp_path / "out"), atol=1e-6, rtol=0)
    sparse = skip != () or name == "modernbert"  # ModernBERT has no biases
    assert bool(parts.sparse_modules) == sparse


def test_what_does_not_fit_is_said(base, base_folder, task_vector, tmp_path, capsys):
    arguments = [
        "export",
        "--task",
        str(task_vector),
        "--base",
        str(base_folder),
        "--peft",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*arguments, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    vector = SparseVector.load(task_vector)
    changed = {name for name, positions in vector.positions.items() if len(positions)}
    whole = {name.rpartition(".")[0] for name in changed if name.endswith("bias") or "embeddings" in name}
    assert found["whole"].keys() == whole
    in_sparse = [len(vector.positions[name]) for name in changed if name.rpartition(".")[0] not in whole]
    assert (found["entries"], found["sparse_modules"]) == (sum(in_sparse), len(in_sparse))
    assert main(arguments) == EXIT_BAD_INPUT  # nothing is overwritten
    assert "is not an empty folder" in capsys.readouterr().err


def test_a_vector_of_the_wrong_kind_is_refused(base, vectors, tmp_path):
    for wrong, reason in (
        ([vectors[0], vectors[0]], "a language vector is"),
        ([vectors[1]], "a task vector is needed"),
    ):
        with pytest.raises(VectorError, match=reason):
            write_peft(base, wrong, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_current_folder_can_be_filled_and_gives_the_name(base, vectors, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_peft(base, vectors, ".")
    assert (tmp_path / "adapter_config.json").is_file()
    assert f"# `{tmp_path.name}`" in (tmp_path / "README.md").read_text()


def test_a_base_from_a_folder_is_written_beside_and_one_of_the_hub_is_not(base, vectors, tmp_path):
    about = ("base_model:", f'from_pretrained("out/{BASE}", num', 'from_pretrained("lab/tiny", revision="0123abc", num')
    for revision, expected in ((None, [False, True, False]), ("0123abc", [True, False, True])):
        named = replace(base, name="lab/tiny", revision=revision)
        origin = {"name": "lab/tiny", "revision": revision, "fingerprint": base.fingerprint}
        made = [(replace(vector, info={**vector.info, "base": origin}), strength) for vector, strength in vectors]
        folder = tmp_path / str(revision) / "out"
        parts = write_peft(named, made, folder)
        card = (folder / "README.md").read_text()
        assert [text in card for text in about] == expected
        assert (parts.base, (folder / BASE / "config.json").exists()) == (
            (folder / BASE, True) if not revision else (None, False)
        )


def test_a_base_that_was_loaded_from_the_hub_is_not_copied(base_folder, tmp_path, monkeypatch):
    commit = hub_server.put_in_cache(monkeypatch, base_folder, tmp_path / "cache", "ana/tiny")
    base = load_base("ana/tiny")
    assert write_peft(base, [(drawn(base, "task", ("a", "b")), 1.0)], tmp_path / "out").base is None
    card = (tmp_path / "out" / "README.md").read_text()
    assert 'base_model: "ana/tiny"' in card
    assert f'from_pretrained("ana/tiny", revision="{commit}"' in card


def test_an_exported_task_vector_comes_back(base, base_folder, task_vector, tmp_path, capsys):
    task = SparseVector.load(task_vector)
    write_peft(base, [(task, 1.0)], tmp_path / "out")
    words = ["import", str(tmp_path / "out"), "--base", str(base_folder), "--out", str(tmp_path / "back")]
    assert main(words) == EXIT_BAD_INPUT
    assert "--labels" in capsys.readouterr().err
    assert main([*words, "--labels", *task.labels, "--language", "ind"]) == EXIT_OK
    back = SparseVector.load(tmp_path / "back")
    assert (back.kind, back.labels, back.language) == ("task", task.labels, "ind")
    expected = compose(base, task=task).model.state_dict()
    for name, tensor in compose(base, task=back).model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-7, rtol=1e-6)
    for name, positions in back.positions.items():
        assert set(positions.tolist()) <= set(task.positions[name].tolist())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda config, tensors: config.update(r=4), "low-rank"),
        (lambda config, tensors: config.update(peft_type="LORA"), "method LORA"),
        (lambda config, tensors: tensors.pop(next(n for n in tensors if n.endswith("_indices"))), "no position"),
        (lambda config, tensors: tensors.pop("base_model.model.classifier.dense.bias"), "its head has no"),
        (lambda config, tensors: tensors.update({"base_model.model.odd": torch.ones(2)}), "does not have"),
        (lambda config, tensors: tensors.update(
            {"base_model.model.roberta.embeddings.LayerNorm.weight": torch.full((32,), 2.0)}), "normalisation"),
        (lambda config, tensors: tensors[next(n for n in tensors if n.endswith("_indices"))].fill_(3), "ascending"),
        (lambda config, tensors: tensors[next(n for n in tensors if n.endswith("_indices"))].add_(10**6), "outside"),
    ],
)  # fmt: skip
def test_what_a_vector_cannot_hold_is_refused(base, vectors, folder, tmp_path, change, reason):
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    change(config, tensors)
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    with pytest.raises(VectorError, match=reason):
        read_peft(tmp_path, base, vectors[0][0].labels)


def test_an_adapter_of_another_method_that_peft_wrote_is_refused(base, base_folder, tmp_path):
    model = AutoModelForSequenceClassification.from_pretrained(base_folder, num_labels=2)
    get_peft_model(model, LoraConfig(target_modules=["query"], task_type="SEQ_CLS")).save_pretrained(tmp_path)
    with pytest.raises(VectorError, match="method LORA"):
        read_peft(tmp_path, base, ["a", "b"])


def test_without_peft_the_message_says_how_to_install_it(base, vectors, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(DeftxError, match=r"deftx\[exports\]"):
        write_peft(base, vectors, tmp_path / "out")


@pytest.mark.slow
def test_the_bundled_base_is_written_beside_and_loaded(tmp_path):
    base, task, language = deftx.load_base(deftx.BUNDLED_BASE), SparseVector.load("sentiment"), SparseVector.load("min")
    parts = write_peft(base, [(task, 1.0), (language, 1.0)], tmp_path / "out")
    composed = compose(base, task=task, language=language)
    model = loaded(parts.base, tmp_path / "out", len(task.labels))
    texts = ["Pelayanannyo elok jo ramah", "Makanannyo indak lamak"]
    found = logits(model, tmp_path / "out", texts)
    assert composed.temperature != 1  # the adapter has it in its head
    expected = logits(composed.model, tmp_path / "out", texts) / composed.temperature
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.softmax(-1), composed.classify(texts), atol=1e-6, rtol=0)
