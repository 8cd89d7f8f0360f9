"""Without these, a data set could lose the names of its classes, or be taken for a path."""

import datasets
import pytest

from deftx.core.errors import TableError
from deftx.data.tables import read_table
from deftx.data.text import read_corpus

FEATURES = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])})
ROWS = {"text": ["the food", "the day", "salt &amp; sea", ""], "label": [0, 1, -1, 1]}


@pytest.fixture
def dataset():
    return datasets.Dataset.from_dict(ROWS, features=FEATURES)


@pytest.mark.parametrize("streamed", [False, True])
def test_rows_have_the_names_of_their_classes_and_minus_one_is_none(dataset, streamed):
    table = read_table(dataset.to_iterable_dataset() if streamed else dataset)
    assert (table.texts, table.labels) == (["the food", "the day"], ["bad", "good"])
    assert table.dropped == {"empty label": 1, "empty text": 1}


def test_parquet_that_datasets_wrote_has_the_names_of_the_classes_too(dataset, tmp_path):
    dataset.to_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet").labels == ["bad", "good"]


@pytest.mark.parametrize("part", [lambda d: d["text"], lambda d: d, lambda d: d.to_iterable_dataset()])
def test_a_corpus_is_a_data_set_or_one_column_of_it(dataset, part):
    corpus = read_corpus(part(dataset))
    assert corpus.lines == ["the food", "the day", "salt & sea"]
    assert corpus.skipped["empty"] == 1


def test_columns_are_named_as_for_a_file(dataset):
    renamed = dataset.rename_columns({"text": "review", "label": "stars"})
    assert read_table(renamed, columns={"text": "review", "label": "stars"}).labels == ["bad", "good"]


def test_of_several_splits_one_must_be_chosen(dataset):
    with pytest.raises(TableError, match=r"choose one, as in dataset\['train'\]"):
        read_table(datasets.DatasetDict(train=dataset))


def test_what_was_read_is_saved_as_a_data_set_and_read_again(dataset, tmp_path):
    table = read_table(dataset)
    table.to_dataset().save_to_disk(tmp_path / "rows")
    saved = datasets.load_from_disk(tmp_path / "rows")
    assert saved.features["label"].names == ["bad", "good"]
    assert read_table(saved).fingerprint == table.fingerprint
    corpus = read_corpus(dataset)
    assert read_corpus(corpus.to_dataset()).fingerprint == corpus.fingerprint


def test_pairs_and_rows_without_labels_are_saved_too(tmp_path):
    (tmp_path / "pairs.csv").write_text("premise,hypothesis,label\na b,c d,yes\ne f,g h,no\n", encoding="utf-8")
    table = read_table(tmp_path / "pairs.csv")
    assert read_table(table.to_dataset()).texts == [("a b", "c d"), ("e f", "g h")]
    assert table.keep([0]).to_dataset().num_rows == 1
