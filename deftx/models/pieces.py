"""Trimming of a tokenizer's vocabulary: counting pieces, choosing those to keep, and removing the others.

It works on the JSON of a `tokenizers` tokenizer. Kept pieces keep their order. A text that consists of kept pieces is
tokenised as before (docs/trimming.md explains this for each type of tokenizer).
"""

import copy
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from tokenizers import Tokenizer

from deftx.core.errors import BaseModelError

BATCH_LINES = 10_000  # lines tokenised at a time
WORD_START = "▁"  # SentencePiece's mark of the beginning of a word
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))  # pieces for characters without a piece
NEVER = -1000.0  # score of a byte: lower than that of any sequence of pieces


def count_pieces(tokenizer: Tokenizer, lines: Iterable[str]) -> Counter[int]:
    """Count how often each piece, by id, occurs in the lines, without special tokens."""
    counts: Counter[int] = Counter()
    lines = iter(lines)
    while batch := list(islice(lines, BATCH_LINES)):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            counts.update(encoding.ids)
    return counts


def choose_pieces(state: dict, counts: Counter[int], *, least: int = 2, most: int | None = None) -> list[int]:
    """Return the ids of the pieces to keep, ascending.

    Always kept: special and added tokens, single characters, bytes, for BPE the pieces that a kept piece is merged from, and
    for Unigram one piece of the lowest score, which determines the score of the unknown token.

    Args:
        state: The tokenizer's JSON.
        counts: The number of occurrences by id.
        least: Keep pieces that occur at least this often.
        most: If given, keep this many most frequent pieces instead.

    Raises:
        BaseModelError: If a trimmed tokenizer of this type would tokenise texts differently.
    """
    pieces = pieces_of(state)
    seen = counts.most_common(most) if most else ((i, n) for i, n in counts.items() if n >= least)
    kept = {i for i, _ in seen} | {token["id"] for token in state["added_tokens"]}
    kept |= {i for piece, i in pieces.items() if _always(piece, state["model"])}
    if state["model"]["type"] == "Unigram":
        kept.add(min(range(len(state["model"]["vocab"])), key=lambda i: state["model"]["vocab"][i][1]))
    if state["model"]["type"] == "BPE":
        kept = _with_parts(kept, pieces, state["model"]["merges"])
    return sorted(kept)


def pieces_of(state: dict) -> dict[str, int]:
    """Return the pieces of a tokenizer's JSON with their ids. Raise BaseModelError if its type is not supported."""
    model = state["model"]
    if model["type"] == "Unigram":
        return {piece: i for i, (piece, _) in enumerate(model["vocab"])}
    if model["type"] not in ("WordPiece", "BPE", "WordLevel"):
        raise BaseModelError(
            f"A tokenizer of the kind {model['type']} cannot be trimmed: use Unigram, WordPiece or BPE."
        )
    if model["type"] == "BPE" and (model.get("continuing_subword_prefix") or model.get("end_of_word_suffix")):
        raise BaseModelError(
            "This BPE tokenizer cannot be trimmed: it marks the beginning or end of words by a prefix or suffix, so the "
            "merges that a piece needs are unknown. Use a base with a byte-level BPE, Unigram or WordPiece tokenizer."
        )
    return dict(model["vocab"])


def trim_pieces(state: dict, kept: Sequence[int]) -> dict:
    """Return the tokenizer's JSON with only the pieces ``kept`` (ascending ids), renumbered from 0."""
    state, new = copy.deepcopy(state), {old: place for place, old in enumerate(kept)}
    model = state["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][i] for i in kept if i < len(model["vocab"])]
        model["unk_id"] = new.get(model["unk_id"])
    else:
        model["vocab"] = {piece: new[i] for piece, i in model["vocab"].items() if i in new}
    if model["type"] == "BPE":
        model["merges"] = [m for m in model["merges"] if {*_parts(m), "".join(_parts(m))} <= model["vocab"].keys()]
    for token in state["added_tokens"]:
        token["id"] = new[token["id"]]
    state["post_processor"] = _renumber(state.get("post_processor"), new)
    return state


def add_bytes(state: dict) -> dict:
    """Return the JSON of a Unigram tokenizer with 256 additional byte pieces, so that no character is unknown."""
    state = copy.deepcopy(state)
    state["model"]["vocab"] += [[byte, NEVER] for byte in BYTES]
    state["model"]["byte_fallback"] = True
    state["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, state["decoder"]]}
    return state


def read_state(tokenizer: Tokenizer) -> dict:
    """Return the JSON of a tokenizer."""
    return json.loads(tokenizer.to_str())


def _always(piece: str, model: dict) -> bool:
    if model["type"] == "WordPiece":
        piece = piece.removeprefix(model["continuing_subword_prefix"])
    elif piece in BYTES and model.get("byte_fallback"):
        return True
    return len(piece.removeprefix(WORD_START) or piece) == 1 or model.get("unk_token") == piece


def _with_parts(kept: set[int], pieces: dict[str, int], merges: list) -> set[int]:
    """Add the pieces that kept pieces are merged from."""
    before = -1
    while len(kept) > before:
        before = len(kept)
        for left, right in map(_parts, reversed(merges)):
            if pieces.get(left + right) in kept:
                kept |= {pieces[left], pieces[right]}
    return kept


def _parts(merge: Any) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _renumber(part: Any, new: dict[int, int]) -> Any:
    """Return a post-processor with the new ids of the tokens that it adds."""
    if isinstance(part, list):
        if len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], int):  # BERT's and RoBERTa's
            return [part[0], new[part[1]]]
        return [_renumber(one, new) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: [new[i] for i in one] if key == "ids" else _renumber(one, new) for key, one in part.items()}
