"""Facts about a base from its configuration and tokenizer, without reading or downloading its weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from deftx.core.errors import BaseModelError
from deftx.models.base_files import check_files, check_sizes, quiet_transformers, refusing_base
from deftx.models.base_tokenizer import load_tokenizer
from deftx.models.bases import find_base
from deftx.models.decoders import predicts_next
from deftx.models.families import bare_classifier, longest_input
from deftx.models.other_kinds import refuse_other_kinds
from deftx.training.model_size import Model


@dataclass(frozen=True)
class BaseFacts:
    """Facts about a base that can be trained."""

    name: str
    model: Model
    tokenizer: Any
    longest: int  # longest input, in tokens
    here: bool  # whether its weights are on this machine


def read_base_facts(name: str) -> BaseFacts:
    """Return facts about a base, given a bundled name, a folder or a Hub id.

    For a Hub id, the configuration and tokenizer are downloaded.

    Raises:
        BaseModelError: If the base does not exist or is not supported.
    """
    source = find_base(name)
    is_folder = Path(source).is_dir()
    check_files(source)
    with refusing_base(name), quiet_transformers():
        config = _cached_first(partial(AutoConfig.from_pretrained, source, trust_remote_code=False), is_folder)
        refuse_other_kinds(config, name)
        check_sizes(config, name)
        tokenizer, _ = _cached_first(
            partial(load_tokenizer, source, name, config.vocab_size, decoder=predicts_next(config)), is_folder
        )
        bare = bare_classifier(config)
        model = Model.of(bare)
        longest = min(tokenizer.model_max_length, longest_input(bare) or tokenizer.model_max_length)
    return BaseFacts(name, model, tokenizer, longest, _has_weights(Path(source)) if is_folder else _is_cached(source))


def _cached_first(load: Callable[..., Any], is_folder: bool) -> Any:
    # Try local files first: without a network, the Hub's client retries for 23 seconds.
    try:
        return load(local_files_only=True)
    except (OSError, BaseModelError):
        if is_folder:
            raise
        return load()


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors")) or any(folder.glob("pytorch_model*.bin"))


def _is_cached(repository: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    files = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
