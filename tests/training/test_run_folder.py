"""A run says what disk space it needs before it starts, and that it goes on in other circumstances."""

import shutil
from types import SimpleNamespace

import pytest
import torch

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.events import Listener
from deftx.training.recipes import LanguageRecipe
from deftx.training.run_folder import bytes_needed, check_disk, claim_folder

XLM_R_BASE = 277_414_656, 842_130  # weights in M and in the language head


def test_xlm_r_base_needs_two_checkpoints_and_its_best_values():
    assert bytes_needed(*XLM_R_BASE, LanguageRecipe()) / 1e9 == pytest.approx(2 * 3.3 + 1.1, abs=0.1)


def test_a_disk_without_room_is_refused_with_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    with pytest.raises(TrainingError, match=r"needs 7\.8 GB .*but only 2\.0 GB are free"):
        check_disk(*XLM_R_BASE, LanguageRecipe(), tmp_path / "run", tmp_path / "run" / "delta.safetensors", False)


def test_an_unfinished_run_of_a_version_without_a_setting_goes_on_where_the_setting_is_off(tmp_path):
    listener = Listener(lambda _: None, lambda: False)
    claim_folder(tmp_path, {"k": 1}, listener)
    claim_folder(tmp_path, {"k": 1, "trim": False, "sparse_learning_rate": None}, listener)
    for setting in ({"trim": True}, {"sparse_learning_rate": 1e-3}):
        with pytest.raises(RecipeError, match=next(iter(setting))):
            claim_folder(tmp_path, {"k": 1, **setting}, listener)


def test_another_number_of_threads_is_said(tmp_path, monkeypatch):
    said = []
    listener = Listener(said.append, lambda: False)
    claim_folder(tmp_path, {"k": 1}, listener)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    claim_folder(tmp_path, {"k": 1}, listener)
    assert [event.warning for event in said] == [True]
    assert "99 now" in said[0].message
