"""What is not a base model: adapters, quantised models, other formats and other architectures. Messages say what to do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from safetensors import safe_open
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    PretrainedConfig,
)

from deftx.core.errors import BaseModelError, one_of
from deftx.hub.client import hub
from deftx.hub.errors import FAMILIES as HUB_ERRORS
from deftx.models.decoders import DECODERS, predicts_next
from deftx.models.eight_bits import PACKED
from deftx.models.families import FAMILIES

CONFIG = "config.json"
LARGEST_CONFIG = 2**20  # bytes of a configuration that is read for a message
_WHOLE = "Use the model itself, as transformers saves it (save_pretrained): config.json, model.safetensors and the tokenizer."
_UNQUANTISED = "Training changes weights by less than a quantised model can store. Use the model that it was made from."


@dataclass(frozen=True)
class OtherKind:
    """Something that is not a base: patterns of its files, what it is, and what to do."""

    files: tuple[str, ...]
    what: str
    advice: str


ADAPTER = OtherKind(
    ("adapter_config.json", "adapter_model.*", "pytorch_adapter.bin"),
    "an adapter, for example of PEFT (LoRA), without the weights of its model",
    "Use that model as the base, or merge the adapter into it first (merge_and_unload of peft) and save the result.",
)
# Without the weights that transformers reads, such files tell what a folder is; the first kind that fits is named.
OTHER_KINDS = (
    ADAPTER,
    OtherKind(
        ("vector.safetensors", "vector.json"), "a sparse vector of this project",
        "Use it as a language or task vector; its vector.json names its base.",
    ),
    OtherKind(
        ("pytorch_diff.bin",), "a vector in LT-SFT's format", "Import it (deftx import); it needs the base that it was made for.",
    ),
    OtherKind(("*.gguf", "ggml*"), "a quantised model in the format of llama.cpp", _UNQUANTISED),
    OtherKind(("*.onnx", "onnx/*.onnx", "openvino_model*", "*.tflite", "*.mlpackage/*"), "a model for inference only", _WHOLE),
    OtherKind(
        ("tf_model*.h5", "*.ckpt.*", "flax_model*.msgpack", "saved_model.pb", "*.keras"), "a model with weights of TensorFlow or Flax",
        "Convert it with transformers 4 (from_pretrained with from_tf=True or from_flax=True, then save_pretrained).",
    ),
    OtherKind(("model_index.json",), "a model of diffusers, which makes pictures", _WHOLE),
    OtherKind(("config.cfg", "meta.json"), "a pipeline of spaCy", _WHOLE),
    OtherKind(("optimizer.pt", "trainer_state.json"), "the state of a training run without its model", _WHOLE),
    OtherKind(("dict.txt", "*.pt", "checkpoint_best.*"), "a checkpoint of fairseq or of plain torch", _WHOLE),
    OtherKind(("*.vec", "*.ftz", "*.bin.gz", "*.kv"), "word vectors, not a model of sentences", _WHOLE),
)  # fmt: skip
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_PARTS_OF_BITS = ("I8", "U8", "F8", "I4", "U4", "F4", "F6")  # number types of quantised weights in safetensors


def refuse_other_folder(folder: Path) -> None:
    """Raise BaseModelError if a folder contains an adapter, another kind of thing without a model, or no configuration."""
    files = [
        str(file.relative_to(folder)) for pattern in ("*", "*/*") for file in folder.glob(pattern) if file.is_file()
    ]
    if kind := _kind_of(files):
        raise BaseModelError(_message(str(folder), kind, _model_of_adapter(folder)))
    if CONFIG not in files:
        inside = sorted({str(Path(file).parent) for file in files if _has([file], [f"*/{name}" for name in _WEIGHTS])})
        hint = f" Its folder {inside[0]} has a model: give {folder / inside[0]}." if inside else ""
        raise BaseModelError(f"The folder {folder} contains no base model: it has no config.json.{hint}")


def other_repository(source: str) -> str | None:
    """Return a message if a repository of the Hub contains another kind of thing; None if it does not, or does not answer."""
    try:
        files = hub().list_repo_files(source)
    except HUB_ERRORS:
        return None
    kind = _kind_of(files)
    return _message(source, kind) if kind else None


def refuse_other_kinds(config: PretrainedConfig, name: str) -> None:
    """Raise BaseModelError unless the model is an encoder or a decoder with a sequence classifier, not quantised."""
    kind = config.model_type
    needed = (
        f"The method needs an encoder that predicts masked words, such as {one_of(FAMILIES)}, or a decoder, such as "
        f"{one_of(DECODERS)}."
    )
    if config.is_encoder_decoder:
        raise BaseModelError(f"The base {name} is an encoder-decoder model ({kind}). {needed}")
    decoder = predicts_next(config)
    if not decoder and getattr(config, "is_decoder", False):
        raise BaseModelError(f"The base {name} is a decoder ({kind}) of a family of encoders. {needed}")
    if not decoder and type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
        raise BaseModelError(f"The base {name} has no masked-language model in transformers ({kind}). {needed}")
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise BaseModelError(f"The base {name} has no sequence classifier in transformers ({kind}). {needed}")
    if quantised := getattr(config, "quantization_config", None):
        settings = quantised if isinstance(quantised, dict) else quantised.to_dict()
        raise BaseModelError(
            f"The base {name} is quantised ({settings.get('quant_method') or 'unknown method'}). {_UNQUANTISED}"
        )


def refuse_quantised_weights(source: str) -> None:
    """Raise BaseModelError if a folder's weights are stored in 8 bits or fewer, which would be read as wrong numbers."""
    for file in sorted(Path(source).glob("*.safetensors")):
        if file.name == PACKED:  # this project's own format, with a scale per row
            continue
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118
                if (dtype := str(weights.get_slice(name).get_dtype())).startswith(_PARTS_OF_BITS):
                    raise BaseModelError(
                        f"The base {source} is quantised: its {name} is stored as {dtype}. {_UNQUANTISED}"
                    )


def _kind_of(files: Sequence[str]) -> OtherKind | None:
    if _has(files, ADAPTER.files):
        return ADAPTER
    if CONFIG in files and _has([file for file in files if "/" not in file], _WEIGHTS):
        return None
    return next((kind for kind in OTHER_KINDS if _has(files, kind.files)), None)


def _has(files: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(
        fnmatch(file, pattern) and file.count("/") == pattern.count("/") for file in files for pattern in patterns
    )


def _model_of_adapter(folder: Path) -> str | None:
    """Return the name of the model that an adapter was made for, if its configuration names it."""
    file = folder / "adapter_config.json"
    try:
        settings: Any = json.loads(file.read_bytes()) if file.stat().st_size < LARGEST_CONFIG else None
    except (OSError, ValueError):
        return None
    found = (
        (settings.get("base_model_name_or_path") or settings.get("model_name")) if isinstance(settings, dict) else None
    )
    return found if isinstance(found, str) else None


def _message(name: str, kind: OtherKind, model: str | None = None) -> str:
    made_for = f" It was made for {model}." if model else ""
    return f"{name} is not a base model: it is {kind.what}.{made_for} {kind.advice}"
