"""Pretrain the bundled base: an XLM-R-style encoder of the languages around those that it is to be adapted to.

    python scripts/pretrain.py --data DIR --out OUT [--base FOLDER] [--tokens 20e6] [--device cuda]

Reads ``DIR/corpora``. The same command goes on where it was stopped; ``--base`` goes on from a base that is finished, as
from ``assets/bases/nusantara-small``. At the end, ``OUT/base`` is such a folder, and ``OUT/log.csv`` the course of the
training, with the loss on held-out lines of each corpus.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402 (the project's root is put in the path above)
from pretraining import card, keeping, text  # noqa: E402
from pretraining.embeddings import start_embeddings  # noqa: E402
from pretraining.start import STARTS  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM  # noqa: E402

from deftx.commands.training import stop_on_signal  # noqa: E402
from deftx.devices import has_bfloat16  # noqa: E402
from deftx.families import find_head  # noqa: E402
from deftx.language import EVALUATION_MASKS, masked_lm_loss  # noqa: E402
from deftx.order import batch_order, seed_for  # noqa: E402
from deftx.text import mask_tokens, special_ids  # noqa: E402

JUDGED_SHARE = 0.15  # of held-out tokens that are to be predicted, whatever share is trained on: losses can be compared


@dataclass(frozen=True)
class Settings:
    """How the base is made; what is known about each default stands in docs/base.md."""

    base: str = ""  # a finished base to go on from: its sizes, tokenizer and weights take the place of the five below
    vocabulary: int = 14_000
    layers: int = 6
    hidden: int = 256
    heads: int = 4
    longest: int = 256  # tokens that the base can read
    tokens: int = 20_000_000  # to train on, over all passes
    short: int = 64  # tokens of a sequence at first: short ones teach the most for their cost
    long: int = 128  # and towards the end, so that later positions are learned as well
    long_share: float = 0.2  # of the tokens
    batch_tokens: int = 1_536
    learning_rate: float = 6e-4  # at its peak; at 1e-3 the loss stands still (docs/base.md)
    warm_up: float = 0.03  # share of the steps; then linearly to 0
    weight_decay: float = 0.01
    start: str = "neighbours"  # how the weights are drawn: a key of STARTS
    mask_share: float = 0.2  # of the tokens: more than usual teaches a small model more for its cost
    seed: int = 42

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(1, self.tokens // self.batch_tokens)

    def length_at(self, step: int) -> int:
        """Tokens of the sequences of a step."""
        return self.long if step >= self.steps * (1 - self.long_share) else self.short

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        start = max(1, round(self.warm_up * self.steps))
        return self.learning_rate * min((step + 1) / start, (self.steps - step) / max(1, self.steps - start))


def main() -> None:
    """Read the text, train, write the base."""
    given = arguments()
    settings = Settings(**{name: value for name, value in vars(given).items() if name in Settings.__dataclass_fields__})
    given.out.mkdir(parents=True, exist_ok=True)
    if settings.base:
        settings = like_base(settings)
    claim(given.out / "settings.json", settings)
    train, held_out = text.read_corpora(given.data, settings.seed)
    tokenizer = prepare_tokenizer(given.out / "tokenizer", train, settings)
    model = start_model(given.out, settings, tokenizer, train).to(given.device)
    with stop_on_signal() as should_stop:
        run(model, tokenizer, settings, train, held_out, given, should_stop)
    keeping.save_base(given.out / "base", model.cpu(), tokenizer, given.out / "log.csv")
    card.write_card(given.out, sum(p.numel() for p in model.parameters()), given.device)
    print(f"The base is in {given.out / 'base'}.")


def run(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    settings: Settings,
    train: dict,
    held_out: dict,
    given: argparse.Namespace,
    should_stop: Callable[[], bool],
) -> None:
    """Train to the last step, from the saved state where there is one; whoever stops it keeps what was learned."""
    optimizer = torch.optim.AdamW(groups(model, settings), betas=(0.9, 0.98), eps=1e-6, fused=True)
    state = given.out / "state.safetensors"
    about = keeping.restore_state(state, model, optimizer) if state.is_file() else {"step": 0, "seconds": 0.0}
    step, log = about["step"], keeping.Log(given.out / "log.csv", list(held_out), about["step"], settings.base)
    judged = evaluation_batches(held_out, tokenizer, settings)
    bfloat16 = has_bfloat16(torch.device(given.device))
    began = saved = time.monotonic()
    losses, sequences = [], None
    model.train()
    while step < settings.steps:
        if sequences is None or sequences.shape[1] != settings.length_at(step):
            sequences = text.sequences(train, tokenizer, settings.length_at(step), settings.seed)
            order = batch_order(len(sequences), settings.batch_tokens // sequences.shape[1], settings.seed, "pretrain")
        batch = masked(sequences[order(step)], tokenizer, settings.mask_share, seed_for(settings.seed, "mask", step))
        with torch.autocast(given.device, torch.bfloat16, enabled=bfloat16):
            loss = masked_lm_loss(model, {name: tensor.to(given.device) for name, tensor in batch.items()})
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = settings.rate_at(step)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
        step += 1
        last = step == settings.steps
        if step % given.look_every == 0 or last:
            seconds = about["seconds"] + time.monotonic() - began
            row = {"step": step, "tokens": step * settings.batch_tokens, "seconds": round(seconds),
                   "loss": f"{torch.stack(losses).mean():.4f}"}  # fmt: skip
            judge = last or step % (given.look_every * 10) == 0
            log.note(row, evaluate(model, judged, given.device) if judge else {})
            losses = []
        stop = should_stop() and not last
        if time.monotonic() - saved > given.save_every or last or stop:
            seconds = about["seconds"] + time.monotonic() - began
            keeping.save_state(state, model, optimizer, {"step": step, "seconds": seconds})
            saved = time.monotonic()
        if stop:
            raise SystemExit(f"Stopped at step {step:,} of {settings.steps:,}. The same command goes on from there.")


def groups(model: nn.Module, settings: Settings) -> list[dict]:
    """Let matrices decay, but not biases and normalisation."""
    kinds = {True: [], False: []}
    for parameter in model.parameters():
        kinds[parameter.dim() > 1].append(parameter)
    return [
        {"params": kinds[True], "weight_decay": settings.weight_decay},
        {"params": kinds[False], "weight_decay": 0.0},
    ]


def masked(rows: Tensor, tokenizer: PreTrainedTokenizerFast, share: float, seed: int) -> dict[str, Tensor]:
    """Make a batch of sequences of one length, of which a share of the tokens is to be predicted."""
    rows = rows.long()
    special = torch.isin(rows, torch.tensor(special_ids(tokenizer)))
    generator = torch.Generator().manual_seed(seed)
    inputs, labels = mask_tokens(rows, special, len(tokenizer), tokenizer.mask_token_id, generator, share)
    return {"input_ids": inputs, "attention_mask": torch.ones_like(inputs), "labels": labels}


def evaluation_batches(held_out: dict, tokenizer: PreTrainedTokenizerFast, settings: Settings) -> dict[str, dict]:
    """Mask the held-out lines of each corpus once."""
    return {
        name: masked(text.sequences({name: lines}, tokenizer, settings.short, settings.seed)[:64], tokenizer, JUDGED_SHARE,
                     seed_for(EVALUATION_MASKS, name))
        for name, lines in held_out.items()
    }  # fmt: skip


@torch.no_grad()
def evaluate(model: nn.Module, batches: dict[str, dict], device: str) -> dict[str, float]:
    """Return the masked-LM loss in nats on the held-out lines of each corpus."""
    model.eval()
    losses = {n: float(masked_lm_loss(model, {k: t.to(device) for k, t in b.items()})) for n, b in batches.items()}
    model.train()
    return losses


def prepare_tokenizer(folder: Path, train: dict[str, list[str]], settings: Settings) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or take up the one that is there."""
    if settings.base:
        PreTrainedTokenizerFast.from_pretrained(settings.base).save_pretrained(folder)
    elif not (folder / "tokenizer.json").is_file():
        text.train_tokenizer(train, settings.vocabulary, settings.longest).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def start_model(out: Path, settings: Settings, tokenizer: PreTrainedTokenizerFast, train: dict) -> nn.Module:
    """Draw the weights, unless a base or a state is there to go on from."""
    if settings.base:
        model = XLMRobertaForMaskedLM.from_pretrained(settings.base, dtype=torch.float32)
        model.language_head = find_head(model, "pretraining")
        return model
    torch.manual_seed(settings.seed)
    config = XLMRobertaConfig(
        vocab_size=settings.vocabulary, hidden_size=settings.hidden, num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads, intermediate_size=4 * settings.hidden,
        max_position_embeddings=settings.longest + 2, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, tie_word_embeddings=True,
    )  # fmt: skip
    model = XLMRobertaForMaskedLM(config)
    model.language_head = find_head(model, "pretraining")
    if not (out / "state.safetensors").is_file():
        rows = text.sequences(train, tokenizer, settings.short, settings.seed)
        start = start_embeddings(rows, settings.vocabulary, settings.hidden, special_ids(tokenizer), settings.seed)
        STARTS[settings.start](model, start, settings.seed)
    return model


def like_base(settings: Settings) -> Settings:
    """Give the settings the sizes of the base that is gone on from."""
    config = XLMRobertaConfig.from_pretrained(settings.base)
    return replace(
        settings, vocabulary=config.vocab_size, layers=config.num_hidden_layers, hidden=config.hidden_size,
        heads=config.num_attention_heads, longest=config.max_position_embeddings - 2,
    )  # fmt: skip


def claim(path: Path, settings: Settings) -> None:
    """Note the settings of this folder, or make sure that they are the same."""
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != asdict(settings):
        sys.exit(f"{path} has other settings; choose another folder.")
    path.write_text(json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Read the command line; every setting is an option."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpora/")
    parser.add_argument("--out", type=Path, required=True, help="folder for state, log and base")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--look-every", type=int, default=100, help="steps between two lines of the log")
    parser.add_argument("--save-every", type=float, default=120.0, help="seconds between two states")
    for name, field in Settings.__dataclass_fields__.items():
        kind = (lambda text: int(float(text))) if field.type is int else field.type
        choices = STARTS if name == "start" else None
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=field.default, choices=choices)
    return parser.parse_args()


if __name__ == "__main__":
    main()
