"""Similarity of a text to known languages by the hidden states of the bundled base.

A language is the mean of the hidden states of one layer over the tokens of some lines. The means are centred over the known languages,
because most of a mean is common to all of them, and compared by cosine. ``scripts/language_states.py`` makes the table of the known
languages, which holds one mean vector for each and no text; ``docs/advice.md`` says how well relatives are found.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from deftx.core.assets import ASSETS
from deftx.core.errors import CorpusError
from deftx.core.events import Listener, ignore
from deftx.core.files import write_bytes
from deftx.data.nearest import spread
from deftx.data.sequences import special_ids
from deftx.models.bases import Base
from deftx.models.batches import by_length, encode, pad, pad_id

FILE = ASSETS / "language_states.safetensors"
LINES = 60  # lines of a text that are read, spread evenly over it
LONGEST = 64  # tokens of a line


def states_of(base: Base, lines: Sequence[str]) -> np.ndarray:
    """Return the mean hidden states of each line at each layer, the embeddings first: (lines, layers + 1, width) float32.

    Args:
        base: The base; tokens are those of the text, without the special ones.
        lines: The lines; of a long one, the first LONGEST tokens are read.
    """
    length = base.fitting_length(LONGEST, Listener(ignore, lambda: False))
    encoded = encode(base.tokenizer, list(lines), length)
    special = torch.tensor(special_ids(base.tokenizer), device=base.device)
    config = base.model.config
    found = np.zeros((len(lines), config.num_hidden_layers + 1, config.hidden_size), np.float32)
    for places in by_length(encoded):
        batch = pad([encoded[place] for place in places], pad_id(base.tokenizer), base.device)
        found[places] = _means(base, batch, ~torch.isin(batch["input_ids"], special))
    return found


@torch.no_grad()
def _means(base: Base, batch: Mapping[str, torch.Tensor], counted: torch.Tensor) -> np.ndarray:
    hidden = base.model.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True
    ).hidden_states
    weights = counted / counted.sum(1, keepdim=True).clamp(min=1)
    return torch.stack([(layer * weights[:, :, None]).sum(1) for layer in hidden], 1).float().cpu().numpy()


def similarities(base: Base, lines: Sequence[str]) -> dict[str, float]:
    """Return the similarity of a text to each known language by code, from −1 to 1; empty unless the base is the bundled one.

    Args:
        base: The base.
        lines: The lines of the text, of which LINES are read.

    Raises:
        CorpusError: If the table that comes with the package cannot be read.
    """
    known, fingerprint, layer = _bundled()
    if fingerprint != base.fingerprint:
        return {}
    return compare(states_of(base, spread(lines, LINES))[:, layer].mean(0), known)


def compare(state: np.ndarray, known: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the cosine of a text's mean state (width,) with that of each language, all less the mean of the languages."""
    centre = np.mean(list(known.values()), axis=0)
    own = state - centre
    return {code: _cosine(own, one - centre) for code, one in known.items()}


def save_states(known: Mapping[str, np.ndarray], fingerprint: str, layer: int, path: Path) -> None:
    """Write the mean state of each language in float16, with the fingerprint of the base and the number of the layer."""
    codes = sorted(known)
    table = np.stack([known[code] for code in codes]).astype(np.float16)
    notes = {"fingerprint": fingerprint, "codes": json.dumps(codes), "layer": str(layer)}
    write_bytes(path, save({"states": table}, metadata=notes))


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))


@cache
def _bundled() -> tuple[dict[str, np.ndarray], str, int]:
    try:
        with safe_open(FILE, framework="numpy") as file:
            notes: dict[str, Any] = file.metadata()
            table = file.get_tensor("states").astype(np.float32)
        return dict(zip(json.loads(notes["codes"]), table, strict=True)), notes["fingerprint"], int(notes["layer"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as problem:
        raise CorpusError(f"{FILE.name}, which comes with deftx, cannot be read: {problem}.") from None
