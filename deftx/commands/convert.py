"""``export`` and ``import``: exchange with other tools."""

import argparse
from typing import Any

from deftx.commands import options, output
from deftx.core.errors import RecipeError
from deftx.core.files import expanded
from deftx.core.units import TEXT


def add_commands(commands: Any) -> None:
    """Add the two commands."""
    export = commands.add_parser(
        "export", help="write a composed classifier as a transformers folder, or for other tools"
    )
    export.add_argument("--out", metavar="DIR", required=True, help="folder for the classifier")
    kind = export.add_mutually_exclusive_group()
    kind.add_argument("--space", action="store_true",
                      help="write a Space instead: a folder with a page to classify texts, a card and requirements")  # fmt: skip
    kind.add_argument(
        "--peft", action="store_true", help="write an adapter of PEFT (Super-Tuning) for the base instead"
    )
    kind.add_argument("--onnx", action="store_true", help="write a graph of ONNX instead, for onnxruntime")
    kind.add_argument("--sentence-transformers", action="store_true",
                      help="write language vectors alone as an embedding model of sentence-transformers")  # fmt: skip
    export.add_argument("--int8", action="store_true", help="with --onnx: also write a graph with weights in 8 bits")
    export.add_argument("--page", action="store_true",
                        help="with --onnx: write a page that classifies in the browser, without a network (docs/onnx.md)")  # fmt: skip
    export.add_argument(
        "--runtime", metavar="DIR", help="with --page: the folder with the files of npm pack (docs/onnx.md)"
    )
    options.add_composition(export, required=False)
    options.add_json(export)
    export.set_defaults(run=run_export)
    bring = commands.add_parser("import", help="read an LT-SFT vector (pytorch_diff.bin), or an adapter of PEFT")
    bring.add_argument(
        "source", metavar="SOURCE", help="an LT-SFT folder, a folder of PEFT (Super-Tuning), or a Hub id"
    )
    bring.add_argument("--peft", action="store_true", help="SOURCE is the Hub id of an adapter of PEFT")
    bring.add_argument("--out", metavar="DIR", required=True, help="folder for the vector")
    bring.add_argument("--language", metavar="CODE", help="code of its language, stored in the vector")
    bring.add_argument("--labels", metavar="NAME", nargs="+", help="names of a task vector's labels, in order")
    options.add_base(bring)
    options.add_json(bring)
    bring.set_defaults(run=run_import)


def run_export(arguments: argparse.Namespace) -> None:
    """Compose and write the classifier."""
    if arguments.int8 and not arguments.onnx:
        raise RecipeError("--int8 is for a graph of ONNX: use it with --onnx.")
    if (arguments.page and not (arguments.onnx and arguments.runtime)) or (arguments.runtime and not arguments.page):
        raise RecipeError("A page needs a graph and what runs it: use --onnx --page --runtime DIR.")
    if arguments.page and arguments.int8:
        raise RecipeError(
            "A page has a graph in 32 bits, since 8 bits give other probabilities in a browser: omit --int8."
        )
    if arguments.sentence_transformers:
        _export_embedder(arguments)
        return
    if not arguments.task:
        raise RecipeError("A classifier needs a task vector: give it with --task.")
    if arguments.peft:
        _export_peft(arguments)
        return
    classifier, task = options.compose_from(arguments)
    if arguments.space:
        from deftx.publish.classifier_space import write_space

        title = expanded(arguments.out).resolve().name
        write_space(classifier, arguments.out, title=title, pairs=task.takes_pairs, task=task.info)
        text = f"{arguments.out}: try it with python app.py in that folder, or put it on the Hub: hf upload NAME/SPACE . --type space"
        output.result({"out": arguments.out, "labels": classifier.labels, "space": True}, arguments.json, text)
        return
    if arguments.page and (task.takes_pairs or task.unit != TEXT):
        raise RecipeError("A page classifies single sentences: this task takes pairs, tags words or answers questions.")
    if arguments.onnx:
        _export_onnx(arguments, classifier)
        return
    from deftx.publish.classifier_card import loading_code
    from deftx.publish.exporting import export_folder

    parts = options.vectors_of(arguments)
    export_folder(classifier, expanded(arguments.out), parts, arguments.merge)
    text = f"{arguments.out}: load it with transformers.{loading_code(str(arguments.out), task.unit)}"
    output.result({"out": arguments.out, "labels": classifier.labels}, arguments.json, text)


