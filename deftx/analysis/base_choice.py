"""Which base: what each one makes of a text, and what a language training with it needs on this machine.

Published bases that are not on this machine are listed with what is known of them (``published_bases``). What their tokenizer makes
of the text is then not known, except for those with the tokenizer of which the bundled base has a part.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import CacheNotFound, scan_cache_dir, try_to_load_from_cache

from deftx.analysis.published_bases import PublishedBase, published_bases
from deftx.core.errors import BaseModelError
from deftx.data.audit import UNKNOWN_RATE, audit
from deftx.data.coverage import SPELLED_SHARE, spread
from deftx.data.text import Corpus
from deftx.models.bases import BUNDLED_BASE
from deftx.models.families import FAMILIES
from deftx.models.short_names import SHORT_NAMES
from deftx.training.base_facts import BaseFacts, read_base_facts
from deftx.training.data_size import Amount, TextSize
from deftx.training.estimates import estimate
from deftx.training.preflight import Machine
from deftx.training.recipes import LanguageRecipe
from deftx.training.speed import Speed

BUNDLED_TOKENIZER = "xlm-r"  # the bundled base has a part of its pieces (docs/base.md)
EQUAL = 1.05  # tokens a word that differ by less than this factor are taken for equal


@dataclass(frozen=True)
class BaseChoice:
    """A base and a text: sizes, tokens a word, and memory and time of a language training. None: not known.

    ``estimated`` says that the tokens a word are those of the bundled base, which has a part of the same pieces: a base with all of
    them needs as many, or fewer. ``memory`` is in bytes; ``seconds`` is (shortest, longest).
    """

    name: str
    here: bool
    parameters: int
    pieces: int
    tokens_per_word: float | None
    unknown_share: float | None
    spelled_share: float | None
    memory: float
    fits: bool
    seconds: tuple[float, float] | None
    languages: int | None = None
    licence: str | None = None
    estimated: bool = False

    @property
    def usable(self) -> bool:
        """Whether the base is on this machine, reads the text, and its training fits into memory."""
        return self.here and self.fits and self.reads and self.tokens_per_word is not None

    @property
    def reads(self) -> bool:
        """Whether the base reads the text: few unknown tokens, and words that are not spelled out."""
        return (self.unknown_share or 0.0) <= UNKNOWN_RATE and (self.spelled_share or 0.0) <= SPELLED_SHARE


@dataclass(frozen=True)
class Plan:
    """The training that bases are compared for: its settings, the machine's memory, and its speed with a base of a name."""

    recipe: LanguageRecipe
    machine: Machine
    speed: Callable[[str], Speed]


def compare_bases(corpus: Corpus, names: Sequence[str], plan: Plan) -> tuple[BaseChoice, ...]:
    """Compare bases for a text: the bundled one and ``names``, then the published ones that are not among them.

    Args:
        corpus: The text.
        names: Names, folders or Hub ids of bases; a Hub id that is not on this machine is looked up on the Hub.
        plan: The training.

    Raises:
        BaseModelError: If a base does not exist or is not supported.
    """
    facts = [read_base_facts(name) for name in dict.fromkeys([BUNDLED_BASE, *names])]
    amounts = [TextSize.of(corpus.lines, one.tokenizer).amount(plan.recipe, one.longest) for one in facts]
    here = [_measured(one, corpus, amount, plan) for one, amount in zip(facts, amounts, strict=True)]
    missing = [one for one in published_bases() if one.id not in {_full(base.name) for base in here}]
    return *map(_with_card, here), *(_estimated(one, here[0], amounts[0], plan) for one in missing)


def best_base(bases: Sequence[BaseChoice]) -> BaseChoice | None:
    """Return the base on this machine that reads the text with the fewest tokens a word; None if none reads it.

    Among bases with about as few, it is the one whose training needs the least memory.
    """
    known = {base.name: base.tokens_per_word or 0.0 for base in bases if base.usable}
    few = [base for base in bases if base.name in known and known[base.name] <= EQUAL * min(known.values())]
    return min(few, key=lambda base: base.memory, default=None)


def cached_bases() -> tuple[str, ...]:
    """Return the Hub ids of the bases that are complete in the Hub's cache on this machine; other models are left out."""
    try:
        names = sorted(one.repo_id for one in scan_cache_dir().repos if one.repo_type == "model")
    except CacheNotFound:
        return ()
    return tuple(name for name in names if _is_complete(name))


def _is_complete(name: str) -> bool:
    """Return whether a repository's files are on this machine and are those of a base; nothing is asked of the Hub."""
    found = [try_to_load_from_cache(name, file) for file in ("config.json", "tokenizer.json")]
    paths = [Path(one) for one in found if isinstance(one, str)]
    try:
        if len(paths) < 2 or json.loads(paths[0].read_text(encoding="utf-8")).get("model_type") not in FAMILIES:
            return False
        return read_base_facts(name).here
    except (OSError, ValueError, AttributeError, BaseModelError):
        return False


def _measured(facts: BaseFacts, corpus: Corpus, amount: Amount, plan: Plan) -> BaseChoice:
    found = audit(replace(corpus, lines=list(spread(corpus.lines))), facts.tokenizer)
    needed = estimate("language", plan.recipe, facts.model, amount, plan.speed(facts.name))
    return BaseChoice(
        name=facts.name,
        here=facts.here,
        parameters=facts.model.encoder,
        pieces=facts.model.rows,
        tokens_per_word=found.tokens_per_word,
        unknown_share=found.unknown_rate,
        spelled_share=found.spelled,
        memory=needed.memory,
        fits=needed.memory <= plan.machine.memory,
        seconds=needed.seconds,
    )


def _full(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _with_card(base: BaseChoice) -> BaseChoice:
    """Add what the card of a published base states."""
    stated = next((one for one in published_bases() if one.id == _full(base.name)), None)
    return replace(base, languages=stated.languages, licence=stated.licence) if stated else base


def _estimated(one: PublishedBase, bundled: BaseChoice, amount: Amount, plan: Plan) -> BaseChoice:
    """Return what can be said of a base that is not on this machine."""
    memory, shared = one.model.memory(plan.recipe), one.tokenizer == BUNDLED_TOKENIZER
    seconds = estimate("language", plan.recipe, one.model, amount, plan.speed(one.id)).seconds if shared else None
    return BaseChoice(
        name=one.id,
        here=False,
        parameters=one.parameters,
        pieces=one.pieces,
        tokens_per_word=bundled.tokens_per_word if shared else None,
        unknown_share=None,
        spelled_share=None,
        memory=memory,
        fits=memory <= plan.machine.memory,
        seconds=seconds,
        languages=one.languages,
        licence=one.licence,
        estimated=shared,
    )
