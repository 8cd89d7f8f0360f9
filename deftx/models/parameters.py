"""The parameters of a model: their names, and which of them are trained sparsely, trained fully, or frozen.

Parameters have the names that ``save_pretrained`` of the masked-language model writes. transformers 5 registers XLM-R's
head before its encoder, so ``named_parameters()`` lists the tied word embeddings as ``lm_head.decoder.weight``. A vector
with that name would silently lose the embeddings in a classifier; ``canonical_parameters`` prevents this.
"""

from torch import nn
from transformers import PreTrainedModel

from deftx.models.families import LANGUAGE_HEAD, norm_parameters, output_matrix


def canonical_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """Return every parameter of a transformers model once, named as in ``save_pretrained``."""
    tied = set(model.all_tied_weights_keys) if getattr(model.config, "tie_word_embeddings", True) else set()
    named = {n: p for n, p in model.named_parameters(remove_duplicate=False) if n not in tied}
    first_name: dict[int, str] = {}
    return {n: p for n, p in named.items() if first_name.setdefault(id(p), n) == n}


def encoder_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """Return the parameters of the encoder, which the language model and the classifier share."""
    prefix = f"{model.base_model_prefix}."
    shared = {n: p for n, p in canonical_parameters(model).items() if n.startswith(prefix)}
    return {n: p for n, p in shared.items() if not n.startswith(f"{prefix}pooler.")}


def sparse_trainable(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """Return M: the encoder's parameters without its normalisation layers, found by module type."""
    norms = {id(p) for p in norm_parameters(model.base_model)}
    return {n: p for n, p in encoder_parameters(model).items() if id(p) not in norms}


def head_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """Return the fully trained parameters besides M: the LM head without output matrix, or the classification head."""
    head = getattr(model, LANGUAGE_HEAD, None)  # a classifier has none
    fixed = {id(output_matrix(model, head))} if head is not None else set()
    encoder = encoder_parameters(model)
    return {n: p for n, p in canonical_parameters(model).items() if n not in encoder and id(p) not in fixed}


def output_layer(model: PreTrainedModel) -> list[str]:
    """Return the names of the weight and the bias of a classifier's last layer, in which its logits are linear."""
    layers = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear) and m.out_features == model.num_labels}
    prefix = f"{model.base_model_prefix}."
    last = [name for name in layers if not name.startswith(prefix)][-1]
    return [f"{last}.{name}" for name, _ in layers[last].named_parameters()]


def freeze_norms(model: PreTrainedModel) -> PreTrainedModel:
    """Freeze the encoder's normalisation layers at θ0 (appendix C of the paper)."""
    for parameter in norm_parameters(model.base_model):
        parameter.requires_grad_(False)
    return model
