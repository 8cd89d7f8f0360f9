"""Input made by the grammar of a format instead of by damage: tables, archives, pickles, headers of safetensors."""

import gzip
import io
import json
import os
import pickle
import random
import stat
import zipfile
from functools import cache
from pathlib import Path

import pyarrow
import pyarrow.parquet

from scripts.fuzzing.mutation import TOKENS, WORDS, any_json, write_json

NAMES = (
    "plain", "-rf", "with space", "UPPER", "ü" * 60, "a" * 240, "\u202egnp", "new\nline", "tab\tname", "=cmd", "<b>", "&amp;",
    "CON", "a'b\"c", "%2e%2e", "a;b", "$(id)", "`id`", "\x1b[2J", "..x", "நாள்", "٣",
)  # fmt: skip
COLUMNS = ("text", "label", "premise", "hypothesis", "TEXT ", "", "a" * 300, "=x", "\u202e", "text")
ENTRIES = (
    "vector.json", "vector.safetensors", "README.md", "v/vector.json", "../vector.json", "/vector.json", "C:\\vector.json",
    "pytorch_diff.bin", "x.pkl", "a.zip", "v/w/vector.json", "vector.json\0.txt", "__MACOSX/._x", "v\\vector.json", "x" * 4_000,
)  # fmt: skip
GLOBALS = (
    b"cos\nsystem\n", b"cbuiltins\neval\n", b"cbuiltins\nbytearray\n", b"ccollections\nOrderedDict\n", b"c_codecs\nencode\n",
    b"ctorch\nSize\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"cnumpy\ndtype\n", b"ctorch\nFloatStorage\n", b"ctorch\nTensor\n",
    b"cnumpy.core.multiarray\nscalar\n",
)  # fmt: skip
OPERATIONS = [op.encode("latin1") for op in "().0]}Rabdest" + "\x85\x86\x87\x88\x89NQ"] + [
    b"K\1",
    b"M\1\2",
    b"h\0",
    b"q\0",
]


def odd_name(draw: random.Random, ending: str) -> str:
    """Return a file name that a disk takes and few people expect."""
    return draw.choice(NAMES)[: 250 - len(ending)] + draw.choice((ending, ending.upper()))


def odd_file(draw: random.Random, path: Path, outside: Path) -> None:
    """Put something that is no file, or none of its own, where a file is expected."""
    kind = draw.choice(("folder", "pipe", "link", "hard link", "device", "loop", "nothing", "empty"))
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "hard link":
        path.hardlink_to(outside)
    elif kind == "empty":
        path.touch()
    elif kind != "nothing":
        path.symlink_to({"link": outside, "device": Path("/dev/zero"), "loop": path}[kind])


def table(draw: random.Random, kind: str) -> bytes:
    """Return a table of a kind (".csv", ".tsv", ".jsonl" or ".parquet") with odd columns and cells."""
    columns = [draw.choice(COLUMNS) for _ in range(draw.choice((1, 2, 2, 3, 40)))]
    rows = [
        [_cell(draw) for _ in range(max(0, len(columns) + draw.choice((0, 0, 0, -1, 1))))]
        for _ in range(draw.randint(0, 12))
    ]
    if kind == ".parquet":
        return _parquet(draw, dict.fromkeys(columns))
    if kind == ".jsonl":
        lines = (any_json(draw) if draw.random() < 0.2 else dict(zip(columns, row, strict=False)) for row in rows)
        return b"\n".join(map(write_json, lines))
    mark, end = draw.choice((",", ";", "\t", "|")), draw.choice(("\n", "\r\n", "\r", "\n\n"))
    quote = draw.choice(("", '"', '"', "'"))
    written = end.join(mark.join(f"{quote}{cell}{quote}" for cell in row) for row in [columns, *rows])
    return written.encode(draw.choice(("utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16", "cp1252")), "replace")


def lines(draw: random.Random) -> bytes:
    """Return lines of text and of what is no text."""
    return b"".join(
        draw.choice(TOKENS) * draw.choice((0, 1, 3)) + draw.choice(WORDS).encode("utf-8", "surrogatepass") + draw.choice((b"\n", b"\r", b"\r\n", b""))
        for _ in range(draw.randint(0, 30))
    )  # fmt: skip


