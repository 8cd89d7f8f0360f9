"""Hypothesis strategies for malformed input: good files with damage, and files that are right and unexpected."""

import copy
import gzip
import io
import json
import pickle
import re
import stat
import warnings
import zipfile

import pyarrow
import pyarrow.parquet
from hypothesis import strategies as st

NUMBERS = ("-1", "0", "1", "255", "65536", "2147483648", "9223372036854775808", "1e309", "NaN", "1" + "0" * 400, "0.5")
WORDS = (
    "", " ", "a", "text", "label", "good", "ä" * 40, "\u202eabc", "a\0b", "a\nb", "\r", "=1+1", "=cmd|' /C calc'!A0", "-5", "x" * 5_000,
    "<img src=x onerror=alert(1)>", "../../etc/passwd", "C:\\x", "1e999", "nan", "\ud800", "\\ud800", "`x`", "[a](b)", "${7*7}", "\ufeff",
    '"', '""', "'", ",", ";", "\t", "\\", "{", "]", "\u2028", "\x1b[31m", "[" * 4_000, '{"a":' * 2_000, "𐤀", "__proto__", "PK\3\4", "\x1f\x8b",
    "variance:0.9", "variance:nan", "uniform:-3", "uniform:99999999999999999999", "deft-x", "owner/name", "datasets/a/b",
)  # fmt: skip
NAMES = (
    "plain", "-rf", "with space", "UPPER", "ü" * 60, "a" * 230, "\u202egnp", "new\nline", "tab\tname", "=cmd", "<b>", "&amp;",
    "CON", "a'b\"c", "%2e%2e", "a;b", "$(id)", "`id`", "\x1b[2J", "..x", "நாள்", "٣",
)  # fmt: skip
ENTRIES = (
    "vector.json", "vector.safetensors", "v/vector.json", "../vector.json", "/vector.json", "C:\\vector.json", "x" * 4_000,
    "pytorch_diff.bin", "x.pkl", "a.zip", "v/w/vector.json", "vector.json\0.txt", "__MACOSX/._x", "v\\vector.json",
)  # fmt: skip
COLUMNS = ("text", "label", "premise", "hypothesis", "TEXT ", "", "a" * 300, "=x", "\u202e", "text")
ODD_FILES = ("folder", "pipe", "link", "hard link", "device", "loop", "nothing")  # in place of a file
TOKENS = tuple(word.encode("utf-8", "surrogatepass") for word in WORDS)
GLOBALS = ("os system", "builtins eval", "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage",
           "numpy dtype", "_codecs encode")  # fmt: skip
TAGS = (
    "O",
    "B-A",
    "I-A",
    "I-B",
    "E-A",
    "S-A",
    "L-A",
    "U-A",
    "B-",
    "-A",
    "I--",
    "B-a-b",
    "b-A",
    "NOUN",
    "_",
    "-",
    "12",
    "\u00b2",
    "",
)
PLAIN_WORDS = (
    "satu",
    "dua",
    "\u202eabc",
    "a\u200bb",
    "\u200b",
    "\ufeff",
    "=1+1",
    "<b>",
    "12",
    "\u00ad",
    "नमस्ते",
    "e\u0301",
    "x" * 5_000,
)
WORD_IDS = (
    "1",
    "2",
    "3",
    "1-2",
    "3-1",
    "1.1",
    "0",
    "01",
    "",
    "x",
    "-1",
    "\u0663",
    "9" * 400,
)  # the first column of CoNLL-U
COMMENTS = ("# text = satu dua", "# newdoc", "#", "# 1", "# a b", "-DOCSTART- -X- O O", "-DOCSTART-")
TOKEN_COLUMNS = (("tokens", "tags"), ("words", "ner_tags"), ("form", "upos"), ("Tokens ", "TAGS"), ("tokens", "x"))
STEPS = [
    *(step.encode("latin1") for step in "().0]}Rabdest" + "\x85\x86\x87\x88\x89NQ"),
    *("c{}\n{}\n".format(*name.split()).encode() for name in GLOBALS),
    b"K\1", b"M\1\2", b"h\0", b"q\0", b"X\3\0\0\0abc", b"X\xff\xff\xff\xff", b"\x8a\xff" + b"\xff" * 255,
]  # fmt: skip
KINDS_OF_COLUMN = (
    pyarrow.string(), pyarrow.large_string(), pyarrow.binary(), pyarrow.int64(), pyarrow.float64(), pyarrow.bool_(),
    pyarrow.list_(pyarrow.string()), pyarrow.struct([("a", pyarrow.string())]), pyarrow.date32(), pyarrow.null(),
    pyarrow.decimal128(30, 2), pyarrow.timestamp("ns"), pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
)  # fmt: skip

