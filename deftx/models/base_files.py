"""What is looked at before a base of unknown origin is loaded: the files of its folder, and the sizes that it claims."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers import PretrainedConfig

from deftx.core.errors import BaseModelError, DeftxError, one_of

LARGEST_JSON = 2**27  # bytes: tokenizers of 250,000 words take some 20 MB
MOST_LAYERS, LARGEST_SIZE = 1_000, 2**31  # of a model, and of anything that its configuration counts
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@contextmanager
def refusing_base(name: str | os.PathLike) -> Iterator[None]:
    """Turn whatever a library raises while it loads a base into a BaseModelError: they raise errors of every family."""
    try:
        yield
    except DeftxError:
        raise
    except Exception as error:
        raise BaseModelError(_describe(name, error)) from error


def check_files(source: str) -> None:
    """Refuse a folder with a pipe or a device in it, which never ends, or with a JSON file that would fill the memory.

    Raises:
        BaseModelError: it has one; a name on the Hub is left to the Hub's client.
    """
    folder = Path(source)
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.is_file() and not path.is_dir():
            raise BaseModelError(f"The base {source} cannot be loaded: its {path.name} is not a regular file.")
        if path.suffix == ".json" and path.stat().st_size > LARGEST_JSON:
            raise BaseModelError(f"The base {source} cannot be loaded: its {path.name} is too large.")


def check_sizes(config: PretrainedConfig, name: str) -> None:
    """Refuse a configuration of sizes that no encoder has: to build it would take the memory, or days."""
    sizes = {key: value for key, value in config.to_dict().items() if isinstance(value, int)}
    for key, value in sizes.items():
        if abs(value) >= (MOST_LAYERS if "layers" in key else LARGEST_SIZE):
            raise BaseModelError(
                f"The base {name} cannot be loaded: its {key} of {value:,} is beyond any that is known."
            )


def check_weights(source: str, weights: int) -> None:
    """Refuse a folder whose model of so many ``weights`` has not a byte on the disk for each."""
    files = [file for pattern in WEIGHTS for file in Path(source).glob(pattern)] if Path(source).is_dir() else []
    there = sum(file.stat().st_size for file in files)
    if files and weights > there:
        raise BaseModelError(
            f"The base {source} cannot be loaded: by its configuration it has {weights:,} weights, but its files hold "
            f"{there:,} bytes."
        )


def _describe(name: str | os.PathLike, error: Exception) -> str:
    """Say in one sentence why a base could not be loaded, and what a base is."""
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    reason = re.sub(r"<class '([\w.]+)'>", r"\1", first_line)
    advice = one_of(["a bundled name", "a folder with config.json, model.safetensors and tokenizer.json", "a Hub id"])
    return f"The base {name} cannot be loaded: {reason} A base is {advice}."
