"""The card of a PEFT folder: how to load it, and the vectors that it consists of."""

import json
from collections.abc import Sequence

from deftx.core.names import base_name
from deftx.vectors.apply import Scaled
from deftx.vectors.card_data import metadata_of
from deftx.vectors.card_markup import CITATION, TAGS, code, front_matter


def write_peft_card(name: str, base: str, revision: str | None, vectors: Sequence[Scaled], max_length: int) -> str:
    """Return README.md for a PEFT folder. Text from vectors is escaped.

    Args:
        name: The name of the folder.
        base: Where the base is: a Hub id, or a folder relative to that in which the folder is.
        revision: The commit of a base from the Hub.
        vectors: The vectors with their strengths, the task vector first.
        max_length: The number of tokens that the classifier reads of a text.
    """
    task = vectors[0][0]
    language = next((vector.language for vector, _ in vectors[1:]), task.language)
    made_for = task.info["base"]
    entries = {
        "library_name": "peft", "pipeline_tag": "text-classification", "tags": list(TAGS),
        **metadata_of(made_for, language, None),
    }  # fmt: skip
    listed = [f"- {code(vector.name)}, strength {strength:g}" for vector, strength in vectors]
    parts = [
        front_matter(entries),
        f"# {code(name)}",
        "A text classifier as an adapter of PEFT (Super-Tuning): changed weights of linear layers as positions and values, "
        "embeddings, the head, and linear layers whose biases change as whole modules. Made with DeFT-X.",
        "## How to use it",
        f"```python\n{loading_code(name, base, revision, task.labels, max_length)}\n```",
        "## What it consists of",
        "\n".join([f"- base model: {code(base_name(made_for['name']))}", *listed]),
        "## Citation",
        CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def loading_code(name: str, base: str, revision: str | None, labels: Sequence[str], max_length: int) -> str:
    """Return lines of Python that load a PEFT folder, and classify a sentence."""
    there, base = (json.dumps(text, ensure_ascii=False) for text in (name, base))
    commit = f", revision={json.dumps(revision)}" if revision else ""
    return f"""from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

labels = {json.dumps(list(labels), ensure_ascii=False)}
base = AutoModelForSequenceClassification.from_pretrained({base}{commit}, num_labels=len(labels))
model = PeftModel.from_pretrained(base, {there}).eval()
tokenizer = AutoTokenizer.from_pretrained({there})
inputs = tokenizer(["a sentence in the language"], truncation=True, max_length={max_length}, return_tensors="pt")
print(dict(zip(labels, model(**inputs).logits.softmax(-1)[0].tolist())))"""