def packed(draw: random.Random, content: bytes) -> bytes:
    """Return content gzipped: once, twice, in two members, with a tail, or a bomb."""
    kind = draw.choice(("once", "twice", "members", "tail", "bomb"))
    whole = gzip.compress(content)
    if kind == "bomb":
        return _bomb(draw.choice((b"\0", b"\n", b"a", b"a,b\n")))
    return {"once": whole, "twice": gzip.compress(whole), "members": whole * 2, "tail": whole + b"tail"}[kind]


@cache
def _bomb(sign: bytes) -> bytes:
    return gzip.compress(sign * 2**23)


def archive(draw: random.Random, files: dict[str, bytes]) -> bytes:
    """Return a zip of known and unknown names, each stored or packed, some of them links or of a false size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        chosen = [(name, content) for name, content in files.items() if draw.random() < 0.9]
        chosen += [(draw.choice(ENTRIES), draw.choice((b"", b"{}", bytes(2**21)))) for _ in range(draw.randint(0, 3))]
        draw.shuffle(chosen)
        for name, content in chosen:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = draw.choice((0,) * 8 + (8,) * 8 + (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            if draw.random() < 0.1:
                entry.create_system = 3
                entry.external_attr = draw.choice((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFREG)) << 16
            opened.writestr(entry, content)
    return stream.getvalue()


def pickled(draw: random.Random) -> bytes:
    """Return a random program of the pickle machine, or a pickle of a random value."""
    if draw.random() < 0.3:
        return pickle.dumps(any_json(draw), protocol=draw.choice((0, 2, 4)))
    steps = (*OPERATIONS, *GLOBALS, b"X\3\0\0\0abc", b"X\xff\xff\xff\xff", b"\x8a\xff" + b"\xff" * 255)
    return b"\x80\2" + b"".join(draw.choice(steps) for _ in range(draw.randint(1, 60))) + b"."


def tensors(draw: random.Random, content: bytes) -> bytes:
    """Return a safetensors file whose header lies about sizes, offsets, types or itself."""
    start = 8 + int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8:start]), content[start:]
    for _ in range(draw.randint(1, 3)):
        entry = header[draw.choice(list(header))]
        lie = draw.choice(("shape", "data_offsets", "dtype", "name"))
        odd = draw.choice((0, 1, -1, 2**31, 2**63 - 1, 2**64, len(data), len(data) + 1))
        if lie == "name":
            header[draw.choice(WORDS)] = entry
        elif "shape" in entry:
            entry[lie] = (
                draw.choice(("U8", "I64", "F64", "F8_E4M3", "x"))
                if lie == "dtype"
                else draw.choice(([odd], [odd, 2], [0, odd]))
            )
    written = write_json(header)
    length = draw.choice((len(written), len(written), len(written), 0, 2**31, 2**64 - 1, len(written) + 8))
    return length.to_bytes(8, "little") + written + data[: draw.choice((None, 0, 10, -1))]


def _cell(draw: random.Random) -> str:
    return draw.choice(WORDS) if draw.random() < 0.5 else draw.choice(TOKENS).decode("utf-8", "replace")


def _parquet(draw: random.Random, columns: dict[str, None]) -> bytes:
    kinds = (
        pyarrow.string(), pyarrow.large_string(), pyarrow.binary(), pyarrow.int64(), pyarrow.float64(), pyarrow.bool_(),
        pyarrow.list_(pyarrow.string()), pyarrow.struct([("a", pyarrow.string())]), pyarrow.date32(), pyarrow.null(),
        pyarrow.decimal128(30, 2), pyarrow.timestamp("ns"), pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    )  # fmt: skip
    count = draw.randint(0, 5)
    content = {name.encode("utf-8", "replace").decode(): pyarrow.nulls(count, draw.choice(kinds)) for name in columns}
    for name in list(content)[:2]:
        content[name] = pyarrow.array(
            [_cell(draw).encode("utf-8", "replace").decode() for _ in range(count)], pyarrow.string()
        )
    stream = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table(content), stream, compression=draw.choice(("none", "snappy", "zstd", "gzip"))
    )
    return stream.getvalue()
