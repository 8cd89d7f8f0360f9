"""Pulling from a Hub on this machine: by id and revision, whole or not at all, and what is said when it fails."""

import pytest
from hub_server import WRITER
from huggingface_hub import constants
from tiny_vectors import TinyBase, make_vector, same_vector

from deftx.core.errors import VectorError
from deftx.hub.client import HubName, hub, read_name
from deftx.publish.importing import Wishes, bring_from_hub
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors.lt_sft import FILE, read_lt_sft, write_lt_sft
from deftx.vectors.vector import SparseVector

BIG = {"roberta.embeddings.word_embeddings.weight": (4000, 9)}  # its tensors are a large file to the server


@pytest.fixture
def vector():
    return make_vector(shapes=BIG)


@pytest.fixture
def there(hub_here, vector, tmp_path):
    """A repository with two states of a vector, the older one tagged v1."""
    folder = vector.save(tmp_path / "there")
    old = make_vector(1, shapes=BIG).save(tmp_path / "old")
    repository = hub_here.make("ana/min", contents(old))
    repository.tags["v1"] = repository.commits[-1][0]
    repository.add(contents(folder))
    return repository


@pytest.fixture
def own(tmp_path):
    return OwnVectors(tmp_path / "home")


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def bring(own, name="ana/min", revision="", base=lambda: TinyBase(shapes=BIG), **wishes):
    return bring_from_hub(own, name, revision, base, Wishes(**wishes))


def nothing_left(own):
    return list(own.folder.glob("*")) == [] and list(own.folder.glob(".incoming-*")) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ana/min", HubName("ana/min")),
        (" https://huggingface.co/ana/min/ ", HubName("ana/min")),
        ("ana/min@v1.0", HubName("ana/min", "v1.0")),
        ("ana/min@refs/pr/1", HubName("ana/min", "refs/pr/1")),
        *(
            (text, None)
            for text in ("", "ana", "a/b/c", "../b", "./b", "ana/min@", "ana/min@../x/", "ana/m--n", "a b/c")
        ),
        ("ana/min@v1@v2", None),
    ],
)
def test_ids_are_read_with_their_revision(text, name):
    assert read_name(text) == name


def test_the_endpoint_is_that_of_the_environment_as_it_is_now(hub_here, monkeypatch):
    assert hub().endpoint == hub_here.url
    monkeypatch.delenv("HF_ENDPOINT")
    assert hub().endpoint == constants.ENDPOINT


# As an argument of commands and of the library


def test_a_vector_is_loaded_by_id_and_from_then_on_without_the_network(hub_here, there, vector, tmp_path):
    assert same_vector(SparseVector.load("ana/min"), vector)
    asked = len(hub_here.asked)
    assert same_vector(SparseVector.load("ana/min"), vector)
    assert len(hub_here.asked) == asked
    assert all("/resolve/" not in line or line.split("/")[-1] in ("README.md", "vector.json", "vector.safetensors")
               for line in hub_here.requests(""))  # fmt: skip


@pytest.mark.parametrize("revision", ["v1", "commit"])
def test_a_revision_is_loaded(there, revision):
    name = there.tags["v1"] if revision == "commit" else revision
    assert same_vector(SparseVector.load(f"ana/min@{name}"), make_vector(1, shapes=BIG))


def test_lt_sft_is_read_by_id_and_revision(hub_here, tmp_path):
    vector = make_vector()
    write_lt_sft(vector, TinyBase(), tmp_path / "lt")
    repository = hub_here.make("cambridgeltl/x-small", contents(tmp_path / "lt"))
    repository.tags["v1"] = repository.commits[-1][0]
    repository.add({FILE: b"spoilt"})
    assert same_vector(read_lt_sft("cambridgeltl/x-small@v1", TinyBase()), vector)
    with pytest.raises(VectorError, match="damaged"):
        read_lt_sft("cambridgeltl/x-small", TinyBase())


# Into the Library


