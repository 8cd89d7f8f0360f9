"""The Hub's short names of models without an owner, such as "xlm-roberta-base", and the repositories that they stand for.

The Hub redirects these names. They are resolved here too, so that a misspelt name is noticed without a request.
"""

from difflib import get_close_matches

_OWNERS = {
    "FacebookAI": (
        "roberta-base roberta-large roberta-large-mnli xlm-roberta-base xlm-roberta-large xlm-mlm-en-2048 xlm-mlm-100-1280 "
        "xlm-mlm-17-1280 xlm-mlm-xnli15-1024 xlm-mlm-tlm-xnli15-1024 xlm-mlm-enfr-1024 xlm-mlm-enro-1024 xlm-mlm-ende-1024 "
        "xlm-clm-enfr-1024 xlm-clm-ende-1024"
    ),
    "google-bert": (
        "bert-base-cased bert-base-uncased bert-base-multilingual-cased bert-base-multilingual-uncased bert-base-chinese "
        "bert-base-german-cased bert-base-german-dbmdz-cased bert-base-german-dbmdz-uncased bert-large-cased "
        "bert-large-uncased bert-large-cased-whole-word-masking bert-large-uncased-whole-word-masking"
    ),
    "distilbert": (
        "distilbert-base-cased distilbert-base-uncased distilbert-base-multilingual-cased distilbert-base-german-cased "
        "distilroberta-base distilgpt2"
    ),
    "albert": (
        "albert-base-v1 albert-base-v2 albert-large-v1 albert-large-v2 albert-xlarge-v1 albert-xlarge-v2 albert-xxlarge-v1 "
        "albert-xxlarge-v2"
    ),
    "almanach": "camembert-base",
    "TurkuNLP": "bert-base-finnish-cased-v1 bert-base-finnish-uncased-v1",
    "xlnet": "xlnet-base-cased xlnet-large-cased",
    "openai-community": "gpt2 gpt2-medium gpt2-large gpt2-xl openai-gpt",
    # These cannot be bases; with their repository, the message says why.
    "google-t5": "t5-small t5-base t5-large t5-3b t5-11b",
}
SHORT_NAMES = {name: f"{owner}/{name}" for owner, names in _OWNERS.items() for name in names.split()}


def similar_names(name: str) -> list[str]:
    """Return the short names that are nearly spelt like ``name``, the most similar first."""
    return get_close_matches(name.lower(), SHORT_NAMES, n=3, cutoff=0.7)
