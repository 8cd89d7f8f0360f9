"""Language vectors of many languages: a corpus a language, times the settings of a table, times seeds."""

import csv
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from deftx.core.advice import explain
from deftx.core.errors import DeftxError, RecipeError
from deftx.core.events import read_duration
from deftx.core.files import write_text
from deftx.core.names import is_plain
from deftx.evidence.claims import Claims
from deftx.evidence.costs import Timed, is_trained, read_cost, train_with_cost
from deftx.evidence.shared_work import Reporter, Shard, Work, refuse_seed, share
from deftx.models.bases import Base, load_base
from deftx.training.language import learn_language
from deftx.training.learned import AFTER_DENSE, DELTA_FILE
from deftx.training.recipes import LanguageRecipe, recipe_for
from deftx.training.setting_text import parse_setting

DEFAULT = "default"  # the name of the only settings without a table


@dataclass(frozen=True)
class Piece:
    """One vector to train; ``changes`` are the settings that differ from the preset."""

    language: str
    corpus: Path
    setting: str
    changes: tuple[tuple[str, Any], ...]
    seed: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.language}-{self.setting}-{self.seed}"

    @property
    def dense_name(self) -> str:
        """The name of its δ's folder; pieces with the same name share a dense phase."""
        before = [f"{key}={value}" for key, value in self.changes if key not in AFTER_DENSE]
        return "-".join([self.language, *before, str(self.seed)])


@dataclass(frozen=True)
class Many:
    """What the vectors of a folder have in common."""

    out: Path
    base: str
    preset: str
    threads: int = 1

    def folder(self, piece: Piece) -> Path:
        """Return the folder of a vector."""
        return self.out / "vectors" / piece.name

    def recipe(self, piece: Piece) -> LanguageRecipe:
        """Return the settings of a vector."""
        recipe: Any = recipe_for("language", self.preset, **dict(piece.changes))  # a LanguageRecipe, as the kind says
        return replace(recipe, seed=piece.seed)

    def failure(self, piece: Piece) -> Path:
        """Return the file that says why a vector could not be trained."""
        return self.out / "failures" / f"{piece.name}.txt"

    def is_done(self, group: Sequence[Piece]) -> bool:
        """Return whether all vectors of a group have been trained, or cannot be."""
        return all(is_trained(self.folder(piece)) or self.failure(piece).is_file() for piece in group)


def corpora_in(folder: Path, out: Path | None = None) -> dict[str, Path]:
    """Return the corpora of a folder by language: each file or folder is named after the code of its language.

    The folder of the results, ``out``, is none of them, wherever it is.

    Raises:
        DeftxError: If there is none, or two belong to one language, or a name is no code.
    """
    if not folder.is_dir():
        raise DeftxError(
            f"{folder} is no folder. Give a folder with a corpus for each language, such as ban.txt and min.zip."
        )
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        if out is not None and path.resolve() == out.resolve():
            continue
        code = path.name.split(".")[0]
        if not is_plain(code):
            raise DeftxError(f"{path.name!r} does not begin with the code of a language, such as ban.txt.")
        if code in found:
            raise DeftxError(
                f"{found[code].name} and {path.name} are both of {code}. Put them into a folder named {code}."
            )
        found[code] = path
    if not found:
        raise DeftxError(f"{folder} has no corpora. It must have one for each language, such as ban.txt and min.zip.")
    return found


def read_table_of_settings(file: Path | None, preset: str) -> dict[str, dict[str, Any]]:
    """Return the settings by name: a row each of a CSV file with the column ``name`` and a column for each setting.

    An empty cell leaves the setting as the preset has it. Without a file there is one row without changes.

    Raises:
        DeftxError: If a name is missing or used twice, or a setting is unknown or has a wrong value.
    """
    if file is None:
        return {DEFAULT: {}}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DeftxError(f"The table of settings {file} cannot be read: {error}") from error
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 2):
        name = (row.pop("name", "") or "").strip()
        if not is_plain(name) or name in found or None in row:
            raise DeftxError(f"{file}, line {number}: each row needs a name of its own in the column 'name', made of letters, "
                             "digits and hyphens, and a cell for each setting.")  # fmt: skip
        found[name] = _settings(row, preset, f"{file}, line {number}")
    if not found:
        raise DeftxError(f"The table of settings {file} has no rows.")
    return found


def _settings(row: Mapping[str, str | None], preset: str, where: str) -> dict[str, Any]:
    recipe = recipe_for("language", preset)
    try:
        found = dict(
            parse_setting(recipe, f"{key}={cell.strip()}") for key, cell in row.items() if cell and cell.strip()
        )
        refuse_seed(found)
        recipe_for("language", preset, **found)  # checks the values, and how they go together
        return found
    except DeftxError as error:
        raise DeftxError(f"{where}: {error}") from error


