"""Who may come in: a file of names, hashed passwords and roles, which a small command writes and a server only reads.

A line is ``name:scrypt$n$r$p$salt$hash:role``, salt and hash in hexadecimal (RFC 7914); # begins a remark. A changed file
counts from the next request on: whoever was taken out of it is out at once.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deftx.core.errors import DeftxError, one_of
from deftx.core.files import write_bytes

ADMIN, MEMBER, VISITOR = "admin", "member", "visitor"
EMPTY = ".visitors"  # the workspace of those who have not logged in: nobody can be called so, and nothing is kept in it
ROLES = (ADMIN, MEMBER, VISITOR)
FEWEST_SIGNS = 10  # of a password

# N, r and p as OWASP's cheat sheet on password storage gives them for 16 MB: about a fifth of a second for each try.
COST = (2**14, 8, 5)
_MEMORY = 64 * 2**20
# A name is a folder's as well. No capitals: two names must not be one folder where a disk does not tell them apart.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Person:
    """Somebody who asks; the empty name is a visitor who has not logged in."""

    name: str
    role: str
    folder: str = ""  # the name of their workspace where it is not the name itself

    @property
    def is_admin(self) -> bool:
        """Whether everybody's work is open to them."""
        return self.role == ADMIN

    @property
    def workspace(self) -> str:
        """The folder of what is theirs, empty for the host's own, which is the admins'; no two others share one."""
        return "" if self.is_admin else self.folder or self.name or EMPTY


NOBODY = Person("", VISITOR)


@dataclass(frozen=True)
class Entry:
    """A line of the file."""

    name: str
    secret: str
    role: str


class People:
    """The people of a file; can be asked from any thread."""

    def __init__(self, path: Path) -> None:
        """Read the file; DeftxError where it is missing, empty or damaged."""
        self._path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._state: tuple[int, int] | None = None
        self._entries: Mapping[str, Entry] = {}
        if not self._read():
            raise DeftxError(f"{self._path} names nobody: add somebody with: python -m deftx people add NAME --admin")

    def find(self, name: str | None) -> Person | None:
        """Return who is called so; None where the file names nobody of that name now."""
        entry = self._read().get(name or "")
        return Person(entry.name, entry.role) if entry else None

    def check(self, name: str, password: str) -> bool:
        """Say whether this is the password of this person; as slow, and as quiet, for a name that is not there."""
        entry = self._read().get(name)
        right = matches(password, entry.secret if entry else self._nobody)
        return right and entry is not None

    @cached_property
    def _nobody(self) -> str:
        return hashed(secrets.token_hex(16))

    def _read(self) -> Mapping[str, Entry]:
        with self._lock:
            try:
                status = self._path.stat()
            except OSError as error:
                raise DeftxError(f"The file of people, {self._path} (DEFTX_AUTH), cannot be read: {error}.") from error
            if (state := (status.st_mtime_ns, status.st_size)) != self._state:
                self._entries, self._state = read_people(self._path), state
            return self._entries


def read_people(path: Path) -> dict[str, Entry]:
    """Read a file of people by name; DeftxError, naming the line, for one that cannot be read."""
    entries = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        secret, _, role = rest.partition(":")
        if not _NAME.fullmatch(name) or _parts(secret) is None or role not in ROLES or name in entries:
            raise DeftxError(
                f"Line {number} of {path} is not name:hash:role; python -m deftx people writes such lines."
            )
        entries[name] = Entry(name, secret, role)
    return entries


def put_person(path: Path, name: str, password: str, role: str = MEMBER) -> None:
    """Add a person to a file, or give one another password and role; the file is its owner's alone (0600).

    Raises:
        DeftxError: a name that cannot be a folder's, a short password, or a role that there is not.
    """
    if not _NAME.fullmatch(name):
        raise DeftxError(
            f"{name!r} cannot be a name here: write up to 40 of a-z, 0-9, - and _, a letter or digit first."
        )
    if len(password) < FEWEST_SIGNS:
        raise DeftxError(f"A password needs {FEWEST_SIGNS} characters or more; this one has {len(password)}.")
    if role not in ROLES:
        raise DeftxError(f"{role!r} is no role; choose {one_of(ROLES)}.")
    entries = read_people(path) if path.is_file() else {}
    _write(path, {**entries, name: Entry(name, hashed(password), role)})


def remove_person(path: Path, name: str) -> None:
    """Take a person out of a file; what is theirs stays. DeftxError where there is no such person."""
    entries = read_people(path) if path.is_file() else {}
    if name not in entries:
        raise DeftxError(f"{path} names nobody called {name!r}.")
    _write(path, {other: entry for other, entry in entries.items() if other != name})


def hashed(password: str) -> str:
    """Turn a password into what is kept of it: scrypt (RFC 7914) with a salt of its own."""
    salt = secrets.token_bytes(16)
    return "scrypt$" + "$".join(map(str, COST)) + f"${salt.hex()}${_scrypt(password, salt, COST).hex()}"


def matches(password: str, secret: str) -> bool:
    """Compare a password with what was kept of one, in a time that does not depend on where they differ."""
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
    return found if scheme == "scrypt" and 128 * cost[0] * cost[1] < _MEMORY and found[1] and found[2] else None


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{entry.name}:{entry.secret}:{entry.role}\n" for entry in entries.values())
    write_bytes(path, lines.encode(), mode=0o600)
