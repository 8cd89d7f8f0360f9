"""Run the steps of the Dockerfile in a folder, for machines without docker.

    python scripts/run_dockerfile.py FOLDER            # every step, with the real installation
    python scripts/run_dockerfile.py FOLDER --reuse    # without installation: use the packages of this Python
    python scripts/run_dockerfile.py FOLDER --start    # then start the result, until Ctrl-C or SIGTERM

The image's /home and /data are below FOLDER. Commands run as the users in the Dockerfile (if this script runs as root),
without this machine's environment. Differences from docker: the rest of the system is this machine's and not that of the base
image, ``useradd`` only creates the home, and layers, limits and networks are not simulated.
"""

import argparse
import fnmatch
import json
import os
import re
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
OWN_PLACES = ("/home", "/data")  # folders of the image; all others are this machine's
KNOWN = ("FROM", "ARG", "ENV", "RUN", "USER", "WORKDIR", "COPY", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "CMD")
INSTALLS = re.compile(r"\bpip install\b|-m venv\b")
PASSED_ON = re.compile(r"PIP_|SSL_CERT_")  # configuration of the package registry
USERADD = 'useradd() { mkdir -p "$STAND_IN/home/user" && chown 1000:1000 "$STAND_IN/home/user"; }\n'


@dataclass(frozen=True)
class Instruction:
    """An instruction of a Dockerfile, with continued lines joined."""

    name: str
    value: str
    line: int


@dataclass
class Image:
    """The state of the build: folder, environment, user and commands."""

    folder: Path
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin"})
    user: int = 0
    workdir: str = "/"
    port: int = 0
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """Prefix the image's own paths in a text with the folder."""
        places = "|".join(map(re.escape, OWN_PLACES))
        return re.sub(rf"(?<![\w./-])({places})(?=[/:\s\"']|$)", lambda found: f"{self.folder}{found[1]}", text)

    def variables(self) -> dict[str, str]:
        """Return the environment of a command, with local paths."""
        passed = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        return {**passed, **{name: self.here(value) for name, value in self.environment.items()}}

    def identity(self) -> dict[str, object]:
        """Return the arguments of Popen that set the user; empty unless this script runs as root."""
        return {"user": self.user, "group": self.user, "extra_groups": []} if os.getuid() == 0 else {}

    def start(self, command: list[str], **settings: object) -> subprocess.Popen:
        """Start a command of the image; ``settings`` go to Popen, ``env`` is added to its environment."""
        environment = {**self.variables(), **settings.pop("env", {})}
        program = shutil.which(self.here(command[0]), path=environment["PATH"]) or command[0]
        return subprocess.Popen([program, *map(self.here, command[1:])], cwd=self.here(self.workdir), env=environment,
                                **self.identity(), **settings)  # fmt: skip