def _export_peft(arguments: argparse.Namespace) -> None:
    from deftx.publish.peft_folder import write_peft

    vectors, parameters = options.vectors_of(arguments), options.merge_parameters(arguments)
    done = write_peft(options.load_base_of(arguments), vectors, arguments.out, arguments.merge, parameters)
    lines = [
        f"{arguments.out}: README.md has the lines that load it.",
        f"{done.sparse_modules} linear layers as {done.entries:,} positions and values, and {done.padding:,} that only pad.",
        f"Whole, because Super-Tuning cannot hold their changes: {len(done.whole)} modules.",
        *(f"  {module}: {reason}" for module, reason in done.whole.items()),
        f"Size of the adapter: {done.size / 1e6:,.1f} MB.",
        *([f"The base is in {done.base}, because it is not on the Hub."] if done.base else []),
    ]
    found = {
        "out": arguments.out, "labels": vectors[0][0].labels, "sparse_modules": done.sparse_modules, "entries": done.entries,
        "padding": done.padding, "whole": done.whole, "bytes": done.size, "base": done.base and str(done.base),
    }  # fmt: skip
    output.result(found, arguments.json, "\n".join(lines))


def _export_embedder(arguments: argparse.Namespace) -> None:
    from deftx.publish.embedding_folder import write_embedder

    if arguments.task:
        raise RecipeError("An embedding model is made of language vectors alone: leave out --task.")
    vectors, parameters = options.languages_of(arguments), options.merge_parameters(arguments)
    size = write_embedder(options.load_base_of(arguments), vectors, arguments.out, arguments.merge, parameters)
    text = f"{arguments.out}: embeddings of {size} numbers; load it with sentence_transformers.SentenceTransformer"
    output.result({"out": arguments.out, "dimensions": size}, arguments.json, text)


def _export_onnx(arguments: argparse.Namespace, classifier: Any) -> None:
    from deftx.publish.offline_page import write_page
    from deftx.publish.onnx_folder import write_onnx

    if arguments.page:
        title = expanded(arguments.out).resolve().name
        done = write_page(classifier, arguments.out, arguments.runtime, title=title)
    else:
        done = write_onnx(classifier, arguments.out, int8=arguments.int8)
    how = (
        "serve the folder over HTTPS, or try it: python -m http.server"
        if arguments.page
        else "README.md has the lines that run it."
    )
    lines = [
        f"{arguments.out}: {how}",
        *(f"{name}: {size / 1e6:,.1f} MB" for name, size in done.sizes.items()),
        f"Largest difference of a probability from the classifier, on three texts: {done.difference:.1e}",
    ]
    found = {"out": arguments.out, "labels": classifier.labels, "bytes": done.sizes, "difference": done.difference}
    output.result(found, arguments.json, "\n".join(lines))


def run_import(arguments: argparse.Namespace) -> None:
    """Read the file of LT-SFT or PEFT and write it as a vector."""
    from dataclasses import replace

    from deftx.publish.peft_import import is_peft, read_peft
    from deftx.training.finish import work_folder
    from deftx.vectors.lt_sft import read_lt_sft

    from_peft = arguments.peft or is_peft(arguments.source)
    if from_peft and not arguments.labels:
        raise RecipeError(
            "An adapter of PEFT does not name its labels: give them with --labels, in the order of its head."
        )
    out, _ = work_folder(arguments.out)
    read = read_peft if from_peft else read_lt_sft
    vector = read(arguments.source, options.load_base_of(arguments), labels=arguments.labels)
    if arguments.language:
        vector = replace(vector, info={**vector.info, "language": arguments.language})
    vector.save(out)
    found = {
        "vector": str(out),
        "kind": vector.kind,
        "language": vector.language,
        "labels": vector.labels,
        "k": vector.count,
    }
    output.result(found, arguments.json, f"{out}: a {vector.kind} vector of {vector.count:,} entries.")
