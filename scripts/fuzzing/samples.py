"""Good files to damage: one of each kind, made once, as small as they can be."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import torch
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaTokenizer

from deftx.classify import self_check
from deftx.classify.self_check import Vector, begin
from deftx.training.request import TrainingRequest
from deftx.training.settings_file import to_file
from deftx.vectors.lt_sft import FILE, write_lt_sft
from deftx.vectors.vector import SparseVector

SHAPES = {"encoder.embeddings.weight": (40, 9), "encoder.query.weight": (8, 6), "encoder.query.bias": (8,)}
ROWS = [{"text": f'satu dua {n} tiga, "empat"', "label": "good" if n % 2 else "bad", "score": n / 2} for n in range(8)]
WORDS = ("good", "bad", "fine", "day", "night", "food", "house", "very", "not", "the", "is", "was")


class TinyBase:
    """What a vector sees of a base model."""

    name, revision, fingerprint = "tiny-base", None, "ab" * 32

    def parameters(self) -> dict[str, torch.Tensor]:
        """Zeros in the shapes of the vector's parameters."""
        return {name: torch.zeros(shape) for name, shape in SHAPES.items()}


class Samples:
    """The good files, made in ``folder``; ``outside`` is a file that no reader is ever given by its own name."""

    def __init__(self, folder: Path) -> None:
        """Make them all."""
        self.tiny = TinyBase()
        self.outside = folder / "outside.txt"
        self.outside.write_text("a secret of somebody else\n")
        self.texts = ["\n".join(row["text"] for row in ROWS).encode(), "ꦱꦒꦸꦁ\r\nनमस्ते दुनिया\n\nمرحبا\n".encode()]
        self.tables = _tables()
        self.settings = [
            to_file(TrainingRequest(kind="language", name="Min", corpus=("a.txt",), recipe={"seed": 3, "rank": "mp"})).encode(),
            to_file(TrainingRequest(kind="task", name="Mood", train="a.csv", base="x/y", recipe={"k": 50, "epochs": 2})).encode(),
        ]  # fmt: skip
        vector = _vector()
        vector.save(folder / "vector")
        self.vector = {path.name: path.read_bytes() for path in (folder / "vector").iterdir()}
        write_lt_sft(vector, self.tiny, folder)
        older = io.BytesIO()
        torch.save(torch.load(folder / FILE, weights_only=False), older, _use_new_zipfile_serialization=False)
        self.lt_sft = [(folder / FILE).read_bytes(), older.getvalue()]
        self.base = _base(folder / "base")
        check = begin(
            ["satu", "dua"], ["good", "bad"], task=Vector("t", "ab" * 32), language=None, corpus="a.txt", seed=1
        )
        check = check.mark("right").mark("wrong")
        self.singular = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.2, 0.1])
        self.check = json.dumps(check.to_dict()).encode()
        self.kept_check = self_check.save(folder / "home", check).read_bytes()

    def with_pickle(self, change: Callable[[bytes], bytes]) -> bytes:
        """Return LT-SFT's file with another pickle in its archive."""
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.lt_sft[0])) as old, zipfile.ZipFile(stream, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, change(content) if name.endswith("data.pkl") else content)
        return stream.getvalue()


def _tables() -> dict[str, list[bytes]]:
    quoted = "\n".join('"{}",{},{}'.format(row["text"].replace('"', '""'), row["label"], row["score"]) for row in ROWS)
    plain = "\n".join(f"{row['text']}\t{row['label']}\t{row['score']}".replace('"', "") for row in ROWS)
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), stream)
    return {
        ".csv": [f"text,label,score\n{quoted}\n".encode(), f"text;label;score\n{quoted.replace(',good', ';good')}\n".encode()],
        ".tsv": [f"text\tlabel\tscore\n{plain}\n".encode()],
        ".jsonl": ["\n".join(map(json.dumps, ROWS)).encode()],
        ".parquet": [stream.getvalue()],
    }  # fmt: skip


def _vector() -> SparseVector:
    draw = torch.Generator().manual_seed(0)
    sizes = {name: torch.Size(shape).numel() for name, shape in SHAPES.items()}
    positions = {name: torch.randperm(size, generator=draw)[: size // 3].sort().values for name, size in sizes.items()}
    info = {
        "kind": "language", "language": "min", "base": {"name": "tiny-base", "revision": None, "fingerprint": "ab" * 32},
        "method": "deft-x", "k": 138, "filled": 0, "seed": 42, "mask": {"embeddings": 120, "query": 18},
        "rank": {"strategy": "variance:0.9", "ranks": {"encoder.query.weight": 3}}, "recipe": {"k": 138, "rank": "variance:0.9"},
        "corpus": {"lines": 10, "tokens": 100}, "scores": {"masked_lm_loss": {"before": 5.1, "after": 4.2}},
        "singular_values": {"encoder.query.weight": [3.0, 2.0, 1.0, 0.5, 0.2, 0.1]},
    }  # fmt: skip
    return SparseVector(
        positions, {name: torch.randn(len(p), generator=draw) for name, p in positions.items()},
        {"lm_head.bias": torch.randn(7, generator=draw)}, dict(SHAPES), info,
    )  # fmt: skip


def _base(folder: Path) -> dict[str, bytes]:
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary = [*special, *((f"▁{word}", -1.0) for word in WORDS), ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary, model_max_length=32).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=40, pad_token_id=1, type_vocab_size=1,
    )  # fmt: skip
    torch.manual_seed(0)
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
