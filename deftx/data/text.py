"""Raw text for language training: read, held out, packed into sequences, and masked for prediction."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deftx.core.errors import CorpusError
from deftx.data.characters import as_seen, as_text_only
from deftx.data.documents import text_lines
from deftx.data.hf_datasets import is_dataset, records_of
from deftx.data.open_table import Records, find_column
from deftx.data.reading import find_file, find_files
from deftx.data.splitting import choose_groups, fold, group_equal
from deftx.data.table_formats import open_records
from deftx.data.unpacking import InputFile

TEXT_COLUMN = "text"
BATCH_LINES = 1_000  # lines that are tokenised at a time
EMPTY, WITHOUT_LETTERS = "empty", "without letters"  # why a line is not used
IGNORED = -100  # the label that PyTorch's cross entropy leaves out

OnProgress = Callable[[int, int], None]  # (lines done, lines in all)


@dataclass(frozen=True)
class Corpus:
    """Usable lines of text, the files they came from with the number from each, and what was left out and why.

    ``fingerprint`` is the SHA-256 over the lines as UTF-8, each ended by a line feed. ``normalised`` counts the lines
    that ``characters.as_seen`` changed, by what it changed; ``notes`` say what else was done.
    """

    lines: list[str]
    sources: tuple[tuple[str, int], ...]
    fingerprint: str
    skipped: dict[str, int]
    normalised: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_corpus(
    source: "str | Path | Sequence[str | Path] | Any",
    *,
    column: str | None = None,
    limit: int | None = None,
    encoding: str | None = None,
) -> Corpus:
    """Read a file, a folder, several files, or a data set; of tables the ``column``, else "text", else their only text column.

    A line is usable if it holds a letter or a digit; reading ends at the ``limit`` of usable lines, if there is one.
    ``encoding`` is that of the files which are not UTF-8.
    Raises CorpusError if a file cannot be read or no line is usable.
    """
    lines: list[str] = []
    sources = []
    skipped = Counter({EMPTY: 0, WITHOUT_LETTERS: 0})
    normalised: Counter[str] = Counter()
    notes: dict[str, None] = {}
    for file, texts in _sources(source, column, encoding, normalised):
        before = len(lines)
        for _, line in texts:
            reason = why_unused(line)
            if reason is not None:
                skipped[reason] += 1
            elif len(lines) == limit:
                break
            else:
                lines.append(line)
        sources.append((file.name, len(lines) - before))
        notes.update(dict.fromkeys(file.notes))
    if not lines:
        names = ", ".join(name for name, _ in sources[:3])
        raise CorpusError(f"There is no usable text in {names}: not one line holds a letter or a digit.")
    return Corpus(lines, tuple(sources), fingerprint(lines), dict(skipped), dict(normalised), tuple(notes))


def why_unused(line: str) -> str | None:
    """Say why a stripped line is not used; None for one that is, which holds a letter or a digit."""
    if any(map(str.isalnum, line)):
        return None
    return WITHOUT_LETTERS if line else EMPTY


def all_lines(source: str | Path | Sequence[str | Path], *, column: str | None = None) -> Iterator[str]:
    """Give every line of a source, stripped, those that are not used too; CorpusError as ``read_corpus``."""
    for file in find_files(source, CorpusError):
        for _, line in _texts(file, column):
            yield line


def unused_lines(
    source: str | Path | Sequence[str | Path], *, column: str | None = None
) -> Iterator[tuple[str, str, int, str]]:
    """Give (reason, file, line number, text) of each line that ``read_corpus`` leaves out, to be shown to its owner."""
    for file in find_files(source, CorpusError):
        for number, line in _texts(file, column):
            reason = why_unused(line)
            if reason is not None:
                yield reason, file.name, number, line


def columns_of(source: str | Path) -> tuple[tuple[str, ...], str | None]:
    """Give the columns of a table, those that can hold text first, and the one that ``read_corpus`` would take, if any.

    Plain text has none. Raises CorpusError if the file cannot be read.
    """
    file = find_file(source, CorpusError)
    if not file.is_table:
        return (), None
    records = open_records(file, CorpusError)
    others = tuple(name for name in records.columns if name not in records.text_columns)
    return (*records.text_columns, *others), _find_text_column(records, None)


def fingerprint(lines: Sequence[str]) -> str:
    """Give the SHA-256 over the lines as UTF-8, each ended by a line feed, in hexadecimal."""
    digest = sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def split(lines: Sequence[str], hold_out: float, seed: int) -> tuple[list[str], list[str]]:
    """Split lines into (training, held out), each in the old order; equal lines always fall on the same side.

    ``hold_out`` is the share to hold out, at least one line. With one distinct line both sides are all of them.
    """
    groups = group_equal(fold(line) for line in lines)
    if len(groups) < 2:
        return list(lines), list(lines)
    chosen = set(choose_groups(groups, hold_out, np.random.default_rng(seed)))
    train = [line for position, line in enumerate(lines) if position not in chosen]
    return train, [lines[position] for position in sorted(chosen)]


def special_ids(tokenizer: Any) -> list[int]:
    """List the ids that mark structure (sentence ends, padding, mask); the unknown token stands for text: not one."""
    return sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})


def pack(
    lines: Sequence[str], tokenizer: Any, max_length: int, *, on_progress: OnProgress | None = None
) -> list[Tensor]:
    """Tokenise each line with its own special tokens, join all and cut: int32 tensors of ``max_length`` tokens.

    The last may be shorter (LT-SFT drops it; a short corpus needs it), unless it holds special tokens alone. All are
    views of one tensor.
    """
    tokens = array("i")
    for start in range(0, len(lines), BATCH_LINES):
        for ids in _tokenise(lines[start : start + BATCH_LINES], tokenizer):
            tokens.extend(ids)
        if on_progress:
            on_progress(min(start + BATCH_LINES, len(lines)), len(lines))
    if not tokens:
        return []
    pieces = list(torch.frombuffer(tokens, dtype=torch.int32).split(max_length))
    return pieces if set(pieces[-1].tolist()) - set(special_ids(tokenizer)) else pieces[:-1]


def mask_tokens(
    input_ids: Tensor,
    special: Tensor,
    vocabulary_size: int,
    mask_id: int,
    generator: torch.Generator,
    share: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Choose tokens to predict (Devlin et al. 2019): of the chosen, 80 % become the mask, 10 % any token, 10 % stay.

    ``input_ids`` (b, t) int64 and ``special`` (b, t) bool, true where nothing may be chosen, padding included. Returns
    inputs and labels (b, t), labels -100 where nothing is asked. At least one token is chosen if any may be.
    """
    draw, kind = (torch.rand(input_ids.shape, generator=generator, device=generator.device) for _ in range(2))
    random = torch.randint(vocabulary_size, input_ids.shape, generator=generator, device=generator.device)
    draw, kind, random = (drawn.to(input_ids.device) for drawn in (draw, kind, random))
    draw = draw.masked_fill(special, 2.0)  # above every share
    chosen = draw < share
    if not chosen.any() and not special.all():
        chosen.view(-1)[draw.argmin()] = True
    labels = input_ids.masked_fill(~chosen, IGNORED)
    inputs = input_ids.masked_fill(chosen & (kind < 0.8), mask_id)
    return torch.where(chosen & (kind >= 0.9), random, inputs), labels


