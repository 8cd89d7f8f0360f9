"""A classifier of texts for XGLM, for which transformers has none: the head of its other decoders on the last token.

Importing this module tells transformers of it, so that its automatic classes and pipelines load such a classifier.
"""

from transformers import AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_layers import GenericForSequenceClassification
from transformers.models.xglm.configuration_xglm import XGLMConfig
from transformers.models.xglm.modeling_xglm import XGLMPreTrainedModel


class XGLMForSequenceClassification(GenericForSequenceClassification, XGLMPreTrainedModel):
    """XGLM with a linear layer on the hidden state of the last token that is not padding."""


AutoModelForSequenceClassification.register(XGLMConfig, XGLMForSequenceClassification, exist_ok=True)


def needs_deftx(model: PreTrainedModel) -> bool:
    """Return whether transformers loads a classifier only after this module was imported."""
    return isinstance(model, XGLMForSequenceClassification)
