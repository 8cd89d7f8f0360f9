"""A composed classifier as a Space: a folder with a page, a card and requirements, which does not need deftx.

The folder is a Hugging Face Space (``sdk: gradio``); on any other machine, ``python app.py`` opens the same page.
"""

import json
import os
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from deftx.classify.classifier import Classifier, refuse_own_class, refuse_unless_texts
from deftx.core.assets import ASSETS
from deftx.core.files import new_folder, require_empty
from deftx.models.batches import Text
from deftx.publish.classifier_card import loading_code
from deftx.publish.own_vectors import safe_name
from deftx.publish.space_card import GRADIO, TORCH, space_metadata
from deftx.vectors.card import CITATION, LANGUAGE_CODE, LICENSE, TAGS, code

# The program of the page, and its texts in the languages of the page.
PAGE = (ASSETS / "space" / "app.py", ASSETS / "space" / "texts.json")
NEEDED = ("transformers", "safetensors")  # pinned to the versions that wrote the classifier
FIELDS = {False: ["text"], True: ["premise", "hypothesis"]}


def write_space(
    classifier: Classifier, folder: str | os.PathLike, *, title: str, pairs: bool = False, language: str = "",
    license_id: str = "", examples: Sequence[Text] = (),
) -> Path:  # fmt: skip
    """Write the Space into ``folder`` and return it.

    Args:
        classifier: The classifier.
        folder: A new or empty folder.
        title: The title of the page.
        pairs: Whether the task classifies pairs of texts.
        language: The code of its language, for the card.
        license_id: Its licence as the Hub writes it, for the card.
        examples: Texts to click on.

    Raises:
        DeftxError: If the folder is not empty, the classifier tags words, or transformers lacks its class. Nothing is overwritten.
    """
    refuse_unless_texts(classifier, "a Space of this kind")
    refuse_own_class(classifier, "a Space of this kind")
    folder = Path(folder).expanduser()
    require_empty(folder, "Space")
    with new_folder(folder) as fresh:
        _fill(classifier, fresh, safe_name(title), FIELDS[pairs], language, license_id, examples)
    return folder


def requirements() -> str:
    """Return requirements.txt. The package ``spaces`` is not in it: only ZeroGPU needs it, and installs it."""
    pins = {"gradio": GRADIO, "torch": TORCH, **{name: version(name).partition("+")[0] for name in NEEDED}}
    return "".join(f"{name}=={number}\n" for name, number in pins.items())


def _fill(
    classifier: Classifier, folder: Path, title: str, inputs: list[str], language: str, license_id: str,
    examples: Sequence[Text],
) -> None:  # fmt: skip
    classifier.save_pretrained(folder / "model")
    for file in PAGE:
        shutil.copyfile(file, folder / file.name)
    # User input is data that the page reads, not part of its code.
    rows = [[text] if isinstance(text, str) else list(text) for text in examples]
    about = {"title": title, "inputs": inputs, "examples": [row for row in rows if len(row) == len(inputs)]}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(), encoding="utf-8")
    card = _card(title, classifier.labels, language, license_id)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _card(title: str, labels: list[str], language: str, license_id: str) -> str:
    tags = [*TAGS, f"language:{language}"] if LANGUAGE_CODE.fullmatch(language) else TAGS
    more = {"license": license_id} if LICENSE.fullmatch(license_id) else {}
    metadata = space_metadata(title, "app.py", "A text classifier made with DeFT-X", tags, **more)
    return f"""{metadata}

# {title}

A text classifier for a language without labelled text, composed of a task vector and a language vector (DeFT-X). Its labels:
{", ".join(map(code, labels))}. To measure how well it works, labelled text in the language is needed.

Locally: `pip install -r requirements.txt`, then `python app.py`. On the Hub: `hf upload NAME/SPACE . --type space`.
From a program, with the address of either: `gradio_client.Client(ADDRESS).predict("a text", api_name="/classify")`.
`model` is a plain transformers folder: `transformers.{loading_code("model")}`.

{CITATION}
"""
