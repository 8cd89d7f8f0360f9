"""Without these, a data set that cannot be had would end in a traceback, or a private file in a corpus."""

import errno
from types import SimpleNamespace

import httpx2
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from deftx.core.errors import CorpusError
from deftx.hub import text as hub_text
from deftx.hub.text import HubFile, choose, fetch, find_files, read_lines


def response(status=404):
    return httpx2.Response(status, request=httpx2.Request("GET", "https://x"))


class Hub:
    """Answers for the Hub: files by revision, or an error; remembers what it was asked."""

    def __init__(self, main=(), converted=()):
        self.answers, self.asked = {None: main, "refs/convert/parquet": converted}, []

    def __call__(self):
        return self

    def list_repo_tree(self, repository, *, repo_type, revision, recursive):
        assert (repo_type, recursive) == ("dataset", True)
        self.asked.append((repository, revision))
        answer = self.answers[revision]
        if isinstance(answer, Exception):
            raise answer
        files = [SimpleNamespace(path=path, size=10) for path in answer]
        return iter([SimpleNamespace(path="data", tree_id="t"), *files])


@pytest.mark.parametrize(
    "name", ["owner/name", " owner/name ", "https://huggingface.co/datasets/owner/name", "datasets/owner/name/"]
)
def test_files_that_can_be_read_are_listed(name, monkeypatch):
    hub = Hub(["README.md", "data/train.parquet", ".hidden.txt", "a.jsonl.gz", "requirements.txt", "x.py"])
    monkeypatch.setattr(hub_text, "HfApi", hub)
    assert [file.path for file in find_files(name)] == ["data/train.parquet", "a.jsonl.gz"]
    assert hub.asked == [("owner/name", None)]


@pytest.mark.parametrize(
    "converted", [["default/train/0000.parquet"], RevisionNotFoundError("no", response=response())]
)
def test_the_copy_that_the_hub_makes_is_taken_where_nothing_else_can_be_read(converted, monkeypatch):
    monkeypatch.setattr(hub_text, "HfApi", Hub(["load.py"], converted))
    if isinstance(converted, Exception):
        with pytest.raises(CorpusError, match="has no supported file"):
            find_files("owner/name")
    else:
        (file,) = find_files("owner/name")
        assert (file.path, file.revision) == ("default/train/0000.parquet", "refs/convert/parquet")


def test_another_revision_is_not_replaced_by_the_copy_of_the_default_branch(monkeypatch):
    hub = Hub(["load.py"], ["default/train/0000.parquet"])
    hub.answers |= {"v1": ["load.py"], "v2": RevisionNotFoundError("no", response=response())}
    monkeypatch.setattr(hub_text, "HfApi", hub)
    for revision, reason in (("v1", "has no supported file"), ("v2", "owner/name has no revision 'v2'")):
        with pytest.raises(CorpusError, match=reason):
            find_files(f"owner/name@{revision}")


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "https://elsewhere.example/a/b", "a b"])
def test_what_is_no_id_is_refused_without_the_network(name, monkeypatch):
    monkeypatch.setattr(hub_text, "HfApi", None)  # calling it would be a TypeError
    with pytest.raises(CorpusError, match="not the id"):
        find_files(name)


ERRORS = [
    (httpx2.ConnectError("[Errno -3] name\nresolution"), "could not be reached .*name resolution"),
    (OfflineModeIsEnabled("offline mode"), "could not be reached"),
    (RepositoryNotFoundError("404", response=response()), "no data set owner/name"),
    (GatedRepoError("403", response=response(403)), "gated: request access"),
    (HFValidationError("bad id"), "could not be reached"),
    (httpx2.ReadTimeout("slow"), "could not be reached"),
    (PermissionError(errno.EPERM, "Operation not permitted"), "could not be reached"),  # a firewall
    (OSError(errno.ENOSPC, "No space left on device"), r"disk of this machine is full \(/.*\). Free some space"),
    (PermissionError(errno.EACCES, "Permission denied", "/cache/x"), r"access to /cache/x \(Permission denied\)"),
]


@pytest.mark.parametrize(("error", "reason"), ERRORS)
def test_what_cannot_be_had_says_why(error, reason, monkeypatch):
    monkeypatch.setattr(hub_text, "HfApi", Hub(error))
    with pytest.raises(CorpusError, match=reason):
        find_files("owner/name")

    def download(*arguments, **settings):
        raise error

    monkeypatch.setattr(hub_text, "hf_hub_download", download)
    with pytest.raises(CorpusError, match=reason):
        fetch(HubFile("owner/name", None, "a.txt", 10))


def test_too_large_a_file_is_refused_before_it_is_fetched(monkeypatch):
    monkeypatch.setattr(hub_text, "hf_hub_download", None)
    with pytest.raises(CorpusError, match="only files up to 500 MB"):
        fetch(HubFile("owner/name", None, "a.txt", 2**30))


def test_a_file_is_fetched_and_read_up_to_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("title,body\n" + "".join(f"t{n},kata {n}\n" for n in range(5)), encoding="utf-8")

    def download(repository, name, *, repo_type, revision):
        assert (repository, name, repo_type, revision) == ("owner/name", "a.csv", "dataset", None)
        return str(path)

    monkeypatch.setattr(hub_text, "hf_hub_download", download)
    fetched = fetch(HubFile("owner/name", None, "a.csv", 10))
    assert read_lines(fetched, "body") == ([f"kata {n}" for n in range(5)], False)
    monkeypatch.setattr(hub_text, "MOST_LINES", 3)
    assert read_lines(fetched, "body") == (["kata 0", "kata 1", "kata 2"], True)
    with pytest.raises(CorpusError, match="title, body"):
        read_lines(fetched)


def test_only_files_of_the_list_can_be_chosen():
    file = HubFile("owner/name", None, "a.txt", 10)
    assert choose((file,), "a.txt") is file
    with pytest.raises(CorpusError, match="not known"):
        choose((file,), "../a.txt")
