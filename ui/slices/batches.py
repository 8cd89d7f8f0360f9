"""Calls to the GPU of ZeroGPU that classify many texts, made for the visitor who asked for it.

The package moves tensors that a program has placed on "cuda" at its start into the process of every call. Here, the vectors
are known only when a visitor chooses them, and sentences are classified on the CPU. So the base stays there, and a call
composes the classifiers in its own process, forked with the base, and moves them to the GPU.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from deftx.core.hosting import on_zero_gpu
from deftx.core.logs import about
from deftx.jobs.slices import use_one_thread
from deftx.models.bases import Base
from deftx.models.batches import Text
from deftx.training.model_size import FORWARD, Model
from ui.classify.composing import Found, composed_from
from ui.shared.background import OnShare

# Texts × weights from which a call pays: 466 sentences with the bundled base, about 14 s of a core (docs/deploy.md).
PAYS_FROM = 1e10
LONGEST = 60.0  # seconds of a call
# What the seconds of a call are computed from, cautiously: they are asked for, but only those used are counted.
START, TOKENS, RATE = 10.0, 128, 5e12  # seconds until the GPU is ready; tokens of a text; operations per second
COMPOSED = 1e8  # bytes of a model that are composed and moved in a second

log = logging.getLogger(__name__)

Gpu = Callable[..., Callable[..., Any]]  # the decorator of the package


@dataclass(frozen=True)
class Attempt:
    """Probabilities (texts, labels) of each combination, empty if the CPU has to compute them.

    ``refusal`` is what the platform said if it gave no GPU, or took it back.
    """

    probabilities: tuple[Tensor, ...] = ()
    refusal: str = ""


def batches_here(base: Callable[[], Base]) -> "Batches | None":
    """Return the calls on a Space with ZeroGPU; None elsewhere. They must exist before the page is launched."""
    if not on_zero_gpu():
        return None
    import spaces  # the platform installs it; app.py has imported it before torch

    return Batches(base, spaces.GPU)


class _NoGpu(Exception):
    """The platform gave no GPU, or took it back."""


class Batches:
    """The calls of everybody; every method can be called from any thread."""

    def __init__(self, base: Callable[[], Base], gpu: Gpu) -> None:
        """Classify with this base, in calls of this decorator."""
        self._load = base
        self._base: Base | None = None  # loaded before a process is forked: there, the lock of loading may be held
        self._call = gpu(self._in_call, duration=_duration)

    def attempt(self, found: Sequence[Found], texts: Sequence[Text], on_share: OnShare) -> Attempt:
        """Classify texts with each combination on a GPU, if that pays and one is lent; ``on_share`` may raise to stop."""
        base = self._base = self._load()
        if len(found) * len(texts) * _multiplied(base) < PAYS_FROM:
            return Attempt()
        group, done = _together(base), []
        try:
            for first in range(0, len(found), group):
                some = found[first : first + group]
                share = partial(_report, on_share, first / len(found), len(some) / len(found))
                done += self._in_calls(some, texts, _seconds(base, len(some)), share)
        except _NoGpu as error:
            return Attempt(refusal=str(error))
        return Attempt(tuple(done))

    def _in_calls(
        self, found: Sequence[Found], texts: Sequence[Text], seconds: tuple[float, float], on_share: OnShare
    ) -> list[Tensor]:
        once, each = seconds
        part = max(1, int(max(LONGEST - once, LONGEST / 2) / each))
        parts = []
        for start in range(0, len(texts), part):
            some = texts[start : start + part]
            parts.append(self._on_gpu(found, some, math.ceil(once + each * len(some))))
            on_share((start + len(some)) / len(texts))
        return [torch.cat([torch.from_numpy(part) for part in one]) for one in zip(*parts, strict=True)]

    def _on_gpu(self, found: Sequence[Found], texts: Sequence[Text], seconds: int) -> list[Any]:
        try:
            return self._call(found, texts, seconds)
        except gr.Error as error:
            raise _NoGpu(str(error.message).strip()) from error
        except Exception as error:  # of the package, such as the loss of its connection
            log.exception("A call for texts failed.", extra=about("call_failed"))
            raise _NoGpu(type(error).__name__) from error

    def _in_call(self, found: Sequence[Found], texts: Sequence[Text], seconds: int) -> list[Any]:
        """Classify within a call; arrays, because tensors would be sent through shared memory, of which a container has little."""
        use_one_thread()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        answers = []
        for one in found:
            classifier = composed_from(self._base, one.combination, [folder for folder, _ in one.states])
            classifier.model.to(device)
            answers.append(classifier.classify(texts).numpy())
        return answers


def _duration(found: Sequence[Found], texts: Sequence[Text], seconds: int) -> int:
    return seconds


def _multiplied(base: Base) -> int:
    """Return the weights that multiply every token: all but the word embeddings."""
    sizes = Model.of(base.model)
    return sizes.encoder - sizes.words


def _together(base: Base) -> int:
    """Return how many combinations a call composes, so that at least half of its time is left for texts."""
    return max(1, int((LONGEST / 2 - START) / _composing(base)))


def _seconds(base: Base, combinations: int) -> tuple[float, float]:
    """Return the seconds that a call needs whatever the texts are, and those that each text adds."""
    once = START + combinations * _composing(base)
    return once, combinations * FORWARD * TOKENS * _multiplied(base) / RATE


def _composing(base: Base) -> float:
    return 4 * Model.of(base.model).encoder / COMPOSED


def _report(on_share: OnShare, begin: float, length: float, share: float) -> None:
    on_share(begin + length * share)
