"""Users with a password: a file of names, hashed passwords and roles, which a command writes and the server reads.

A line is ``name:scrypt$n$r$p$salt$hash:role``, with salt and hash in hexadecimal (RFC 7914); # starts a comment. Changes of
the file apply from the next request on.
"""

import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deftx.core.errors import DeftxError, one_of
from deftx.core.files import expanded, write_bytes
from deftx.core.logs import about

ADMIN, MEMBER, VISITOR = "admin", "member", "visitor"
EMPTY = ".visitors"  # workspace of users without login; not a valid name, and nothing is stored in it
ROLES = (ADMIN, MEMBER, VISITOR)
FEWEST_SIGNS = 10  # shortest password

# N, r and p for 16 MB from OWASP's cheat sheet on password storage: about 0.2 s per password.
COST = (2**14, 8, 5)
_MEMORY = 64 * 2**20
_MOST_PARALLEL = 64
# Names are also folder names. Capitals are not allowed, because some file systems ignore case.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """A user; the empty name is a visitor without login."""

    name: str
    role: str
    folder: str = ""  # name of their workspace, if different from the name

    @property
    def is_admin(self) -> bool:
        """Whether they can access all workspaces."""
        return self.role == ADMIN

    @property
    def workspace(self) -> str:
        """The folder of their workspace; empty for admins, who share the host's own."""
        return "" if self.is_admin else self.folder or self.name or EMPTY


NOBODY = Person("", VISITOR)


@dataclass(frozen=True)
class Entry:
    """A line of the file."""

    name: str
    secret: str
    role: str


class People:
    """The users in a file. It is thread-safe."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raise DeftxError if it is missing, empty or damaged."""
        self._path = expanded(path)
        self._lock = threading.Lock()
        self._state = _state(self._path)
        self._entries: Mapping[str, Entry] = read_people(self._path)
        self.problem = ""  # why the file cannot be read; then its last readable state applies
        if not self._entries:
            raise DeftxError(f"{self._path} contains no users. Add one with: python -m deftx people add NAME --admin")

    def find(self, name: str | None) -> Person | None:
        """Return the user with this name, or None."""
        entry = self._read().get(name or "")
        return Person(entry.name, entry.role) if entry else None

    def secret(self, name: str | None) -> str | None:
        """Return the hashed password of a user, which is another one after every change; None for nobody."""
        entry = self._read().get(name or "")
        return entry.secret if entry else None

    def check(self, name: str, password: str) -> bool:
        """Return whether the password is right. It takes the same time for an unknown name."""
        entry = self._read().get(name)
        right = matches(password, entry.secret if entry else self._nobody)
        return right and entry is not None

    @cached_property
    def _nobody(self) -> str:
        return hashed(secrets.token_hex(16))

    def _read(self) -> Mapping[str, Entry]:
        """Read the file again if it has changed; while it is damaged or missing, its last readable state applies."""
        with self._lock:
            state = _state(self._path)
            if state != self._state:
                self._state = state
                try:
                    self._entries, self.problem = read_people(self._path), ""
                except DeftxError as error:
                    self.problem = str(error)
                    log.error("The users stay as they were: %s", error, extra=about("people_file"))
            return self._entries


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_people(path: Path) -> dict[str, Entry]:
    """Return the entries of a file by name. Raise DeftxError, naming the line, if it is invalid."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DeftxError(f"The file of users {path} (DEFTX_AUTH) cannot be read: {error.strerror}.") from error
    entries: dict[str, Entry] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        entry = _entry(line.decode(errors="replace").strip())
        if entry is None:
            continue
        if not _is_valid(entry) or entry.name in entries:
            raise DeftxError(
                f"Line {number} of {path} is not name:hash:role; python -m deftx people writes such lines."
            )
        entries[entry.name] = entry
    return entries


def _entry(line: str) -> Entry | None:
    """Split a line; None for a comment and an empty one."""
    if not line or line.startswith("#"):
        return None
    name, _, rest = line.partition(":")
    secret, _, role = rest.partition(":")
    return Entry(name, secret, role)


def _is_valid(entry: Entry) -> bool:
    return bool(_NAME.fullmatch(entry.name)) and _parts(entry.secret) is not None and entry.role in ROLES


def put_person(path: Path, name: str, password: str, role: str = MEMBER) -> None:
    """Add a user to a file, or change their password and role. The file gets mode 0600.

    Raises:
        DeftxError: If the name is not allowed, the password too short, or the role unknown.
    """
    if not _NAME.fullmatch(name):
        raise DeftxError(
            f"{name!r} is not allowed as a name: use up to 40 of a-z, 0-9, - and _, starting with a letter or digit."
        )
    if len(password) < FEWEST_SIGNS:
        raise DeftxError(f"A password needs {FEWEST_SIGNS} characters or more; this one has {len(password)}.")
    if role not in ROLES:
        raise DeftxError(f"{role!r} is not a role; choose {one_of(ROLES)}.")
    entries = read_people(path) if path.is_file() else {}
    _write(path, {**entries, name: Entry(name, hashed(password), role)})


def remove_person(path: Path, name: str) -> None:
    """Remove a user from a file; their workspace stays. Raise DeftxError if there is no such user."""
    entries = read_people(path) if path.is_file() else {}
    if name not in entries:
        raise DeftxError(f"{path} contains no user {name!r}.")
    _write(path, {other: entry for other, entry in entries.items() if other != name})


def hashed(password: str) -> str:
    """Return the hash of a password: scrypt (RFC 7914) with a random salt."""
    salt = secrets.token_bytes(16)
    return "scrypt$" + "$".join(map(str, COST)) + f"${salt.hex()}${_scrypt(password, salt, COST).hex()}"


def matches(password: str, secret: str) -> bool:
    """Return whether a password matches a hash, in constant time."""
    parts = _parts(secret)
    if parts is None:
        return False
    cost, salt, kept = parts
    return hmac.compare_digest(_scrypt(password, salt, cost), kept)


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY)


def _parts(secret: str) -> tuple[tuple[int, int, int], bytes, bytes] | None:
    try:
        scheme, n, r, p, salt, kept = secret.split("$")
        cost = int(n), int(r), int(p)
        found = cost, bytes.fromhex(salt), bytes.fromhex(kept)
    except ValueError:
        return None
    return found if scheme == "scrypt" and _is_possible(*cost) and found[1] and found[2] else None


def _is_possible(n: int, r: int, p: int) -> bool:
    return n > 1 and n & (n - 1) == 0 and r > 0 and 128 * n * r < _MEMORY and 0 < p <= _MOST_PARALLEL


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{entry.name}:{entry.secret}:{entry.role}\n" for entry in entries.values())
    write_bytes(path, lines.encode(), mode=0o600)
