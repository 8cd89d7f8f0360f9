"""What a text says before any training: which base, which relative, how much text (``docs/advice.md``)."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deftx.analysis.base_choice import BaseChoice, Plan, best_base, cached_bases, compare_bases
from deftx.analysis.language_states import similarities
from deftx.analysis.text_amount import TextAmount, text_amount
from deftx.core.events import Listener, ignore
from deftx.data.languages import load_languages
from deftx.data.nearest import nearest
from deftx.data.text import Corpus, read_corpus
from deftx.models.bases import BUNDLED_BASE, Base, load_base
from deftx.training.data_size import TextSize
from deftx.training.distributed import own_device
from deftx.training.preflight import Machine
from deftx.training.recipes import recipe_for
from deftx.training.speed import trial_speed

NEAREST = 3  # languages that are named by hidden states


@dataclass(frozen=True)
class Relative:
    """A known language and its similarity to a text: by letters and pieces from 0 to 1, by hidden states from −1 to 1.

    ``pieces`` and ``states`` are None where they are not known.
    """

    code: str
    name: str
    letters: float
    pieces: float | None
    states: float | None


@dataclass(frozen=True)
class Choices:
    """The answers on a text. ``best`` is the name of a base of ``bases``; None if no base on this machine reads the text."""

    bases: tuple[BaseChoice, ...]
    best: str | None
    relatives: tuple[Relative, ...]
    amount: TextAmount

    def nearest_by_states(self) -> list[Relative]:
        """Return the NEAREST languages by hidden states, the nearest first; empty if the base has no table of them."""
        known = [one for one in self.relatives if one.states is not None]
        return sorted(known, key=lambda one: one.states or 0.0, reverse=True)[:NEAREST]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return {
            **asdict(self),
            "amount": {**asdict(self.amount), "passes": self.amount.passes, "shorter": self.amount.shorter},
        }


def advise(
    text: "str | os.PathLike | Sequence[str | os.PathLike] | Corpus",
    bases: Sequence[str] | None = None,
    *,
    preset: str = "quick",
    device: str | None = None,
) -> Choices:
    """Compare bases for a text, find the known languages nearest to it, and say what so much text can be expected to do.

    Args:
        text: A corpus, or what it is read from: a file, a folder or a list of files.
        bases: Names, folders or Hub ids of bases to compare beside the bundled one; by default those in the Hub's cache.
        preset: The settings of the training whose memory and time are estimated: "quick", "standard" or "paper".
        device: The device of the training; a GPU if there is one.

    Returns:
        The answers.

    Raises:
        DeftxError: If the text cannot be read, or a base or the preset does not exist.
    """
    recipe = recipe_for("language", preset)
    corpus = text if isinstance(text, Corpus) else read_corpus(text)
    where = own_device(device)
    speed = trial_speed(where)
    plan = Plan(recipe, Machine.of(where), lambda name: speed)
    names = cached_bases() if bases is None else bases
    return advise_on(corpus, names, plan, load_base(BUNDLED_BASE, device=where))


def advise_on(corpus: Corpus, names: Sequence[str], plan: Plan, base: Base, languages: Path | None = None) -> Choices:
    """Return the answers for a training of which the machine and the speed are known.

    Args:
        corpus: The text.
        names: Bases to compare beside the bundled one.
        plan: The training.
        base: The base whose hidden states find the nearest languages, and whose tokens are counted.
        languages: The folder of registered languages.

    Raises:
        DeftxError: If the text has no letters, or a base does not exist.
    """
    found = compare_bases(corpus, names, plan)
    best = best_base(found)
    longest = base.fitting_length(plan.recipe.max_length, Listener(ignore, lambda: False))
    amount = text_amount(TextSize.of(corpus.lines, base.tokenizer), plan.recipe, longest)
    return Choices(found, best.name if best else None, _relatives(corpus, base, languages), amount)


def _relatives(corpus: Corpus, base: Base, languages: Path | None) -> tuple[Relative, ...]:
    """Compare with the known languages, the most similar by letters first."""
    near = nearest(corpus.lines, load_languages(languages), base.tokenizer)
    states = similarities(base, corpus.lines)
    return tuple(Relative(one.code, one.name, one.letters, one.pieces, states.get(one.code)) for one in near)
