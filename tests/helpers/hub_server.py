"""A server on this machine that speaks the Hub's HTTP for the calls that are used here, with faults to be switched on.

It keeps repositories in memory. What it answers follows huggingface_hub 2.4, whose client the tests use for real: the
calls are those that its source makes. Of Xet, by which the Hub moves large files, it takes uploads and looks into none.
"""

import base64
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from huggingface_hub import constants

LARGE = 8_192  # bytes from which a file is kept as a large one (LFS)
XET = "a token for the storage alone"
READ_ONLY, WRITER, SCOPED, MEMBER = "hf_read", "hf_writer", "hf_scoped", "hf_member"

ACCOUNTS = {
    READ_ONLY: {"name": "ana", "orgs": [], "auth": {"accessToken": {"role": "read"}}},
    WRITER: {"name": "ana", "orgs": [{"name": "lab", "roleInOrg": "read"}], "auth": {"accessToken": {"role": "write"}}},
    MEMBER: {"name": "budi", "orgs": [{"name": "lab", "roleInOrg": "write"}], "auth": {"accessToken": {"role": "write"}}},
    SCOPED: {
        "name": "ana", "orgs": [],
        "auth": {"accessToken": {"role": "fineGrained", "fineGrained": {
            "global": [], "scoped": [{"entity": {"type": "user", "name": "ana"}, "permissions": ["repo.content.read"]}],
        }}},
    },
}  # fmt: skip


