"""Pretrain the bundled base: masked-language modelling in languages related to the targets.

    python scripts/pretrain.py --data DIR --base FOLDER --out OUT [--tokens 2e6 | --minutes 4] [--device cuda --compile]

The text is in ``DIR/corpora``; ``FOLDER`` is a masked-language model, as ``scripts/make_base.py`` writes it. The same command
resumes a stopped run, also with more or fewer ``--tokens``. At the end, ``OUT/base`` is a transformers folder and
``OUT/log.csv`` the training log, with the loss on held-out lines before and after.
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
from pretraining import aligning, card, keeping, text  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

from deftx.commands.training import stop_on_signal  # noqa: E402
from deftx.core.files import write_json  # noqa: E402
from deftx.core.sampling import batch_order, seed_for  # noqa: E402
from deftx.data.sequences import mask_tokens, special_ids  # noqa: E402
from deftx.models.bases import load_base  # noqa: E402
from deftx.models.parameters import encoder_parameters  # noqa: E402
from deftx.training.devices import has_bfloat16  # noqa: E402
from deftx.training.language import EVALUATION_MASKS, masked_lm_loss  # noqa: E402

JUDGED_SHARE = 0.15  # share of held-out tokens to predict; independent of the training, so that losses can be compared
JUDGED = 32  # evaluation sequences per corpus
CHANGEABLE = ("tokens", "decay")  # settings that can be changed when a run is resumed
TIMED = 100  # steps after the warm-up from whose duration --minutes computes the number of tokens
ENDLESS = 10**15  # tokens, until they have been computed


@dataclass(frozen=True)
class Settings:
    """The training settings; docs/base.md explains the defaults."""

    base: str
    tokens: int = 2_000_000  # total number of training tokens
    length: int = 64  # tokens per sequence; short ones are the most efficient
    batch_tokens: int = 768
    head_steps: int = 40  # first steps, in which only the head is trained
    head_rate: float = 1e-3
    learning_rate: float = 3e-4  # peak
    warm_up: int = 50  # steps, after the head's
    decay: float = 0.4  # share of the steps, at the end, in which the rate decays to 0
    weight_decay: float = 0.01
    mask_share: float = 0.25  # share of masked tokens; more than usual is more efficient
    align: float = 0.0  # weight of the distance of hidden states from those of the initial encoder; 0: none
    teacher: str = ""  # folder of the initial encoder for align, if it is not the base
    align_what: str = "tokens"  # which hidden states: a key of aligning.DISTANCES
    left_out: str = ""  # corpora that are not trained on, separated by spaces: to choose settings on their languages
    seed: int = 42

    @property
    def steps(self) -> int:
        """The total number of optimiser steps."""
        return max(1, self.tokens // self.batch_tokens)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: the head's, then warm-up, constant, and linear decay at the end."""
        if step < self.head_steps:
            return self.head_rate
        rise = (step - self.head_steps + 1) / max(1, self.warm_up)
        return self.learning_rate * min(1.0, rise, (self.steps - step) / max(1, self.decay * self.steps))


