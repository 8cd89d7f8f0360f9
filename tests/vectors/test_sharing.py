"""``SparseVector.push_to_hub`` and ``from_pretrained``, against a Hub on this machine."""

import pytest
from hub_server import READ_ONLY, WRITER
from huggingface_hub import ModelCard
from tiny_vectors import make_vector, same_vector

from deftx.core.errors import HubError, VectorError
from deftx.vectors.vector import SparseVector

SPECTRA = {"singular_values": {"roberta.encoder.layer.1.output.dense.weight": [3.0, 2.0, 1.0]}}


@pytest.fixture
def vector():
    return make_vector(scores={"masked_lm_loss": {"before": 5.0, "after": 3.25}}, **SPECTRA)


def test_a_pushed_vector_comes_back_bit_for_bit_with_its_card_and_picture(hub_here, vector):
    url = vector.push_to_hub("ana/min", private=True, license_id="cc-by-4.0", datasets=["ana/texts"], token=WRITER)
    repository = hub_here.repositories["ana/min"]
    files = repository.commits[-1][1]
    assert (url, repository.private) == (f"{hub_here.url}/ana/min", True)
    assert set(files) == {"vector.json", "vector.safetensors", "README.md", "spectra.png"}
    card = ModelCard(files["README.md"].decode()).data
    assert (card.license, card.datasets, card.library_name) == ("cc-by-4.0", ["ana/texts"], "deftx")
    assert [one.metric_value for one in card.eval_results] == [3.25]


def test_a_vector_of_a_revision_is_that_of_the_revision(hub_here, vector, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", WRITER)
    vector.push_to_hub("ana/min")
    first = hub_here.repositories["ana/min"].commits[-1][0]
    make_vector(draw=1).push_to_hub("ana/min")
    assert same_vector(SparseVector.from_pretrained("ana/min", revision=first), vector)
    second = hub_here.repositories["ana/min"].commits[-1][0]
    assert same_vector(SparseVector.from_pretrained("ana/min", revision=second), make_vector(draw=1))


def test_a_folder_and_a_bundled_name_load_as_they_are_and_have_no_revision(vector, tmp_path):
    folder = vector.save(tmp_path / "vector")
    assert same_vector(SparseVector.from_pretrained(folder), vector)
    for name in (folder, "min"):
        with pytest.raises(VectorError, match="is not on the Hub"):
            SparseVector.from_pretrained(name, revision="main")


def test_who_may_not_write_is_told_and_nothing_is_pushed(hub_here, vector):
    with pytest.raises(HubError, match="read-only"):
        vector.push_to_hub("ana/min", token=READ_ONLY)
    assert hub_here.repositories == {}
