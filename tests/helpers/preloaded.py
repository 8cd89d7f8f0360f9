"""All that the forked programs would import, imported once."""

import accelerate  # noqa: F401
import sklearn.metrics  # noqa: F401
from transformers import (  # noqa: F401
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
    XLMRobertaTokenizer,
)

import app  # noqa: F401 (the page, and with it the whole library)
import deftx.cli  # noqa: F401
