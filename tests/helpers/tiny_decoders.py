"""A tiny random model of every family of decoders, with a tokenizer of the kind that the family uses."""

from pathlib import Path

import tiny
import torch
from tiny_families import LONGEST
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

SHAPE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": 0.1,
}  # fmt: skip
LLAMA = {"intermediate_size": 64, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": LONGEST}

# Name -> (model type, settings, kind of tokenizer).
TINY_DECODERS = {
    "gpt2": ("gpt2", {"n_positions": LONGEST}, "bytes"),
    "llama": ("llama", {**LLAMA, "tie_word_embeddings": False}, "begins"),
    "llama, tied": ("llama", {**LLAMA, "tie_word_embeddings": True}, "begins"),
    "qwen3": ("qwen3", {**LLAMA, "tie_word_embeddings": True}, "bytes, padded"),
    "gemma2": ("gemma2", {**LLAMA, "sliding_window": 8, "query_pre_attn_scalar": 16}, "begins"),
    "bloom": ("bloom", {}, "bytes, padded"),
    "xglm": (
        "xglm",
        {"ffn_dim": 64, "max_position_embeddings": LONGEST, "init_std": 0.1, "pad_token_id": 1},
        "begins, padded",
    ),
}


def make_decoder(name: str, folder: Path, seed: int = 0) -> Path:
    """Write the base ``name`` of the table and return its folder. Most configurations name no padding token."""
    kind, settings, tokens = TINY_DECODERS[name]
    tokenizer = DECODER_TOKENIZERS[tokens]()
    tokenizer.save_pretrained(folder)
    special = {f"{part}_token_id": getattr(tokenizer, f"{part}_token_id") for part in ("bos", "eos")}
    config = AutoConfig.for_model(
        kind, **{**SHAPE, "vocab_size": len(tokenizer), "pad_token_id": None, **special, **settings}
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def _bytes(**special: str) -> PreTrainedTokenizerFast:
    """Pieces of bytes, as GPT-2, Qwen and BLOOM have them: nothing around a text, or between two."""
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    model.post_processor = processors.ByteLevel(trim_offsets=False)
    pieces = trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<|endoftext|>", *special.values()], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    model.train_from_iterator([f"the {word} {word}" for word in tiny.WORDS], pieces)
    ends = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    return PreTrainedTokenizerFast(tokenizer_object=model, model_max_length=LONGEST, **{**ends, **special})


def _padded_bytes() -> PreTrainedTokenizerFast:
    tokenizer = _bytes(pad_token="<pad>")
    tokenizer.padding_side = tokenizer.init_kwargs["padding_side"] = "left"  # as decoders that generate have it
    return tokenizer


def _begins(*more: str, **special: str) -> PreTrainedTokenizerFast:
    """Whole words, with a token at the beginning of each text, as Llama, Gemma and XGLM have it."""
    pieces = ["<s>", *more, "</s>", "<unk>", *tiny.WORDS]
    model = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="<unk>"))
    model.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=model,
        model_max_length=LONGEST,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        **special,
    )


def _padded_begins() -> PreTrainedTokenizerFast:
    return _begins("<pad>", pad_token="<pad>")


DECODER_TOKENIZERS = {
    "bytes": _bytes,
    "bytes, padded": _padded_bytes,
    "begins": _begins,
    "begins, padded": _padded_begins,
}
