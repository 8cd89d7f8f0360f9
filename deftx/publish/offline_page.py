"""A classifier as a folder of static files: a page that classifies in the browser, without a server and without a network.

onnxruntime-web runs the graph and tokenizers.js reads the text. Both come from the packages of the npm registry, which are
checked against a hash, opened as archives and never run here.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from deftx.classify.classifier import Classifier
from deftx.core.assets import ASSETS
from deftx.core.errors import DeftxError
from deftx.core.files import expanded, new_folder, require_empty
from deftx.models.batches import encode
from deftx.publish.onnx_folder import GRAPH, OnnxParts, onnx_probabilities, write_onnx

CLOSE = 1e-3  # the page refuses to answer if a probability of a probe differs by more
# Texts that the page reads before it answers: scripts, marks, bytes that no piece has, names of special tokens.
PROBES = (
    "a short text", "Pelayanannyo elok jo ramah, mokasih!", "  two  spaces,\ttab\nand line ", "é ﬁ Å ½ ™ ﷺ İ ȥ ⴘ", "ꦲꦏ ᮞᮥ ไทย ᱥ", "日本語 😀 Кириллица العربية",
    "<s> [CLS] </s> <mask> [SEP]", "zero\u200bwidth soft\u00adhyphen &amp;", "word " * 40,
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """A package of the npm registry: its name and version there, its file's hash, its licence, and the files to take."""

    name: str
    sha256: str
    licence: str
    files: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name that ``npm pack`` gives to the file."""
        return f"{self.name.replace('@', '-').replace('/', '-').lstrip('-')}.tgz"


RUNTIME = (
    Package(
        "onnxruntime-web@1.30.0", "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71",
        "MIT License, Copyright (c) Microsoft Corporation",
        ("dist/ort.wasm.min.mjs", "dist/ort-wasm-simd-threaded.mjs", "dist/ort-wasm-simd-threaded.wasm"),
    ),
    Package(
        "@huggingface/tokenizers@0.2.0", "2800014c83b8186b2e4210c20672f1fb65a12cef85d7e95e0f2003e022611b4a",
        "Apache License 2.0 (LICENSE)", ("dist/tokenizers.min.mjs", "LICENSE"),
    ),
)  # fmt: skip


def write_page(
    classifier: Classifier, folder: str | os.PathLike, runtime: str | os.PathLike, *, title: str
) -> OnnxParts:
    """Write a classifier of sentences as a folder of static files; ``index.html`` is the page.

    Args:
        classifier: The classifier.
        folder: A new or empty folder.
        runtime: The folder with the files that ``npm pack`` wrote for ``RUNTIME``.
        title: The title of the page.

    Returns:
        The graph, and the largest difference of a probability, as ``write_onnx`` returns them.

    Raises:
        DeftxError: If a package is missing or has another hash, or as ``write_onnx``.
    """
    folder, runtime = expanded(folder), expanded(runtime)
    packages = [(package, _checked(package, runtime)) for package in RUNTIME]
    require_empty(folder, "page")
    with new_folder(folder) as fresh:
        (fresh / "runtime").mkdir()
        for package, path in packages:
            _take(package, path, fresh / "runtime")
        parts = write_onnx(classifier, fresh / "model")
        _describe(classifier, fresh, f"model/{GRAPH}", title)
        for name in ("index.html", "style.css", "page.js"):
            (fresh / name).write_bytes((ASSETS / "offline" / name).read_bytes())
        _write_worker(fresh)
    return parts


def _checked(package: Package, folder: Path) -> Path:
    path = folder / package.file
    command = f"npm pack {' '.join(one.name for one in RUNTIME)}"
    if not path.is_file():
        raise DeftxError(f"{path} is missing. Run this in {folder}: {command}")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != package.sha256:
            raise DeftxError(f"{path} is not {package.name}: its hash differs. Delete it and run: {command}")
    return path


def _take(package: Package, path: Path, folder: Path) -> None:
    with tarfile.open(path) as archive:
        for name in package.files:
            content = archive.extractfile(f"package/{name}")
            if content is None:
                raise DeftxError(f"{path} has no file {name}.")
            (folder / Path(name).name).write_bytes(content.read())
    with (folder / "licences.txt").open("a", encoding="utf-8") as file:
        file.write(f"{package.name}: {package.licence}\n")


def _describe(classifier: Classifier, folder: Path, graph: str, title: str) -> None:
    texts = (*PROBES, "word " * (classifier.max_length + 8))  # the last one is truncated
    ids = encode(classifier.base.tokenizer, texts, classifier.max_length)
    found = onnx_probabilities(folder / graph, classifier, texts)
    probes = [
        {"text": text, "ids": list(one), "probabilities": row}
        for text, one, row in zip(texts, ids, found.tolist(), strict=True)
    ]
    about = {"title": title, "labels": classifier.labels, "max_length": classifier.max_length, "graph": graph,
             "close": CLOSE, "probes": probes, "after": _tokens_after(classifier.base.tokenizer)}  # fmt: skip
    (folder / "page.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _tokens_after(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return how many special tokens come after a text; these stay when it is truncated."""
    special = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return special[::-1].index(0)


def _write_worker(folder: Path) -> None:
    files = list(_needed(folder))
    digest = hashlib.sha256()
    for name in files:
        digest.update((folder / name).read_bytes())
    worker = (ASSETS / "offline" / "offline.js").read_text(encoding="utf-8")
    filled = {"@VERSION@": digest.hexdigest()[:12], "'@FILES@'": ", ".join(map(repr, files))}
    for place, text in filled.items():
        worker = worker.replace(place, text)
    (folder / "offline.js").write_text(worker, encoding="utf-8")


def _needed(folder: Path) -> Iterator[str]:
    """Yield the files that the page reads."""
    unread = ("README.md", "config.json", "LICENSE", "licences.txt")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in unread:
            yield path.relative_to(folder).as_posix()
