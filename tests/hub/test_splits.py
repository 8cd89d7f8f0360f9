"""Without these, a data set would be read by its file names alone, a large one not at all, and a lost connection be a traceback."""

import json

import hub_server
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deftx.core.errors import CorpusError
from deftx.hub.splits import HubSplit, fetch_split, find_splits

CARD = b"""---
configs:
- config_name: min
  data_files:
  - split: train
    path: min/train.csv
  - split: test
    path: min/test.csv
- config_name: ind
  data_files: ind/*.csv
---
"""


@pytest.fixture
def hub(hub_here, tmp_path, monkeypatch):
    """A Hub on this machine to which ``datasets`` speaks too."""
    hub_server.attach_datasets(monkeypatch, hub_here, tmp_path / "datasets")
    return hub_here


@pytest.fixture
def news(hub):
    """A data set with two configurations."""
    files = {
        "README.md": CARD,
        "min/train.csv": b"text,label\nsatu duo,good\ntigo,bad\n",
        "min/test.csv": b"text,label\nampek,good\n",
        "ind/a.csv": b"text,label\n" + b"satu dua tiga,good\n" * 600,
    }
    hub.make("datasets/ana/news", files)
    return hub


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_splits_of_all_configurations_are_listed_and_read(news, tmp_path):
    found = find_splits("ana/news")
    assert [str(split) for split in found] == ["min/train", "min/test", "ind/train"]
    path, cut = fetch_split(found[0], tmp_path)
    assert path.name == "ana-news-min-train.jsonl"
    assert rows(path) == [{"text": "satu duo", "label": "good"}, {"text": "tigo", "label": "bad"}]
    assert not cut


def test_of_a_large_split_the_first_part_is_read(news, tmp_path):
    path, cut = fetch_split(find_splits("ana/news")[-1], tmp_path, most=450)  # 43 bytes a line
    assert (len(rows(path)), cut) == (10, True)


def test_an_earlier_revision_can_be_read(news, tmp_path):
    repository = news.repositories["datasets/ana/news"]
    old = repository.commits[-1][0]
    repository.add({"min/test.csv": b"text,label\nlimo,bad\n"})
    for revision, text in ((old, "ampek"), (None, "limo")):
        path, _ = fetch_split(HubSplit("ana/news", revision, "min", "test"), tmp_path)
        assert [row["text"] for row in rows(path)] == [text]


def test_class_numbers_become_their_names(hub, tmp_path):
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
    }
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())], metadata={"huggingface": json.dumps({"info": {"features": features}})})  # fmt: skip
    pq.write_table(pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1]}, schema=schema), tmp_path / "t.parquet")
    hub.make("datasets/ana/classes", {"data/train-0.parquet": (tmp_path / "t.parquet").read_bytes()})
    path, _ = fetch_split(find_splits("ana/classes")[0], tmp_path)
    assert [row["label"] for row in rows(path)] == ["good", "bad", None]


def test_lists_have_the_names_of_classes_too_and_count(hub, tmp_path):
    classes = {"names": ["O", "B-PER"], "_type": "ClassLabel"}
    features = {
        "tokens": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
        "ner_tags": {"feature": classes, "_type": "List"},
    }
    schema = pa.schema([("tokens", pa.list_(pa.string())), ("ner_tags", pa.list_(pa.int64()))], metadata={"huggingface": json.dumps({"info": {"features": features}})})  # fmt: skip
    content = {"tokens": [["satu", "Ana"], ["duo"] * 50], "ner_tags": [[0, 1], [-1] * 50]}
    pq.write_table(pa.table(content, schema=schema), tmp_path / "t.parquet")
    hub.make("datasets/ana/names", {"data/train-0.parquet": (tmp_path / "t.parquet").read_bytes()})
    split = find_splits("ana/names")[0]
    path, cut = fetch_split(split, tmp_path)
    assert ([row["ner_tags"] for row in rows(path)], cut) == ([["O", "B-PER"], [None] * 50], False)
    path, cut = fetch_split(split, tmp_path, most=300)
    assert (len(rows(path)), cut) == (1, True)


def test_a_script_is_not_run_and_has_no_splits(hub, tmp_path):
    mark = tmp_path / "ran"
    hub.make("datasets/ana/script", {"script.py": f"open({str(mark)!r}, 'w')".encode()})
    assert find_splits("ana/script") == ()
    assert not mark.exists()


def test_a_folder_of_this_machine_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "ana" / "secret").mkdir(parents=True)
    (tmp_path / "ana" / "secret" / "train.csv").write_text("text\nsecret\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert find_splits("ana/secret") == ()


@pytest.mark.parametrize(
    ("name", "pattern", "status", "said"),
    [
        ("ana/nothing", "^$", 0, "no data set ana/nothing"),
        ("ana/news", "README.md", 500, "has an error"),
        ("ana/news", "README.md", 429, "rate limit"),
    ],
)
def test_what_cannot_be_listed_says_why(news, name, pattern, status, said):
    news.fail(pattern, status=status)
    with pytest.raises(CorpusError, match=said):
        find_splits(name)


def test_a_split_that_cannot_be_read_says_why(news, tmp_path):
    split = find_splits("ana/news")[0]
    news.repositories["datasets/ana/news"].add({"min/train.csv": b'text,label\n"open\n'})
    with pytest.raises(CorpusError, match="min/train of the data set ana/news cannot be read"):
        fetch_split(split, tmp_path)
    news.fail("resolve/.*train.csv", status=404)
    with pytest.raises(CorpusError, match="ana/news"):
        fetch_split(split, tmp_path)
