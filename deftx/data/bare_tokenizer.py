"""A tokenizer as plain data: what audits and comparisons of texts use of one, without transformers and torch.

Processes that only read text then start in half a second, and take 100 MB instead of 400.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer


@dataclass(frozen=True)
class BareTokenizer:
    """The part of transformers' interface that needs no special tokens around a text, with the same results.

    ``content`` is the JSON of the package tokenizers; ``special`` are the special tokens, the unknown one included.
    """

    content: str
    unknown: str | None
    special: tuple[str, ...]

    is_fast = True

    @classmethod
    def of(cls, tokenizer: Any) -> "BareTokenizer | None":
        """Return the plain data of a tokenizer of transformers; None for one that is written in Python."""
        if not getattr(tokenizer, "is_fast", False):
            return None
        return cls(tokenizer.backend_tokenizer.to_str(), tokenizer.unk_token, tuple(tokenizer.all_special_tokens))

    @cached_property
    def backend_tokenizer(self) -> Tokenizer:
        """The tokenizer of the package tokenizers, which neither truncates nor pads."""
        found = Tokenizer.from_str(self.content)
        found.no_truncation()
        found.no_padding()
        found.encode_special_tokens = (
            True  # "<s>" in a text is text, as for every base (``models.batches.read_as_seen``)
        )
        return found

    @property
    def unk_token_id(self) -> int | None:
        """The id of the unknown token; None if there is none."""
        return self.backend_tokenizer.token_to_id(self.unknown) if self.unknown is not None else None

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of the special tokens."""
        found = map(self.backend_tokenizer.token_to_id, self.special)
        return [place for place in found if place is not None]

    def get_vocab(self) -> dict[str, int]:
        """Return the ids of all pieces, added tokens included."""
        return self.backend_tokenizer.get_vocab(with_added_tokens=True)

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str | None]:
        """Return the pieces of these ids."""
        return [self.backend_tokenizer.id_to_token(number) for number in ids]

    def __call__(self, texts: Sequence[str], **options: Any) -> dict[str, list[Any]]:
        """Return the ids of texts and the places of their tokens (start, end), without special tokens."""
        found = self.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return {"input_ids": [one.ids for one in found], "offset_mapping": [one.offsets for one in found]}
