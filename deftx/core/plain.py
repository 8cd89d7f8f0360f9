"""Values of the library as JSON and back, for processes that exchange them: no pickle, so no code can come with them.

Besides what JSON has: tuples, paths, dictionaries with keys of any kind, dataclasses and exception classes of ``deftx``.
"""

import json
import pkgutil
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError


def to_json(value: Any) -> str:
    """Return a value as JSON in ASCII. Raise TypeError for a value of another kind."""
    return json.dumps(_pack(value))


def from_json(text: str | bytes) -> Any:
    """Return the value of ``to_json``. Raise ValueError for another text."""
    return _unpack(json.loads(text))


def _pack(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return list(map(_pack, value))
    if isinstance(value, tuple):
        return {"tuple": list(map(_pack, value))}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, dict):
        return {"dict": [[_pack(key), _pack(item)] for key, item in value.items()]}
    if isinstance(value, type) and issubclass(value, DeftxError):
        return {"error": _name(value)}
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: _pack(getattr(value, field.name)) for field in fields(value) if field.init}
        return {"is": _name(type(value)), "fields": named}
    raise TypeError(f"{type(value)} is not plain data")


def _unpack(value: Any) -> Any:
    match value:
        case list():
            return list(map(_unpack, value))
        case {"tuple": items}:
            return tuple(map(_unpack, items))
        case {"path": path}:
            return Path(path)
        case {"dict": items}:
            return {_unpack(key): _unpack(item) for key, item in items}
        case {"error": name}:
            return _class(name, lambda kind: issubclass(kind, DeftxError))
        case {"is": name, "fields": named}:
            return _class(name, is_dataclass)(**{field: _unpack(item) for field, item in named.items()})
        case dict():
            raise ValueError(f"unknown kind of value: {sorted(value)[:5]}")
    return value


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str, fits: Any) -> Any:
    found = pkgutil.resolve_name(name) if name.startswith("deftx.") else None
    if not (isinstance(found, type) and fits(found)):
        raise ValueError(f"{name} is not a class of values")
    return found
