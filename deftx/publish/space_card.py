"""The card of a Space that runs a program with Gradio, and the versions and the hardware that it asks for."""

from collections.abc import Sequence
from typing import Any

from deftx.vectors.card_markup import front_matter

GRADIO = "6.31.0"  # a Space installs gradio in the version that its card names
PYTHON = "3.12"
TORCH = "2.11.0"  # the newest version that ZeroGPU lists
HARDWARE = "zero-a10g"  # the Hub's name of ZeroGPU


def space_metadata(title: str, program: str, description: str, tags: Sequence[str], **more: Any) -> str:
    """Return the front matter of the card.

    Args:
        title: The title of the Space.
        program: The file that starts the page.
        description: What it is, in at most 60 characters.
        tags: The tags.
        more: Further entries.
    """
    entries = {"title": title, "short_description": description, "sdk": "gradio", "sdk_version": GRADIO,
               "python_version": PYTHON, "app_file": program, "suggested_hardware": HARDWARE, "tags": list(tags)}  # fmt: skip
    return front_matter({**entries, **more})
