"""What would be refused is said before the start, by the name of what to change."""

import shutil
from types import SimpleNamespace

from deftx.training.base_facts import BaseFacts
from deftx.training.estimates import Amount, Model, TextSize, estimate
from deftx.training.preflight import Machine, check_free_space, check_size, notes
from deftx.training.recipes import recipe_for
from deftx.training.speed import Speed

XLM_R = Model(encoder=277_453_056, words=192_001_536, trainable=277_414_656, width=768, layers=12)
FACTS = BaseFacts("xlm-r", XLM_R, None, 128, here=False)
AMOUNT = Amount(4, 96, 100)
SPEED = Speed((1e9, 1e9), (0.0, 0.0), (5.0, 10.0), 1)
ROOMY = Machine(64_000_000_000, 48_000_000_000)


def test_a_k_beyond_the_base_is_named():
    assert [r.field for r in check_size(recipe_for("language", "quick", k=10**9), FACTS)] == ["k"]
    assert check_size(recipe_for("language", "quick"), FACTS) == []


def test_too_little_disk_and_memory_are_refused_with_numbers(tmp_path, monkeypatch):
    found = estimate("language", recipe_for("language", "quick"), XLM_R, AMOUNT, SPEED)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    small = check_free_space(found, tmp_path, Machine(4_000_000_000, 1_000_000_000))
    assert [refusal.field for refusal in small] == ["disk", "memory"]
    assert "2.0 GB are free" in small[0].reason
    assert "4.0 GB in all" in small[1].reason
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    assert check_free_space(found, tmp_path, ROOMY) == []


def test_what_is_only_worth_a_thought_is_no_refusal():
    recipe = recipe_for("language", "paper")
    found = estimate("language", recipe, XLM_R, AMOUNT, SPEED)
    tight = Machine(64_000_000_000, 1_000_000_000)
    said = " ".join(notes(recipe, FACTS, TextSize(9, 9, 400), AMOUNT, found, tight))
    for words in ("less text than one batch", "at most 128 tokens", "fetched from the Hub", "1.0 GB are free now"):
        assert words in said
    assert "one distinct line" in notes(recipe, FACTS, TextSize(9, 1, 400), AMOUNT, found, ROOMY)[0]


def test_this_machine_has_memory():
    machine = Machine.of("cpu")
    assert 0 < machine.free_memory <= machine.memory
