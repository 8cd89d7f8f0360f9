"""Base models: finding and loading them, and the models that training starts from."""

import copy
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from torch import nn
from transformers import AutoConfig, PreTrainedModel

from deftx.core.assets import ASSETS
from deftx.core.errors import BaseModelError, unknown_name
from deftx.core.events import Event, Listener
from deftx.core.files import expanded
from deftx.core.sampling import seeded
from deftx.core.units import TEXT
from deftx.hub.pull import cached_commit
from deftx.models.base_files import check_files, check_sizes, check_weights, quiet_transformers, refusing_base
from deftx.models.base_tokenizer import load_tokenizer
from deftx.models.batches import pad_id
from deftx.models.decoders import predicts_next
from deftx.models.families import (
    LANGUAGE_HEAD,
    bare_classifier,
    freeze_output,
    language_head,
    load_language_model,
    longest_input,
    new_classifier,
    output_matrix,
    reads_token_types,
    word_embeddings,
)
from deftx.models.head_trial import find_head
from deftx.models.other_kinds import refuse_other_folder, refuse_other_kinds
from deftx.models.parameters import encoder_parameters, freeze_norms, sparse_trainable
from deftx.models.short_names import SHORT_NAMES, similar_names
from deftx.models.trim_note import TrimNote, read_note

BUNDLED_BASE = "nusantara-e5"
HUB_ADDRESS = "https://huggingface.co/"


