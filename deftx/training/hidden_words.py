"""Hidden words of held-out sentences, guessed at every evaluation, so that the owner of a training run sees it learn.

The sentences go to the listener of the run only: no vector and no checkpoint holds them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from deftx.core.events import Event, Listener, WordGuess
from deftx.core.sampling import seed_for
from deftx.data.sequences import special_ids
from deftx.models.batches import mask_id, pad, pad_id
from deftx.models.families import language_logits

SENTENCES = 5
LETTERS = 3  # fewest letters of a hidden word
FEWEST_WORDS, MOST_WORDS = 4, 20  # of a sentence; a longer line is cut
LINES_TRIED = 500  # lines that are tokenised at most

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class HiddenWord:
    """A sentence with one hidden word: its text around the word, and its token ids with the mask at ``position``."""

    before: str
    word: str
    after: str
    ids: Tensor  # (tokens,)
    position: int


class HiddenWords:
    """The hidden words of a training run; ``guesses`` are those of the last call of ``guess``."""

    def __init__(self, lines: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int, seed: int) -> None:
        """Draw SENTENCES lines and a word in each; fewer if the tokenizer has few of the words as whole tokens.

        Args:
            lines: The held-out lines.
            tokenizer: The tokenizer of the base. Only fast ones say where a token stands in the text.
            max_length: The most tokens of a sentence.
            seed: The seed of the run.
        """
        self._tokenizer = tokenizer
        self._hidden: list[HiddenWord] = []
        self.guesses: tuple[WordGuess, ...] = ()
        generator = torch.Generator().manual_seed(seed_for(seed, "hidden words"))
        for position in torch.randperm(len(lines), generator=generator)[:LINES_TRIED].tolist():
            if len(self._hidden) == SENTENCES or not tokenizer.is_fast:
                break
            known = {hidden.word.casefold() for hidden in self._hidden}
            found = [
                one
                for one in _hideable(str(lines[position]), tokenizer, max_length)
                if one.word.casefold() not in known
            ]
            if found:
                self._hidden.append(found[int(torch.randint(len(found), (1,), generator=generator))])

    @torch.no_grad()
    def guess(self, model: PreTrainedModel) -> None:
        """WordGuess every hidden word in one batch; ``model`` is in evaluation mode."""
        if not self._hidden:
            return
        device = next(model.parameters()).device
        batch = pad([hidden.ids for hidden in self._hidden], pad_id(self._tokenizer), device)
        output = model.base_model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        positions = torch.tensor([hidden.position for hidden in self._hidden], device=device)
        logits = language_logits(
            model, output.last_hidden_state[torch.arange(len(positions), device=device), positions]
        )
        logits[:, special_ids(self._tokenizer)] = -torch.inf
        said = [str(self._tokenizer.decode([token])).strip() for token in logits.argmax(-1).tolist()]
        self.guesses = tuple(
            WordGuess(hidden.before, hidden.word, hidden.after, word)
            for hidden, word in zip(self._hidden, said, strict=True)
        )

    def told_to(self, listener: Listener) -> Listener:
        """Return a listener that adds the last guesses to every evaluation."""

        def on_event(event: Event) -> None:
            listener.on_event(replace(event, guesses=self.guesses) if event.evaluation is not None else event)

        return Listener(on_event, listener.should_stop)


def _hideable(line: str, tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[HiddenWord]:
    """Return the words of a line that are whole tokens, each hidden in the sentence."""
    words = list(_WORD.finditer(line))[:MOST_WORDS]
    if len(words) < FEWEST_WORDS:
        return []
    text = line[: words[-1].end()]
    encoded = tokenizer(text, truncation=True, max_length=max_length, return_offsets_mapping=True, verbose=False)
    ids, known = torch.tensor(encoded["input_ids"]), {*special_ids(tokenizer), cast(int | None, tokenizer.unk_token_id)}
    tokens = {_without_spaces(text, *span): position for position, span in enumerate(encoded["offset_mapping"])
              if int(ids[position]) not in known}  # fmt: skip
    found = []
    for start, end in (_without_marks(text, *word.span()) for word in words):
        position = tokens.get((start, end))
        if position is not None and sum(map(str.isalpha, text[start:end])) >= LETTERS:
            masked = ids.clone()
            masked[position] = mask_id(tokenizer)
            found.append(HiddenWord(text[:start], text[start:end], text[end:], masked, position))
    return found


def _without_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a token without the space that some tokenizers count to it."""
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _without_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a word without punctuation around it."""
    while start < end and not text[start].isalpha():
        start += 1
    while end > start and not text[end - 1].isalnum() and not _combines(text[end - 1]):
        end -= 1
    return start, end


def _combines(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
