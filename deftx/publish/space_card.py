"""What all Spaces of this project share: the version of Gradio, and how the settings of a card are written."""

import json
from collections.abc import Mapping
from typing import Any

GRADIO = "6.31.0"  # a Space installs gradio in the version that its card names
PYTHON = "3.12"


def front_matter(entries: Mapping[str, Any]) -> str:
    """Return the settings at the beginning of a card, with the lines around them."""
    # JSON is valid YAML, and its strings are safely escaped.
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in entries.items())
    return f"---\n{lines}\n---\n"
