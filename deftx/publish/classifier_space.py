"""A composed classifier as a Space: a folder with a page, a card and requirements, which does not need deftx.

The folder is a Hugging Face Space (``sdk: gradio``); on any other machine, ``python app.py`` opens the same page.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deftx.classify.classifier import Classifier, refuse_own_class, refuse_unless_texts
from deftx.core.assets import ASSETS
from deftx.core.files import expanded, new_folder, require_empty
from deftx.models.batches import Text
from deftx.publish.classifier_card import loading_code
from deftx.publish.own_vectors import safe_name
from deftx.publish.score_words import known_score, languages_in_words
from deftx.publish.space_card import GRADIO, TORCH, space_metadata
from deftx.publish.spoken import SPOKEN, texts_in
from deftx.vectors.card_data import LANGUAGE_CODE, checked_license
from deftx.vectors.card_markup import CITATION, TAGS, code

# The program of the page, and its texts in the languages of the page.
PROGRAM, TEXTS = ASSETS / "space" / "app.py", ASSETS / "space" / "texts.json"
NEEDED = ("transformers", "safetensors")  # pinned to the versions that wrote the classifier
FIELDS = {False: ["text"], True: ["premise", "hypothesis"]}


def write_space(
    classifier: Classifier, folder: str | os.PathLike, *, title: str, pairs: bool = False,
    task: Mapping[str, Any] | None = None, license_id: str = "", examples: Sequence[Text] = (),
) -> Path:  # fmt: skip
    """Write the Space into ``folder`` and return it.

    Args:
        classifier: The classifier.
        folder: A new or empty folder.
        title: The title of the page.
        pairs: Whether the task classifies pairs of texts.
        task: The content of the task vector's vector.json, whose score the page and the card state.
        license_id: Its licence as the Hub writes it, for the card.
        examples: Texts to click on.

    Raises:
        DeftxError: If the folder is not empty, the classifier does not classify texts, transformers lacks its class, or the
            licence is no id of the Hub. Nothing is overwritten.
    """
    refuse_unless_texts(classifier, "a Space of this kind")
    refuse_own_class(classifier, "a Space of this kind")
    folder = expanded(folder)
    require_empty(folder, "Space")
    licence = checked_license(license_id)
    with new_folder(folder) as fresh:
        _fill(classifier, fresh, safe_name(title), FIELDS[pairs], task or {}, licence, examples)
    return folder


def requirements() -> str:
    """Return requirements.txt. The package ``spaces`` is not in it: only ZeroGPU needs it, and installs it."""
    pins = {"gradio": GRADIO, "torch": TORCH, **{name: version(name).partition("+")[0] for name in NEEDED}}
    return "".join(f"{name}=={number}\n" for name, number in pins.items())


def _fill(
    classifier: Classifier, folder: Path, title: str, inputs: list[str], task: Mapping[str, Any], license_id: str | None,
    examples: Sequence[Text],
) -> None:  # fmt: skip
    classifier.save_pretrained(folder / "model")
    shutil.copyfile(PROGRAM, folder / PROGRAM.name)
    known = {language: " ".join(about_classifier(classifier, task, language)) for language in SPOKEN}
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    said = {language: {**own, "intro": f"{own['intro']}\n\n{known[language]}"} for language, own in texts.items()}
    (folder / TEXTS.name).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    # User input is data that the page reads, not part of its code.
    rows = [[text] if isinstance(text, str) else list(text) for text in examples]
    about = {"title": title, "inputs": inputs, "examples": [row for row in rows if len(row) == len(inputs)]}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(), encoding="utf-8")
    card = _card(title, classifier, known["en"], license_id)
    (folder / "README.md").write_text(card, encoding="utf-8")


def about_classifier(classifier: Classifier, task: Mapping[str, Any], language: str = "en") -> tuple[str, ...]:
    """Return which languages a classifier is for, and what is known of how many of its answers are right, for Markdown.

    Args:
        classifier: The classifier.
        task: The content of the task vector's vector.json.
        language: One of ``deftx.publish.spoken.SPOKEN``.

    Raises:
        RecipeError: If the language is unknown.
    """
    texts, named = texts_in(language), languages_in_words(classifier.languages, language)
    languages, score = ", ".join(named) or texts["NOT_STATED"], known_score(task, language)
    sentences = [texts["IN_LANGUAGES"].format(languages=languages), *(score or (texts["SCORE_UNKNOWN"],))]
    if score and named and set(classifier.languages) != {task.get("language")}:
        sentences.append(texts["NOT_MEASURED_IN"].format(languages=languages))
    return tuple(sentences)


def _card(title: str, classifier: Classifier, about: str, license_id: str | None) -> str:
    tags = [*TAGS, *(f"language:{one}" for one in classifier.languages if LANGUAGE_CODE.fullmatch(one))]
    more = {"license": license_id} if license_id else {}
    metadata = space_metadata(title, "app.py", "A text classifier made with DeFT-X", tags, **more)
    return f"""{metadata}

# {title}

A text classifier for a language without labelled text, composed of a task vector and a language vector (DeFT-X). Its labels:
{", ".join(map(code, classifier.labels))}.

{about}

Locally: `pip install -r requirements.txt`, then `python app.py`. On the Hub: `hf upload NAME/SPACE . --type space`.
From a program, with the address of either: `gradio_client.Client(ADDRESS).predict("a text", api_name="/classify")`.
`model` is a plain transformers folder: `transformers.{loading_code("model")}`.

{CITATION}
"""
