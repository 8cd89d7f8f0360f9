"""A whole-word tokenizer for tests: ids that can be read off by eye, and every word it was not given is unknown."""

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]  # ids 0 to 4, as in XLM-R


def tiny_tokenizer(words: str, limit: int = 16) -> PreTrainedTokenizerFast:
    """Give a tokenizer that knows the words of ``words`` (ids from 5 on) and says ``<s> … </s>``."""
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *dict.fromkeys(words.split())])}
    model = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    model.pre_tokenizer = WhitespaceSplit()
    model.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=model, model_max_length=limit, **dict(zip(names, SPECIAL, strict=True))
    )