def main() -> None:
    """Read the text, train, and write the base."""
    given = arguments()
    settings = Settings(**{name: value for name, value in vars(given).items() if name in Settings.__dataclass_fields__})
    given.out.mkdir(parents=True, exist_ok=True)
    settings = claim(given.out / "settings.json", settings, given.minutes)
    train, held_out = text.read_corpora(given.data, settings.seed, settings.left_out.split())
    base = load_base(settings.base, device=given.device)
    if given.device == "cpu":  # the backward pass of the fused attention is slower on a CPU for short sequences
        base.model.set_attn_implementation("eager")
    if given.compile:
        compile_layers(base.model)
    with stop_on_signal() as should_stop:
        run(base.model, base.tokenizer, settings, train, held_out, given, should_stop)
    keeping.save_base(given.out / "base", base.model.cpu(), base.tokenizer, given.out / "log.csv", given.store)
    card.write_card(given.out / "base", base.model, settings.mask_share, given.device, settings.align > 0)
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
    """Train to the last step, from the saved state if there is one. A stopped run keeps its state.

    The model stays in evaluation mode, without dropout, which costs time and does not help in a single epoch.
    """
    optimizer = torch.optim.AdamW(groups(model, settings), betas=(0.9, 0.98), eps=1e-6, fused=True)
    state = given.out / "state.safetensors"
    about = keeping.restore_state(state, model, optimizer) if state.is_file() else {"step": 0, "seconds": 0.0}
    step, log = about["step"], keeping.Log(given.out / "log.csv", list(held_out), about["step"], settings.base)
    judged = evaluation_batches(held_out, tokenizer, settings)
    sequences = keeping.remember(
        given.out / "sequences.safetensors", lambda: text.sequences(train, tokenizer, settings.length, settings.seed)
    )
    order = batch_order(len(sequences), settings.batch_tokens // settings.length, settings.seed, "pretrain")
    bfloat16 = has_bfloat16(torch.device(given.device))
    teacher = teacher_of(model, settings, given.compile)
    pace = Pace(given, max(step, settings.head_steps + settings.warm_up)) if settings.tokens == ENDLESS else None
    began = saved = time.monotonic()
    losses = []

    def note(loss: Tensor | float, judge: bool) -> None:
        seconds = about["seconds"] + time.monotonic() - began
        row = {"step": step, "tokens": step * settings.batch_tokens, "seconds": round(seconds), "loss": f"{loss:.4f}"}
        log.note(row, evaluate(model, judged, given.device) if judge else {})

    if not step:
        note(float("nan"), judge=True)
    while step < settings.steps:
        for parameter in encoder_parameters(model).values():
            parameter.requires_grad_(step >= settings.head_steps)
        batch = masked(sequences[order(step)], tokenizer, settings.mask_share, seed_for(settings.seed, "mask", step))
        batch = {name: tensor.to(given.device) for name, tensor in batch.items()}
        losses.append(update(model, batch, optimizer, settings.rate_at(step), bfloat16, teacher))
        step += 1
        if pace and (tokens := pace.tokens(step, losses[-1], about["seconds"] + time.monotonic() - began, settings)):
            settings = claim(given.out / "settings.json", replace(settings, tokens=tokens))
        last = step == settings.steps
        if step % given.look_every == 0 or last:
            note(torch.stack(losses).mean(), judge=last or step % given.judge_every == 0)
            losses = []
        stop = should_stop() and not last
        if time.monotonic() - saved > given.save_every or last or stop:
            seconds = about["seconds"] + time.monotonic() - began
            keeping.save_state(state, model, optimizer, {"step": step, "seconds": seconds})
            saved = time.monotonic()
        if stop:
            raise SystemExit(f"Stopped at step {step:,} of {settings.steps:,}. Run the same command to continue.")


def compile_layers(model: nn.Module) -> None:
    """Compile each layer: their code is the same, so it is compiled once."""
    for layer in model.base_model.encoder.layer:
        layer.compile()


def teacher_of(model: nn.Module, settings: Settings, compiled: bool) -> aligning.Teacher | None:
    """Return the initial encoder for ``settings.align``, or None without it."""
    if not settings.align:
        return None
    teacher = aligning.Teacher(model, settings.align, settings.align_what, settings.teacher or settings.base)
    if compiled:
        compile_layers(teacher.model)
    return teacher


class Pace:
    """Computes the number of tokens that fit into ``--minutes`` from the speed of TIMED steps after the warm-up."""

    def __init__(self, given: argparse.Namespace, first: int) -> None:
        self.minutes, self.first, self._began = given.minutes, first, 0.0

    def tokens(self, step: int, loss: Tensor, seconds: float, settings: Settings) -> int | None:
        """Return the number after the last of these steps, otherwise None. ``seconds`` is the time of the training so far."""
        if step == self.first + 1:
            loss.item()  # waits for the device
            self._began = seconds
        if step != self.first + 1 + TIMED:
            return None
        loss.item()
        left = (60 * self.minutes - seconds) * TIMED / (seconds - self._began)
        found = (step + max(1, int(left))) * settings.batch_tokens
        print(f"{found:,} tokens in {self.minutes:g} minutes", flush=True)
        return found


def update(
    model: nn.Module, batch: dict, optimizer: torch.optim.Optimizer, rate: float, bfloat16: bool,
    teacher: aligning.Teacher | None,
) -> Tensor:  # fmt: skip
    """Take one optimiser step with clipped gradients and this learning rate; return the masked-LM loss, a scalar."""
    with torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=bfloat16):
        loss = masked_lm_loss(model, batch)
        whole = loss + teacher.loss(batch) if teacher else loss
    whole.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def groups(model: nn.Module, settings: Settings) -> list[dict]:
    """Return parameter groups: weight decay for matrices, but not for biases and normalisation."""
    kinds = {True: [], False: []}
    for parameter in model.parameters():
        kinds[parameter.dim() > 1].append(parameter)
    return [
        {"params": kinds[True], "weight_decay": settings.weight_decay},
        {"params": kinds[False], "weight_decay": 0.0},
    ]


