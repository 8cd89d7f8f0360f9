"""Language vectors: language modelling on raw text. Encoders predict masked tokens, decoders the next one.

The logits of encoders are computed at the masked positions only.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.core.errors import CorpusError
from deftx.core.events import Event, Listener, OnEvent
from deftx.core.sampling import batch_order, cut, seed_for
from deftx.data.characters import describe
from deftx.data.lexicon import Lexicon
from deftx.data.sequences import mask_tokens, pack, special_ids
from deftx.data.text import Corpus, read_corpus, split
from deftx.models.bases import Base
from deftx.models.batches import by_length, mask_id, pad, pad_id
from deftx.models.families import language_logits
from deftx.models.parameters import canonical_parameters, head_parameters, sparse_trainable
from deftx.training import distributed
from deftx.training.finish import finish, work_folder
from deftx.training.held_out import comparison
from deftx.training.hidden_words import HiddenWords
from deftx.training.learned import Learner
from deftx.training.loop import Batch, Objective
from deftx.training.next_token import next_token_batch, next_token_loss, next_token_sequences
from deftx.training.recipes import LanguageRecipe, recipe_for
from deftx.training.text_warnings import warn_of_unknowns
from deftx.training.trimming import trimmed_base
from deftx.training.word_lists import lexicons_of, pseudo_text
from deftx.vectors.vector import SparseVector

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset
    from datasets.arrow_dataset import Column

EVALUATION_MASKS = 2_147_483_647  # seed of the evaluation masks, the same at every evaluation (LT-SFT's constant)


def masked_lm_loss(model: PreTrainedModel, batch: Batch, reduction: str = "mean") -> Tensor:
    """Return the cross-entropy in nats at positions whose label is not −100; only their logits are computed.

    ``batch`` has ``input_ids``, ``attention_mask`` and ``labels``, each (sequences, tokens).
    """
    hidden = model.base_model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    asked = batch["labels"] != -100
    logits = language_logits(model, hidden[asked])  # (masked tokens, vocabulary)
    return cross_entropy(logits.float(), batch["labels"][asked], reduction=reduction)


@dataclass
class LanguageObjective(Objective):
    """Masked-language modelling on packed text (appendix C, "Language adaptation")."""

    base: Base
    recipe: LanguageRecipe
    train: list[Tensor]  # sequences of token ids
    held_out: list[Tensor]
    higher_is_better: bool = False
    metric: str = "masked_lm_loss"
    predicted: str = "masked tokens"  # in the evaluation
    hidden: HiddenWords | None = None  # guessed at every evaluation
    evaluation: list[Batch] = field(default_factory=list)  # the held-out text, with its masks
    _at_once: ClassVar[int] = 8_192  # tokens of an evaluation batch

    def __post_init__(self) -> None:
        """Choose the evaluation masks, and the order of the training sequences in each phase."""
        recipe = self.recipe
        self._orders = {
            phase: batch_order(len(self.train), recipe.batch_size, recipe.seed, phase) for phase in ("dense", "sparse")
        }
        for number, indices in enumerate(by_length(self.held_out, self._at_once)):
            generator = torch.Generator().manual_seed(seed_for(EVALUATION_MASKS, number))
            self.evaluation.append(self._batch([self.held_out[i] for i in indices], generator))

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of a step; their masks depend on the seed, the phase and the step."""
        generator = torch.Generator().manual_seed(seed_for(self.recipe.seed, phase, "mask", step))
        parts = cut(self._orders[phase](step), self.recipe.accumulation)
        return [self._batch([self.train[i] for i in part], generator) for part in parts]

    def loss(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Return the mean over the predicted tokens of a micro-batch."""
        return self._nats(model, batch)

    def evaluate(self, model: PreTrainedModel) -> float:
        """Return the mean loss over all predicted tokens of the held-out text, in nats."""
        with torch.no_grad():
            total = sum(float(self._nats(model, batch, "sum")) for batch in self.evaluation)
        if self.hidden is not None:
            self.hidden.guess(model)
        return total / self.evaluation_tokens

    @property
    def evaluation_tokens(self) -> int:
        """The number of tokens that the evaluation predicts."""
        return sum(int((batch["labels"] != -100).sum()) for batch in self.evaluation)

    def _batch(self, sequences: list[Tensor], generator: torch.Generator) -> Batch:
        tokenizer = self.base.tokenizer
        batch = pad(sequences, pad_id(tokenizer), "cpu")
        special = torch.isin(batch["input_ids"], torch.tensor(special_ids(tokenizer)))
        # Random tokens are pieces, as in LT-SFT; the embeddings of many bases have further rows, which fill them up.
        pieces = min(self.base.model.config.vocab_size, len(tokenizer))
        inputs, labels = mask_tokens(
            batch["input_ids"], special, pieces, mask_id(tokenizer), generator, self.recipe.mask_share
        )
        masked = {"input_ids": inputs, "attention_mask": batch["attention_mask"], "labels": labels}
        return {name: tensor.to(self.base.device) for name, tensor in masked.items()}

    def _nats(self, model: PreTrainedModel, batch: Batch, *reduction: str) -> Tensor:
        return masked_lm_loss(model, batch, *reduction)


@dataclass
class NextTokenObjective(LanguageObjective):
    """Next-token prediction on packed text, at all positions, for decoders. Nothing is drawn at random but the order."""

    metric: str = "next_token_loss"
    predicted: str = "tokens"
    _at_once: ClassVar[int] = 1_024  # each of them has its logits

    def _batch(self, sequences: list[Tensor], generator: torch.Generator) -> Batch:
        return next_token_batch(sequences, self.base)

    def _nats(self, model: PreTrainedModel, batch: Batch, *reduction: str) -> Tensor:
        return next_token_loss(model, batch, *reduction)


def learn_language(
    corpus: "str | os.PathLike | Sequence[str | os.PathLike] | Corpus | Dataset | IterableDataset | Column",
    base: Base,
    recipe: LanguageRecipe | str,
    *,
    out: str | os.PathLike,
    language: str | None = None,
    lexicon: Lexicon | str | os.PathLike | Sequence[Lexicon | str | os.PathLike] | None = None,
    delta: str | os.PathLike | None = None,
    on_event: OnEvent | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SparseVector:
    """Learn a language vector φ_L from raw text and write it to the folder ``out``.

    A training run that was stopped resumes when it is called again with the same arguments.

    Args:
        corpus: A corpus, or what it is read from: a file, a folder, a list of files, or a data set of ``datasets`` or one
            column of it, such as ``dataset["text"]``.
        base: The base model.
        recipe: The settings, or the name of a preset ("quick", "standard" or "paper").
        out: The folder for the vector; checkpoints are kept there during training.
        language: The language's code, for the vector's description.
        lexicon: A word list from the corpus's language to another one, or several: the vector is learned from the corpus
            translated word by word (the setting ``lexicon_share``), for a language without a text.
        delta: A folder that keeps δ, the change after the dense phase, for further runs.
        on_event: Called with the progress.
        should_stop: Called regularly; if it returns True, training stops at a checkpoint.

    Returns:
        The vector, as read from ``out``.

    Raises:
        CorpusError: If the text cannot be used.
        RecipeError: If a setting or folder cannot be used.
        TrainingStopped: If training was stopped; the checkpoint is kept in ``out``.
        TrainingError: If training failed; the checkpoint is kept in ``out``.
    """
    distributed.join(base.device)
    listener = distributed.listener_for(on_event, should_stop)
    recipe = distributed.share(recipe_for("language", recipe) if isinstance(recipe, str) else recipe, listener)
    out, run = work_folder(out, delta)
    corpus = corpus if isinstance(corpus, Corpus) else read_corpus(corpus)
    if message := describe(corpus.normalised):
        listener.on_event(Event("tokenise", message=message))
    lexicons = lexicons_of(lexicon)
    if lexicons:
        corpus = pseudo_text(corpus, lexicons, recipe.lexicon_share, recipe.seed, listener)
    whole, base = base, _trimmed(base, corpus, listener) if recipe.trim else base
    objective = language_objective(corpus, base, recipe, listener)
    listener = objective.hidden.told_to(listener) if objective.hidden is not None else listener
    scores = comparison(base, objective, listener)
    learner = language_learner(base, objective, len(objective.train), corpus.fingerprint)
    about = {
        "lines": len(corpus.lines),
        "sources": [list(source) for source in corpus.sources],
        "fingerprint": corpus.fingerprint,
        "sequences": len(objective.train),
        "tokens": sum(len(piece) for piece in objective.train),
        **({"lexicons": [lexicon.name for lexicon in lexicons]} if lexicons else {}),
    }
    return finish(learner, base, recipe, out, run, delta, listener, scores, about, language=language, lift_to=whole)


def _trimmed(base: Base, corpus: Corpus, listener: Listener) -> Base:
    small = trimmed_base(base, corpus.lines)
    kept, total = small.model.config.vocab_size, base.model.config.vocab_size
    message = f"The base is trimmed to the text: {kept:,} of {total:,} pieces."
    listener.on_event(Event("tokenise", message=message))
    return small


def language_learner(base: Base, objective: Objective, sequences: int, corpus: str) -> Learner:
    """Return a learner on a copy of the base: M and the LM head are trained, the output embedding is frozen."""
    model = base.language_model()
    return Learner(
        kind="language",
        model=model,
        trainable=sparse_trainable(model),
        head=head_parameters(model),
        objective=objective,
        examples=sequences,
        denominator=sum(p.numel() for p in canonical_parameters(model).values()),
        identity={"kind": "language", "base": base.fingerprint, "corpus": corpus},
    )


def language_objective(corpus: Corpus, base: Base, recipe: LanguageRecipe, listener: Listener) -> LanguageObjective:
    """Split, tokenise and pack a corpus, with warnings to the listener."""
    for note in (*base.notes, *corpus.notes):
        listener.on_event(Event("tokenise", message=note, warning=True))
    train_lines, held_out_lines = split(corpus.lines, recipe.hold_out, recipe.seed)
    if train_lines == held_out_lines:
        message = "The corpus has one distinct line: training and evaluation use the same text."
        listener.on_event(Event("tokenise", message=message, warning=True))
    length = base.fitting_length(recipe.max_length, listener)

    def on_progress(done: int, total: int) -> None:
        listener.raise_if_stopped("Stopped while reading the corpus. Run the same command to start again.")
        listener.on_event(Event("tokenise", done, total))

    if base.predicts_next:
        train = next_token_sequences(train_lines, base, length, on_progress)
        held_out = next_token_sequences(held_out_lines, base, length)
    else:
        train = pack(train_lines, base.tokenizer, length, on_progress=on_progress)
        held_out = pack(held_out_lines, base.tokenizer, length)
    if not train or not held_out:
        raise CorpusError("The tokenizer of this base finds no tokens in the corpus. Check that it is text.")
    warn_of_unknowns(train, base, listener)
    if base.predicts_next:
        return NextTokenObjective(base, recipe, train, held_out)
    hidden = HiddenWords(held_out_lines, base.tokenizer, length, recipe.seed)
    return LanguageObjective(base, recipe, train, held_out, hidden=hidden)
