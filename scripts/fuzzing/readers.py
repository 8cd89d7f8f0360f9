"""Every reader that a person can feed: what it reads when all is well, and how malformed input for it is made."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.classify import self_check
from deftx.classify.self_check import Check
from deftx.core.errors import CorpusError, DeftxError
from deftx.data import table_columns, unlabelled
from deftx.data.tables import read_table
from deftx.data.text import columns_of, read_corpus, unused_lines
from deftx.models.bases import load_base
from deftx.publish.importing import Wishes, bring_file
from deftx.publish.own_vectors import OwnVectors
from deftx.training.base_facts import read_base_facts
from deftx.training.settings_file import open_settings
from deftx.vectors.card import write_card
from deftx.vectors.lt_sft import FILE, read_lt_sft
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS, info_sha256
from scripts.fuzzing import making, strings
from scripts.fuzzing.mutation import any_json, damage, damage_json, write_json
from scripts.fuzzing.samples import Samples

Read = Callable[[], Any]


@dataclass(frozen=True)
class Reader:
    """``prepare`` puts one malformed input, drawn from ``draw``, into an empty folder and returns the call that reads it."""

    name: str
    prepare: Callable[[random.Random, Samples, Path], Read]


def _place(draw: random.Random, samples: Samples, folder: Path, ending: str, content: bytes) -> Path:
    """Put content into a file of an odd name; now and then something that is no file stands there."""
    path = folder / making.odd_name(draw, ending)
    if draw.random() < 0.03:
        making.odd_file(draw, path, samples.outside)
    else:
        path.write_bytes(content)
    return path


def _malformed(draw: random.Random, good: list[bytes], made: bytes) -> bytes:
    """Damage a good file, or what was made by the grammar; or leave the latter as it is."""
    kind = draw.random()
    if kind < 0.5:
        return damage(draw, draw.choice(good), draw.choice([*good, made]))
    return made if kind < 0.8 else damage(draw, made, draw.choice(good))


def _file(draw: random.Random, samples: Samples, folder: Path, kinds: tuple[str, ...]) -> Path:
    kind = draw.choice(kinds)
    good = samples.texts if kind == ".txt" else samples.tables[kind]
    content = _malformed(draw, good, making.lines(draw) if kind == ".txt" else making.table(draw, kind))
    gzipped = draw.random() < 0.2
    if gzipped:
        content = making.packed(draw, content)
        content = damage(draw, content) if draw.random() < 0.4 else content
    return _place(draw, samples, folder, kind + ".gz" * gzipped, content)


def _corpus(draw: random.Random, samples: Samples, folder: Path) -> Read:
    path = _file(draw, samples, folder, (".txt", ".txt", ".csv", ".tsv", ".jsonl", ".parquet"))
    source = draw.choice((path, path, folder))
    column = draw.choice((None, None, "text", "body", ""))
    return _all_of(
        lambda: read_corpus(source, column=column),
        lambda: sum(1 for _ in unused_lines(source)),
        lambda: columns_of(path),
    )


def _table(draw: random.Random, samples: Samples, folder: Path) -> Read:
    path = _file(draw, samples, folder, (".csv", ".tsv", ".jsonl", ".parquet"))
    columns = draw.choice((None, None, {"text": "a"}, {"label": "text"}, {"x": "y"}))

    def classified() -> None:
        rows = unlabelled.read_texts(path)
        out = folder.parent / "out.csv"
        try:
            unlabelled.write_rows(out, rows, {"=label": ["@x"] * len(rows.texts)})
        finally:
            out.unlink(missing_ok=True)

    def guessed() -> None:
        named, _ = table_columns.table_columns(path)
        table_columns.guess_columns(path, named)
        table_columns.guess_text_column(path, named, CorpusError)

    return _all_of(lambda: read_table(path, columns=columns), classified, guessed)


def _settings(draw: random.Random, samples: Samples, folder: Path) -> Read:
    good = draw.choice(samples.settings)
    made = write_json(damage_json(draw, json.loads(good)) if draw.random() < 0.8 else any_json(draw))
    path = _place(draw, samples, folder, ".json", _malformed(draw, [good], made))
    return lambda: open_settings(path)


def _vector(draw: random.Random, samples: Samples, folder: Path) -> Read:
    info, tensors = _vector_files(draw, samples)
    for name, content in ((INFO, info), (TENSORS, tensors), (CARD, b"# card")):
        if draw.random() < 0.02:
            making.odd_file(draw, folder / name, samples.outside)
        else:
            (folder / name).write_bytes(content)
    return lambda: _use(SparseVector.load(folder))


def _use(vector: SparseVector) -> None:
    """Do with a vector what is done with every one that was taken in."""
    write_card(vector)
    for name in vector.positions:
        if sum(vector.shapes[name]) < 10_000:
            vector.dense(name)
    vector.digest()


def _vector_files(draw: random.Random, samples: Samples) -> tuple[bytes, bytes]:
    """Return vector.json and vector.safetensors, one or both malformed; mostly with the checksums that fit again."""
    info, tensors = samples.vector[INFO], samples.vector[TENSORS]
    if draw.random() < 0.6:
        tensors = draw.choice((making.tensors, damage))(draw, tensors)
    if draw.random() < 0.2:
        return damage(draw, info), tensors
    content = damage_json(draw, json.loads(info)) if draw.random() < 0.7 else json.loads(info)
    if isinstance(content, dict) and draw.random() < 0.9:
        content["tensors_sha256"] = hashlib.sha256(tensors).hexdigest()
        with suppress(ValueError):  # NaN cannot be sealed
            content["info_sha256"] = info_sha256(content)
    return write_json(content), tensors


def _lt_sft(draw: random.Random, samples: Samples, folder: Path) -> Read:
    good, kind = draw.choice(samples.lt_sft), draw.random()
    if kind < 0.4:
        content = damage(draw, good)
    elif kind < 0.7:
        content = samples.with_pickle(lambda code: damage(draw, code))
    else:
        made = making.pickled(draw)
        content = samples.with_pickle(lambda _: made) if draw.random() < 0.7 else made
    if draw.random() < 0.03:
        making.odd_file(draw, folder / FILE, samples.outside)
    else:
        (folder / FILE).write_bytes(content)
    return lambda: _use(read_lt_sft(folder, samples.tiny))


def _archive(draw: random.Random, samples: Samples, folder: Path) -> Read:
    info, tensors = (
        _vector_files(draw, samples) if draw.random() < 0.5 else (samples.vector[INFO], samples.vector[TENSORS])
    )
    files = {INFO: info, TENSORS: tensors, CARD: samples.vector[CARD]}
    content = making.archive(draw, files)
    path = _place(draw, samples, folder, ".zip", damage(draw, content) if draw.random() < 0.5 else content)
    own = OwnVectors(folder.parent / "home")
    wishes = Wishes(title=draw.choice(strings.DRAWN), language=draw.choice(strings.DRAWN))

    def bring() -> None:
        kept = bring_file(own, path, path.name, lambda: samples.tiny, wishes)
        shutil.rmtree(kept.folder)  # it was good, and was meant to stay

    return bring


def _base(draw: random.Random, samples: Samples, folder: Path) -> Read:
    target = draw.choice(("config.json", "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"))
    for name, content in samples.base.items():
        if name == target:
            if draw.random() < 0.03:
                making.odd_file(draw, folder / name, samples.outside)
                continue
            if target == "model.safetensors":
                content = draw.choice((making.tensors, damage))(draw, content)
            elif draw.random() < 0.8:
                content = write_json(damage_json(draw, json.loads(content)))
            else:
                content = damage(draw, content)
        (folder / name).write_bytes(content)
    return _all_of(lambda: read_base_facts(str(folder)), lambda: load_base(folder))


def _records(draw: random.Random, samples: Samples, folder: Path) -> Read:
    good = json.loads(samples.check)
    asked = damage_json(draw, good) if draw.random() < 0.8 else any_json(draw)
    kept = folder / "checks" / f"{'ab' * 8}"
    kept.mkdir(parents=True)
    (kept / "0123456789abcdef.json").write_bytes(damage(draw, samples.kept_check))
    (kept / "0123456789abcde0.json").write_bytes(write_json(damage_json(draw, json.loads(samples.kept_check))))
    own = folder / "vectors" / "some"
    own.mkdir(parents=True)
    (own / INFO).write_bytes(samples.vector[INFO])
    (own / "own.json").write_bytes(
        write_json(damage_json(draw, {"title": "a", "origin": "b", "added": 1.5, "trashed": None}))
    )
    return _all_of(
        lambda: Check.from_dict(asked).accuracy(),
        lambda: self_check.load(folder, "ab" * 32),
        lambda: self_check.load(folder),
        lambda: OwnVectors(folder).list(),
    )


def _all_of(*calls: Read) -> Read:
    """Make every call: one that refuses does not keep the next from being made; the first refusal is the answer."""

    def call_all() -> None:
        refused = None
        for call in calls:
            try:
                call()
            except DeftxError as error:
                refused = refused or error
        if refused is not None:
            raise refused

    return call_all


READERS = {
    reader.name: reader
    for reader in (
        Reader("corpus", _corpus),
        Reader("table", _table),
        Reader("settings", _settings),
        Reader("vector", _vector),
        Reader("lt-sft", _lt_sft),
        Reader("archive", _archive),
        Reader("base", _base),
        Reader("records", _records),
        Reader("strings", strings.prepare),
    )
}
