"""What a base is, told from its configuration and tokenizer alone: no weights are read, none are fetched."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from deftx.models.base_files import check_files, check_sizes, refusing_base
from deftx.models.bases import check_tokenizer, find_base, quiet_transformers
from deftx.models.batches import read_as_seen
from deftx.models.families import bare_classifier, longest_input, refuse_other_kinds
from deftx.training.estimates import Model


@dataclass(frozen=True)
class BaseFacts:
    """A base that can be trained on, as far as can be told before its weights are read."""

    name: str
    model: Model
    tokenizer: Any
    longest: int  # tokens that it reads at a time
    here: bool  # whether its weights lie on this machine


def look_at_base(name: str) -> BaseFacts:
    """Look at a bundled base, a folder or a Hub id; of the last, configuration and tokenizer are fetched.

    Raises:
        BaseModelError: it is not there, or is none that the method covers.
    """
    source = find_base(name)
    is_folder = Path(source).is_dir()
    check_files(source)
    with refusing_base(name), quiet_transformers():
        config = _cached_first(AutoConfig.from_pretrained, source, is_folder)
        refuse_other_kinds(config, name)
        check_sizes(config, name)
        tokenizer = _cached_first(AutoTokenizer.from_pretrained, source, is_folder)
        bare = bare_classifier(config)
        model = Model.of(bare)
        check_tokenizer(tokenizer, config.vocab_size, name)
        read_as_seen(tokenizer)
        longest = min(tokenizer.model_max_length, longest_input(bare) or tokenizer.model_max_length)
    return BaseFacts(name, model, tokenizer, longest, _has_weights(Path(source)) if is_folder else _is_cached(source))


def _cached_first(load: Callable[..., Any], source: str, is_folder: bool) -> Any:
    # Without a network the Hub client tries for 23 seconds before it gives up: what is here already needs none.
    try:
        return load(source, trust_remote_code=False, local_files_only=True)
    except OSError:
        if is_folder:
            raise
        return load(source, trust_remote_code=False)


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors")) or any(folder.glob("pytorch_model*.bin"))


def _is_cached(repository: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    files = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
