"""Pushing to a Hub on this machine: what arrives, what is said, and what is left when something goes wrong."""

import re

import pytest
import yaml
from hub_server import MEMBER, READ_ONLY, SCOPED, WRITER
from huggingface_hub import constants
from tiny_vectors import make_vector, same_vector

from deftx.core.errors import HubError
from deftx.hub.client import check_push, hub
from deftx.hub.uploads import describe, push
from deftx.publish.pushing import prepare_vector
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import file_sha256

SPECTRA = {"singular_values": {"roberta.encoder.layer.0.attention.self.query.weight": [3.0, 1.0, 0.5, 0.1]}}


@pytest.fixture
def server(hub_here):
    return hub_here


@pytest.fixture
def vector(tmp_path):
    # Large enough that its tensors are a large file to the server.
    shapes = {"roberta.embeddings.word_embeddings.weight": (4000, 9)}
    scores = {"masked_lm_loss": {"before": 5.0, "after": 3.25}}
    return make_vector(shapes=shapes, scores=scores, **SPECTRA).save(tmp_path / "vector")


@pytest.fixture
def upload(tmp_path, vector):
    def prepare(repository="ana/min", private=False, token=WRITER, **more):
        folder = tmp_path / "upload"
        folder.mkdir(exist_ok=True)
        return prepare_vector(hub(token), vector, repository, folder, private=private, **more)

    return prepare


def test_a_vector_arrives_as_it_is_with_card_and_picture(server, upload, vector, tmp_path):
    ready = upload(private=True, license_id="cc-by-4.0", datasets=["ana/texts"])
    said = "\n".join(describe(ready))
    assert server.repositories == {}  # up to here nothing was changed
    assert "a new repository, private" in said
    for name, size in ready.files:
        assert f"{name}  {size:,} bytes" in said
    pushed = push(hub(WRITER), ready)
    repository = server.repositories["ana/min"]
    sha, files = repository.commits[-1]
    assert (pushed.url, pushed.commit, repository.private) == (f"{server.url}/ana/min", sha, True)
    assert {name: len(content) for name, content in files.items()} == dict(ready.files)
    for name in ("vector.json", "vector.safetensors"):
        assert files[name] == (vector / name).read_bytes()
    assert server.requests("^PUT /lfs/")  # the tensors went the way of large files
    assert files["spectra.png"].startswith(b"\x89PNG")
    card = files["README.md"].decode()
    front = yaml.safe_load(card.split("---\n")[1])
    assert (front["license"], front["datasets"], front["language"]) == ("cc-by-4.0", ["ana/texts"], ["min"])
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == 3.25
    assert "(spectra.png)" in card
    assert 'language="ana/min"' in card


def test_a_pushed_vector_is_loaded_by_id_and_by_revision(server, upload, monkeypatch):
    first = push(hub(WRITER), upload()).commit
    server.repositories["ana/min"].tags["v1"] = first
    server.repositories["ana/min"].add({"vector.json": b"{}"})
    for revision in ("v1", first):
        loaded = SparseVector.load(f"ana/min@{revision}")
        assert same_vector(loaded, SparseVector.load(upload().folder))


def test_pushing_again_replaces_what_changed_and_says_so(server, upload):
    push(hub(WRITER), upload())
    before = len(server.requests("^PUT"))
    server.repositories["ana/min"].add({"notes.txt": b"kept"})
    again = upload(license_id="mit")
    assert "replaced by a new commit" in "\n".join(describe(again))
    push(hub(WRITER), again)
    files = server.repositories["ana/min"].commits[-1][1]
    assert files["notes.txt"] == b"kept"
    assert b'license: "mit"' in files["README.md"]
    assert len(server.requests("^PUT")) == before  # the tensors were there


