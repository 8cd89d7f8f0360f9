"""Files of a pretraining run: checkpoint, log, and the folder of the finished base."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from deftx.models.eight_bits import pack_folder
from deftx.training.checkpoints import read_tensors, write_tensors

COUNTED = ("step", "tokens", "seconds")
COLUMNS = (*COUNTED, "loss")
STORED = {"float32": torch.float32, "float16": torch.float16, "int8": torch.float32}
LOG = "pretraining.csv"  # in the folder of a base


def remember(path: Path, make: Callable[[], Tensor]) -> Tensor:
    """Return the result of ``make``, cached in a file, because tokenising all text takes minutes."""
    if not path.is_file():
        write_tensors(path, {"sequences": make()}, {})
    return read_tensors(path)[0]["sequences"]


def save_state(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, about: dict) -> None:
    """Write weights, the optimiser's moments and the progress atomically."""
    tensors = {}
    for name, parameter in model.named_parameters():
        tensors[f"value.{name}"] = parameter
        tensors |= {f"{key}.{name}": value for key, value in optimizer.state.get(parameter, {}).items()}
    write_tensors(path, tensors, about)


def restore_state(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict:
    """Load a saved state into model and optimiser, and return the progress."""
    tensors, about = read_tensors(path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"value.{name}"])
            if f"step.{name}" in tensors:  # otherwise it has not been trained yet
                optimizer.state[parameter] = {
                    key: tensors[f"{key}.{name}"].clone().to(parameter.device if key != "step" else "cpu")
                    for key in ("step", "exp_avg", "exp_avg_sq")
                }
    return about


def read_log(path: Path) -> list[dict[str, str]]:
    """Return the lines of a log; empty if there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class Log:
    """A training log as CSV, with held-out losses in some lines.

    With ``base``, the log starts with the lines of that base's log, and the counts continue from them.
    """

    def __init__(self, path: Path, corpora: list[str], step: int, base: str = "") -> None:
        self.path, self.corpora = path, corpora
        kept = read_log(Path(base) / LOG) if base else []
        self.before = {name: int(kept[-1][name]) if kept else 0 for name in COUNTED}
        if step:  # drop the lines after the checkpoint, which will be written again
            until = self.before["step"] + step
            kept = [row for row in read_log(path) if int(row["step"]) <= until]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, (*COLUMNS, *corpora), lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)

    def note(self, row: dict, held_out: dict[str, float]) -> None:
        """Add a line and print it."""
        row = row | {name: row[name] + self.before[name] for name in COUNTED}
        row |= {name: f"{loss:.4f}" for name, loss in held_out.items()}
        with self.path.open("a", encoding="utf-8", newline="") as stream:
            csv.DictWriter(stream, (*COLUMNS, *self.corpora), lineterminator="\n").writerow(row)
        print(" ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def save_base(folder: Path, model: nn.Module, tokenizer: PreTrainedTokenizerFast, log: Path, store: str) -> None:
    """Write a transformers folder with its log; ``store``, a key of STORED, is the dtype of the weights."""
    model.to(STORED[store]).save_pretrained(folder)  # writes tied weights once
    if store == "int8":
        pack_folder(folder)
    tokenizer.save_pretrained(folder)
    rules = folder / "tokenizer.json"  # without indentation it has half the size
    rules.write_text(
        json.dumps(json.loads(rules.read_text("utf-8")), ensure_ascii=False, separators=(",", ":")), "utf-8"
    )
    shutil.copyfile(log, folder / LOG)
    for file in folder.iterdir():
        file.chmod(0o644)
