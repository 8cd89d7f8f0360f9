"""The tokenizer of a base: loading it with the right case and accents, and checks that it fits the model."""

import os
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.models.auto.tokenization_auto import get_tokenizer_config
from transformers.utils.hub import cached_file
from transformers.utils.import_utils import is_protobuf_available, is_sentencepiece_available

from deftx.core.errors import BaseModelError, one_of
from deftx.data.coverage import has_accents, is_cased
from deftx.models.batches import read_as_seen
from deftx.models.decoders import adapt_tokenizer

_TOKENIZER = "tokenizer.json"
# Setting of a tokenizer class for accents -> its value with which accents are dropped. A class has at most one of these.
_ACCENTS = {"strip_accents": True, "keep_accents": False}


def load_tokenizer(
    source: str, name: str | os.PathLike, size: int, *, decoder: bool = False, **options: Any
) -> tuple[Any, list[str]]:
    """Load a base's tokenizer for a model of ``size`` tokens, and return it with notes to show to users.

    Without tokenizer_config.json, transformers reads every BERT in lower case and without accents. Here, such files are
    read as their tokenizer.json or, with vocab.txt alone, as the words of their vocabulary show.

    Args:
        source: A folder or a Hub id.
        name: The base's name in messages.
        size: The number of tokens of its model.
        decoder: Whether the base is a decoder, which needs no mask token, and can do without a padding token.
        options: Further arguments of ``from_pretrained``.

    Raises:
        BaseModelError: If the tokenizer does not exist, is of no use for the method, or has more tokens than the model.
    """
    options["trust_remote_code"] = False
    tokenizer = _from_pretrained(source, name, options)
    settings, notes = _implied_settings(tokenizer, source, options)
    if settings:
        tokenizer = _from_pretrained(source, name, {**options, **settings})
    if decoder:
        adapt_tokenizer(tokenizer)
    _check_tokenizer(tokenizer, size, name, decoder)
    read_as_seen(tokenizer)
    return tokenizer, [*notes, *_start_notes(tokenizer)]


def _from_pretrained(source: str, name: str | os.PathLike, options: dict[str, Any]) -> Any:
    try:
        return AutoTokenizer.from_pretrained(source, **options)
    except (ImportError, ValueError) as error:
        # transformers takes a SentencePiece model that it cannot read for one of tiktoken.
        if "tiktoken" not in str(error):
            raise
        if not (is_sentencepiece_available() and is_protobuf_available()):
            raise BaseModelError(
                f"The tokenizer of base {name} needs the packages sentencepiece and protobuf. Install them: "
                "pip install sentencepiece protobuf"
            ) from error
        models = [file.name for file in Path(source).glob("*.model")] or ["SentencePiece model"]
        raise BaseModelError(f"The tokenizer of base {name} cannot be read: its {models[0]} is damaged.") from error


def _implied_settings(tokenizer: Any, source: str, options: dict[str, Any]) -> tuple[dict[str, bool], list[str]]:
    """Return the settings for case and accents that the files do not state, if they differ from transformers', and notes."""
    stated = get_tokenizer_config(source, **options)
    if not tokenizer.is_fast or not hasattr(tokenizer, "do_lower_case") or "do_lower_case" in stated:
        return {}, []
    file = cached_file(source, _TOKENIZER, _raise_exceptions_for_missing_entries=False, **options)
    read = _changes(tokenizer.backend_tokenizer.normalizer)
    if file is not None:
        wanted = _changes(Tokenizer.from_file(str(file)).normalizer)
    else:
        plain = not is_cased(tokenizer)
        wanted = read[0] and plain, read[1] and plain and not has_accents(tokenizer)
    if wanted == read:
        return {}, []
    lowered, stripped = wanted
    accents = {key: dropping == stripped for key, dropping in _ACCENTS.items() if hasattr(tokenizer, key)}
    return {"do_lower_case": lowered, **accents, **_stated(stated)}, [] if file is not None else [_note(lowered)]


def _changes(normalizer: Any) -> tuple[bool, bool]:
    """Return whether a normaliser lower-cases letters, and whether it drops accents."""
    if normalizer is None:
        return False, False
    return normalizer.normalize_str("A") == "a", normalizer.normalize_str("é") == "e"


def _stated(config: dict[str, Any]) -> dict[str, bool]:
    return {key: config[key] for key in _ACCENTS if isinstance(config.get(key), bool)}


def _note(lowered: bool) -> str:
    read = "in lower case, with accents" if lowered else "with upper case and accents"
    return (
        "The files of this base do not say whether its tokenizer keeps upper case and accents. Its vocabulary has words "
        f"{'with accents' if lowered else 'in upper case'}, so text is read {read}."
    )


def _start_notes(tokenizer: Any) -> list[str]:
    """Return a note if texts do not get the tokenizer's start token, as from some conversions of SentencePiece models."""
    start = tokenizer.cls_token_id
    if start is None or start in tokenizer("a")["input_ids"]:
        return []
    return [
        f"The tokenizer of this base puts no {tokenizer.cls_token} before a text, with which the base was probably trained. "
        "Add the tokenizer.json of its authors to the folder."
    ]


def _check_tokenizer(tokenizer: PreTrainedTokenizerBase, size: int, name: str | os.PathLike, decoder: bool) -> None:
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):  # transformers' result if the file is missing
        files = dict.fromkeys([_TOKENIZER, *tokenizer.vocab_files_names.values()])
        raise BaseModelError(f"The base {name} has no tokenizer: the folder needs its {one_of(files)}.")
    if decoder and tokenizer.pad_token_id is None:
        raise BaseModelError(f"The tokenizer of base {name} has no padding or end token; choose another base.")
    if not decoder and (tokenizer.mask_token_id is None or tokenizer.pad_token_id is None):
        raise BaseModelError(f"The tokenizer of base {name} has no mask or padding token; choose another base.")
    if len(tokenizer) > size:
        raise BaseModelError(f"The tokenizer of base {name} has {len(tokenizer):,} tokens, its model only {size:,}.")