@pytest.fixture
def by_xet(monkeypatch, tmp_path):
    """Large files go by Xet, as they do by default."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))


def test_large_files_go_by_xet_where_it_is_on(server, upload, vector, by_xet):
    push(hub(WRITER), upload())
    files = server.repositories["ana/min"].commits[-1][1]
    assert files["vector.safetensors"].decode() == f"by Xet: {file_sha256(vector / 'vector.safetensors')}"
    assert files["vector.json"] == (vector / "vector.json").read_bytes()
    assert sum(map(len, server.xet.values())) > 0.5 * (vector / "vector.safetensors").stat().st_size
    assert server.requests("^POST /v1/shards")
    assert WRITER not in {token for _, path, token in server.asked if path.startswith("/v1/")}


def test_a_storage_that_refuses_is_told(server, upload, by_xet):
    server.fail("xet-write-token", status=403)
    with pytest.raises(HubError, match="was created and is empty"):
        push(hub(WRITER), upload())


# Rights


@pytest.mark.parametrize(
    ("token", "repository", "reason"),
    [
        (None, "ana/min", "You are not logged in"),
        ("hf_wrong", "ana/min", "wrong, revoked or expired"),
        (READ_ONLY, "ana/min", "read-only"),
        (SCOPED, "ana/min", "Give it write access"),
        (WRITER, "lab/min", "no write access to lab.*ana/min"),
        (WRITER, "budi/min", "you are not a member of budi"),
        (WRITER, "lab/there", "no write access to lab/there"),
        (WRITER, "ana/old", "renamed to ana/new"),
        (WRITER, "ana", "has the form owner/name"),
        (WRITER, "ana/min@v1", "has the form owner/name"),
        (WRITER, "ana/a--b", "has the form owner/name"),
    ],
)
def test_who_may_not_push_is_told_before_anything_is_done(server, token, repository, reason):
    server.make("lab/there")
    server.make("ana/new")
    server.renamed["ana/old"] = "ana/new"
    with pytest.raises(HubError, match=reason) as caught:
        check_push(hub(token), repository)
    assert not any(method in ("POST", "PUT") for method, _, _ in server.asked)
    assert token is None or token not in str(caught.value)


def test_a_member_who_may_write_pushes_to_the_organisation(server, upload):
    push(hub(MEMBER), upload("lab/min", token=MEMBER))
    assert len(server.repositories["lab/min"].commits) == 2


def test_nothing_private_goes_where_everybody_sees_it(server, upload):
    server.make("ana/min")
    with pytest.raises(HubError, match="is public"):
        upload(private=True)
    server.repositories["ana/min"].private = True
    assert "private: only you" in describe(upload())[0]  # it stays private


# What goes wrong on the way


@pytest.mark.parametrize(
    ("fault", "reason", "state"),
    [
        (("^POST .*/create", {}), "could not be reached", "was created|is unchanged"),
        (("^PUT /lfs/", {}), "could not be reached", "was created and is empty"),
        (("^PUT /lfs/", {"status": 503}), "has an error", "was created and is empty"),
        (("^POST .*/preupload", {"status": 429, "headers": {"Retry-After": "77"}}), "in 77 seconds", "is empty"),
        (("^POST .*/commit", {"status": 500}), "has an error", "was created and is empty"),
        (("^POST .*/commit", {"status": 402}), "paid plan", "was created and is empty"),
        (("^POST .*/commit", {"status": 413}), "refused a request", "was created and is empty"),
        (("^POST .*/commit", {"served": True}), "could not be reached", "has a new commit"),
    ],
)
def test_an_upload_that_fails_says_how_the_repository_is_and_goes_on_later(server, upload, fault, reason, state):
    ready = upload()
    pattern, how = fault
    server.fail(pattern, **how)
    with pytest.raises(HubError, match=reason) as caught:
        push(hub(WRITER), ready)
    assert re.search(state, str(caught.value))
    assert WRITER not in str(caught.value)
    if "ana/min" in server.repositories and not how.get("served"):
        assert len(server.repositories["ana/min"].commits) == 1
    server.faults.clear()
    uploaded = len(server.large)
    sent = len(server.requests("^PUT"))
    push(hub(WRITER), upload())
    assert server.repositories["ana/min"].commits[-1][1].keys() == dict(ready.files).keys()
    if uploaded:
        assert len(server.requests("^PUT")) == sent  # not sent a second time


def test_a_short_rate_limit_is_waited_for(server, upload):
    server.fail("^POST .*/preupload", status=429, headers={"Retry-After": "1"}, times=2)
    push(hub(WRITER), upload())
    assert len(server.requests("preupload")) == 3


def test_a_token_reaches_no_file(server, upload, tmp_path):
    push(hub(WRITER), upload())
    assert any(token == WRITER for _, _, token in server.asked)
    assert {token for _, path, token in server.asked if path.startswith("/lfs/")} == {None}  # nor another host
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or WRITER.encode() not in path.read_bytes()
    assert all(WRITER.encode() not in content for content in server.repositories["ana/min"].commits[-1][1].values())