@dataclass
class Base:
    """A pretrained encoder or decoder θ0 with its language-model head and tokenizer. Its weights are never modified."""

    name: str  # as given to load_base; for a short name of the Hub, its repository
    revision: str | None  # the commit, if it comes from the Hub
    model: PreTrainedModel  # the language model, masked or causal, float32, word embeddings tied
    tokenizer: transformers.PreTrainedTokenizerBase
    notes: list[str] = field(default_factory=list)  # remarks to show to users
    trimmed: TrimNote | None = None  # the note of a trimmed base, if its weights have not been changed since
    _fingerprint: str | None = field(default=None, init=False, repr=False)
    # By number of labels, and by what they are about.
    _classifiers: dict[tuple, PreTrainedModel] = field(default_factory=dict, init=False, repr=False)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.model.parameters()).device

    @property
    def predicts_next(self) -> bool:
        """Whether it is a decoder, which predicts the next token, and not an encoder, which predicts masked ones."""
        return predicts_next(self.model.config)

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return the sparse-trainable parameters M by name, with values θ0. They share the base's memory."""
        return sparse_trainable(self.model)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, shapes and float32 values of the encoder; equal for language model and classifier."""
        self._fingerprint = self._fingerprint or self._digest()
        return self._fingerprint

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(encoder_parameters(self.model).items()):
            digest.update(f"{name}:{tuple(tensor.shape)};".encode())
            digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy().data)
        return digest.hexdigest()

    def fitting_length(self, wanted: int, listener: Listener, setting: str = "max_length") -> int:
        """Return ``wanted``, or the longest input of the base if that is shorter, with a warning to the listener.

        Args:
            wanted: A number of tokens, special ones included.
            listener: Receives the warning.
            setting: The setting of the recipe that the number comes from, for the warning.
        """
        longest = min(self.tokenizer.model_max_length, longest_input(self.model) or wanted)
        if wanted > longest:
            message = f"This base reads at most {longest} tokens at a time; {setting} {wanted} is cut to that."
            listener.on_event(Event("tokenise", message=message, warning=True))
        return min(wanted, longest)

    def language_model(self) -> PreTrainedModel:
        """Return a trainable copy whose output embedding is frozen at θ0 and untied from the word embeddings.

        Word embeddings are then trained only as inputs (LT-SFT's ``--freeze_decoder``). The frozen output matrix shares
        the base's memory.
        """
        model = copy.deepcopy(self.model)
        model.config.tie_word_embeddings = False
        freeze_output(model, output_matrix(self.model, language_head(self.model)).detach())
        return freeze_norms(model)

    def classifier(self, labels: list[str], seed: int, *, unit: str = TEXT) -> PreTrainedModel:
        """Return a trainable classifier on a copy of θ0.

        Args:
            labels: The names of the classes, in the order of the head's outputs.
            seed: Seed of the head's random weights.
            unit: What it answers about: one of UNITS.
        """
        config = copy.deepcopy(self.model.config)
        config.update(_named(labels))
        if unit == TEXT:
            config.problem_type = "single_label_classification"
        with seeded(seed):
            model = new_classifier(config, unit)
        own = dict(model.named_parameters())
        with torch.no_grad():
            for name, value in encoder_parameters(self.model).items():
                own[name].copy_(value)
        # A decorator of transformers hides the parameters of "to".
        return freeze_norms(model.to(self.device))  # pyright: ignore[reportArgumentType]

    def classifier_without_head(self, labels: list[str], *, unit: str = TEXT) -> PreTrainedModel:
        """Return a classifier on a copy of θ0 whose head must be overwritten by the caller.

        A copy of a cached one, which shares memory with θ0, is made four times as fast as weights are initialised at random.

        Args:
            labels: The names of the classes, in the order of the head's outputs.
            unit: What it answers about: one of UNITS.
        """
        kind = (len(labels), unit)
        if kind not in self._classifiers:
            first = self.classifier(labels, seed=0, unit=unit)
            own = dict(first.named_parameters())
            for name, value in encoder_parameters(self.model).items():
                own[name].data = value.data
            self._classifiers[kind] = first
        model = copy.deepcopy(self._classifiers[kind])
        model.config.update(_named(labels))
        return model


def _named(labels: list[str]) -> dict[str, dict]:
    return {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}


def load_base(name_or_path: str | os.PathLike, *, device: str | torch.device | None = None) -> Base:
    """Load a base model in float32.

    Args:
        name_or_path: The name of a bundled base, a local folder, or a Hub id.
        device: The device to load it to; the CPU by default.

    Returns:
        The base in evaluation mode.

    Raises:
        BaseModelError: If it does not exist, cannot be read, or its architecture is not supported.
    """
    source = find_base(name_or_path)
    check_files(source)
    with refusing_base(name_or_path), quiet_transformers():
        # Without trust_remote_code=False, transformers would ask in the terminal whether to run the base's own code.
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        refuse_other_kinds(config, str(name_or_path))
        check_sizes(config, str(name_or_path))
        check_weights(source, sum(p.numel() for p in bare_classifier(config).parameters()))
        decoder = predicts_next(config)
        tokenizer, notes = load_tokenizer(source, name_or_path, config.vocab_size, decoder=decoder)
        if decoder:  # classifiers look for the last token that is not padding; nothing is generated
            config.update({"pad_token_id": pad_id(tokenizer), "use_cache": False})
        model, lost = load_language_model(source, config)
        if missing := [name for name in lost if name in encoder_parameters(model)]:
            raise BaseModelError(
                f"The weights of base {name_or_path} lack {missing[0]} and {len(missing) - 1} other parameters."
            )
        _check_classifier(model, name_or_path)
        setattr(model, LANGUAGE_HEAD, find_head(model, str(name_or_path)))
        if not reads_token_types(model):
            names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
            tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = names
    model.to(device or "cpu")  # pyright: ignore[reportArgumentType] (a decorator of transformers hides the parameters)
    name, commit = (str(name_or_path), None) if Path(source).is_dir() else (source, cached_commit(source))
    base = Base(name, commit, model, tokenizer, notes)
    if lost:
        _start_head(base, lost)
    if Path(source).is_dir() and (note := read_note(source)) and note.fingerprint == base.fingerprint:
        base.trimmed = note
    return base


@torch.no_grad()
def _start_head(base: Base, lost: list[str]) -> None:
    """Add a note that the head is (partly) untrained. Initialise a missing output matrix with the word embeddings."""
    base.notes.append("This base has no trained language-model head: language training starts with a random head.")
    output = output_matrix(base.model, language_head(base.model))
    words = word_embeddings(base.model)
    if any(base.model.get_parameter(name) is output for name in lost):
        if output.shape != words.shape:
            raise BaseModelError(
                f"The base {base.name} cannot be used: its output embedding is missing, and its word embeddings, "
                f"{tuple(words.shape)}, do not have its shape {tuple(output.shape)}."
            )
        output.copy_(words)
        base.notes.append("Its output embedding is missing too: the word embeddings are used instead.")


def find_base(name_or_path: str | os.PathLike) -> str:
    """Return the folder of a bundled base, the Hub id ("owner/name") of a short name, or a folder or Hub id as it is.

    Raises BaseModelError if there is no such base, or if the folder contains something else.
    """
    name = str(name_or_path).strip().removeprefix(HUB_ADDRESS)
    bundled = sorted(p.name for p in (ASSETS / "bases").iterdir() if p.is_dir()) if (ASSETS / "bases").is_dir() else []
    if name in bundled:
        return str(ASSETS / "bases" / name)
    path = expanded(name)
    if path.is_dir():
        refuse_other_folder(path)
        return str(path)
    if path.is_file():
        raise BaseModelError(f"{name} is a file. A base is a folder: unpack it, or give the folder that contains it.")
    if name in SHORT_NAMES:
        return SHORT_NAMES[name]
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise unknown_name("The base", name, [*bundled, *similar_names(name)], BaseModelError)


def _check_classifier(model: PreTrainedModel, name: str | os.PathLike) -> None:
    ours, theirs = (
        {n: tuple(p.shape) for n, p in encoder_parameters(m).items()} for m in (model, bare_classifier(model.config))
    )
    if ours != theirs or not ours:
        differing = sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))
        raise BaseModelError(
            f"The base {name} ({model.config.model_type}) cannot be used: its language model and its classifier do not "
            f"share an encoder. They differ in {len(differing)} parameters{', such as ' + differing[0] if differing else ''}."
        )
