"""Average the weights of a base before and after a training (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

    python scripts/average_bases.py BEFORE AFTER --share 0.5 --out OUT

OUT has the tokenizer, the language-model head and the log of AFTER; its encoder is (1 − share) · BEFORE + share · AFTER. Rows of
the word embeddings are matched by piece; a piece that BEFORE does not have keeps its row of AFTER.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402 (the project's root is put in the path above)
from pretraining import keeping  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import PreTrainedTokenizerBase  # noqa: E402

from deftx.models.bases import load_base  # noqa: E402


def main() -> None:
    """Read both bases and write the average."""
    given = arguments()
    before, after = load_base(given.before), load_base(given.after)
    average(before.model, after.model, rows_of(before.tokenizer, after.tokenizer), given.share)
    keeping.save_base(given.out, after.model, after.tokenizer, Path(given.after) / keeping.LOG, given.store)
    print(f"The average is in {given.out}.")


def rows_of(before: PreTrainedTokenizerBase, after: PreTrainedTokenizerBase) -> Tensor:
    """Return for each piece of ``after`` its row in ``before``, or −1."""
    there = before.get_vocab()
    pieces = sorted(after.get_vocab().items(), key=lambda item: item[1])
    return torch.tensor([there.get(piece, -1) for piece, _ in pieces])


@torch.no_grad()
def average(before: nn.Module, after: nn.Module, rows: Tensor, share: float) -> None:
    """Change the encoder of ``after`` to the average."""
    old, words = before.base_model.state_dict(), after.get_input_embeddings().weight
    for name, weight in after.base_model.state_dict().items():
        start = old[name]
        if weight.data_ptr() == words.data_ptr():
            start = start[rows.clamp(min=0)].where((rows >= 0)[:, None], weight)
        weight.copy_((1 - share) * start + share * weight)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", help="folder of the base before the training")
    parser.add_argument("after", help="folder of the base after the training")
    parser.add_argument("--share", type=float, default=0.5, help="weight of the second one (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the average")
    parser.add_argument("--store", choices=keeping.STORED, default="float32", help="dtype of the stored weights")
    return parser.parse_args()


if __name__ == "__main__":
    main()