def test_a_vector_is_brought_byte_for_byte_with_its_commit(own, there, tmp_path):
    kept = bring(own)
    assert (kept.title, kept.origin) == ("min", f"ana/min ({there.commits[-1][0][:12]})")
    for name in ("vector.json", "vector.safetensors", "README.md"):
        assert (kept.folder / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_a_revision_is_given_behind_the_id_or_in_its_own_field(own, there):
    old = there.tags["v1"]
    assert bring(own, "ana/min@v1").origin == bring(own, "ana/min", "v1").origin == f"ana/min ({old[:12]})"
    with pytest.raises(VectorError, match="Two revisions"):
        bring(own, "ana/min@v1", "v2")


def test_a_renamed_repository_is_followed_and_noted_under_its_new_name(own, hub_here, there):
    hub_here.renamed["ana/before"] = "ana/min"
    assert bring(own, "ana/before").origin.startswith("ana/min (")
    assert SparseVector.load("ana/before").language == "min"


def test_lt_sft_is_brought_by_id(own, hub_here, tmp_path):
    write_lt_sft(make_vector(), TinyBase(), tmp_path / "lt")
    hub_here.make("cambridgeltl/x-small", contents(tmp_path / "lt"))
    kept = bring(own, "cambridgeltl/x-small", base=TinyBase, language="min")
    assert same_vector(SparseVector.load(kept.folder), make_vector())
    assert not (kept.folder / FILE).exists()


def test_a_private_repository_is_seen_by_who_may(own, hub_here, there, monkeypatch):
    there.private = True
    with pytest.raises(VectorError, match="if it is private, log in"):
        bring(own)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    assert bring(own).title == "min"
    assert {token for _, path, token in hub_here.asked if path.startswith("/cdn/")} == {
        None
    }  # no token to another host


@pytest.mark.parametrize("name", ["", "../../etc", "/etc/passwd", "one", "a/b/c", ".hidden/x", "a b/c"])
def test_what_is_no_id_is_refused_before_anything_is_asked(own, hub_here, name):
    with pytest.raises(VectorError, match="owner/name"):
        bring(own, name)
    assert hub_here.asked == []


# What goes wrong


def gated(hub_here, there, monkeypatch):
    there.gated = True


def missing(hub_here, there, monkeypatch):
    del hub_here.repositories["ana/min"]


def wrong_token(hub_here, there, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_expired")


def limited(hub_here, there, monkeypatch):
    hub_here.fail("^(GET|HEAD) ", status=429, headers={"RateLimit": '"api";r=0;t=55'})


def unwell(hub_here, there, monkeypatch):
    hub_here.fail("^(GET|HEAD) ", status=503)


def no_network(hub_here, there, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there


def cut_off(hub_here, there, monkeypatch):
    hub_here.fail("^GET /cdn/")


def cut_early(hub_here, there, monkeypatch):
    hub_here.fail("^HEAD .*safetensors")


TROUBLE = [
    (gated, "is gated"),
    (missing, "no repository ana/min that you can see"),
    (wrong_token, "wrong, revoked or expired"),
    (limited, "in 55 seconds"),
    (unwell, "has an error"),
    (no_network, "could not be reached"),
    (cut_off, "could not be reached"),
    (cut_early, "could not be reached"),
]


@pytest.mark.parametrize(("trouble", "reason"), TROUBLE)
def test_what_the_hub_does_not_give_is_explained_and_leaves_nothing(own, hub_here, there, monkeypatch, trouble, reason):
    trouble(hub_here, there, monkeypatch)
    with pytest.raises(VectorError, match=reason) as caught:
        bring(own)
    assert nothing_left(own)
    assert "hf_expired" not in str(caught.value)
    with pytest.raises(VectorError, match=reason):
        SparseVector.load("ana/min")


@pytest.mark.parametrize("load", [lambda own: bring(own, "ana/min@v9"), lambda own: SparseVector.load("ana/min@v9")])
def test_an_unknown_revision_is_named(own, there, load):
    with pytest.raises(VectorError, match="no revision 'v9'"):
        load(own)
    assert nothing_left(own)


def test_a_broken_connection_is_taken_up_where_it_broke(own, hub_here, there, tmp_path, monkeypatch):
    monkeypatch.setattr(
        constants, "DOWNLOAD_CHUNK_SIZE", 4_000
    )  # bytes after which the client keeps what it has; 10 MB
    size = (tmp_path / "there" / "vector.safetensors").stat().st_size
    hub_here.fail("^GET /cdn/", after=20_000, times=2)
    kept = bring(own)
    assert (kept.folder / "vector.safetensors").stat().st_size == size
    assert hub_here.sent == size  # no byte came twice


def test_what_was_fetched_before_a_failure_is_not_fetched_again(own, hub_here, there):
    hub_here.fail("^(GET|HEAD) .*vector.json", status=503)
    with pytest.raises(VectorError, match="has an error"):
        bring(own)
    hub_here.faults.clear()
    sent = hub_here.sent
    assert sent > 0
    bring(own)
    assert hub_here.sent == sent


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"README.md": b"x"}, "contains neither a vector"),
        ({"vector.json": b"{}", "vector.safetensors": b"x"}, "format version"),
        ({"vector.json": b"x" * 2**20 * 9, "vector.safetensors": b"x"}, "too large"),
    ],
)
def test_a_repository_of_something_else_is_refused(own, hub_here, files, reason):
    hub_here.make("ana/other", files)
    with pytest.raises(VectorError, match=reason) as caught:
        bring(own, "ana/other")
    assert nothing_left(own)
    assert str(own.folder) not in str(caught.value)
    assert not [line for line in hub_here.requests("GET /cdn") if reason == "too large"]


def test_a_repository_without_a_vector_is_no_argument(hub_here):
    hub_here.make("ana/other", {"README.md": b"x"})
    with pytest.raises(VectorError, match=r"has no vector\.safetensors"):
        SparseVector.load("ana/other")
