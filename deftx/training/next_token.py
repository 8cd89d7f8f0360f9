"""Next-token prediction, by which a decoder learns a language: the sequences of a text, their batches, and the loss."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.data.sequences import IGNORED, OnProgress, pack
from deftx.models.bases import Base
from deftx.models.batches import pad, pad_id
from deftx.models.decoders import line_end
from deftx.training.loop import Batch


def next_token_sequences(
    lines: Sequence[str], base: Base, max_length: int, on_progress: OnProgress | None = None
) -> list[Tensor]:
    """Return packed sequences of at least two tokens. Lines without special tokens end with the tokenizer's end token."""
    tokenizer = base.tokenizer
    packed = pack(lines, tokenizer, max_length, end=line_end(tokenizer), on_progress=on_progress)
    return [sequence for sequence in packed if len(sequence) > 1]  # a token alone has no next one


def next_token_batch(sequences: Sequence[Tensor], base: Base) -> Batch:
    """Return a batch whose label at each position is the next token of the sequence; none at its last one and at padding.

    Padding is told by the lengths: its token may be that at the end of lines.
    """
    batch = pad(sequences, pad_id(base.tokenizer), base.device)
    labels = batch["input_ids"].roll(-1, dims=1)
    labels[:, -1] = IGNORED
    labels[:, :-1].masked_fill_(batch["attention_mask"][:, 1:] == 0, IGNORED)
    return {**batch, "labels": labels}


def next_token_loss(model: PreTrainedModel, batch: Batch, reduction: str = "mean") -> Tensor:
    """Return the cross-entropy in nats at positions whose label is not −100.

    ``batch`` has ``input_ids``, ``attention_mask`` and ``labels``, each (sequences, tokens).
    """
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return cross_entropy(
        logits.float().flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, reduction=reduction
    )
