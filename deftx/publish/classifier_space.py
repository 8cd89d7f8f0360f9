"""A composed classifier as a Space of its own: a folder with a page, a card and what it needs, and nothing of deftx.

The folder is what a Hugging Face Space (``sdk: gradio``) holds; anywhere else ``python app.py`` opens the same page.
"""

import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from deftx.classify.composition import Classifier
from deftx.core.assets import ASSETS
from deftx.core.files import new_folder, require_empty
from deftx.publish.own_vectors import safe_name
from deftx.vectors.card import CITATION, LANGUAGE_CODE, LICENSE, TAGS, code

APP = ASSETS / "space" / "app.py"
GRADIO = "6.31.0"  # a Space installs the page's own library itself, in the version that its card names
PYTHON = "3.12"
NEEDED = ("torch", "transformers", "safetensors")  # in the versions with which the classifier was written
FIELDS = {False: ["Text"], True: ["Premise", "Hypothesis"]}


def write_space(
    classifier: Classifier, folder: str | os.PathLike, *, title: str, pairs: bool = False, language: str = "",
    license_id: str = "",
) -> Path:  # fmt: skip
    """Write the Space into ``folder`` and return it; ``pairs`` says whether the task takes two texts at a time.

    Raises:
        DeftxError: the folder is not empty; nothing is overwritten.
    """
    folder = Path(folder).expanduser()
    require_empty(folder, "Space")
    with new_folder(folder) as fresh:
        _fill(classifier, fresh, safe_name(title), FIELDS[pairs], language, license_id)
    return folder


def requirements() -> str:
    """Return requirements.txt: every version is the one with which the classifier was written."""
    pins = {"gradio": GRADIO, **{name: version(name).partition("+")[0] for name in NEEDED}}
    return "".join(f"{name}=={number}\n" for name, number in pins.items())


def _fill(classifier: Classifier, folder: Path, title: str, inputs: list[str], language: str, license_id: str) -> None:
    classifier.save_pretrained(folder / "model")
    shutil.copyfile(APP, folder / "app.py")
    # What people typed is data that the page reads, never a part of its program.
    about = {"title": title, "inputs": inputs}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(), encoding="utf-8")
    card = _card(title, classifier.labels, language, license_id)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _card(title: str, labels: list[str], language: str, license_id: str) -> str:
    entries = {"title": title, "sdk": "gradio", "sdk_version": GRADIO, "python_version": PYTHON, "app_file": "app.py",
               "short_description": "A text classifier made with DeFT-X", "tags": list(TAGS)}  # fmt: skip
    if LICENSE.fullmatch(license_id):
        entries["license"] = license_id
    if LANGUAGE_CODE.fullmatch(language):
        entries["tags"] = [*TAGS, f"language:{language}"]
    # JSON is YAML, and in its strings nothing but JSON has a meaning.
    front = "\n".join(f"{key}: {json.dumps(value)}" for key, value in entries.items())
    return f"""---
{front}
---

# {title}

A text classifier for a language without labelled text, composed of a task vector and a language vector (DeFT-X). Its labels:
{", ".join(map(code, labels))}. How well it works is told by labelled text in the language alone.

Here: `pip install -r requirements.txt`, then `python app.py`. On the Hub: `hf upload NAME/SPACE . --type space`.
From a program, with the address of either: `gradio_client.Client(ADDRESS).predict("a text", api_name="/classify")`.
`model` is a plain transformers folder: `transformers.pipeline("text-classification", "model", truncation=True)`.

{CITATION}
"""