def parse(text: str) -> list[Instruction]:
    """Parse a Dockerfile. Raise ValueError, with the line, for an unsupported instruction."""
    found, parts, first = [], [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first or number
        parts.append(line.strip().removesuffix("\\").strip())
        if line.rstrip().endswith("\\"):
            continue
        name, _, value = " ".join(parts).partition(" ")
        if name not in KNOWN:
            raise ValueError(f"line {first}: {name!r} is not a supported instruction ({', '.join(KNOWN)})")
        found.append(Instruction(name, value.strip(), first))
        parts, first = [], 0
    if parts:
        raise ValueError(f"line {first}: the last line is continued, but nothing follows")
    return found


def build(folder: Path, *, torch: str = "cuda", reuse: bool = False, context: Path = ROOT) -> Image:
    """Run every instruction of the context's Dockerfile below ``folder``. Raise CalledProcessError if a step fails."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    image = Image(folder.resolve(), {"TORCH": torch})
    for instruction in parse((context / "Dockerfile").read_text(encoding="utf-8")):
        _say(f"{instruction.line:3} {instruction.name} {instruction.value}")
        STEPS[instruction.name](image, _filled(image, instruction), context, reuse)
    return image


def _filled(image: Image, instruction: Instruction) -> str:
    """Substitute ARG and ENV, except in commands, where the shell does it."""
    if instruction.name in ("RUN", "CMD", "HEALTHCHECK"):
        return instruction.value
    known = {**image.arguments, **image.environment}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ""), instruction.value)


def _from(image: Image, value: str, context: Path, reuse: bool) -> None:
    wanted = re.fullmatch(r"python:(\d+\.\d+)(-slim)?", value)
    if wanted is None:
        raise ValueError(f"FROM {value}: only python:X.Y and python:X.Y-slim are supported")
    program = _python(wanted[1])
    bin_folder = image.folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        (bin_folder / name).unlink(missing_ok=True)
        (bin_folder / name).symlink_to(program)
    image.environment["PATH"] = f"{bin_folder}:{image.environment['PATH']}"
    if reuse:
        image.environment["PYTHONPATH"] = os.pathsep.join(site.getsitepackages())


def _python(wanted: str) -> str:
    """Return a Python of this version that user 1000 can run, so not one in root's home."""
    if wanted != (own := f"{sys.version_info.major}.{sys.version_info.minor}"):
        raise SystemExit(f"The Dockerfile needs Python {wanted}; run this script with it (this is {own}).")
    identity = {"user": 1000, "group": 1000, "extra_groups": []} if os.getuid() == 0 else {}
    for program in (os.path.realpath(sys.executable), f"/usr/local/bin/python{wanted}", f"/usr/bin/python{wanted}"):
        try:
            subprocess.run([program, "-c", ""], check=True, cwd="/", **identity)
        except (OSError, subprocess.CalledProcessError):
            continue
        return program
    raise SystemExit(f"User 1000 can run no Python {wanted} on this machine.")


def _arg(image: Image, value: str, context: Path, reuse: bool) -> None:
    name, _, default = value.partition("=")
    image.arguments.setdefault(name, default)


def _env(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.environment.update(pair.split("=", 1) for pair in value.split())


def _run(image: Image, value: str, context: Path, reuse: bool) -> None:
    if reuse and INSTALLS.search(value):
        _say("    skipped: the packages of this Python are used")
        return
    # RUN is a shell command; it comes only from this project's Dockerfile.
    environment = {**image.arguments, "STAND_IN": str(image.folder)}
    command = ["/bin/sh", "-e", "-c", USERADD + value]
    if (code := image.start(command, env=environment, stdin=subprocess.DEVNULL).wait()) != 0:
        raise subprocess.CalledProcessError(code, value)


def _user(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.user = int(value)


def _workdir(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.workdir = value
    Path(image.here(value)).mkdir(parents=True, exist_ok=True)  # owned by root, as with docker before BuildKit


def _copy(image: Image, value: str, context: Path, reuse: bool) -> None:
    *options, source, target = value.split()
    place = Path(image.here(str(PurePosixPath(image.workdir) / target)))
    ignored = [line for line in (context / ".dockerignore").read_text().split("\n") if line and line[0] != "#"]
    for path in sorted(context.rglob("*") if source == "." else [context / source]):
        name = path.relative_to(context)
        if path.is_dir() or path.is_symlink() or is_ignored(name, ignored):
            continue
        copy = place / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        if "--chown=1000" in options and os.getuid() == 0:
            for made in (copy, *(place / folder for folder in name.parents if folder != Path())):
                os.chown(made, 1000, 1000)


def is_ignored(name: Path, patterns: list[str]) -> bool:
    """Return whether .dockerignore excludes a file, by its path or that of a parent folder."""
    places = [str(place) for place in (name, *name.parents)]
    anywhere = [pattern.removeprefix("**/") for pattern in patterns if pattern.startswith("**/")]
    return any(fnmatch.fnmatchcase(place, pattern) for place in places for pattern in patterns) or any(
        fnmatch.fnmatchcase(part, pattern) for part in name.parts for pattern in anywhere
    )


def _expose(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.port = int(value)


def _healthcheck(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.health = json.loads(value.partition("CMD ")[2])


def _stop_signal(image: Image, value: str, context: Path, reuse: bool) -> None:
    if value != "SIGTERM":
        raise ValueError(f"STOPSIGNAL {value}: app.py handles SIGTERM")


def _cmd(image: Image, value: str, context: Path, reuse: bool) -> None:
    image.command = json.loads(value)  # not the shell form, which would not pass SIGTERM to the server


STEPS = {"FROM": _from, "ARG": _arg, "ENV": _env, "RUN": _run, "USER": _user, "WORKDIR": _workdir, "COPY": _copy,
         "EXPOSE": _expose, "HEALTHCHECK": _healthcheck, "STOPSIGNAL": _stop_signal, "CMD": _cmd}  # fmt: skip


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Build and optionally start the image; return the exit status of the server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder for the image's files")
    parser.add_argument("--torch", default="cuda", choices=("cuda", "cpu"), help="the build argument TORCH")
    parser.add_argument("--reuse", action="store_true", help="skip installation and use the packages of this Python")
    parser.add_argument("--start", action="store_true", help="start the result")
    parser.add_argument("--port", type=int, help="port of the server (default: that of the Dockerfile)")
    chosen = parser.parse_args()
    image = build(chosen.folder, torch=chosen.torch, reuse=chosen.reuse)
    if not chosen.start:
        return 0
    server = image.start(image.command, env={"GRADIO_SERVER_PORT": str(chosen.port or image.port)})
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.terminate()
        return server.wait()


if __name__ == "__main__":
    sys.exit(main())
