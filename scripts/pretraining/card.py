"""The model card of the bundled base, from its settings and the last line of its log."""

from pathlib import Path

from torch import nn

from pretraining.keeping import LOG, read_log

# Corpus: language, and sources of its text with their licences.
NUSA = "NusaWrites (Apache-2.0)"
NUSAX = "NusaX translations, training part (CC BY-SA 4.0)"
RIGHTS = "Universal Declaration of Human Rights (public domain)"
TREEBANKS = "Universal Dependencies treebanks (CC BY-SA)"
SOURCES = {
    "ind": ("Indonesian", ["IndoNLU SMSA, training part, without its labels (Apache-2.0)", "MinangNLP Wikipedia sentences (MIT)",
                           "IndoNLI premises (CC BY-SA)", NUSA, NUSAX, TREEBANKS, RIGHTS]),
    "jav": ("Javanese", [NUSA, NUSAX, TREEBANKS, RIGHTS]),
    "sun": ("Sundanese", [NUSA, NUSAX, RIGHTS]),
    "bew": ("Betawi", [NUSA]),
    "mak": ("Makassarese", [NUSA]),
    "mui": ("Musi", [NUSA]),
    "rej": ("Rejang", [NUSA]),
    "abs": ("Ambonese Malay", [NUSA]),
    "eng_clear": ("English", ["NLLB-Seed (CC BY-SA 4.0)", TREEBANKS, "presidential addresses (public domain)", NUSAX, RIGHTS]),
}  # fmt: skip

UNTRAINED = {name: (language, ["not trained on"]) for name, language in (
    ("min", "Minangkabau"), ("ban", "Balinese"), ("ace", "Acehnese"), ("mad", "Madurese"), ("bjn", "Banjarese"))}  # fmt: skip

CARD = """---
library_name: transformers
pipeline_tag: fill-mask
license: cc-by-sa-4.0
base_model: intfloat/multilingual-e5-small
language: [multilingual, id, jv, su, bew, mak, mui, rej, abs, en]
---

# {name}

The bundled base of the studio: multilingual-e5-small (Wang et al. 2024; MIT), which was trained on about a hundred languages, with
a vocabulary of {vocabulary:,} pieces: those that the project's corpora use, single characters, and bytes for all other characters,
so that no text is unknown to it. {layers} layers × {hidden}, {parameters:.1f} M parameters, {longest} positions, case-sensitive.

Made as docs/base.md of the project describes: the original has no language-model head, so this one was trained on masked-language
modelling, with {tokens:.2f} M tokens {device} ({minutes:.0f} minutes of wall time, pauses included){aligned}. Its log is `pretraining.csv`. Training loss at the end: {loss} nats, with {mask_share:.0%} of the tokens masked.

| language | before | after | text |
|---|---:|---:|---|
{rows}

Loss in nats at masked tokens (15 %) of held-out lines; "before" is the initial head with the frequencies of the pieces. Acehnese,
Balinese, Banjarese, Madurese and Minangkabau were not used for training: they are the target languages.

Licences: the original weights are MIT; those of the texts are in the table. These weights: CC BY-SA 4.0, like the most
restrictive of the texts.
"""


ALIGNED = """, the last of them with a penalty on the change
of hidden states of tokens that are not masked"""


def write_card(folder: Path, model: nn.Module, mask_share: float, device: str, aligned: bool) -> None:
    """Write ``README.md`` into the folder of a base."""
    log, config = read_log(folder / LOG), model.config
    first, last = log[0], log[-1]
    rows = "\n".join(f"| {language} | {float(first[name]):.2f} | {float(last[name]):.2f} | {'; '.join(texts)} |"
                     for name, (language, texts) in (SOURCES | UNTRAINED).items() if last.get(name))  # fmt: skip
    text = CARD.format(
        name=folder.name, vocabulary=config.vocab_size, layers=config.num_hidden_layers, hidden=config.hidden_size,
        longest=config.max_position_embeddings, parameters=sum(p.numel() for p in model.parameters()) / 1e6,
        tokens=int(last["tokens"]) / 1e6, minutes=int(last["seconds"]) / 60, loss=f"{float(last['loss']):.2f}",
        mask_share=mask_share, aligned=ALIGNED if aligned else "", device="on a GPU" if device.startswith("cuda") else "on a CPU", rows=rows,
    )  # fmt: skip
    (folder / "README.md").write_text(text, encoding="utf-8")
