"""The model card of the bundled base, from its settings and the last line of its log."""

import json
from pathlib import Path

from pretraining.keeping import read_log

# Corpus: language and where its text comes from, as the sources state it.
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

CARD = """---
library_name: transformers
pipeline_tag: fill-mask
license: cc-by-sa-4.0
language: [id, jv, su, bew, mak, mui, rej, abs, en]
---

# nusantara-small

A small base model, so that the studio works offline on a fresh machine: an XLM-R-style encoder of {layers} layers × {hidden}
({heads} heads, {parameters:.1f} M parameters, {longest} positions, half precision) with {vocabulary:,} Unigram pieces: lower-cased, NFKC, bytes
for what they cannot spell, so no script is unknown.

Made by `python scripts/pretrain.py --data DIR --out OUT` and, in a second round, `--base` (docs/base.md of the project):
masked-language modelling on {tokens:.1f} M tokens in all ({device}, {minutes:.0f} minutes of wall time, pauses included), word embeddings
started from co-occurrence counts. Its log is `pretraining.csv`. Training loss at the end: {loss} nats, with {mask_share:.0%} of the tokens masked.

Acehnese, Balinese, Banjarese, Madurese and Minangkabau were not seen: they are what it is to be adapted to.

| language | loss on held-out lines, nats | text |
|---|---:|---|
{rows}

The loss is that of masked tokens (15 %). Weights: CC BY-SA 4.0, like the most restrictive of the texts. For serious work
use a bigger base, for example `--base FacebookAI/xlm-roberta-base`.
"""


def write_card(out: Path, parameters: int, device: str) -> None:
    """Write ``OUT/base/README.md``."""
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    last = read_log(out / "log.csv")[-1]
    rows = "\n".join(
        f"| {language} | {float(last[name]):.2f} | {'; '.join(texts)} |" for name, (language, texts) in SOURCES.items()
    )
    settings["tokens"] = int(last["tokens"]) / 1e6
    text = CARD.format(**settings, rows=rows, loss=f"{float(last['loss']):.2f}", minutes=int(last["seconds"]) / 60,
                       parameters=parameters / 1e6, device="on a GPU" if device.startswith("cuda") else "on a CPU")  # fmt: skip
    (out / "base" / "README.md").write_text(text, encoding="utf-8")
