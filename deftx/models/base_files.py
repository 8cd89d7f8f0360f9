"""Before an untrusted base model is loaded: checks of its files and sizes, and what holds while it is loaded."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import transformers
from transformers import PretrainedConfig

from deftx.core.errors import BaseModelError, DeftxError, one_of
from deftx.models.other_kinds import other_repository, refuse_quantised_weights

LARGEST_JSON = 2**27  # bytes: a tokenizer of 250,000 tokens has about 20 MB
READ_WHOLE = (".json", ".txt", ".model")  # files that are read into memory: configurations and vocabularies
MOST_LAYERS, LARGEST_SIZE = 1_000, 2**31  # limits on the number of layers and on any other number in the configuration
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@contextmanager
def refusing_base(name: str | os.PathLike) -> Iterator[None]:
    """Convert any exception raised while loading a base to a BaseModelError, since libraries raise many kinds."""
    try:
        yield
    except DeftxError:
        raise
    except Exception as error:
        raise BaseModelError(_describe(name, error)) from error


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Suppress transformers' load reports and progress bars."""
    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(level)


def check_files(source: str) -> None:
    """Check that a folder has no pipes or devices, which could block, and no vocabulary that fills the memory.

    Hub ids are not checked.

    Raises:
        BaseModelError: If the folder has such a file.
    """
    folder = Path(source)
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.is_file() and not path.is_dir():
            raise BaseModelError(f"The base {source} cannot be loaded: its {path.name} is not a regular file.")
        if path.suffix in READ_WHOLE and path.stat().st_size > LARGEST_JSON:
            raise BaseModelError(f"The base {source} cannot be loaded: its {path.name} is too large.")


def check_sizes(config: PretrainedConfig, name: str) -> None:
    """Raise BaseModelError for sizes that no encoder has, since building the model could fill the memory or take days."""
    sizes = {key: value for key, value in config.to_dict().items() if isinstance(value, int)}
    for key, value in sizes.items():
        if abs(value) >= (MOST_LAYERS if "layers" in key else LARGEST_SIZE):
            raise BaseModelError(f"The base {name} cannot be loaded: its {key} of {value:,} is too large.")


def check_weights(source: str, weights: int) -> None:
    """Raise BaseModelError if the weight files have less than one byte per weight, ``weights`` being their number.

    It is also raised if the weights are quantised.
    """
    refuse_quantised_weights(source)
    files = [file for pattern in WEIGHTS for file in Path(source).glob(pattern)] if Path(source).is_dir() else []
    size = sum(file.stat().st_size for file in files)
    if files and weights > size:
        raise BaseModelError(
            f"The base {source} cannot be loaded: its configuration has {weights:,} weights, but its files have only "
            f"{size:,} bytes."
        )


def _describe(name: str | os.PathLike, error: Exception) -> str:
    """Return a message on why a base could not be loaded, and what a base is."""
    if HUB_ID.fullmatch(str(name)) and not Path(name).is_dir() and (other := other_repository(str(name))):
        return other
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    reason = re.sub(r"<class '([\w.]+)'>", r"\1", first_line)
    advice = one_of(["a bundled name", "a folder with config.json, model.safetensors and tokenizer.json", "a Hub id"])
    return f"The base {name} cannot be loaded: {reason} A base is {advice}."