def groups_of(
    corpora: Mapping[str, Path], settings: Mapping[str, Mapping[str, Any]], seeds: Iterable[int]
) -> list[list[Piece]]:
    """Return all vectors, in groups that share a dense phase; the first seed of all languages comes first.

    Raises:
        DeftxError: If the folders of two vectors would have the same name.
    """
    groups: dict[str, list[Piece]] = {}
    named: dict[str, Piece] = {}
    for seed in seeds:
        for name, changes in settings.items():
            for language, corpus in corpora.items():
                piece = Piece(language, corpus, name, tuple(sorted(changes.items())), seed)
                if (other := named.setdefault(piece.name, piece)) is not piece:
                    raise DeftxError(
                        f"The language {other.language} with the settings {other.setting} and the language {language} with "
                        f"the settings {name} would both be written to {piece.name}. Rename one of the settings."
                    )
                groups.setdefault(piece.dense_name, []).append(piece)
    return list(groups.values())


def finished_groups(
    many: Many, corpora: Mapping[str, Path], settings: Mapping[str, Mapping[str, Any]]
) -> list[list[Piece]]:
    """Return the vectors, of any seed, that a folder has or that could not be trained, in groups as ``groups_of``."""
    names = [path.name for path in (many.out / "vectors").glob("*")]
    names += [path.stem for path in (many.out / "failures").glob("*.txt")]
    seeds = sorted({int(seed) for name in names if (seed := name.rpartition("-")[2]).isdecimal()})
    groups = groups_of(corpora, settings, seeds)
    return [done for group in groups if (done := [piece for piece in group if many.is_done([piece])])]


def train_many(
    many: Many, groups: Sequence[Sequence[Piece]], devices: Sequence[str], reporter: Reporter, shard: Shard
) -> None:
    """Train all missing vectors, a group at a time on each device; other commands may do so at the same time.

    A vector that cannot be trained is noted and left out; the same command tries it again.
    """
    for piece in (piece for group in groups for piece in group):
        many.failure(piece).unlink(missing_ok=True)
    ordered = shard.order(list(groups))
    todo = [group for group in ordered if not many.is_done(group)]
    reporter.say(f"{len(groups) - len(todo)} of {len(groups)} groups of vectors are done.")
    work = Work(todo, lambda group: group[0].dense_name, many.is_done, lambda group: True, Claims(many.out / "claims"))
    began = time.monotonic()
    for mine, (group, messages) in enumerate(
        share(work, partial(train_group, many), devices, reporter.raise_if_stopped, _all_failed), 1
    ):
        for piece, message in messages.items():
            many.failure(piece).parent.mkdir(parents=True, exist_ok=True)
            write_text(many.failure(piece), f"{message}\n")
        left = sum(not many.is_done(other) for other in todo)
        ready = len(todo) - left
        seconds = (time.monotonic() - began) / max(mine, ready) * left
        what = f"failed: {' '.join(dict.fromkeys(messages.values()))}" if messages else "trained"
        reporter.say(f"{ready} of {len(todo)}: {group[0].dense_name} {what}; {read_duration(seconds)} left")


def train_group(many: Many, group: Sequence[Piece], device: str) -> dict[Piece, str]:
    """Train the missing vectors of a group; return the messages of those that could not be trained."""
    torch.set_num_threads(many.threads)
    delta = many.out / "delta" / group[0].dense_name
    todo = [piece for piece in group if not is_trained(many.folder(piece))]
    dense = max((read_cost(many.folder(piece))["dense"] for piece in group if piece not in todo), default=0.0)
    try:
        base, failed, kept = load_base(many.base, device=device), {}, False
    except (MemoryError, RuntimeError) as error:
        return dict.fromkeys(todo, _message(error))
    for piece in todo:
        try:  # an error is of this corpus or of these settings; the other vectors go on
            dense = train_with_cost(many.folder(piece), partial(_train, many, piece, base, delta), device, dense)
        except (DeftxError, MemoryError, RuntimeError) as error:
            failed[piece] = _message(error)
            kept = kept or not isinstance(error, DeftxError)  # the next attempt continues from δ
            if not isinstance(error, RecipeError) and not (delta / DELTA_FILE).is_file():
                # The text or the dense phase, which the vectors of a group share: the others would fail alike.
                failed |= dict.fromkeys(todo[todo.index(piece) :], failed[piece])
                break
    if not kept:
        shutil.rmtree(delta, ignore_errors=True)
    return failed


def _message(error: Exception) -> str:
    """Return why a vector failed, for an error of its input or a full memory; any other error is raised."""
    if isinstance(error, DeftxError):
        return str(error)
    if (advice := explain(error)) is None:
        raise error
    return advice


def _all_failed(group: Sequence[Piece], message: str) -> dict[Piece, str]:
    return dict.fromkeys(group, message)


def _train(many: Many, piece: Piece, base: Base, delta: Path, timed: Timed) -> None:
    learn_language(piece.corpus, base, many.recipe(piece), out=many.folder(piece), delta=delta, language=piece.language,
                   on_event=timed)  # fmt: skip