@dataclass
class Repository:
    """Its commits, from the first on: (id, files). The first is empty, as the Hub makes it."""

    private: bool = False
    gated: bool = False
    hardware: str | None = None  # of a Space
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def add(self, files: dict[str, bytes]) -> str:
        """Commit files on top of those that are there; return the commit's id."""
        before = self.commits[-1][1] if self.commits else {}
        sha = hashlib.sha1(f"{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits.append((sha, {**before, **files}))
        return sha

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Find a commit by branch, tag or id."""
        if revision == "main":
            return self.commits[-1]
        wanted = self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit[0] == wanted), None)


@dataclass
class Fault:
    """What goes wrong with requests (``"METHOD path"``) that a pattern finds, and how often still."""

    pattern: str
    status: int = 0  # 0: the connection is cut, after ``after`` bytes of the answer
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 10**6
    after: int = 0
    served: bool = False  # the request is carried out, and only its answer is lost


class Hub:
    """The state of the server, and what was asked of it: ``asked`` holds (method, path, token or None)."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.large: dict[str, bytes] = {}
        self.xet: dict[str, bytes] = {}  # what came over Xet: blocks and their lists, as they are
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str, str | None]] = []
        self.sent = 0  # bytes of files, over all downloads
        self.url = ""
        self.storage = ""  # where large files are: under another name, so that it is another host to the client

    def make(self, name: str, files: dict[str, bytes] | None = None, **settings: Any) -> Repository:
        """Put a repository there, with its first commit and, where files are given, a second one."""
        repository = self.repositories[name] = Repository(**settings)
        repository.add({})
        if files:
            repository.add(files)
        return repository

    def fail(self, pattern: str, **how: Any) -> None:
        """Let requests fail from now on."""
        self.faults.append(Fault(pattern, **how))

    def requests(self, pattern: str) -> list[str]:
        """List the requests so far that a pattern finds, as "METHOD path"."""
        return [line for line in (f"{method} {path}" for method, path, _ in self.asked) if re.search(pattern, line)]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    hub: Hub
    routes: tuple[Any, ...] = ()  # those below, and those of servers that do more

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self) -> None:
        """Answer a request, unless a fault comes first."""
        parts = urlsplit(self.path)
        self.where, self.query = unquote(parts.path), parse_qs(parts.query)
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunks()
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.token, self.account = bearer or None, ACCOUNTS.get(bearer)
        self.hub.asked.append((self.command, self.where, self.token))
        self.cut = None
        for fault in self.hub.faults:
            if fault.times > 0 and re.search(fault.pattern, f"{self.command} {self.where}"):
                fault.times -= 1
                if fault.status:
                    return self.reply(fault.status, {"error": "as the test wants it"}, fault.headers)
                self.cut = fault
                if not fault.after and not fault.served:
                    return self.hang_up()
                break
        if self.token and self.account is None and self.token != XET:
            return self.reply(401, {"error": "Invalid credentials"}, {"X-Error-Message": "Invalid credentials in Authorization header"})  # fmt: skip
        for methods, pattern, method in self.routes:
            if self.command in methods and (match := re.fullmatch(pattern, self.where)):
                return method(self, **match.groupdict())
        return self.reply(404, {"error": f"no such call: {self.command} {self.where}"})

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def reply(self, status: int, content: Any = b"", headers: dict[str, str] | None = None) -> None:
        """Send an answer: JSON, or bytes as they are; of a HEAD request the headers alone."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if self.cut is not None and self.cut.served:
            return self.hang_up()
        self.send_response(status)
        sent = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return None
        if self.cut is not None:
            self.wfile.write(body[: self.cut.after])
            return self.hang_up()
        self.wfile.write(body)
        return None

    def hang_up(self) -> None:
        """End the connection without another word."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def _chunks(self) -> bytes:
        """Read a body that comes in chunks, as that of a file does."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        found = []
        while size := int(self.rfile.readline(), 16):
            found.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(found)

    # Who asks, and what may be seen

    def whoami(self) -> None:
        """``/api/whoami-v2``."""
        self.reply(200, self.account) if self.account else self.reply(401, {"error": "Invalid username or password."})

    def seen(self, name: str) -> Repository | None:
        """Find a repository that whoever asks may see; otherwise answer, and return None."""
        if name in self.hub.renamed:
            self.reply(307, b"", {"Location": self.path.replace(name, self.hub.renamed[name])})
            return None
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self.may_write(name)):
            self.reply(
                404 if self.account else 401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
            )
            return None
        return repository

    def may_write(self, name: str) -> bool:
        """Say whether whoever asks may write to a repository: as its owner, or as a member who may."""
        if self.account is None or self.account["auth"]["accessToken"]["role"] == "read":
            return False
        owner = name.removeprefix("spaces/").split("/")[0]
        return owner == self.account["name"] or {"name": owner, "roleInOrg": "write"} in self.account["orgs"]

    def written(self, name: str) -> Repository | None:
        """Find a repository that whoever asks may write to; otherwise answer, and return None."""
        repository = self.seen(name)
        if repository is not None and not self.may_write(name):
            self.reply(403, {"error": "You have no right to write here"}, {"X-Error-Message": "You have no right to write here"})  # fmt: skip
            return None
        return repository

    def committed(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Find a commit; otherwise answer, and return None."""
        repository = self.seen(name)
        if repository is None:
            return None
        found = repository.at(revision)
        if found is None:
            self.reply(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        return found

    # Reading

    def info(self, name: str, revision: str | None = None) -> None:
        """``/api/models/OWNER/NAME[/revision/REVISION]``."""
        found = self.committed(name, revision or "main")
        if found is not None:
            sha, files = found
            siblings = [{"rfilename": path, "size": len(content)} for path, content in files.items()]
            repository = self.hub.repositories[name]
            named = name.removeprefix("spaces/")
            self.reply(200, {"id": named, "modelId": named, "sha": sha, "private": repository.private,
                             "gated": "manual" if repository.gated else False, "tags": [], "siblings": siblings})  # fmt: skip

    def tree(self, name: str, revision: str, folder: str | None = None) -> None:
        """``/api/models/OWNER/NAME/tree/REVISION[/FOLDER]``."""
        found = self.committed(name, revision)
        if found is None:
            return None
        within = f"{folder.strip('/')}/" if folder else ""
        paths = [path for path in found[1] if path.startswith(within)]
        if folder and not paths:
            return self.reply(404, {"error": "no such folder"}, {"X-Error-Code": "EntryNotFound"})
        if self.query.get("recursive") == ["True"] or self.query.get("recursive") == ["true"]:
            return self.reply(200, [_entry(path, found[1][path]) for path in paths])
        below = sorted({path[len(within) :].split("/")[0] for path in paths})
        return self.reply(200, [_at(within + one, found[1]) for one in below])

    def paths_info(self, name: str, revision: str) -> None:
        """``/api/models/OWNER/NAME/paths-info/REVISION``: files and folders by path."""
        found = self.committed(name, revision)
        if found is not None:
            asked = parse_qs(self.content.decode()).get("paths") or json.loads(self.content)["paths"]
            there = [path for path in asked if path in found[1] or any(one.startswith(f"{path}/") for one in found[1])]
            self.reply(200, [_at(path, found[1]) for path in there])

    def resolve(self, name: str, revision: str, path: str) -> None:
        """``/OWNER/NAME/resolve/REVISION/PATH``: small files come as they are, large ones from elsewhere."""
        found = self.committed(name, revision)
        if found is None:
            return None
        sha, files = found
        if self.hub.repositories[name].gated and not self.may_write(name):
            return self.reply(403 if self.account else 401, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        if path not in files:
            return self.reply(
                404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha}
            )
        content = files[path]
        if len(content) < LARGE:
            return self.reply(200, content, {"ETag": f'"{_blob(content)}"', "X-Repo-Commit": sha})
        oid = hashlib.sha256(content).hexdigest()
        self.hub.large[oid] = content
        linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content)), "X-Repo-Commit": sha}
        return self.reply(302, b"", {"Location": f"{self.hub.storage}/cdn/{oid}", **linked})

    def download(self, oid: str) -> None:
        """``/cdn/OID``: from where large files come, in part where a part is asked for."""
        content = self.hub.large[oid]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        part = {"Content-Range": f"bytes {start}-{end}/{len(content)}"} if "Range" in self.headers else {}
        self.hub.sent += end + 1 - start if self.cut is None else min(self.cut.after, end + 1 - start)
        self.reply(206 if part else 200, content[start : end + 1], {"ETag": f'"{oid}"', **part})

    # Writing

    def check(self, name: str, write: str | None) -> None:
        """``/api/models/OWNER/NAME/auth-check[/write]``."""
        found = self.written(name) if write else self.seen(name)
        if found is not None:
            self.reply(200, {})

    def create(self) -> None:
        """``/api/repos/create``."""
        asked = json.loads(self.content)
        name = f"{asked.get('organization') or (self.account or {}).get('name')}/{asked['name']}"
        if not self.may_write(name):
            return self.reply(403, {"error": "You don't have the rights to create a model under this namespace"})
        if asked.get("type") == "space":
            name = f"spaces/{name}"
            if asked.get("sdk") != "gradio":
                return self.reply(400, {"error": "sdk is missing"})
        if name in self.hub.repositories:
            return self.reply(409, {"error": "You already created this model repo"})
        self.hub.make(name, private=asked.get("visibility") == "private", hardware=asked.get("hardware"))
        return self.reply(200, {"url": f"{self.hub.url}/{name}"})

    def validate(self) -> None:
        """``/api/validate-yaml``: the front matter must be YAML, and a mapping."""
        front = re.match(r"---\n(.*?)\n---\n", json.loads(self.content)["content"], re.DOTALL)
        try:
            good = front is not None and isinstance(yaml.safe_load(front[1]), dict)
        except yaml.YAMLError:
            good = False
        self.reply(200 if good else 400, {"errors": [] if good else [{"message": "no YAML"}], "warnings": []})

    def preupload(self, name: str, revision: str) -> None:
        """``/api/models/OWNER/NAME/preupload/REVISION``: which files are large."""
        repository = self.written(name)
        if repository is not None:
            files = [
                {"path": file["path"], "uploadMode": "lfs" if file["size"] >= LARGE else "regular", "shouldIgnore": False,
                 "oid": _oid(repository.at(revision)[1].get(file["path"]))}
                for file in json.loads(self.content)["files"]
            ]  # fmt: skip
            self.reply(200, {"files": files})

    def batch(self, name: str) -> None:
        """``/OWNER/NAME.git/info/lfs/objects/batch``: where to put large files; those that are there already, nowhere."""
        if self.written(name) is not None:
            objects = []
            for one in json.loads(self.content)["objects"]:
                there = one["oid"] in self.hub.large
                actions = {} if there else {"actions": {"upload": {"href": f"{self.hub.storage}/lfs/{one['oid']}"}}}
                objects.append({**one, **actions})
            self.reply(200, {"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        """``PUT /lfs/OID``: a large file, which must be what it says."""
        if hashlib.sha256(self.content).hexdigest() != oid:
            return self.reply(400, {"error": "checksum differs"})
        self.hub.large[oid] = self.content
        return self.reply(200)

    # Xet, as far as an upload needs it: blocks are taken and not looked into

    def xet_token(self, name: str, revision: str) -> None:
        """``/api/models/OWNER/NAME/xet-write-token/REVISION``: where to put blocks, and a token for there."""
        if self.written(name) is not None:
            self.reply(200, {"casUrl": self.hub.storage, "exp": 2**31, "accessToken": XET})

    def xet_store(self, kind: str) -> None:
        """``/v1/xorbs/default/HASH`` and ``/v1/shards``."""
        if self.token != XET:
            return self.reply(401, {"error": "no token of the storage"})
        self.hub.xet[self.where] = self.content
        return self.reply(200, {"was_inserted": True} if kind == "xorbs" else {"result": 1})

    def commit(self, name: str, revision: str) -> None:
        """``/api/models/OWNER/NAME/commit/REVISION``: all of it or nothing."""
        repository = self.written(name)
        if repository is None:
            return None
        files = {}
        for line in self.content.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                if self.hub.xet:
                    files[value["path"]] = f"by Xet: {value['oid']}".encode()
                    continue
                if value["oid"] not in self.hub.large:
                    return self.reply(400, {"error": f"{value['path']} was never uploaded"})
                files[value["path"]] = self.hub.large[value["oid"]]
        sha = repository.add(files)
        return self.reply(200, {"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha})


_NAME, _REVISION = r"(?P<name>(?:spaces/|datasets/)?[\w.-]+/[\w.-]+)", r"(?P<revision>[\w./-]+)"
_API = rf"/api/(?:models/|(?=spaces/|datasets/)){_NAME}"  # a Space is kept as "spaces/OWNER/NAME", a data set likewise
ROUTES = (
    ({"GET"}, "/api/whoami-v2", Handler.whoami),
    ({"GET"}, rf"{_API}/auth-check(?P<write>/write)?", Handler.check),
    ({"GET"}, rf"{_API}", Handler.info),
    ({"GET"}, rf"{_API}/revision/{_REVISION}", Handler.info),
    ({"GET"}, rf"{_API}/tree/(?P<revision>[\w.-]+)(?P<folder>/.+)?", Handler.tree),
    ({"POST"}, rf"{_API}/paths-info/{_REVISION}", Handler.paths_info),
    ({"GET", "HEAD"}, rf"/{_NAME}/resolve/(?P<revision>[\w.-]+)/(?P<path>.+)", Handler.resolve),
    ({"GET"}, r"/cdn/(?P<oid>\w+)", Handler.download),
    ({"POST"}, "/api/repos/create", Handler.create),
    ({"POST"}, "/api/validate-yaml", Handler.validate),
    ({"POST"}, rf"{_API}/preupload/{_REVISION}", Handler.preupload),
    ({"POST"}, r"/(?P<name>(?:spaces/)?[\w.-]+/[\w.-]+?)\.git/info/lfs/objects/batch", Handler.batch),
    ({"GET"}, rf"{_API}/xet-write-token/{_REVISION}", Handler.xet_token),
    ({"POST"}, r"/v1/(?P<kind>xorbs|shards)(/.*)?", Handler.xet_store),
    ({"PUT"}, r"/lfs/(?P<oid>\w+)", Handler.store),
    ({"POST"}, rf"{_API}/commit/{_REVISION}", Handler.commit),
)
Handler.routes = ROUTES


@contextmanager
def serving(hub: Hub | None = None, handler: type[Handler] = Handler) -> Iterator[Hub]:
    """Serve a Hub, by default an empty one, until the end of the block."""
    hub = hub or Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    hub.storage = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def attach(monkeypatch: Any, hub: Hub, cache: Any, token: str | None = None) -> None:
    """Let the Hub's client in this process speak to the server, with a cache and a login of the test's own.

    Xet is switched off: the server keeps what comes by it, but cannot give it out again.
    """
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)


def put_in_cache(monkeypatch: Any, folder: Path, cache: Path, name: str) -> str:
    """Put a folder into the cache of the Hub's client as a repository, end its network, and return the commit."""
    commit = "0123456789abcdef" * 2 + "01234567"
    there = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, there / "snapshots" / commit)
    (there / "refs").mkdir()
    (there / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return commit


def attach_datasets(monkeypatch: Any, hub: Hub, cache: Any) -> None:
    """Let ``datasets`` speak to the server as well; it and the client read the Hub's address when they are imported."""
    import datasets

    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    # It keeps the value that the client had when it was imported, which an earlier test may have changed.
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)


def _entry(path: str, content: bytes) -> dict[str, Any]:
    large = {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}}
    return {"type": "file", "path": path, "size": len(content), "oid": _blob(content), **(large if len(content) >= LARGE else {})}  # fmt: skip


def _at(path: str, files: dict[str, bytes]) -> dict[str, Any]:
    return _entry(path, files[path]) if path in files else {"type": "directory", "path": path, "size": 0, "oid": _blob(path.encode())}  # fmt: skip


def _oid(content: bytes | None) -> str | None:
    if content is None:
        return None
    return hashlib.sha256(content).hexdigest() if len(content) >= LARGE else _blob(content)


def _blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


if __name__ == "__main__":  # to try commands by hand: python tests/helpers/hub_server.py, then what it prints
    with serving() as here:
        print(f"HF_ENDPOINT={here.url} HF_TOKEN={WRITER} HF_HUB_DISABLE_XET=1 python -m deftx push min --to ana/min")
        threading.Event().wait()
