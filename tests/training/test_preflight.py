"""What would be refused is said before the start, by the name of what to change."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

from deftx.training.base_facts import BaseFacts
from deftx.training.data_size import Amount, TableSize, TextSize
from deftx.training.estimates import estimate
from deftx.training.model_size import Model
from deftx.training.preflight import NOTES, Machine, check_free_space, check_size, notes, trim_note
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
    assert "only 4.0 GB" in small[1].reason
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    assert check_free_space(found, tmp_path, ROOMY) == []


def test_what_is_only_worth_a_thought_is_no_refusal():
    recipe = recipe_for("language", "paper")
    found = estimate("language", recipe, XLM_R, AMOUNT, SPEED)
    tight = Machine(64_000_000_000, 1_000_000_000)
    said = {note.kind: note.values for note in notes(recipe, FACTS, TextSize(9, 8, 400), AMOUNT, found, tight)}
    assert list(said) == ["few_lines", "longest", "download", "memory"]
    assert (said["few_lines"], said["longest"], said["memory"]["free"]) == ({"lines": 9}, {"longest": 128}, "1.0 GB")
    assert notes(recipe, FACTS, TextSize(9, 1, 400), AMOUNT, found, ROOMY)[0].kind == "one_line"
    rows = notes(recipe, FACTS, TableSize(4, None, 2, False, (9,)), AMOUNT, found, ROOMY)[0]
    assert (rows.kind, rows.values) == ("few_rows", {"rows": 4})


def test_every_note_has_the_values_of_its_kind():
    recipe = recipe_for("language", "paper")
    found, tight = estimate("language", recipe, XLM_R, AMOUNT, SPEED), Machine(64_000_000_000, 1_000_000_000)
    trimmed = replace(FACTS, model=XLM_R.with_rows(9_000))
    said = [*notes(recipe, FACTS, TextSize(9, 8, 400), AMOUNT, found, tight), trim_note(recipe, FACTS, trimmed)]
    assert {note.kind: tuple(note.values) for note in said} == {note.kind: NOTES[note.kind] for note in said}


def test_this_machine_has_memory():
    machine = Machine.of("cpu")
    assert 0 < machine.free_memory <= machine.memory
