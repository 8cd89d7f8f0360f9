"""A tiny random model of every family, with a tokenizer of the kind that the family uses."""

from pathlib import Path

import tiny
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForMaskedLM, BertTokenizer, PreTrainedTokenizerFast, XLMRobertaTokenizer

LONGEST = 40
SHAPE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": LONGEST, "initializer_range": 0.1,
}  # fmt: skip
DEBERTA = {
    "relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0, "position_biased_input": False,
}  # as microsoft/mdeberta-v3-base  # fmt: skip

# Name -> (model type, settings, kind of tokenizer).
TINY = {
    "xlm-roberta": ("xlm-roberta", {"type_vocab_size": 1}, "unigram"),
    "roberta": ("roberta", {"type_vocab_size": 1}, "words"),
    "roberta, untied": ("roberta", {"type_vocab_size": 1, "tie_word_embeddings": False}, "words"),
    "bert": ("bert", {}, "wordpiece"),
    "deberta-v2": ("deberta-v2", DEBERTA, "words"),
    "deberta-v2, new head": ("deberta-v2", {**DEBERTA, "legacy": False}, "words"),
    "modernbert": ("modernbert", {"global_attn_every_n_layers": 2, "local_attention": 8}, "words"),
    "eurobert": ("eurobert", {"num_key_value_heads": 1}, "words"),
    "distilbert": ("distilbert", {}, "words"),
    "electra": ("electra", {"embedding_size": 16}, "wordpiece"),
    "albert": ("albert", {"embedding_size": 16}, "wordpiece"),  # in no table: its head is observed
    "rembert": ("rembert", {"input_embedding_size": 16, "output_embedding_size": 24}, "wordpiece"),  # nor this
}


def make_family(name: str, folder: Path, seed: int = 0) -> Path:
    """Write the base ``name`` of the table and return its folder."""
    kind, settings, tokens = TINY[name]
    tokenizer = TOKENIZERS[tokens]()
    tokenizer.save_pretrained(folder)
    special = {
        f"{part}_token_id": getattr(tokenizer, f"{part}_token_id") for part in ("pad", "bos", "eos", "cls", "sep")
    }
    config = AutoConfig.for_model(kind, **{**SHAPE, "vocab_size": len(tokenizer), **special, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    return folder


def _unigram() -> XLMRobertaTokenizer:
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words = [(f"▁{word}", -1.0) for word in tiny.WORDS]
    return XLMRobertaTokenizer(vocab=[*special, *words, ("<mask>", 0.0)], model_max_length=LONGEST)


def _wordpiece() -> BertTokenizer:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *tiny.WORDS, "##s", "##y"]
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, model_max_length=LONGEST)


def _words() -> PreTrainedTokenizerFast:
    """Whole words; its template tells the second of a pair by type 1, which most of these encoders cannot read."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *tiny.WORDS, "<mask>"]
    model = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="<unk>"))
    model.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    special = {
        "bos": "<s>",
        "cls": "<s>",
        "pad": "<pad>",
        "eos": "</s>",
        "sep": "</s>",
        "unk": "<unk>",
        "mask": "<mask>",
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=model, model_max_length=LONGEST, **{f"{part}_token": text for part, text in special.items()},
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


TOKENIZERS = {"unigram": _unigram, "wordpiece": _wordpiece, "words": _words}
