"""A run says what disk space it needs before it starts, and that it goes on in other circumstances."""

from types import SimpleNamespace

import pytest
import torch

from deftx.core.errors import TrainingError
from deftx.core.events import Listener
from deftx.training import run_folder
from deftx.training.recipes import LanguageRecipe
from deftx.training.run_folder import check_disk, claim_folder, disk_needed

XLM_R_BASE = SimpleNamespace(
    trainable={"M": torch.empty(277_414_656, device="meta")}, head={"lm_head": torch.empty(842_130, device="meta")}
)


def test_xlm_r_base_needs_two_checkpoints_and_its_best_values():
    assert disk_needed(XLM_R_BASE, LanguageRecipe()) / 1e9 == pytest.approx(2 * 3.3 + 1.1, abs=0.1)


def test_a_disk_without_room_is_refused_with_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder.shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    with pytest.raises(TrainingError, match=r"needs 7\.8 GB .*but only 2\.0 GB are free"):
        check_disk(XLM_R_BASE, LanguageRecipe(), tmp_path / "run", tmp_path / "run" / "delta.safetensors", False)


def test_another_number_of_threads_is_said(tmp_path, monkeypatch):
    said = []
    listener = Listener(said.append, lambda: False)
    claim_folder(tmp_path, {"k": 1}, listener)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    claim_folder(tmp_path, {"k": 1}, listener)
    assert [event.warning for event in said] == [True]
    assert "99 now" in said[0].message
