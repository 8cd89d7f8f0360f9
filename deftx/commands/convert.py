"""``export`` and ``import``: exchange with other tools."""

import argparse
from pathlib import Path
from typing import Any

from deftx.commands import options, output


def add_commands(commands: Any) -> None:
    """Add the two commands."""
    export = commands.add_parser("export", help="write a composed classifier as a transformers folder")
    export.add_argument("--out", metavar="DIR", required=True, help="folder for the classifier")
    export.add_argument("--space", action="store_true",
                        help="write a Space instead: a folder with a page to classify texts, a card and requirements")  # fmt: skip
    options.add_composition(export)
    options.add_json(export)
    export.set_defaults(run=run_export)
    bring = commands.add_parser("import", help="read an LT-SFT vector (pytorch_diff.bin)")
    bring.add_argument("source", metavar="SOURCE", help="an LT-SFT folder or Hub id")
    bring.add_argument("--out", metavar="DIR", required=True, help="folder for the vector")
    bring.add_argument("--language", metavar="CODE", help="code of its language, stored in the vector")
    bring.add_argument("--labels", metavar="NAME", nargs="+", help="names of a task vector's labels, in order")
    options.add_base(bring)
    options.add_json(bring)
    bring.set_defaults(run=run_import)


def run_export(arguments: argparse.Namespace) -> None:
    """Compose and write the classifier."""
    classifier, task = options.compose_from(arguments)
    if arguments.space:
        from deftx.publish.classifier_space import write_space

        title = Path(arguments.out).expanduser().resolve().name
        write_space(classifier, arguments.out, title=title, pairs=task.takes_pairs)
        text = f"{arguments.out}: try it with python app.py in that folder, or put it on the Hub: hf upload NAME/SPACE . --type space"
        output.result({"out": arguments.out, "labels": classifier.labels, "space": True}, arguments.json, text)
        return
    from deftx.publish.classifier_card import loading_code
    from deftx.publish.exporting import export_folder
    from deftx.vectors.vector import SparseVector

    named = options.with_strengths(arguments.language, arguments.strength_language)
    languages = [(SparseVector.load(language), strength) for language, strength in named]
    parts = [(task, arguments.strength_task), *languages]
    export_folder(classifier, Path(arguments.out).expanduser(), parts, arguments.merge)
    text = f"{arguments.out}: load it with transformers.{loading_code(str(arguments.out), task.tags_words)}"
    output.result({"out": arguments.out, "labels": classifier.labels}, arguments.json, text)


def run_import(arguments: argparse.Namespace) -> None:
    """Read an LT-SFT file and write it as a vector."""
    from dataclasses import replace

    from deftx.training.finish import work_folder
    from deftx.vectors.lt_sft import read_lt_sft

    out, _ = work_folder(arguments.out)
    vector = read_lt_sft(arguments.source, options.load_base_of(arguments), labels=arguments.labels)
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