words = st.integers(0, len(WORDS) - 1).map(WORDS.__getitem__)  # as sampled_from, whose repr is all of them
texts = words | st.text(max_size=40) | st.lists(words, max_size=30).map("\n".join)
cells = texts.map(lambda text: text.encode("utf-8", "replace").decode())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from((2**31, 2**63, -(2**70), 10**300)) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def write_json(value):
    """Write JSON as a careless program would, with NaN and halves of characters."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw, content):
    """One to six stretches, or numbers, of the content are replaced."""
    for _ in range(draw(st.integers(1, 6))):
        numbers = [found.span() for found in re.finditer(rb"-?\d+(?:\.\d+)?", content)]
        if numbers and draw(st.booleans()):
            start, end = draw(st.sampled_from(numbers))
            put = draw(st.sampled_from(NUMBERS)).encode()
        else:
            start = draw(st.integers(0, len(content)))
            end = start + draw(st.sampled_from((0, 0, 1, 2, 8, 64, 1_000, len(content))))
            put = draw(st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(content[end : end + 8] * 20))
        content = content[:start] + put + content[end:]
    return content


@st.composite
def changed_json(draw, value):
    """One to three entries of a value of JSON, at any depth, are removed or become something else; written as bytes."""
    whole = {"": copy.deepcopy(value)}
    for _ in range(draw(st.integers(1, 3))):
        holder, key = whole, ""
        while isinstance(holder[key], dict | list) and holder[key] and (holder is whole or draw(st.integers(0, 6))):
            holder = holder[key]
            key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        old = holder[key]
        if holder is not whole and not draw(st.integers(0, 6)):
            del holder[key]
        elif isinstance(old, int | float | list) and draw(st.booleans()):
            holder[key] = draw(st.sampled_from((old * 2, -old if isinstance(old, int | float) else old[::-1], [old])))
        else:
            holder[key] = draw(json_values)
    return write_json(whole[""])


def malformed_json(value):
    """A value of JSON with other entries, other bytes, or something else altogether."""
    return changed_json(value) | changed_json(value) | damaged(write_json(value)) | json_values.map(write_json)


def lines():
    """Lines of text and of what is no text."""
    return st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from((b"\n", b"\r", b"\r\n", b""))), max_size=30).map(
        lambda parts: b"".join(b"".join(part) for part in parts)
    )


@st.composite
def table(draw, kind):
    """A table (".csv", ".tsv", ".jsonl" or ".parquet") with odd columns and cells."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4)) * draw(st.sampled_from((1, 1, 1, 20)))
    if kind == ".parquet":
        return draw(_parquet(list(dict.fromkeys(columns))))
    rows = draw(st.lists(st.lists(words, max_size=len(columns) + 1), max_size=8))
    if kind == ".jsonl":
        records = draw(st.lists(json_values, max_size=2)) + [dict(zip(columns, row, strict=False)) for row in rows]
        return b"\n".join(map(write_json, records))
    mark, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(("\n", "\r\n", "\r", "\n\n")))
    quote, code = (
        draw(st.sampled_from(('"', "", "'"))),
        draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252"))),
    )
    written = end.join(mark.join(f"{quote}{cell}{quote}" for cell in row) for row in [columns, *rows])
    return written.encode(code, "replace")


tags = st.sampled_from(TAGS) | words


