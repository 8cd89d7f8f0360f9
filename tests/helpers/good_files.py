"""A good file of each kind that a person can bring, as small as it can be: what tests of malformed input damage."""

import io
import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import office_files
import pyarrow
import pyarrow.parquet
import tiny_base
import tiny_tokens
import tiny_vectors
import torch

from deftx.classify import self_check
from deftx.models.bases import load_base
from deftx.models.eight_bits import pack_folder
from deftx.models.trim_note import TrimNote
from deftx.training.request import TrainingRequest
from deftx.training.settings_file import to_file
from deftx.vectors.lt_sft import FILE, write_lt_sft

ROWS = [{"text": f'satu dua {n} tiga, "empat"', "label": "good" if n % 2 else "bad", "score": n / 2} for n in range(8)]
TEXTS = ["\n".join(row["text"] for row in ROWS).encode(), "ꦱꦒꦸꦁ\r\nनमस्ते दुनिया\n\nمرحبا\n".encode()]
BASE = tiny_vectors.TinyBase()
SETTINGS = [
    to_file(TrainingRequest(kind="language", name="Min", corpus=("a.txt",), recipe={"seed": 3, "rank": "mp"})).encode(),
    to_file(TrainingRequest(kind="task", name="Mood", train="a.csv", base="x/y", recipe={"k": 50, "epochs": 2})).encode(),
]  # fmt: skip


def tables():
    """Return tables by ending."""
    quoted = "\n".join('"{}",{},{}'.format(row["text"].replace('"', '""'), row["label"], row["score"]) for row in ROWS)
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), stream)
    return {
        ".csv": f"text,label,score\n{quoted}\n".encode(),
        ".tsv": f"text\tlabel\tscore\n{quoted.replace(',', chr(9))}\n".encode(),
        ".jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
        ".parquet": stream.getvalue(),
    }


@cache
def words_with_tags():
    """Return sentences of words with tags by ending: in CoNLL columns, in CoNLL-U, and in tables with lists."""
    rows, stream = tiny_tokens.rows()[:8], io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".conll", ".txt", ".tsv"):
            tiny_tokens.write_conll(Path(folder, ending), rows)
        tiny_tokens.write_conllu(Path(folder, ".conllu"), rows)
        tiny_tokens.write_jsonl(Path(folder, ".jsonl"), rows)
        return {**_contents(Path(folder)), ".parquet": stream.getvalue()}


@cache
def documents():
    """Return documents by ending: those that hold running text, and those that hold a table."""
    cells = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    texts = {
        ".docx": office_files.docx(
            "".join(office_files.word_paragraph(row["text"]) for row in ROWS), footnotes="<w:p/>"
        ),
        ".odt": office_files.odt("".join(f"<text:p>{row['label']}</text:p>" for row in ROWS)),
        ".html": "<html><body>{}</body></html>".format("".join(f"<p>{row['text']}</p>" for row in ROWS)).encode(),
        ".pdf": office_files.pdf(*(row["text"] for row in ROWS)),
        ".zip": office_files.zipped({"a.txt": TEXTS[0], "b/c.csv": tables()[".csv"]}),
    }
    return texts, {".xlsx": office_files.xlsx({"one": cells}), ".ods": office_files.ods({"one": cells})}


@cache
def vector():
    """Return the files of a vector by name."""
    made = tiny_vectors.make_vector(
        method="deft-x", filled=0, seed=42, mask={"embeddings": 120, "query": 18}, corpus={"lines": 10, "tokens": 100},
        rank={"strategy": "variance:0.9", "ranks": {"roberta.encoder.layer.0.attention.self.query.weight": 3}},
        recipe={"k": 138, "rank": "variance:0.9"}, scores={"masked_lm_loss": {"before": 5.1, "after": 4.2}},
        singular_values={"roberta.encoder.layer.0.attention.self.query.weight": [3.0, 2.0, 1.0, 0.5, 0.2, 0.1]},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder))
        return _contents(Path(folder))


@cache
def lt_sft():
    """Return LT-SFT's file in torch's archive, and in torch's older form."""
    with tempfile.TemporaryDirectory() as folder:
        write_lt_sft(tiny_vectors.make_vector(), BASE, Path(folder))
        older = io.BytesIO()
        torch.save(torch.load(Path(folder) / FILE, weights_only=False), older, _use_new_zipfile_serialization=False)
        return [(Path(folder) / FILE).read_bytes(), older.getvalue()]


def with_pickle(pickle):
    """Return LT-SFT's file with another pickle in its archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(lt_sft()[0])) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickle if name.endswith("data.pkl") else old.read(name))
    return stream.getvalue()


@cache
def bases():
    """Return the files of a base by name, with float and with 8-bit weights; both have the note of a trimmed base."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        for pack in (None, pack_folder):
            folder = tiny_base.make_base(Path(place, str(pack)))
            if pack:
                pack(folder)
            note = TrimNote("whole", None, "ab" * 32, 19, load_base(folder).fingerprint, torch.arange(0, 18, 2))
            (folder / "trimmed.json").write_text(json.dumps(note.to_dict()))
            found.append(_contents(folder))
    return tuple(found)


@cache
def check():
    """Return a check as a browser sends it (``asked``), and as it is stored (``stored``)."""
    named = self_check.Vector("t", "ab" * 32)
    begun = self_check.begin(["satu", "dua"], ["good", "bad"], task=named, language=None, corpus="a.txt", seed=1)
    marked = begun.mark("right").mark("wrong")
    with tempfile.TemporaryDirectory() as home:
        stored = self_check.save(Path(home), marked).read_text(encoding="utf-8")
    return SimpleNamespace(asked=json.loads(json.dumps(marked.to_dict())), stored=json.loads(stored))


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