def _sources(
    source: Any, column: str | None, encoding: str | None, normalised: Counter[str]
) -> Iterator[tuple[InputFile, Iterator[tuple[int, str]]]]:
    """Give each file, or the data set, with its numbered texts."""
    if is_dataset(source):
        records = records_of(source, CorpusError)
        yield records.file, _column_texts(records, column, normalised)
        return
    for file in find_files(source, CorpusError, encoding):
        yield file, _texts(file, column, normalised)


def _column_texts(records: Records, column: str | None, normalised: Counter[str] | None) -> Iterator[tuple[int, str]]:
    name = _text_column(records, column)
    # The name of the column as a text is the header of a second file that was appended to the first.
    cells = records.texts([name], CorpusError, normalised)
    return ((number, texts[0]) for number, texts in cells if texts[0] != name)


def _texts(file: InputFile, column: str | None, normalised: Counter[str] | None = None) -> Iterator[tuple[int, str]]:
    if file.is_table:
        return _column_texts(open_records(file, CorpusError), column, normalised)
    lines = text_lines(file, CorpusError)
    return ((number, as_seen(line, normalised).strip()) for number, line in lines)


def _find_text_column(records: Records, wanted: str | None) -> str | None:
    found = find_column(records, wanted or TEXT_COLUMN, CorpusError)
    only = wanted is None and len(records.text_columns) == 1
    return records.text_columns[0] if found is None and only else found


def _text_column(records: Records, wanted: str | None) -> str:
    found = _find_text_column(records, wanted)
    if found is None:
        raise CorpusError(
            f"{records.file.name} has no column {wanted or TEXT_COLUMN!r}. Its columns are: "
            f"{', '.join(records.columns)}. Name the one that holds the text (--column NAME)."
        )
    return found


def _tokenise(lines: Sequence[str], tokenizer: Any) -> list[list[int]]:
    # verbose=False: lines longer than the model's limit are cut into pieces here, so there is nothing to warn of.
    special = tokenizer.all_special_tokens
    lines = [as_text_only(line, special) for line in lines]
    return tokenizer(lines, add_special_tokens=True, truncation=False, return_attention_mask=False, verbose=False)[
        "input_ids"
    ]
