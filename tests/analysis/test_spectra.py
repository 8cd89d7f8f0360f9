"""The spectra that are shown are those of δ, whether they come from a vector or from a kept change."""

import json

import numpy as np
import pytest
import tiny
import torch
from tiny_vectors import make_vector

from deftx.analysis.spectra import spectra_of
from deftx.core.errors import DeftxError, RecipeError, VectorError
from deftx.training.checkpoints import read_tensors
from deftx.training.language import learn_language
from deftx.training.learned import DELTA_FILE
from deftx.vectors.vector import SparseVector


@pytest.fixture(scope="module")
def kept(base, corpus_file, tmp_path_factory):
    """A vector and the folder with the δ that it was made from."""
    where = tmp_path_factory.mktemp("kept")
    learn_language(corpus_file, base, tiny.language_recipe(), out=where / "vector", delta=where / "delta")
    return where


def test_vector_and_kept_change_show_the_same_spectra_and_those_are_numpys(kept):
    of_vector, of_delta = spectra_of(kept / "vector"), spectra_of(kept / "delta")
    tensors, _ = read_tensors(kept / "delta" / DELTA_FILE)
    assert of_vector.matrices.keys() == of_delta.matrices.keys()
    for name, spectrum in of_delta.matrices.items():
        exact = np.linalg.svd(tensors[f"delta.{name}"].numpy().astype(np.float64), compute_uv=False)
        np.testing.assert_allclose(spectrum.values, exact[: len(spectrum.values)], atol=1e-5 * exact[0])
        np.testing.assert_allclose(of_vector.matrices[name].values, spectrum.values, rtol=1e-6, atol=1e-7 * exact[0])
        assert of_vector.matrices[name].shape == spectrum.shape
        assert of_vector.matrices[name].chosen is not None


def test_each_strategy_gives_its_rank_and_it_is_json(kept):
    spectrum = spectra_of(kept / "vector").matrices["roberta.encoder.layer.0.attention.self.query.weight"]
    found = spectrum.to_dict(("variance:0.9", "uniform:3", "none", "mp"))
    assert found["ranks"]["variance:0.9"] == found["chosen"]
    assert found["ranks"]["uniform:3"] == 3
    assert found["ranks"]["none"] == 32
    assert found["noise_edge"] > 0
    json.dumps(found, allow_nan=False)
    with pytest.raises(RecipeError, match="Did you mean"):
        spectrum.to_dict(("optimol",))


def test_without_a_stored_spectrum_that_of_the_vector_itself_is_shown_and_that_is_said(base, corpus_file, tmp_path):
    learn_language(corpus_file, base, tiny.language_recipe(method="lt-sft"), out=tmp_path / "v")
    spectra = spectra_of(tmp_path / "v")
    assert "no spectrum of δ is stored" in spectra.of
    vector = SparseVector.load(tmp_path / "v")
    for name, spectrum in spectra.matrices.items():
        exact = torch.linalg.svdvals(vector.dense(name).double())[: len(spectrum.values)]
        torch.testing.assert_close(spectrum.values, exact, atol=1e-5 * float(exact[0]), rtol=0)


DENSE, WIDE = "roberta.encoder.layer.1.output.dense.weight", (4, 12)


def with_spectrum(folder, shapes, rank):
    """The folder of a vector that has stored these shapes of its one spectrum, and this rank."""
    stored = {"singular_values": {DENSE: [4.0, 3.0, 2.0, 1.0]}, "spectrum_shapes": shapes, "rank": rank}
    make_vector(**stored).save(folder)
    return folder


@pytest.mark.parametrize("shapes", [{"other": [4, 12]}, {DENSE: [4]}, {DENSE: None}, [4, 12]])
def test_incomplete_stored_spectra_are_refused(tmp_path, shapes):
    with pytest.raises(VectorError, match=r"spectra of .* are incomplete"):
        spectra_of(with_spectrum(tmp_path / "v", shapes, {"strategy": "mp", "ranks": {DENSE: 2}}))


@pytest.mark.parametrize(
    ("rank", "chosen"),
    [(None, None), ({"strategy": "variance:abc", "ranks": {DENSE: 2}}, 2), ({"strategy": None}, None)],
)
def test_stored_spectra_without_a_valid_strategy_are_shown_without_one(tmp_path, rank, chosen):
    found = spectra_of(with_spectrum(tmp_path / "v", {DENSE: list(WIDE)}, rank))
    assert found.strategy is None
    assert (found.matrices[DENSE].shape, found.matrices[DENSE].chosen) == (WIDE, chosen)


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(DeftxError):
        spectra_of(tmp_path)
    (tmp_path / DELTA_FILE).write_bytes(b"not a tensor file")
    with pytest.raises(DeftxError, match="cannot be read"):
        spectra_of(tmp_path)
