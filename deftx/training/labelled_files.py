"""The labelled files of a training request, each with what is used while its rows are learned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import PurePath
from typing import Any

from deftx.core.errors import RecipeError, one_of, unknown_name

MOST_REPEATS = 10_000


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A labelled file, its columns, language vector, passes in an epoch and word lists; an empty text means "not given"."""

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)  # names of its columns, if they differ
    source: str = ""  # the language vector of its language
    repeat: int = 1  # passes over its rows in an epoch
    lexicon: tuple[str, ...] = ()  # word lists for its rows

    @classmethod
    def from_dict(cls, given: Any) -> "LabelledFile":
        """Return the file that JSON values describe.

        Raises:
            RecipeError: If they are not an object with a file, or have an unknown entry.
        """
        known = [one.name for one in fields(cls)]
        if not isinstance(given, Mapping) or not given.get("file"):
            raise RecipeError(f'A further labelled file is written as {{"file": NAME}}, not as {given!r}.')
        for name in given:
            if name not in known:
                raise unknown_name("The entry of a further labelled file", str(name), known)
        lists = given.get("lexicon")
        return cls(**{**given, "lexicon": tuple(lists)} if isinstance(lists, list) else given)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; values that are not given are omitted."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != _default(one)}
        return values | {name: kind(values[name]) for name, kind in _AS_JSON.items() if name in values}

    def problems(self) -> Iterator[str]:
        """Yield why its values cannot be used."""
        for name in ("file", "source"):
            if not isinstance(value := getattr(self, name), str):
                yield f"{name} = {value!r} of a labelled file cannot be used: expected a text in quotes."
        if not isinstance(self.columns, Mapping) or not all(
            isinstance(text, str) for pair in self.columns.items() for text in pair
        ):
            yield "columns of a labelled file cannot be used: expected names by name, in braces."
        if reason := repeat_problem(self.repeat):
            yield reason
        if reason := lexicon_problem(self.lexicon):
            yield reason


def repeat_problem(repeat: object) -> str | None:
    """Return why a number of passes cannot be used, or None."""
    if isinstance(repeat, bool) or not isinstance(repeat, int) or not 1 <= repeat <= MOST_REPEATS:
        return f"repeat = {repeat!r} is not a number of passes: it must be from 1 to {MOST_REPEATS:,}."
    return None


def lexicon_problem(lexicon: object) -> str | None:
    """Return why word lists cannot be used, or None."""
    if not isinstance(lexicon, tuple) or not all(isinstance(path, str) and path for path in lexicon):
        return f"lexicon = {lexicon!r} cannot be used: expected a list of files."
    return None


def short_names(paths: Sequence[str]) -> list[str]:
    """Return a name for each file: its own without extensions, with as many of its folders as tell the files apart.

    Raises:
        RecipeError: If a file is given twice.
    """
    parts = [_parts(path) for path in paths]
    for path in paths:
        if paths.count(path) > 1:
            raise RecipeError(f"{path} is given twice. To learn more often from its rows, use --repeat.")
    for length in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return list(paths)


def by_name(option: str, values: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of an option by the name of their file; the values are written as NAME=VALUE.

    A value without the name of a file is that of the only file.

    Raises:
        RecipeError: If a name is unknown, or missing where there are several files.
    """
    found: dict[str, list[str]] = {}
    for value in values:
        name = max((name for name in names if value.startswith(f"{name}=")), key=len, default=None)
        if name is not None:
            found.setdefault(name, []).append(value.removeprefix(f"{name}="))
        elif len(names) == 1:
            found.setdefault(names[0], []).append(value)
        elif "=" in value:
            raise unknown_name(f"The file of {option} {value}:", value.partition("=")[0], names)
        else:
            raise RecipeError(f"{option} {value} names no file: write it as {one_of(f'{n}={value}' for n in names)}.")
    return found


_AS_JSON: dict[str, Any] = {"columns": dict, "lexicon": list}


def _default(one: Any) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _parts(path: str) -> list[str]:
    whole = PurePath(path)
    return [*(part for part in whole.parts[:-1] if part != whole.anchor), whole.name.partition(".")[0] or whole.name]
