"""Without these, a data set could lose the names of its classes, or be taken for a path."""

import json
import shutil

import datasets
import pytest

from deftx.core.errors import CorpusError, TableError
from deftx.data.table_columns import table_columns
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.data.unlabelled import read_texts

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


@pytest.fixture
def saved(dataset, tmp_path):
    """The folder of a data set with pictures that cannot be decoded."""
    pictures = [{"bytes": b"no picture", "path": None}] * len(dataset)
    dataset.add_column("picture", pictures, feature=datasets.Image()).save_to_disk(tmp_path / "mine")
    return tmp_path / "mine"


def test_a_folder_of_save_to_disk_is_read_wherever_a_table_is(dataset, saved, tmp_path):
    table = read_table(saved)
    assert (table.name, table.labels, table.fingerprint) == ("mine", ["bad", "good"], read_table(dataset).fingerprint)
    assert read_corpus([saved, saved]).lines == read_corpus(dataset).lines
    assert read_corpus(saved).sources == (("mine", 3),)
    assert table_columns(saved) == (("text", "label", "picture"), True)
    dataset.save_to_disk(tmp_path / "texts")  # what is classified is written again, so all columns are read
    assert read_texts(tmp_path / "texts").texts == ["the food", "the day", "salt & sea"]


def test_of_saved_splits_one_must_be_chosen(dataset, tmp_path):
    datasets.DatasetDict(train=dataset, test=dataset).save_to_disk(tmp_path)
    with pytest.raises(CorpusError, match="Give the folder of one split"):
        read_corpus(tmp_path)
    assert len(read_corpus(tmp_path / "train").lines) == 3


@pytest.mark.parametrize("link", [False, True])
def test_a_saved_data_set_reads_no_file_outside_of_its_folder(saved, tmp_path, link):
    state = json.loads((saved / "state.json").read_text())
    file = saved / state["_data_files"][0]["filename"]
    shutil.move(file, tmp_path / "other.arrow")
    if link:
        file.symlink_to(tmp_path / "other.arrow")
    else:
        state["_data_files"][0]["filename"] = "../other.arrow"
        (saved / "state.json").write_text(json.dumps(state))
    with pytest.raises(TableError, match="outside of its folder"):
        read_table(saved)


@pytest.mark.parametrize(("name", "content"), [("state.json", b"{"), ("state.json", b"[]"), ("dataset_info.json", b"")])
def test_a_damaged_saved_data_set_is_refused(saved, name, content):
    (saved / name).write_bytes(content)
    with pytest.raises(TableError, match="not a complete data set"):
        read_table(saved)


def test_a_saved_data_set_without_its_rows_is_refused(saved):
    next(saved.glob("*.arrow")).write_bytes(b"nothing")
    with pytest.raises(TableError, match="not a complete data set"):
        read_table(saved)


def test_the_format_of_a_data_set_does_not_matter(dataset):
    assert read_table(dataset.with_format("numpy")).labels == ["bad", "good"]