@st.composite
def conll(draw, kind):
    """Sentences in CoNLL columns, or in CoNLL-U (".conllu"), with odd words, tags, numbers and numbers of columns."""
    # With words and tags that have no spaces, most files can be read.
    word, tag = (words, tags) if draw(st.integers(0, 2)) else (st.sampled_from(PLAIN_WORDS), st.sampled_from(TAGS[:8]))
    gap = draw(st.sampled_from(("\t", "\t", " ", "  ", " \t", "\u00a0")))

    def line():
        if not draw(st.integers(0, 9)):
            return draw(st.sampled_from(COMMENTS))
        between = draw(st.lists(word, max_size=2)) if kind != ".conllu" else ["_"]
        cells = [draw(word), *between, draw(tag)]
        if kind == ".conllu":
            places = WORD_IDS if word is words else WORD_IDS[:6]
            cells = [draw(st.sampled_from(places)), *cells, *["_"] * draw(st.sampled_from((6,) * 9 + (5, 7)))]
        return gap.join(cells)

    sentences = [[line() for _ in range(draw(st.integers(0, 4)))] for _ in range(draw(st.integers(0, 4)))]
    end = draw(st.sampled_from(("\n", "\r\n", "\r", "\n\n", "\u2028")))
    written = (end * draw(st.sampled_from((2, 2, 1, 3)))).join(map(end.join, sentences))
    return written.encode(draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252"))), "replace")


@st.composite
def token_table(draw, kind):
    """JSON lines or Parquet with lists of words and tags: odd ones, of unequal length, of other types, or no lists."""
    columns = draw(st.sampled_from(TOKEN_COLUMNS))
    many = st.lists(st.tuples(cells, tags.map(lambda tag: tag.encode("utf-8", "replace").decode())), max_size=4)
    rows = [dict(zip(columns, map(list, zip(*row, strict=True)), strict=True)) if row else {name: [] for name in columns}
            for row in draw(st.lists(many, max_size=4))]  # fmt: skip
    if kind == ".parquet":
        lengthened = draw(st.booleans())
        lists = {name: [row[name] + ["x"] * lengthened for row in rows] for name in columns[: draw(st.integers(1, 2))]}
        stream = io.BytesIO()
        made = {name: pyarrow.array(values, pyarrow.list_(pyarrow.string())) for name, values in lists.items()}
        empty = {"label": pyarrow.nulls(len(rows), draw(st.sampled_from(KINDS_OF_COLUMN)))}
        pyarrow.parquet.write_table(pyarrow.table(made | empty), stream)
        return stream.getvalue()
    for row in rows:
        if not draw(st.integers(0, 2)):
            row[draw(st.sampled_from(columns))] = draw(st.lists(json_values, max_size=4) | json_values)
    return b"\n".join(map(write_json, rows))


@st.composite
def _parquet(draw, columns):
    count = draw(st.integers(0, 5))
    filled = st.lists(cells, min_size=count, max_size=count).map(lambda found: pyarrow.array(found, pyarrow.string()))
    empty = st.sampled_from(KINDS_OF_COLUMN).map(lambda kind: pyarrow.nulls(count, kind))
    stream = io.BytesIO()
    content = pyarrow.table({name: draw(filled | empty) for name in columns})
    pyarrow.parquet.write_table(content, stream, compression=draw(st.sampled_from(("none", "snappy", "zstd", "gzip"))))
    return stream.getvalue()


@st.composite
def named_file(draw, ending, good, made):
    """(name, content): a good file with damage, or one made by the grammar of its format; also gzipped, or no file at all."""
    content = draw(made) if draw(st.booleans()) else draw(damaged(draw(st.sampled_from(good))))
    if ending != ".json" and not draw(st.integers(0, 4)):
        ending += ".gz"
        whole = gzip.compress(content)
        bomb = (
            gzip.compress(draw(st.sampled_from((b"\0", b"\n", b"a,b\n"))) * 2**23)
            if not draw(st.integers(0, 9))
            else whole
        )
        content = draw(
            st.sampled_from((whole, gzip.compress(whole), whole * 2, whole + b"tail", bomb)) | damaged(whole)
        )
    if not draw(st.integers(0, 30)):
        content = draw(st.sampled_from(ODD_FILES))
    return draw(st.sampled_from(NAMES)) + draw(st.sampled_from((ending, ending.upper()))), content


@st.composite
def archive(draw, files):
    """A zip of known and unknown names, each stored or packed, some of them links."""
    chosen = [(name, draw(contents)) for name, contents in files.items() if draw(st.integers(0, 9))]
    unknown = st.tuples(st.sampled_from(ENTRIES), st.sampled_from((b"", b"{}", bytes(2**21))))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened, warnings.catch_warnings(action="ignore"):  # of names that stand twice
        for name, content in draw(st.permutations(chosen + draw(st.lists(unknown, max_size=3)))):
            entry = zipfile.ZipInfo(name)
            entry.compress_type = draw(st.sampled_from((0, 0, 0, 8, 8, 8, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
            if not draw(st.integers(0, 9)):
                entry.create_system = 3
                entry.external_attr = draw(st.sampled_from((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR))) << 16
            opened.writestr(entry, content)
    return stream.getvalue()


def repacked(content):
    """A zip like this one with some of its members damaged."""
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    return archive({name: st.just(member) | damaged(member) for name, member in members.items()})


def pickled():
    """A random program of the pickle machine, or a pickle of a random value."""
    program = st.lists(st.sampled_from(STEPS), min_size=1, max_size=60).map(
        lambda steps: b"\x80\2" + b"".join(steps) + b"."
    )
    return program | st.builds(pickle.dumps, json_values, protocol=st.sampled_from((0, 2, 4)))


@st.composite
def tensors(draw, content):
    """A safetensors file with damage, or whose header lies about sizes, offsets, types or itself."""
    if draw(st.booleans()):
        return draw(damaged(content))
    start = 8 + int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8:start]), content[start:]
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(list(header)))
        lie = draw(st.sampled_from(("shape", "data_offsets", "dtype", "name", "nothing")))
        odd = draw(st.sampled_from((0, 1, -1, 2**31, 2**63 - 1, 2**64, len(data), len(data) + 1)))
        if lie == "nothing":
            header[draw(words)] = header.pop(name) if len(header) > 1 else header[name]
        elif lie == "name":
            header[draw(words)] = header[name]
        elif lie in header[name]:
            types, sizes = (
                st.sampled_from(("I8", "U8", "I64", "F16", "F64", "F8_E4M3", "x")),
                ([odd], [odd, 2], [0, odd]),
            )
            header[name][lie] = draw(types if lie == "dtype" else st.sampled_from(sizes))
    written = write_json(header)
    length = draw(st.sampled_from((len(written),) * 6 + (0, 2**31, 2**64 - 1, len(written) + 8)))
    return length.to_bytes(8, "little") + written + data[: draw(st.sampled_from((None, None, 0, 10, -1)))]
