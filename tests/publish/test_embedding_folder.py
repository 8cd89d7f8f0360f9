"""sentence-transformers loads an exported embedding model: the mean of the hidden states of base and language vector."""

import copy

import pytest
import torch
from sentence_transformers import SentenceTransformer

from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.core.errors import VectorError
from deftx.models.batches import encode, pad, pad_id
from deftx.models.parameters import sparse_trainable
from deftx.publish.embedding_folder import write_embedder
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

TEXTS = ["the food is good", "the night was awful and bitter", "good"]


@torch.no_grad()
def means(model, base):
    batch = pad(encode(base.tokenizer, TEXTS, 32), pad_id(base.tokenizer), "cpu")
    states, mask = model.base_model(**batch).last_hidden_state, batch["attention_mask"][..., None]
    return (states * mask).sum(1) / mask.sum(1)


def test_its_embeddings_are_the_means_of_base_and_vector(base, base_folder, language_vector, tmp_path):
    words = ["export", "--sentence-transformers", "--base", str(base_folder), "--out", str(tmp_path / "out")]
    assert main([*words, "--language", str(language_vector), "--strength-language", "0.7"]) == EXIT_OK
    found = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(TEXTS, convert_to_tensor=True)
    changed = copy.deepcopy(base.model).eval()
    apply_vectors(sparse_trainable(changed), [(SparseVector.load(language_vector), 0.7)])
    torch.testing.assert_close(found, means(changed, base), atol=1e-5, rtol=0)
    assert (found - means(base.model.eval(), base)).abs().max() > 1e-3


def test_it_is_made_of_language_vectors_alone(base, base_folder, task_vector, tmp_path, capsys):
    words = ["export", "--sentence-transformers", "--base", str(base_folder), "--out", str(tmp_path / "out")]
    assert main([*words, "--task", str(task_vector)]) == EXIT_BAD_INPUT
    assert "language vectors alone" in capsys.readouterr().err
    assert main([*words, "--language", str(task_vector)]) == EXIT_BAD_INPUT
    assert "a language vector is needed" in capsys.readouterr().err
    assert main(["export", "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    assert "--task" in capsys.readouterr().err
    with pytest.raises(VectorError, match="at least one"):
        write_embedder(base, [], tmp_path / "out")
