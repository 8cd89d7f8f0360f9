"""The Hub's HTTP for Jobs and buckets, on this machine: a bucket is a folder, and a job really runs, as a process on it.

What it answers follows huggingface_hub 2.4, whose client the tests use for real, Xet for buckets included. The image of
a job is this checkout; a bucket that a job mounts is a link to the folder, put at the place that its environment names.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hub_server
import psutil
import xet_storage
from hub_server import Handler, Hub

PACKAGE = Path(__file__).resolve().parents[2]
IMAGE = "hf.co/spaces/ana/studio"
HARDWARE = (
    {"name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB", "ephemeralStorage": "20 GB",
     "accelerator": None, "unitCostMicroUSD": 167, "unitCostUSD": 0.000167, "unitLabel": "minute"},
    {"name": "l4x1", "prettyName": "Nvidia L4", "cpu": "8 vCPU", "ram": "30 GB", "ephemeralStorage": "400 GB",
     "accelerator": {"type": "gpu", "model": "L4", "quantity": "1", "vram": "24 GB", "manufacturer": "Nvidia"},
     "unitCostMicroUSD": 13333, "unitCostUSD": 0.013333, "unitLabel": "minute"},
)  # fmt: skip


@dataclass
class RemoteJob:
    """A job: what was asked for, and the process that runs it."""

    id: str
    spec: dict[str, Any]
    created: str
    stage: str = "SCHEDULING"
    message: str | None = None
    process: subprocess.Popen | None = None
    log: Path | None = None
    started: float = field(default_factory=time.monotonic)


class JobsHub(Hub):
    """A Hub with buckets and jobs, whose files lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.buckets: dict[str, bool] = {}  # whether they are private
        self.jobs: dict[str, RemoteJob] = {}
        self.contents: dict[str, bytes] = {}  # files by Xet's hash
        self.packed: dict[str, bytes] = {}
        self.held = False  # jobs stay in the queue
        self.command: list[str] | None = None  # run instead of what was asked for

    def bucket(self, name: str) -> Path:
        """Where a bucket's files lie."""
        return self.folder / "buckets" / name

    def start(self, spec: dict[str, Any]) -> RemoteJob:
        """Take a job in, and start it unless all are held."""
        job = RemoteJob(f"{len(self.jobs) + 1:024x}", spec, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        self.jobs[job.id] = job
        if not self.held:
            self.run(job)
        return job

    def run(self, job: RemoteJob) -> None:
        """Start a job's process, its buckets mounted."""
        place = self.folder / "containers" / job.id
        place.mkdir(parents=True)
        mounts = {}
        for volume in job.spec.get("volumes", ()):
            source = self.bucket(volume["source"]) / volume.get("path", "")
            source.mkdir(parents=True, exist_ok=True)
            mounts[volume["mountPath"]] = str(place / volume["mountPath"].strip("/"))
            Path(mounts[volume["mountPath"]]).symlink_to(source)
        command = [mounts.get(word, word) for word in self.command or job.spec["command"]]
        job.log = place / "log.txt"
        with job.log.open("wb") as output:
            job.process = subprocess.Popen(
                [sys.executable if command[0] == "python" else command[0], *command[1:]],
                cwd=place, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env={"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place), "OMP_NUM_THREADS": "1",
                     **job.spec["environment"], **job.spec.get("secrets", {}), "PYTHONPATH": str(PACKAGE)},
            )  # fmt: skip
        job.stage = "RUNNING"

    def look(self, job: RemoteJob) -> RemoteJob:
        """Bring a job's stage up to date."""
        if job.stage != "RUNNING":
            return job
        code = job.process.poll()
        if code is not None:
            job.stage = "COMPLETED" if code == 0 else "ERROR"
            job.message = None if code == 0 else f"Job failed with exit code: {code}"
        elif time.monotonic() - job.started > job.spec.get("timeoutSeconds", 1800):
            self.end(job, "ERROR", "Job timeout")
        return job

    def end(self, job: RemoteJob, stage: str, message: str | None = None) -> None:
        """Kill a job, as a cancel, a timeout or a lost machine does."""
        if job.process is not None and job.process.poll() is None:
            for process in _family(job.process.pid):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            job.process.wait()
        job.stage, job.message = stage, message

    def freeze(self, job: RemoteJob, frozen: bool) -> None:
        """Halt a job's processes, or let them go on."""
        for process in _family(job.process.pid):
            with suppress(psutil.NoSuchProcess):
                process.suspend() if frozen else process.resume()

    def close(self) -> None:
        """Leave no process behind."""
        for job in self.jobs.values():
            self.end(job, job.stage)

    def info(self, job: RemoteJob) -> dict[str, Any]:
        """Describe a job as the Hub does."""
        self.look(job)
        return {
            "id": job.id, "createdAt": job.created, "command": job.spec["command"], "environment": job.spec["environment"],
            "flavor": job.spec["flavor"], "labels": job.spec.get("labels"), "volumes": job.spec.get("volumes"),
            "spaceId": job.spec.get("spaceId"), "dockerImage": job.spec.get("dockerImage"),
            "status": {"stage": job.stage, "message": job.message},
            "owner": {"id": "1", "name": "ana", "type": "user"},
        }  # fmt: skip


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class JobsHandler(Handler):
    """Answers the calls of ``Handler``, and those of Jobs and buckets."""

    hub: JobsHub

    def allowed(self) -> bool:
        """Say whether whoever asks may write; otherwise answer."""
        if self.account is None or self.account["auth"]["accessToken"]["role"] == "read":
            self.reply(401 if self.account is None else 403, {"error": "no right"}, {"X-Error-Message": "Your token may only read"})  # fmt: skip
            return False
        return True

    # Jobs

    def hardware(self) -> None:
        """``/api/jobs/hardware``."""
        self.reply(200, list(HARDWARE))

    def run_job(self, namespace: str) -> None:
        """``POST /api/jobs/NAMESPACE``."""
        if self.allowed():
            job = self.hub.start(json.loads(self.content))
            self.reply(200, self.hub.info(job))

    def list_jobs(self, namespace: str) -> None:
        """``GET /api/jobs/NAMESPACE``, those with the labels that were asked for."""
        wanted = [label.split("=", 1) for label in self.query.get("label", ())]
        found = [
            job for job in self.hub.jobs.values() if all(job.spec.get("labels", {}).get(k) == v for k, v in wanted)
        ]
        self.reply(200, [self.hub.info(job) for job in found])

    def inspect(self, namespace: str, job: str) -> None:
        """``GET /api/jobs/NAMESPACE/ID``."""
        found = self.hub.jobs.get(job)
        self.reply(200, self.hub.info(found)) if found else self.reply(404, {"error": "Job not found"})

    def cancel(self, namespace: str, job: str) -> None:
        """``POST /api/jobs/NAMESPACE/ID/cancel``."""
        self.hub.end(self.hub.jobs[job], "CANCELED")
        self.reply(200, {})

    def logs(self, namespace: str, job: str) -> None:
        """``/api/jobs/NAMESPACE/ID/logs``: server-sent events, line by line until the job has ended."""
        found, sent, ended = self.hub.jobs[job], 0, False
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not ended:
            ended = self.hub.look(found).stage not in ("SCHEDULING", "RUNNING")
            lines = found.log.read_text(errors="replace").splitlines() if found.log else []
            events = [{"data": line, "timestamp": found.created} for line in lines[sent:]]
            try:
                self.wfile.write("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode())
                self.wfile.flush()
            except OSError:  # whoever watched was killed
                return
            sent = len(lines)
            time.sleep(0 if ended else 0.1)

    # Buckets

    def create_bucket(self, name: str) -> None:
        """``POST /api/buckets/NAME``."""
        if not self.allowed():
            return None
        there = name in self.hub.buckets
        if not there:
            self.hub.buckets[name] = json.loads(self.content).get("visibility") == "private"
            self.hub.bucket(name).mkdir(parents=True)
        return self.reply(409 if there else 200, {"url": f"{self.hub.url}/buckets/{name}"})

    def about_bucket(self, name: str) -> None:
        """``GET /api/buckets/NAME``."""
        if name not in self.hub.buckets:
            return self.reply(404, {"error": "Bucket not found"})
        return self.reply(200, {"id": name, "private": self.hub.buckets[name], "createdAt": "2026-01-01T00:00:00Z", "size": 0, "totalFiles": 0})  # fmt: skip

    def bucket_tree(self, name: str, prefix: str | None = None) -> None:
        """``/api/buckets/NAME/tree[/PREFIX]``: the files below a prefix."""
        root = self.hub.bucket(name)
        found = sorted(path for path in (root / (prefix or "")).rglob("*") if path.is_file())
        self.reply(200, [self._file(path.relative_to(root).as_posix(), path) for path in found])

    def paths_info(self, name: str) -> None:
        """``/api/buckets/NAME/paths-info``."""
        asked = [(path, self.hub.bucket(name) / path) for path in json.loads(self.content)["paths"]]
        self.reply(200, [self._file(path, file) for path, file in asked if file.is_file()])

    def change_bucket(self, name: str) -> None:
        """``/api/buckets/NAME/batch``: files that came over Xet are named, others removed."""
        if not self.allowed():
            return
        for line in self.content.splitlines():
            change = json.loads(line)
            file = self.hub.bucket(name) / change["path"]
            if change["type"] == "addFile":
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(self.hub.contents[change["xetHash"]])
            else:
                file.unlink(missing_ok=True)
        self.reply(200, {"success": True, "failed": []})

    def resolve_file(self, name: str, path: str) -> None:
        """``/buckets/NAME/resolve/PATH``: a file, or the part of it that was asked for, and where Xet has it."""
        file = self.hub.bucket(name) / path
        if not file.is_file():
            return self.reply(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        content = file.read_bytes()
        xet = {
            "X-Xet-Hash": self._kept(content),
            "X-Xet-Refresh-Route": f"{self.hub.url}/api/buckets/{name}/xet-read-token",
        }
        start = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        if start and start >= len(content):
            return self.reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        return self.reply(206 if "Range" in self.headers else 200, content[start:], xet)

    def bucket_token(self, name: str, mode: str) -> None:
        """``/api/buckets/NAME/xet-read-token`` and ``xet-write-token``."""
        if mode == "read" or self.allowed():
            self.reply(200, {"casUrl": self.hub.storage, "exp": 2**31, "accessToken": hub_server.XET})

    # Xet, both ways

    def take_shard(self) -> None:
        """``/v1/shards``: from now on the files that it describes are known."""
        xorbs = {path.rsplit("/", 1)[1]: content for path, content in self.hub.xet.items() if "/xorbs/" in path}
        self.hub.contents.update(xet_storage.files_of(self.content, xorbs))
        self.reply(200, {"result": 1})

    def reconstruction(self, name: str) -> None:
        """``/v1/reconstructions/HASH``: of which chunks a file is made, here of those of one xorb."""
        content = self.hub.contents.get(name, b"")
        start = int(re.match(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        if start >= len(content):
            return self.reply(416)
        xorb, chunks = xet_storage.pack(content)
        self.hub.packed[name] = xorb
        whole = {"start": 0, "end": chunks}
        fetch = {
            "range": whole,
            "url": f"{self.hub.storage}/xorb/{name}",
            "url_range": {"start": 0, "end": len(xorb) - 1},
        }
        term = {"hash": name, "unpacked_length": len(content), "range": whole}
        return self.reply(200, {"offset_into_first_range": start, "terms": [term], "fetch_info": {name: [fetch]}})

    def give_xorb(self, name: str) -> None:
        """``/xorb/HASH``: the bytes of a xorb."""
        self.reply(206, self.hub.packed[name])

    def _file(self, path: str, file: Path) -> dict[str, Any]:
        content = file.read_bytes()
        return {"type": "file", "path": path, "size": len(content), "xetHash": self._kept(content), "mtime": "2026-01-01T00:00:00Z"}  # fmt: skip

    def _kept(self, content: bytes) -> str:
        name = xet_storage.name_of(content)
        self.hub.contents[name] = content
        return name


_BUCKET, _JOB = r"/api/buckets/(?P<name>[\w.-]+/[\w.-]+)", r"/api/jobs/(?P<namespace>[\w.-]+)"
JobsHandler.routes = (
    ({"GET"}, "/api/jobs/hardware", JobsHandler.hardware),
    ({"POST"}, _JOB, JobsHandler.run_job),
    ({"GET"}, _JOB, JobsHandler.list_jobs),
    ({"GET"}, rf"{_JOB}/(?P<job>\w+)", JobsHandler.inspect),
    ({"POST"}, rf"{_JOB}/(?P<job>\w+)/cancel", JobsHandler.cancel),
    ({"GET"}, rf"{_JOB}/(?P<job>\w+)/logs", JobsHandler.logs),
    ({"POST"}, _BUCKET, JobsHandler.create_bucket),
    ({"GET"}, _BUCKET, JobsHandler.about_bucket),
    ({"GET"}, rf"{_BUCKET}/tree(/(?P<prefix>.+))?", JobsHandler.bucket_tree),
    ({"POST"}, rf"{_BUCKET}/paths-info", JobsHandler.paths_info),
    ({"POST"}, rf"{_BUCKET}/batch", JobsHandler.change_bucket),
    ({"GET"}, rf"{_BUCKET}/xet-(?P<mode>read|write)-token", JobsHandler.bucket_token),
    ({"GET", "HEAD"}, r"/buckets/(?P<name>[\w.-]+/[\w.-]+)/resolve/(?P<path>.+)", JobsHandler.resolve_file),
    ({"POST"}, "/v1/shards", JobsHandler.take_shard),
    ({"GET"}, r"/v1/reconstructions/(?P<name>\w+)", JobsHandler.reconstruction),
    ({"GET"}, r"/xorb/(?P<name>\w+)", JobsHandler.give_xorb),
    *Handler.routes,
)


@contextmanager
def serving_jobs(folder: Path) -> Iterator[JobsHub]:
    """Serve a Hub with Jobs until the end of the block, and end every job then."""
    hub = JobsHub(folder)
    with hub_server.serving(hub, JobsHandler):
        try:
            yield hub
        finally:
            hub.close()


def attach(monkeypatch: Any, hub: JobsHub, cache: Path) -> None:
    """Let all that is started from here train on that Hub, as somebody who may; ``cache``: the client's own folder."""
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub_server.WRITER, "DEFTX_JOBS_IMAGE": IMAGE, "DEFTX_JOBS_POLL": "0.2",
                "HF_HOME": str(cache), **xet_storage.UNCOMPRESSED}  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


if __name__ == "__main__":  # to try commands by hand: python tests/helpers/jobs_server.py FOLDER, then what it prints
    with serving_jobs(Path(sys.argv[1]).absolute()) as here:
        client = {
            "HF_ENDPOINT": here.url,
            "HF_TOKEN": hub_server.WRITER,
            "DEFTX_JOBS_IMAGE": IMAGE,
            **xet_storage.UNCOMPRESSED,
        }
        print(*(f"{name}={value}" for name, value in client.items()), "python -m deftx …", flush=True)
        threading.Event().wait()
