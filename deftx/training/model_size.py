"""The sizes of a base that determine the cost of a training run: operations of a step, and memory."""

from dataclasses import dataclass, replace

from transformers import PreTrainedModel

from deftx.models.decoders import predicts_next
from deftx.models.families import word_embeddings
from deftx.models.parameters import encoder_parameters, sparse_trainable
from deftx.training.recipes import LanguageRecipe, Recipe

PRODUCTS = 6  # operations per weight and token: two forward, four backward (Kaplan et al. 2020)
FORWARD = 2  # operations per weight and token in an evaluation
# Bytes per weight in the dense phase: value, gradient, two moments, copy of the start, and the base itself.
TRAINED = 24
ACTIVATIONS = 68  # bytes per layer, token and hidden unit in float32 (Korthikanti et al. 2022, without recomputation)
LOGITS = 12  # bytes per predicted token and vocabulary entry: logits, softmax, gradient
PROCESS = 600_000_000  # bytes: Python, torch and transformers


@dataclass(frozen=True)
class Model:
    """The sizes of a base that determine the cost of a training run, in weights."""

    encoder: int
    words: int  # word embeddings: no matrix product, except for the logits
    trainable: int
    width: int
    layers: int
    all_positions: bool = False  # a decoder predicts at every position, so that each has its logits
    whole: int = 0  # weights of the base that this one was trimmed from, if a run keeps it in memory to lift the vector
    embedding: int = 0  # width of the word embeddings, if it is not that of the layers (ALBERT, ELECTRA, RemBERT)

    @property
    def rows(self) -> int:
        """The number of pieces."""
        return self.words // (self.embedding or self.width)

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Model":
        """Return the sizes of a base's model, which may be on the meta device."""
        return cls(
            encoder=sum(p.numel() for p in encoder_parameters(model).values()),
            words=word_embeddings(model).numel(),
            embedding=word_embeddings(model).shape[1],
            trainable=sum(p.numel() for p in sparse_trainable(model).values()),
            width=model.config.hidden_size,
            layers=model.config.num_hidden_layers,
            all_positions=predicts_next(model.config),
        )

    def with_rows(self, rows: int) -> "Model":
        """Return the sizes of the base trimmed to ``rows`` pieces by a run that keeps the whole base in memory."""
        dropped = (self.rows - rows) * (self.embedding or self.width)
        smaller = {name: getattr(self, name) - dropped for name in ("encoder", "words", "trainable")}
        return replace(self, **smaller, whole=self.encoder)

    def step_operations(self, recipe: Recipe, tokens: float) -> float:
        """Return the operations of an optimiser step, for examples with ``tokens`` tokens each."""
        return PRODUCTS * recipe.batch_size * tokens * self._multiplied(recipe)

    def evaluation_operations(self, recipe: Recipe, tokens: float) -> float:
        """Return the operations of one evaluation on ``tokens`` tokens in total."""
        return FORWARD * tokens * self._multiplied(recipe)

    def memory(self, recipe: Recipe) -> float:
        """Return the peak memory of a training run in bytes, which is reached in the dense phase."""
        portion = recipe.batch_size // recipe.accumulation * recipe.max_length
        logits = LOGITS * self._asked(recipe) * portion * self.rows
        activations = ACTIVATIONS * self.layers * self.width * portion
        return PROCESS + TRAINED * self.trainable + 4 * (self.words + self.whole) + activations + logits

    def head(self, kind: str, labels: int = 2) -> int:
        """Return the number of head weights: a dense layer, plus a norm and a bias per word, or a row per label."""
        dense = self.width * (self.width + 1)
        return dense + (2 * self.width + self.rows if kind == "language" else labels * (self.width + 1))

    def _multiplied(self, recipe: Recipe) -> float:
        return self.encoder - self.words + self._asked(recipe) * self.words

    def _asked(self, recipe: Recipe) -> float:
        """Return the share of the tokens whose logits are computed: of an encoder, only those of masked tokens."""
        if not isinstance(recipe, LanguageRecipe):
            return 0.0
        return 1.0 if self.all_positions else recipe.mask_share