def masked(rows: Tensor, tokenizer: PreTrainedTokenizerFast, share: float, seed: int) -> dict[str, Tensor]:
    """Return a batch of sequences of equal length with a share of masked tokens."""
    rows = rows.long()
    special = torch.isin(rows, torch.tensor(special_ids(tokenizer)))
    generator = torch.Generator().manual_seed(seed)
    inputs, labels = mask_tokens(rows, special, len(tokenizer), tokenizer.mask_token_id, generator, share)
    return {"input_ids": inputs, "attention_mask": torch.ones_like(inputs), "labels": labels}


def evaluation_batches(held_out: dict, tokenizer: PreTrainedTokenizerFast, settings: Settings) -> dict[str, dict]:
    """Return the masked held-out lines of each corpus."""
    return {
        name: masked(text.sequences({name: lines}, tokenizer, settings.length, settings.seed)[:JUDGED], tokenizer, JUDGED_SHARE,
                     seed_for(EVALUATION_MASKS, name))
        for name, lines in held_out.items()
    }  # fmt: skip


@torch.no_grad()
def evaluate(model: nn.Module, batches: dict[str, dict], device: str) -> dict[str, float]:
    """Return the masked-LM loss in nats on the held-out lines of each corpus."""
    with torch.compiler.set_stance("force_eager"):  # batches of another shape would be compiled anew
        return {n: float(masked_lm_loss(model, {k: t.to(device) for k, t in b.items()})) for n, b in batches.items()}


def claim(path: Path, settings: Settings, minutes: float | None = None) -> Settings:
    """Write the settings of this folder and return them, after checking that only CHANGEABLE settings differ from earlier ones.

    With ``minutes``, the number of tokens is what was computed earlier, or ENDLESS until it is.
    """
    new = asdict(settings)
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else new
    differing = [name for name in new if old.get(name) != new[name] and name not in CHANGEABLE]
    if differing:
        sys.exit(f"{path} has other settings ({', '.join(differing)}); choose another folder.")
    if minutes:
        settings = replace(settings, tokens=old["tokens"] if path.is_file() else ENDLESS)
    write_json(path, asdict(settings))
    return settings


def arguments() -> argparse.Namespace:
    """Parse the command line; every setting is an option."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that contains corpora/")
    parser.add_argument("--out", type=Path, required=True, help="folder for state, log and base")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the layers: faster on a GPU")
    parser.add_argument("--minutes", type=float, help="as many --tokens as this time allows, from the measured speed")
    parser.add_argument("--look-every", type=int, default=50, help="steps between two lines of the log")
    parser.add_argument(
        "--judge-every", type=int, default=1_000, help="steps between two evaluations on held-out lines"
    )
    parser.add_argument("--store", choices=keeping.STORED, default="int8", help="dtype of the stored weights")
    parser.add_argument("--save-every", type=float, default=120.0, help="seconds between two checkpoints")
    for name, field in Settings.__dataclass_fields__.items():
        kind = (lambda text: int(float(text))) if field.type is int else field.type
        needed = {"required": True} if name == "base" else {"default": field.default}
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, **needed)
    return parser.parse_args()


if __name__ == "__main__":
    main()
